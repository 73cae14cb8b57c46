// A page of results says which of them was opened.

import { fresh, post } from "./words.js";

export function wire(root) {
  for (const list of fresh(root, "[data-hits]", "hits")) list.addEventListener("click", (event) => say(list, event));
}

function say(list, event) {
  const link = event.target.closest("[data-hit]");
  if (!link) return;
  const fields = { token: list.dataset.hits, key: link.dataset.hit };
  // The page is left at once; the request outlives it. A lost one is no loss to the reader.
  post(list.dataset.opened, fields, { keepalive: true }).catch(() => {});
}
