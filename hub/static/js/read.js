// Opening a notification tells the server it was read; the link itself works without this.

import { fresh } from "./words.js";

const token = () => document.querySelector("meta[name=csrf-token]").content;

export function wire(root) {
  for (const link of fresh(root, "[data-read]", "read")) {
    link.addEventListener("click", () => {
      const headers = { "X-CSRFToken": token(), "X-Requested-With": "fetch" };
      // keepalive: the request survives leaving the page.
      fetch(link.dataset.read, { method: "POST", headers, keepalive: true }).catch(() => {});
    });
  }
}
