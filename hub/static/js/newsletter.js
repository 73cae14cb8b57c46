// Newsletters: a draft keeps itself and shows its mail while one types; an audience counts itself; a sending moves.

import { socket } from "./live.js";
import { post } from "./words.js";

const PAUSE = 700;

function later(action) {
  let timer;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(action, PAUSE);
  };
}

// --- Writing ---

const isPhone = matchMedia("(max-width: 860px)").matches;
const WIDTHS = { phone: 390, tablet: 640, desktop: 780 };

function editor(form) {
  const frame = freshFrame(document.querySelector("[data-frame]"));
  const list = document.querySelector("[data-checklist]");
  const look = lookWith(frame);

  const check = async () => {
    const answer = await fetch(form.dataset.checks);
    if (answer.ok) list.innerHTML = await answer.text();
  };
  const save = async () => {
    try {
      const answer = await (await post(form.action, new FormData(form))).json();
      form.querySelector("[data-saved]").textContent = answer.saved;
      look(true);
      await check();
    } catch {
      form.querySelector("[data-saved]").textContent = "";
    }
  };
  form.addEventListener("input", later(save));
  list.addEventListener("click", async (event) => {
    if (!event.target.closest("[data-try]")) return;
    await post(list.dataset.tryLinks);
    await check();
  });
  for (const button of document.querySelectorAll("[data-insert]")) {
    button.addEventListener("click", () => insert(form, button.dataset.insert));
  }
  blocks(form);
  plain(form, frame);
  look();
}

// The frame of a page without scripts. Made by one, it begins with its own address: in a page's own frame
// the browser's Back puts what it was left with, while the buttons are as at first.
function freshFrame(box) {
  box.innerHTML = box.querySelector("noscript").textContent;
  return box.firstElementChild;
}

// Show the mail as chosen: how wide, in which theme, with or without pictures, as whom.
function lookWith(frame) {
  const address = frame.src;
  const box = document.querySelector("[data-frame]");
  const [dark, pictures] = [document.querySelector("[data-dark]"), document.querySelector("[data-pictures]")];
  const reader = readers();
  let width = isPhone ? "phone" : "desktop";
  for (const each of document.querySelectorAll("[data-width]")) each.setAttribute("aria-pressed", String(each.dataset.width === width));

  const fit = () => {
    const [wide, place] = [WIDTHS[width] ?? box.clientWidth, box.clientWidth];
    const scale = Math.min(1, place / wide);
    frame.style.width = `${wide}px`;
    frame.style.height = `${box.clientHeight / scale}px`;
    frame.style.transform = scale < 1 ? `scale(${scale})` : "none";
    frame.style.marginLeft = `${Math.max(0, (place - wide) / 2)}px`;
  };
  let shown = ""; // the frame loads its own address by itself
  const look = async (anew) => {
    const query = new URLSearchParams();
    if (reader()) query.set("reader", reader());
    const head = fetch(`${frame.dataset.head}?${query}`);
    if (width === "text") query.set("part", "text");
    if (dark.getAttribute("aria-pressed") === "true") query.set("theme", "dark");
    if (pictures.getAttribute("aria-pressed") === "false") query.set("images", "off");
    // Replaced, so that the browser's Back leaves the page instead of the last preview.
    if (anew || String(query) !== shown) frame.contentWindow.location.replace(`${address}?${query}`);
    shown = String(query);
    fit();
    const answer = await head;
    if (!answer.ok) return;
    const { subject, about, apart } = await answer.json();
    if (subject) document.querySelector("[data-subject]").textContent = subject;
    document.querySelector("[data-about]").textContent = about;
    document.querySelector("[data-apart]").textContent = apart ?? "";
  };
  for (const button of document.querySelectorAll("[data-width]")) {
    button.addEventListener("click", () => {
      for (const each of document.querySelectorAll("[data-width]")) each.setAttribute("aria-pressed", String(each === button));
      width = button.dataset.width;
      look();
    });
  }
  for (const button of [dark, pictures]) {
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
      look();
    });
  }
  document.querySelector("[data-reader]").addEventListener("change", () => look());
  new ResizeObserver(fit).observe(box);
  return look;
}

// The field that finds a reader by name; returns what gives the id of the one that is chosen.
function readers() {
  const [field, list] = [document.querySelector("[data-reader]"), document.querySelector("#readers")];
  const known = new Map([...list.options].map((each) => [each.value, each.dataset.id]));
  field.addEventListener(
    "input",
    later(async () => {
      if (!field.value || known.has(field.value)) return;
      const answer = await fetch(`${field.dataset.readers}?q=${encodeURIComponent(field.value)}`);
      if (!answer.ok) return;
      const found = await answer.json();
      for (const each of found) known.set(each.label, each.id);
      list.replaceChildren(...found.map((each) => Object.assign(document.createElement("option"), { value: each.label })));
    }),
  );
  return () => known.get(field.value);
}

