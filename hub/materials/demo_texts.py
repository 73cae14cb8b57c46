"""What the demo's materials say, in the hub's four languages."""

from typing import Any

RIGHTS = {
    "en": "Any site, mail or post of yours, unchanged",
    "ru": "Любой ваш сайт, письмо или пост, без изменений",
    "uk": "Будь-який ваш сайт, лист або допис, без змін",
    "pl": "Dowolna własna strona, mail lub wpis, bez zmian",
}

#: `wide` lines stand in boxes and, joined, in leaderboards; `tall` in skyscrapers; `subs` is `sub` in lines.
CAMPAIGNS: dict[str, dict[str, Any]] = {
    "black-friday": {
        "names": {"en": "Black Friday", "ru": "Чёрная пятница", "uk": "Чорна п’ятниця", "pl": "Black Friday"},
        "palette": "night",
        "picture": "ring",
        "tags": ["sale", "year"],
        "landing": "/black-friday",
        "words": {
            "en": {
                "title": "Black Friday, 40% off a year",
                "wide": ["Black Friday:", "40% off a year"],
                "tall": ["Black", "Friday", "40% off", "a year"],
                "second": ["Business at", "40% less"],
                "sub": "On every plan, until 30 November",
                "subs": ["On every plan,", "until 30 November"],
                "cta": "Take the discount",
            },
            "ru": {
                "title": "Чёрная пятница: год за 60 %",
                "wide": ["Чёрная пятница:", "год на 40 % дешевле"],
                "tall": ["Чёрная", "пятница:", "год на 40 %", "дешевле"],
                "sub": "На всех тарифах до 30 ноября",
                "subs": ["На всех тарифах", "до 30 ноября"],
                "cta": "Взять скидку",
            },
            "uk": {
                "title": "Чорна п’ятниця: рік за 60 %",
                "wide": ["Чорна п’ятниця:", "рік на 40 % дешевше"],
                "tall": ["Чорна", "п’ятниця:", "рік на 40 %", "дешевше"],
                "sub": "На всіх тарифах до 30 листопада",
                "subs": ["На всіх тарифах", "до 30 листопада"],
                "cta": "Отримати знижку",
            },
            "pl": {
                "title": "Black Friday: rok 40% taniej",
                "wide": ["Black Friday:", "rok o 40% taniej"],
                "tall": ["Black", "Friday:", "rok o 40%", "taniej"],
                "sub": "We wszystkich planach do 30 listopada",
                "subs": ["We wszystkich planach", "do 30 listopada"],
                "cta": "Skorzystaj",
            },
        },
    },
    "business": {
        "names": {
            "en": "Business plan",
            "ru": "Тариф Business",
            "uk": "Тариф Business",
            "pl": "Plan Business",
        },
        "palette": "petrol",
        "picture": "columns",
        "tags": ["business", "evergreen"],
        "landing": "/business",
        "words": {
            "en": {
                "title": "Close the month before lunch",
                "wide": ["Close the month", "before lunch"],
                "tall": ["Close", "the month", "before", "lunch"],
                "sub": "Invoices, bank and books in one place",
                "subs": ["Invoices, bank and", "books in one place"],
                "cta": "Try Business free",
            },
            "ru": {
                "title": "Закройте месяц до обеда",
                "wide": ["Закройте месяц", "до обеда"],
                "tall": ["Закройте", "месяц", "до обеда"],
                "sub": "Счета, банк и учёт в одном месте",
                "subs": ["Счета, банк и учёт", "в одном месте"],
                "cta": "Попробовать",
            },
            "uk": {
                "title": "Закрийте місяць до обіду",
                "wide": ["Закрийте місяць", "до обіду"],
                "tall": ["Закрийте", "місяць", "до обіду"],
                "sub": "Рахунки, банк і облік в одному місці",
                "subs": ["Рахунки, банк і облік", "в одному місці"],
                "cta": "Спробувати",
            },
            "pl": {
                "title": "Zamknij miesiąc przed obiadem",
                "wide": ["Zamknij miesiąc", "przed obiadem"],
                "tall": ["Zamknij", "miesiąc", "przed", "obiadem"],
                "sub": "Faktury, bank i księgi w jednym miejscu",
                "subs": ["Faktury, bank i księgi", "w jednym miejscu"],
                "cta": "Wypróbuj Business",
            },
        },
    },
    "annual": {
        "names": {
            "en": "Annual billing",
            "ru": "Оплата за год",
            "uk": "Оплата за рік",
            "pl": "Płatność za rok",
        },
        "palette": "sand",
        "picture": "calendar",
        "tags": ["year"],
        "landing": "/pricing?billing=year",
        "words": {
            "en": {
                "title": "Twelve months for the price of ten",
                "wide": ["Twelve months", "for the price of ten"],
                "tall": ["Twelve", "months for", "the price", "of ten"],
                "sub": "Pay once a year, save two months",
                "subs": ["Pay once a year,", "save two months"],
                "cta": "See prices",
            },
            "ru": {
                "title": "Год по цене десяти месяцев",
                "wide": ["Двенадцать месяцев", "по цене десяти"],
                "tall": ["Год", "по цене", "десяти", "месяцев"],
                "sub": "Одна оплата – два месяца в подарок",
                "subs": ["Одна оплата –", "два месяца", "в подарок"],
                "cta": "Смотреть цены",
            },
            "uk": {
                "title": "Рік за ціною десяти місяців",
                "wide": ["Дванадцять місяців", "за ціною десяти"],
                "tall": ["Рік", "за ціною", "десяти", "місяців"],
                "sub": "Одна оплата – два місяці в подарунок",
                "subs": ["Одна оплата –", "два місяці", "в подарунок"],
                "cta": "Переглянути ціни",
            },
            "pl": {
                "title": "Rok w cenie dziesięciu miesięcy",
                "wide": ["Dwanaście miesięcy", "w cenie dziesięciu"],
                "tall": ["Rok", "w cenie", "dziesięciu", "miesięcy"],
                "sub": "Jedna płatność, dwa miesiące gratis",
                "subs": ["Jedna płatność,", "dwa miesiące gratis"],
                "cta": "Zobacz ceny",
            },
        },
    },
    "freelancers": {
        "names": {
            "en": "Invoicing for freelancers",
            "ru": "Счета для фрилансеров",
            "uk": "Рахунки для фрилансерів",
            "pl": "Faktury dla freelancerów",
        },
        "palette": "moss",
        "picture": "sheet",
        "tags": ["evergreen", "freelance"],
        "landing": "/freelancers",
        "words": {
            "en": {
                "title": "Your first invoice in two minutes",
                "wide": ["Your first invoice", "in two minutes"],
                "tall": ["Your first", "invoice", "in two", "minutes"],
                "sub": "The Start plan, made for one",
                "subs": ["The Start plan,", "made for one"],
                "cta": "Start free",
            },
            "ru": {
                "title": "Первый счёт за две минуты",
                "wide": ["Первый счёт", "за две минуты"],
                "tall": ["Первый", "счёт", "за две", "минуты"],
                "sub": "Тариф Start – для тех, кто работает один",
                "subs": ["Тариф Start – для тех,", "кто работает один"],
                "cta": "Начать бесплатно",
            },
            "uk": {
                "title": "Перший рахунок за дві хвилини",
                "wide": ["Перший рахунок", "за дві хвилини"],
                "tall": ["Перший", "рахунок", "за дві", "хвилини"],
                "sub": "Тариф Start – для тих, хто працює сам",
                "subs": ["Тариф Start – для тих,", "хто працює сам"],
                "cta": "Почати безкоштовно",
            },
            "pl": {
                "title": "Pierwsza faktura w dwie minuty",
                "wide": ["Pierwsza faktura", "w dwie minuty"],
                "tall": ["Pierwsza", "faktura", "w dwie", "minuty"],
                "sub": "Plan Start, w sam raz dla jednej osoby",
                "subs": ["Plan Start, w sam raz", "dla jednej osoby"],
                "cta": "Zacznij za darmo",
            },
        },
    },
}

