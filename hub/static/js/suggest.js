// Results while typing: an ARIA combobox over the HTML fragment the server answers; before, what was searched lately.

import { Recent } from "./recent.js";
import { fresh, word } from "./words.js";

const PAUSE = 120;
/** Id of the listbox in the answer. */
const LIST = "suggest-list";

export function wire(root) {
  for (const form of fresh(root, "form[data-suggest]", "suggest")) new Suggest(form);
}

class Suggest {
  constructor(form) {
    this.url = form.dataset.suggest;
    this.page = form.action;
    this.recent = new Recent(form.dataset.who);
    this.input = form.querySelector("input[type=search]");
    this.box = document.getElementById("suggest");
    this.input.setAttribute("role", "combobox");
    this.input.setAttribute("aria-autocomplete", "list");
    this.input.setAttribute("aria-controls", LIST);
    this.input.addEventListener("input", () => this.later());
    this.input.addEventListener("keydown", (event) => this.keys(event));
    this.input.addEventListener("focus", () => this.reopen());
    form.addEventListener("submit", () => this.recent.add(this.input.value.trim()));
    this.box.addEventListener("click", (event) => {
      if (event.target.closest("[role=option]")) this.recent.add(this.input.value.trim());
    });
    for (const part of [form, this.box]) part.addEventListener("focusout", (event) => this.left(form, event.relatedTarget));
    document.addEventListener("click", (event) => {
      if (!form.contains(event.target) && !this.box.contains(event.target)) this.end();
    });
    this.toggle(false);
    // Words sent off before this script was there are those of the page of results.
    this.recent.add(this.input.defaultValue.trim());
    if (document.activeElement === this.input) this.reopen();
  }

  /** What is in the box is shown again if it answers what is in the field. */
  reopen() {
    const words = this.input.value.trim();
    if (words && words === this.answered) this.toggle(this.options.length > 0);
    else this.ask();
  }

  /** Close, and let no answer open it again. */
  end() {
    clearTimeout(this.timer);
    this.request?.abort();
    this.toggle(false);
  }

  /** Whoever walks on with the keyboard leaves the list behind; a click tells no place to go to. */
  left(form, next) {
    if (next && !form.contains(next) && !this.box.contains(next)) this.end();
  }

  /** The empty field: what this person searched for lately. */
  offer() {
    const words = this.recent.all;
    if (!words.length) return this.clear();
    const list = made("div", { role: "listbox", "aria-label": word("recent") });
    const label = made("p", { class: "label", "aria-hidden": "true" }, word("recent"));
    list.append(label, ...words.map((each) => this.option(each)));
    const foot = made("p", { class: "suggest-foot" });
    const forget = made("button", { type: "button", class: "btn btn-sm" }, word("forgetRecent"));
    forget.addEventListener("click", () => {
      this.recent.forget();
      this.clear();
      this.input.focus();
    });
    foot.append(forget);
    this.box.replaceChildren(list, foot);
    this.answered = "";
    this.name();
    this.toggle(true);
  }

  option(words) {
    const address = `${this.page}?q=${encodeURIComponent(words)}`;
    const option = made("a", { role: "option", tabindex: "-1", href: address }, words);
    option.addEventListener("click", () => this.recent.add(words));
    return option;
  }

  get options() {
    return [...this.box.querySelectorAll("[role=option]")];
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), PAUSE);
  }

  /** A newer question makes the answer to an older one void. */
  async ask() {
    this.request?.abort();
    const words = this.input.value.trim();
    if (!words) return this.offer();
    if (words.length < 2) return this.clear();
    this.request = new AbortController();
    const url = `${this.url}?q=${encodeURIComponent(words)}`;
    try {
      const response = await fetch(url, { signal: this.request.signal, headers: { "HX-Request": "true" } });
      if (!response.ok) return this.clear();
      this.box.innerHTML = await response.text();
      this.answered = words;
    } catch {
      return;
    }
    this.name();
    this.toggle(this.box.textContent.trim() !== "" && this.input.value.trim() === words);
  }

  /** What the field points to needs a name. */
  name() {
    const list = this.box.querySelector("[role=listbox]");
    if (list) list.id = LIST;
    this.options.forEach((option, at) => (option.id ||= `suggest-${at}`));
  }

  clear() {
    this.box.replaceChildren();
    this.answered = "";
    this.toggle(false);
  }

  toggle(open) {
    this.box.hidden = !open;
    this.input.setAttribute("aria-expanded", String(open));
    if (!open) this.select(-1);
  }

  select(at) {
    this.at = at;
    this.options.forEach((option, index) => option.setAttribute("aria-selected", String(index === at)));
    const chosen = this.options[at];
    if (chosen) this.input.setAttribute("aria-activedescendant", chosen.id);
    else this.input.removeAttribute("aria-activedescendant");
    chosen?.scrollIntoView({ block: "nearest" });
  }

  keys(event) {
    if (event.key === "Escape") {
      // The first Escape closes and keeps the words, which a browser would clear; the second leaves the field.
      event.preventDefault();
      if (this.box.hidden) this.input.blur();
      this.end();
    } else if (event.key === "Enter" && this.options[this.at] && !this.box.hidden) {
      event.preventDefault();
      this.options[this.at].click();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (this.box.hidden) this.reopen();
      if (this.box.hidden) return;
      const count = this.options.length;
      const step = event.key === "ArrowDown" ? 1 : -1;
      // One place more than there are options: the field itself.
      this.select(((this.at + 1 + step + count + 1) % (count + 1)) - 1);
    }
  }
}

function made(tag, attributes, text = "") {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.textContent = text;
  return element;
}