// A block that shows something asks for what; then it stands in paragraphs of its own.
function blocks(form) {
  const dialog = document.querySelector("#choose-block");
  const [words, offers] = [dialog.querySelector("[data-offer-words]"), dialog.querySelector("[data-offers]")];
  let address = "";

  const find = async () => {
    const query = new URLSearchParams({ q: words.value, language: words.dataset.language });
    const answer = await fetch(`${address}?${query}`);
    if (answer.ok) offers.innerHTML = await answer.text();
  };
  words.addEventListener("input", later(find));
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-choose], [data-insert-block]");
    if (button?.dataset.choose) {
      address = button.dataset.choose;
      dialog.querySelector("h2").textContent = button.dataset.chooseTitle;
      words.value = "";
      closeMenus(form);
      dialog.showModal();
      words.focus();
      find();
    } else if (button) {
      dialog.close();
      insertBlock(form, button.dataset.insertBlock);
    }
  });
}

function insertBlock(form, text) {
  const field = form.querySelector("textarea");
  const [before, after] = [field.value.slice(0, field.selectionStart), field.value.slice(field.selectionEnd)];
  lastField = field;
  insert(form, `${"\n".repeat(gap(before, /\n*$/))}${text}${"\n".repeat(gap(after, /^\n*/))}`);
}

// How many line ends are missing to an empty line.
const gap = (text, edge) => (text.trim() ? Math.max(0, 2 - text.match(edge)[0].length) : 0);

// The text part by hand begins with what the hub would write.
function plain(form, frame) {
  const [own, field] = [form.querySelector("[data-own-plain]"), form.elements.plain];
  const show = () => {
    field.closest(".field").hidden = !own.checked;
  };
  own.addEventListener("change", async () => {
    show();
    if (!own.checked || field.value.trim()) return;
    const answer = await fetch(frame.dataset.head);
    if (!answer.ok) return;
    field.value = (await answer.json()).text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  show();
}

let lastField;
document.addEventListener("focusin", (event) => {
  if (event.target.matches("[data-draft] input[type=text], [data-draft] textarea")) lastField = event.target;
});

function closeMenus(form) {
  for (const menu of form.querySelectorAll("details[data-menu][open]")) menu.removeAttribute("open");
}

function insert(form, text) {
  const field = lastField ?? form.querySelector("textarea");
  field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
  closeMenus(form);
  field.focus();
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

// --- The monthly update: the order of groups and lines is the order of the draft ---

function order(form) {
  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-move], [data-move-group]");
    if (!button) return;
    const moved = button.closest(button.dataset.move ? "[data-item]" : "[data-group]");
    const up = (button.dataset.move ?? button.dataset.moveGroup) === "up";
    const other = up ? moved.previousElementSibling : moved.nextElementSibling;
    if (!other) return;
    if (up) other.before(moved);
    else other.after(moved);
    button.focus();
  });
}

// --- Audience ---

function audience(form) {
  const count = async () => {
    try {
      const answer = await post(form.dataset.count, new FormData(form));
      document.querySelector("[data-reach]").innerHTML = await answer.text();
    } catch {
      // The page keeps the last count; saving says what is wrong.
    }
  };
  form.addEventListener("change", later(count));
  conditions(form.querySelector("[data-conditions]"), later(count));
}

// Rows of conditions come from the server by their kind, and go with their cross.
function conditions(box, changed) {
  const list = box.querySelector(".conditions");
  let next = list.children.length;
  const settle = () => {
    box.querySelector("[data-no-conditions]").hidden = list.children.length > 0;
    changed();
  };
  box.addEventListener("click", async (event) => {
    const [away, add] = [event.target.closest("[data-take-away]"), event.target.closest("[data-add-condition]")];
    if (away) {
      away.closest("[data-condition]").remove();
      box.querySelector("summary").focus();
      settle();
    } else if (add) {
      add.closest("details").removeAttribute("open");
      const answer = await fetch(`${box.dataset.conditions.replace("KIND", add.dataset.addCondition)}?at=${next++}`);
      if (!answer.ok) return;
      list.insertAdjacentHTML("beforeend", await answer.text());
      list.lastElementChild.querySelector("[name$='-values'], [name$='-op'], [name$='-amount']")?.focus();
      settle();
    }
  });
}

// --- Sending ---

async function progress(box) {
  const number = Number(box.dataset.progress);
  const format = new Intl.NumberFormat(document.documentElement.lang);
  const show = (news) => {
    if (news.id !== number) return;
    if (news.status !== box.dataset.status) return location.reload();
    box.querySelector("[data-bar]").value = news.done;
    box.querySelector("[data-bar]").max = news.total;
    box.querySelector("[data-done]").textContent = format.format(news.done);
    box.querySelector("[data-total]").textContent = format.format(news.total);
    for (const place of document.querySelectorAll("[data-state]")) {
      place.textContent = format.format(news.counts[place.dataset.state]);
    }
  };
  if (box.dataset.status !== "sending") return;
  const line = await socket();
  const watch = () => line.emit("newsletter.watch", { id: number }, (answer) => answer.ok && show(answer.progress));
  line.on("progress", show);
  line.on("connect", watch);
  if (line.connected) watch();
}

for (const form of document.querySelectorAll("form[data-draft]")) editor(form);
for (const form of document.querySelectorAll("form[data-order]")) order(form);
for (const form of document.querySelectorAll("form[data-count]")) audience(form);
for (const box of document.querySelectorAll("[data-progress]")) progress(box);