#: (campaign, locale, tag, title, body)
TEXTS: list[tuple[str, str, str, str, str]] = [
    (
        "freelancers", "en", "post", "Post: the invoice I used to postpone",
        """
I used to write invoices on the last evening of the month, and always found one I had forgotten.

For half a year now I have been using Nordbill. The invoice is ready while I still remember what I did, the reminder goes out by itself, and I see who has paid. The Start plan is enough for one person.

Here is my link: {link}
With the code {coupon} the first payment is 10% lower.
""",
    ),
    (
        "business", "en", "mail", "Letter: closing the month without a spreadsheet",
        """
Subject: Closing the month without a spreadsheet

Hello,

if you still copy bank lines into a spreadsheet at the end of the month, have a look at Nordbill. It matches payments with invoices, keeps the VAT apart and hands your accountant one file.

You can try the Business plan for 30 days: {link}
The code {coupon} takes 10% off the first payment.

Kind regards,
{name}
""",
    ),
    (
        "business", "ru", "mail", "Письмо: закрыть месяц без таблиц",
        """
Тема: Закрыть месяц без таблиц

Здравствуйте!

Если в конце месяца вы до сих пор переносите строки из банка в таблицу, посмотрите на Nordbill. Он сам сопоставляет оплаты со счетами, отдельно считает НДС и готовит для бухгалтера один файл.

Тариф Business можно попробовать 30 дней: {link}
По промокоду {coupon} первый платёж на 10 % меньше.

С уважением,
{name}
""",
    ),
    (
        "freelancers", "ru", "post", "Пост: счёт, который я всё время откладывал",
        """
Раньше я выставлял счета в последний вечер месяца и каждый раз находил забытый.

Полгода пользуюсь Nordbill: счёт готов, пока я ещё помню, что сделал, напоминание уходит само, а в списке видно, кто уже заплатил. Для одного человека хватает тарифа Start.

Вот ссылка: {link}
С промокодом {coupon} первый платёж на 10 % меньше.
""",
    ),
    (
        "business", "uk", "mail", "Лист: закрити місяць без таблиць",
        """
Тема: Закрити місяць без таблиць

Вітаємо!

Якщо наприкінці місяця ви досі переносите рядки з банку до таблиці, погляньте на Nordbill. Він сам зіставляє оплати з рахунками, окремо рахує ПДВ і готує для бухгалтера один файл.

Тариф Business можна спробувати 30 днів: {link}
З промокодом {coupon} перший платіж на 10 % менший.

З повагою,
{name}
""",
    ),
    (
        "freelancers", "pl", "post", "Wpis: faktura, którą odkładało się na potem",
        """
Kiedyś faktury powstawały u mnie ostatniego wieczoru miesiąca, a jednej zawsze brakowało.

Od pół roku korzystam z Nordbill: faktura jest gotowa, póki pamiętam, za co, przypomnienie wychodzi samo, a na liście widać, kto już zapłacił. Jednej osobie wystarcza plan Start.

Link: {link}
Z kodem {coupon} pierwsza płatność jest o 10% niższa.
""",
    ),
    (
        "black-friday", "en", "mail", "Letter: Black Friday, three lines",
        """
Subject: 40% off a year of Nordbill, until Monday

Hello,

Nordbill gives 40% off its yearly plans until 30 November. It is the tool {name} uses for invoices and books.

The page with the prices: {link}
""",
    ),
]  # fmt: skip

