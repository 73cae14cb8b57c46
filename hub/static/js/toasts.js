// What has just happened, for a few seconds; one that offers Undo or reports a failure stays longer.

import { fresh } from "./words.js";

const SECONDS = 6;

export function wire(root) {
  for (const box of fresh(root, "[data-toast]", "toasts")) show(box, box.querySelector("form") ? 2 * SECONDS : SECONDS);
}

/** Say `text`. */
export function toast(text, { bad = false } = {}) {
  const box = document.createElement("div");
  box.className = "toast show";
  box.append(text);
  show(box, bad ? 2 * SECONDS : SECONDS);
}

function show(box, seconds) {
  document.getElementById("toasts").append(box);
  let timer = setTimeout(() => box.remove(), seconds * 1000);
  box.addEventListener("pointerenter", () => clearTimeout(timer));
  box.addEventListener("focusin", () => clearTimeout(timer));
  box.addEventListener("pointerleave", () => (timer = setTimeout(() => box.remove(), 2000)));
}
