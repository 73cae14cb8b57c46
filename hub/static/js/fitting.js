// While somebody writes what a question is about, the articles that may answer it appear under the field.

import { fresh } from "./words.js";

const PAUSE = 350;

export function wire(root) {
  for (const box of fresh(root, "[data-fitting]", "fitting")) follow(box);
}

function follow(box) {
  const field = document.getElementById(box.dataset.for);
  const [list, said] = [box.querySelector("[data-list]"), box.querySelector("[role=status]")];
  let timer, request;
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE);
  });
  // Somebody was faster than this script.
  if (field.value && !list.querySelector("section")) ask();

  /** A newer subject makes the answer to an older one void; what cannot be had now is no reason to disturb. */
  async function ask() {
    request?.abort();
    request = new AbortController();
    const url = `${box.dataset.fitting}?subject=${encodeURIComponent(field.value.trim())}`;
    try {
      const response = await fetch(url, { signal: request.signal });
      if (response.ok && !response.redirected) show(await response.text());
    } catch {
      // The form is there all the same.
    }
  }

  /** The list changes in silence; how long it is is said, and only when that changes. */
  function show(html) {
    list.innerHTML = html;
    const words = list.querySelector("[data-said]")?.textContent ?? "";
    if (said.textContent !== words) said.textContent = words;
  }
}
