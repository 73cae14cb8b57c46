// The gallery: assets open in a drawer, filters unfold on a phone, codes become tabs.

import { toast } from "./toasts.js";
import { post } from "./words.js";

const drawer = document.getElementById("asset");

async function open(event) {
  const tile = event.target.closest("a[data-asset]");
  // A click with a key, or of another button, means a page or a tab of its own.
  if (!tile || !drawer || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const response = await fetch(tile.href, { headers: { "HX-Request": "true" } }).catch(() => null);
  if (!response?.ok || response.redirected) return location.assign(tile.href);
  drawer.innerHTML = await response.text();
  drawer.dispatchEvent(new Event("hub:part", { bubbles: true }));
  drawer.querySelectorAll("[data-code-tabs]").forEach(tabs);
  drawer.showModal();
}

/** The tabs pattern: arrow keys move, only the chosen tab is in the tab order. */
function tabs(box) {
  const all = [...box.querySelectorAll("[role=tab]")];
  const choose = (chosen) => {
    for (const tab of all) {
      tab.setAttribute("aria-selected", tab === chosen);
      tab.tabIndex = tab === chosen ? 0 : -1;
      box.querySelector(`#${tab.getAttribute("aria-controls")}`).hidden = tab !== chosen;
    }
  };
  box.addEventListener("click", (event) => all.includes(event.target) && choose(event.target));
  box.querySelector("[role=tablist]").addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = all.at((all.indexOf(event.target) + step) % all.length);
    choose(next);
    next.focus();
  });
  box.querySelector("[role=tablist]").hidden = false;
  choose(all[0]);
}

function unfold(button) {
  button.addEventListener("click", () => {
    const isOpen = document.getElementById("facets").classList.toggle("is-open");
    button.setAttribute("aria-expanded", isOpen);
  });
}

/** Favourite and kit are changed without leaving: the buttons come back anew, with the focus where it was. */
async function stay(event) {
  const form = event.target.closest("form[data-stay]");
  if (!form) return;
  event.preventDefault();
  const box = form.closest("[data-take]");
  const at = [...box.querySelectorAll("form")].indexOf(form);
  try {
    const response = await post(form.action, Object.fromEntries(new FormData(form)));
    const { said, html } = await response.json();
    box.innerHTML = html;
    box.dispatchEvent(new Event("hub:part", { bubbles: true }));
    (at ? box.querySelector("summary") : box.querySelector("button")).focus();
    toast(said);
  } catch {
    form.submit();
  }
}

document.addEventListener("submit", stay);
document.addEventListener("click", open);
document.querySelectorAll("[data-code-tabs]").forEach(tabs);
document.querySelectorAll("[data-facets]").forEach(unfold);
