// data-copy="text", or data-copy="#id" of the element whose text or value is copied.

import { toast } from "./toasts.js";
import { fresh, word } from "./words.js";

export function wire(root) {
  for (const button of fresh(root, "[data-copy]", "copy")) button.addEventListener("click", () => copy(button));
}

async function copy(button) {
  await write(textOf(button.dataset.copy));
  toast(word("copied"));
  button.classList.add("is-copied");
  setTimeout(() => button.classList.remove("is-copied"), 1500);
}

function textOf(what) {
  const source = /^#[\w-]+$/.test(what) && document.querySelector(what);
  return source ? (source.value ?? source.textContent) : what;
}

/** The clipboard belongs to secure pages; a plain-http installation selects and copies the old way. */
async function write(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = Object.assign(document.createElement("textarea"), { value: text, className: "visually-hidden" });
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
