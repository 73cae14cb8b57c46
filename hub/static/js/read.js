// Opening a notification tells the server it was read; the link itself works without this.

import { fresh, post } from "./words.js";

export function wire(root) {
  for (const link of fresh(root, "[data-read]", "read")) {
    // keepalive: the request survives leaving the page.
    link.addEventListener("click", () => post(link.dataset.read, {}, { keepalive: true }).catch(() => {}));
  }
}
