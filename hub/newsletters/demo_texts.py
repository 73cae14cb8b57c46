"""What the programme of the demo has written to its partners in its first year."""

from .models import Topic

Text = tuple[str, str, str]  # subject, preview line, body

#: (days ago, topic, language → text), the oldest first
SENT: list[tuple[int, Topic, dict[str, Text]]] = [
    (
        350,
        Topic.SERVICE,
        {
            "en": (
                "Welcome to the Nordbill Partner Programme",
                "Your link works from today. Where to find it, and whom to ask.",
                "Hello {user.first_name|there},\n\n{partner.name} is now part of the programme. Your link counts from the first click, for 60 days.\n\n- Your link and banners are under **Materials**.\n- How commission is counted is in [this article](kb:commission).\n- Questions go to **Support**; people answer Monday to Friday, 9 to 18 Oslo time.\n\n[Open the hub](/)\n\nAnna Lindqvist",
            ),
            "ru": (
                "Добро пожаловать в партнёрскую программу Nordbill",
                "Ваша ссылка работает с сегодняшнего дня: где её найти и кого спросить.",
                "Здравствуйте, {user.first_name|партнёр}.\n\n{partner.name} теперь в программе. Ваша ссылка учитывается с первого перехода, 60 дней.\n\n- Ссылка и баннеры лежат в разделе **Материалы**.\n- Как считается комиссия, рассказывает [эта статья](kb:commission).\n- Вопросы пишите в **Поддержку**: отвечают люди, с понедельника по пятницу, с 9 до 18 по Осло.\n\n[Открыть портал](/)\n\nАнна Линдквист",
            ),
            "uk": (
                "Вітаємо в партнерській програмі Nordbill",
                "Ваше посилання працює від сьогодні: де його знайти і кого запитати.",
                "Вітаємо, {user.first_name|партнере}.\n\n{partner.name} тепер у програмі. Ваше посилання враховується від першого переходу, 60 днів.\n\n- Посилання й банери є в розділі **Матеріали**.\n- Як рахується комісія, пояснює [ця стаття](kb:commission).\n- Запитання пишіть у **Підтримку**: відповідають люди, з понеділка до п’ятниці, з 9 до 18 за Осло.\n\n[Відкрити портал](/)\n\nАнна Ліндквіст",
            ),
            "pl": (
                "Witamy w programie partnerskim Nordbill",
                "Link działa od dziś: gdzie go znaleźć i kogo pytać.",
                "Dzień dobry, {user.first_name|Partnerze},\n\n{partner.name} jest już w programie. Link liczy się od pierwszego kliknięcia, przez 60 dni.\n\n- Link i banery są w **Materiałach**.\n- Jak liczona jest prowizja, wyjaśnia [ten artykuł](kb:commission).\n- Pytania prosimy kierować do **Wsparcia**: odpowiadają ludzie, od poniedziałku do piątku, od 9 do 18 czasu Oslo.\n\n[Otwórz portal](/)\n\nAnna Lindqvist",
            ),
        },
    ),
    (
        262,
        Topic.MATERIALS,
        {
            "en": (
                "Six banner sizes for the spring",
                "The 300 × 250 leads in clicks. Your link is already inside.",
                "Hello {user.first_name|there},\n\nThe spring set is in Materials: six sizes in four languages. On our own pages the 300 × 250 within an article got twice the clicks of the one at the side.\n\nCopy the code again rather than changing the picture: the old pictures stay reachable, but they name last year’s price.\n\n[See the banners](/materials/)\n\n[Placing a banner](kb:place-a-banner) shows where the code goes.",
            ),
            "ru": (
                "Шесть размеров баннеров на весну",
                "Больше всего переходов даёт 300 × 250. Ваша ссылка уже внутри.",
                "Здравствуйте, {user.first_name|партнёр}.\n\nВесенний набор лежит в материалах: шесть размеров на четырёх языках. На наших страницах баннер 300 × 250 внутри статьи получил вдвое больше переходов, чем сбоку.\n\nСкопируйте код заново, а не меняйте картинку: старые картинки открываются, но на них прошлогодняя цена.\n\n[Посмотреть баннеры](/materials/)\n\nКуда вставить код, показывает статья [о размещении](kb:place-a-banner).",
            ),
            "uk": (
                "Шість розмірів банерів на весну",
                "Найбільше переходів дає 300 × 250. Ваше посилання вже всередині.",
                "Вітаємо, {user.first_name|партнере}.\n\nВесняний набір є в матеріалах: шість розмірів чотирма мовами. На наших сторінках банер 300 × 250 усередині статті отримав удвічі більше переходів, ніж збоку.\n\nСкопіюйте код заново, а не міняйте зображення: старі відкриваються, але на них торішня ціна.\n\n[Переглянути банери](/materials/)\n\nКуди вставити код, показує стаття [про розміщення](kb:place-a-banner).",
            ),
            "pl": (
                "Sześć formatów banerów na wiosnę",
                "Najwięcej kliknięć zbiera 300 × 250. Link jest już w środku.",
                "Dzień dobry, {user.first_name|Partnerze},\n\nWiosenny zestaw jest w Materiałach: sześć formatów w czterech językach. Na naszych stronach baner 300 × 250 w treści artykułu zebrał dwa razy więcej kliknięć niż ten z boku.\n\nLepiej skopiować kod od nowa, niż podmieniać obrazek: stare obrazki działają, ale pokazują zeszłoroczną cenę.\n\n[Zobacz banery](/materials/)\n\nGdzie wkleić kod, pokazuje artykuł [o umieszczaniu](kb:place-a-banner).",
            ),
        },
    ),
    (
        190,
        Topic.TRAINING,
        {
            "en": (
                "Webinar: a comparison that people trust",
                "45 minutes with three texts from partners, and why they sell.",
                "Hello {user.first_name|there},\n\nA comparison sells when it also says for whom Nordbill is **not** the right choice. In the next webinar we read three comparisons by partners, line by line, and you can bring your own.\n\nSeats are limited to 60. There will be a recording.\n\n[Take a seat](/training/)\n\nTomasz Zieliński",
            ),
            "ru": (
                "Вебинар: сравнение, которому верят",
                "45 минут, три текста партнёров и разбор, почему они продают.",
                "Здравствуйте, {user.first_name|партнёр}.\n\nСравнение продаёт, когда в нём честно сказано, кому Nordbill **не** подойдёт. На ближайшем вебинаре разберём по строкам три сравнения партнёров; приносите и своё.\n\nМест 60. Запись будет.\n\n[Занять место](/training/)\n\nТомаш Зелинский",
            ),
            "uk": (
                "Вебінар: порівняння, якому вірять",
                "45 хвилин, три тексти партнерів і розбір, чому вони продають.",
                "Вітаємо, {user.first_name|партнере}.\n\nПорівняння продає, коли в ньому чесно сказано, кому Nordbill **не** підійде. На найближчому вебінарі розберемо по рядках три порівняння партнерів; приносьте і своє.\n\nМісць 60. Запис буде.\n\n[Зайняти місце](/training/)\n\nТомаш Зелінський",
            ),
            "pl": (
                "Webinar: porównanie, któremu się ufa",
                "45 minut, trzy teksty partnerów i odpowiedź, dlaczego sprzedają.",
                "Dzień dobry, {user.first_name|Partnerze},\n\nPorównanie sprzedaje, gdy mówi też, dla kogo Nordbill **nie** jest dobrym wyborem. Na najbliższym webinarze czytamy wiersz po wierszu trzy porównania partnerów; można przynieść własne.\n\nMiejsc jest 60. Będzie nagranie.\n\n[Zajmij miejsce](/training/)\n\nTomasz Zieliński",
            ),
        },
    ),
    (
        124,
        Topic.PRODUCT,
        {
            "en": (
                "The plan Team has approvals now",
                "Who asks for it, how to explain it in one sentence.",
                "Hello {user.first_name|there},\n\nFrom today an invoice on the plan *Team* can wait for a second person’s approval. Offices with a bookkeeper outside the house have asked for it most.\n\n> One sentence for your text: “Nobody sends an invoice alone.”\n\nThe price stays the same, and so does your commission on it.\n\n[What Team costs](https://nordbill.example/plans)",
            ),
            "ru": (
                "В тарифе Team появилось согласование",
                "Кто об этом просит и как объяснить одной фразой.",
                "Здравствуйте, {user.first_name|партнёр}.\n\nС сегодняшнего дня счёт в тарифе *Team* может ждать подтверждения второго человека. Чаще всего об этом просили компании, у которых бухгалтер работает на стороне.\n\n> Фраза для вашего текста: «Ни один счёт не уходит без второй пары глаз».\n\nЦена прежняя, комиссия тоже.\n\n[Сколько стоит Team](https://nordbill.example/plans)",
            ),
            "uk": (
                "У тарифі Team з’явилося погодження",
                "Хто про це просить і як пояснити одним реченням.",
                "Вітаємо, {user.first_name|партнере}.\n\nВід сьогодні рахунок у тарифі *Team* може чекати на підтвердження другої людини. Найчастіше про це просили компанії, у яких бухгалтер працює ззовні.\n\n> Речення для вашого тексту: «Жоден рахунок не йде без другої пари очей».\n\nЦіна та сама, комісія теж.\n\n[Скільки коштує Team](https://nordbill.example/plans)",
            ),
            "pl": (
                "Plan Team ma teraz zatwierdzanie",
                "Kto o to prosi i jak to wyjaśnić jednym zdaniem.",
                "Dzień dobry, {user.first_name|Partnerze},\n\nOd dziś faktura w planie *Team* może czekać na zatwierdzenie drugiej osoby. Najczęściej prosiły o to firmy z księgowością na zewnątrz.\n\n> Zdanie do tekstu: „Żadna faktura nie wychodzi bez drugiej pary oczu”.\n\nCena się nie zmienia, prowizja też nie.\n\n[Ile kosztuje Team](https://nordbill.example/plans)",
            ),
        },
    ),
    (
        61,
        Topic.MATERIALS,
        {
            "en": (
                "A coupon counts even without a click",
                "For videos, podcasts and print: 10% off, and the sale is yours.",
                "Hello {user.first_name|there},\n\nWhere nobody can click, a coupon can be said aloud. It gives the customer 10% off, and the sale counts as yours even when another link came last.\n\n{partner.name} can ask for one in **Support**: tell us the word you would like.\n\n[How coupons work](kb:coupons)",
            ),
            "ru": (
                "Промокод засчитывается и без перехода",
                "Для видео, подкастов и печати: скидка 10 %, а продажа ваша.",
                "Здравствуйте, {user.first_name|партнёр}.\n\nТам, где нельзя нажать на ссылку, промокод можно назвать вслух. Клиент получает скидку 10 %, а продажа засчитывается вам, даже если последней была чужая ссылка.\n\n{partner.name} может запросить свой промокод в **Поддержке**: напишите, какое слово вам подходит.\n\n[Как работают промокоды](kb:coupons)",
            ),
            "uk": (
                "Промокод зараховується і без переходу",
                "Для відео, подкастів і друку: знижка 10 %, а продаж ваш.",
                "Вітаємо, {user.first_name|партнере}.\n\nТам, де не можна натиснути на посилання, промокод можна назвати вголос. Клієнт отримує знижку 10 %, а продаж зараховується вам, навіть якщо останнім було чуже посилання.\n\n{partner.name} може отримати свій промокод через **Підтримку**: напишіть, яке слово вам підходить.\n\n[Як працюють промокоди](kb:coupons)",
            ),
            "pl": (
                "Kod rabatowy liczy się nawet bez kliknięcia",
                "Do filmów, podcastów i druku: 10% rabatu, a sprzedaż się liczy.",
                "Dzień dobry, {user.first_name|Partnerze},\n\nTam, gdzie nie da się kliknąć, kod można wypowiedzieć na głos. Klient dostaje 10% rabatu, a sprzedaż zalicza się partnerowi, nawet jeśli ostatni był cudzy link.\n\n{partner.name} może dostać własny kod przez **Wsparcie**: wystarczy podać słowo.\n\n[Jak działają kody](kb:coupons)",
            ),
        },
    ),
    (
        17,
        Topic.REPORT,
        {
            "en": (
                "Your statement for last month is ready",
                "Payouts went out on the 5th. What is in the statement, what is carried over.",
                "Hello {user.first_name|there},\n\nLast month is closed, and payouts went out on the 5th. The statement of {partner.name} is under Earnings, as PDF, CSV and XLSX.\n\nBelow €50, £45, 200 zł or 2,000 ₴ the balance is carried over. If an amount looks wrong, press **Question this** beside it: only that amount waits.\n\n[Open your earnings](/earnings/)\n\nAnna Lindqvist",
            ),
            "ru": (
                "Отчёт за прошлый месяц готов",
                "Выплаты ушли 5-го. Что в отчёте и что переносится.",
                "Здравствуйте, {user.first_name|партнёр}.\n\nПрошлый месяц закрыт, выплаты ушли 5-го. Отчёт, в котором {partner.name} видит каждое начисление, лежит в разделе «Доходы»: PDF, CSV и XLSX.\n\nБаланс меньше 50 €, 45 £, 200 zł или 2 000 ₴ переносится. Если сумма кажется неверной, нажмите рядом с ней **Оспорить**: ждать будет только она.\n\n[Открыть доходы](/earnings/)\n\nАнна Линдквист",
            ),
            "uk": (
                "Звіт за минулий місяць готовий",
                "Виплати пішли 5-го. Що у звіті й що переноситься.",
                "Вітаємо, {user.first_name|партнере}.\n\nМинулий місяць закрито, виплати пішли 5-го. Звіт, у якому {partner.name} бачить кожне нарахування, є в розділі «Доходи»: PDF, CSV і XLSX.\n\nБаланс, менший за 50 €, 45 £, 200 zł або 2 000 ₴, переноситься. Якщо сума здається хибною, натисніть поруч **Оскаржити**: чекатиме лише вона.\n\n[Відкрити доходи](/earnings/)\n\nАнна Ліндквіст",
            ),
            "pl": (
                "Zestawienie za zeszły miesiąc jest gotowe",
                "Wypłaty wyszły 5. dnia miesiąca. Co jest w zestawieniu, co przechodzi dalej.",
                "Dzień dobry, {user.first_name|Partnerze},\n\nZeszły miesiąc jest zamknięty, a wypłaty wyszły 5. dnia miesiąca. Zestawienie dla {partner.name} jest w Zarobkach: PDF, CSV i XLSX.\n\nSaldo poniżej 50 €, 45 £, 200 zł lub 2 000 ₴ przechodzi na kolejny miesiąc. Jeśli kwota budzi wątpliwości, obok niej jest **Zakwestionuj**: czeka tylko ta kwota.\n\n[Otwórz zarobki](/earnings/)\n\nAnna Lindqvist",
            ),
        },
    ),
]

#: Tried beside the subject of the product news, and better: language → second subject.
SECOND = {
    "en": "Your customers can approve invoices in pairs",
    "ru": "Ваши клиенты могут согласовывать счета вдвоём",
    "uk": "Ваші клієнти можуть погоджувати рахунки вдвох",
    "pl": "Klienci mogą zatwierdzać faktury we dwoje",
}