#: The product on one page.
SHEET: dict[str, dict[str, Any]] = {
    "en": {
        "title": "Nordbill on one page",
        "lang": "en",
        "lead": "Online invoicing and bookkeeping for small companies.",
        "plans_head": "Plans",
        "plans": [
            ["Start", "For one person: invoices, reminders, a list of who has paid."],
            ["Business", "For a company: bank, VAT and books beside the invoices."],
            ["Team", "For several people: roles, approval, the accountant's own seat."],
        ],
        "points_head": "What customers like",
        "points": [
            "An invoice takes two minutes, and the next one less.",
            "Payments from the bank find their invoices by themselves.",
            "The month is closed in a morning, and the accountant gets one file.",
            "Pages and invoices in English, Polish, Russian and Ukrainian.",
        ],
        "facts_head": "For partners to know",
        "facts": [
            "Your coupon gives the customer 10% off the first payment.",
            "A sale within 60 days of the click counts as yours.",
            "Commission is counted for the first 12 months of a customer.",
        ],
        "foot": "nordbill.example",
    },
    "ru": {
        "title": "Nordbill на одной странице",
        "lang": "ru",
        "lead": "Онлайн-счета и учёт для небольших компаний.",
        "plans_head": "Тарифы",
        "plans": [
            ["Start", "Для одного: счета, напоминания, список оплат."],
            ["Business", "Для компании: банк, НДС и учёт рядом со счетами."],
            ["Team", "Для нескольких: роли, согласование, место для бухгалтера."],
        ],
        "points_head": "Что нравится клиентам",
        "points": [
            "Счёт занимает две минуты, следующий – ещё меньше.",
            "Оплаты из банка сами находят свои счета.",
            "Месяц закрывается за утро, а бухгалтер получает один файл.",
            "Интерфейс и счета на английском, польском, русском и украинском.",
        ],
        "facts_head": "Что важно партнёру",
        "facts": [
            "Ваш промокод даёт клиенту 10 % скидки на первый платёж.",
            "Продажа в течение 60 дней после перехода засчитывается вам.",
            "Комиссия начисляется за первые 12 месяцев клиента.",
        ],
        "foot": "nordbill.example",
    },
}
