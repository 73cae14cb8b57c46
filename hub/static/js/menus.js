// A <details> menu closes on Escape, on a click elsewhere and when another opens; arrows walk its items.

import { fresh } from "./words.js";

const ITEMS = ".menu-item, .menu-panel a, .menu-panel button";

export function wire(root) {
  for (const menu of fresh(root, "[data-menu]", "menus")) {
    menu.addEventListener("toggle", () => menu.open && closeOthers(menu));
    menu.addEventListener("keydown", (event) => keys(menu, event));
  }
}

function closeOthers(kept) {
  for (const menu of document.querySelectorAll("[data-menu][open]")) {
    if (menu !== kept) menu.open = false;
  }
}

function keys(menu, event) {
  if (event.key === "Escape" && menu.open) {
    menu.open = false;
    menu.querySelector("summary").focus();
    event.stopPropagation();
  }
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  event.preventDefault();
  menu.open = true;
  const items = [...menu.querySelectorAll(ITEMS)].filter((item) => !item.hidden);
  const step = event.key === "ArrowDown" ? 1 : -1;
  const at = items.indexOf(document.activeElement);
  const next = at < 0 && step < 0 ? items.length - 1 : (at + step + items.length) % items.length;
  items[next]?.focus();
}

document.addEventListener("click", (event) => closeOthers(event.target.closest("[data-menu]")));
