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

function editor(form) {
  const frame = document.querySelector("[data-preview]");
  const reader = document.querySelector("[data-reader]");
  const address = frame.src;
  let part = "";

  const look = () => {
    const query = new URLSearchParams({ ...(reader.value && { reader: reader.value }), ...(part && { part }) });
    // Replaced, so that the browser's Back leaves the page instead of the last preview.
    frame.contentWindow.location.replace(`${address}?${query}`);
  };
  const save = async () => {
    try {
      const answer = await (await post(form.action, new FormData(form))).json();
      form.querySelector("[data-saved]").textContent = answer.saved;
      document.querySelector("[data-subject]").textContent = form.elements.subject.value;
      look();
      const list = await fetch(form.dataset.checks);
      if (list.ok) document.querySelector("[data-checklist]").innerHTML = await list.text();
    } catch {
      form.querySelector("[data-saved]").textContent = "";
    }
  };

  form.addEventListener("input", later(save));
  reader.addEventListener("change", look);
  for (const button of document.querySelectorAll("[data-width]")) {
    button.addEventListener("click", () => {
      for (const each of document.querySelectorAll("[data-width]")) each.setAttribute("aria-pressed", String(each === button));
      frame.classList.toggle("is-phone", button.dataset.width === "phone");
      frame.classList.toggle("is-text", button.dataset.width === "text");
      const wanted = button.dataset.width === "text" ? "text" : "";
      if (wanted !== part) {
        part = wanted;
        look();
      }
    });
  }
  for (const button of document.querySelectorAll("[data-insert]")) {
    button.addEventListener("click", () => insert(form, button.dataset.insert));
  }
}

let lastField;
document.addEventListener("focusin", (event) => {
  if (event.target.matches("[data-draft] input[type=text], [data-draft] textarea")) lastField = event.target;
});

function insert(form, text) {
  const field = lastField ?? form.querySelector("textarea");
  field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
  field.closest("form").querySelector("details[open]")?.removeAttribute("open");
  field.focus();
  field.dispatchEvent(new Event("input", { bubbles: true }));
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
for (const form of document.querySelectorAll("form[data-count]")) audience(form);
for (const box of document.querySelectorAll("[data-progress]")) progress(box);
