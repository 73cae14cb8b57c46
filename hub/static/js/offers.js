// While one writes: “/” offers canned replies, “#” articles, “@” colleagues. Arrows choose, Enter or Tab takes.

const WORD = /(?:^|\s)([/#@])([^\s/#@]{0,40})$/;
const PAUSE = 150; // ms without a key

export function wireOffers(form) {
  const text = form.elements.body;
  const list = form.querySelector("[data-offers]");
  const triggers = form.dataset.composer === "internal" ? "#@" : "/#";
  let timer;
  let asked = 0;
  let offers = [];
  let at = 0;

  text.setAttribute("aria-controls", list.id);
  text.setAttribute("aria-autocomplete", "list");

  text.addEventListener("input", () => {
    clearTimeout(timer);
    const word = wordAtCaret();
    if (!word) return close();
    timer = setTimeout(() => ask(word), PAUSE);
  });
  text.addEventListener("blur", () => setTimeout(close, 200));
  text.addEventListener(
    "keydown",
    (event) => {
      if (list.hidden || event.ctrlKey || event.metaKey) return;
      if (event.key === "ArrowDown") show(at + 1);
      else if (event.key === "ArrowUp") show(at - 1);
      else if (event.key === "Enter" || event.key === "Tab") take(offers[at]);
      else if (event.key === "Escape") close();
      else return;
      event.preventDefault();
      event.stopImmediatePropagation();
    },
    true,
  );
  for (const button of form.querySelectorAll("[data-trigger]")) {
    button.addEventListener("click", () => {
      const gap = text.value && !/\s$/.test(text.value.slice(0, text.selectionStart)) ? " " : "";
      text.focus();
      text.setRangeText(gap + button.dataset.trigger, text.selectionStart, text.selectionEnd, "end");
      text.dispatchEvent(new Event("input", { bubbles: true }));
    });
  }

  function wordAtCaret() {
    const found = WORD.exec(text.value.slice(0, text.selectionStart));
    return found && triggers.includes(found[1]) ? { kind: found[1], q: found[2], length: found[2].length + 1 } : null;
  }

  async function ask({ kind, q }) {
    const mine = ++asked;
    const answer = await fetch(`${form.dataset.offer}?${new URLSearchParams({ kind, q })}`).catch(() => undefined);
    if (mine !== asked || !answer?.ok || answer.redirected) return;
    offers = await answer.json();
    show(0);
  }

  function show(index) {
    if (!offers.length) return close();
    at = (index + offers.length) % offers.length;
    list.replaceChildren(
      ...offers.map((offer, n) => {
        const item = document.createElement("li");
        item.id = `${list.id}-${n}`;
        item.role = "option";
        item.ariaSelected = String(n === at);
        item.textContent = offer.label;
        item.addEventListener("mousedown", (event) => {
          event.preventDefault();
          take(offer);
        });
        return item;
      }),
    );
    list.hidden = false;
    text.setAttribute("aria-activedescendant", `${list.id}-${at}`);
  }

  function take(offer) {
    const word = wordAtCaret();
    const end = text.selectionStart;
    text.setRangeText(offer.text, word ? end - word.length : end, end, "end");
    if (offer.macro && form.elements.macro) form.elements.macro.value = offer.macro;
    close();
    text.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function close() {
    asked += 1;
    clearTimeout(timer);
    list.hidden = true;
    text.removeAttribute("aria-activedescendant");
  }
}

// An article that stands beside the thread.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-insert-article]");
  const text = button && document.querySelector("#text-public");
  if (!text) return;
  const link = `[${button.dataset.title}](${button.dataset.insertArticle})`;
  text.focus();
  text.setRangeText((text.value && !/\s$/.test(text.value) ? " " : "") + link, text.value.length, text.value.length, "end");
  text.dispatchEvent(new Event("input", { bubbles: true }));
});
