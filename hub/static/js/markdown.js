// A Markdown field: the toolbar element, and a look at the result rendered by the server.

import "../vendor/markdown-toolbar.js";
import { fresh, post, word } from "./words.js";

export function wire(root) {
  for (const box of fresh(root, "[data-markdown]", "markdown")) {
    box.querySelector("[data-look]")?.addEventListener("click", (event) => look(box, event.currentTarget));
  }
}

async function look(box, button) {
  const shown = button.getAttribute("aria-pressed") === "true";
  const [text, result] = [box.querySelector("textarea"), box.querySelector(".md-look")];
  if (!shown) result.innerHTML = await rendered(box.dataset.preview, text.value);
  button.setAttribute("aria-pressed", String(!shown));
  text.hidden = !shown;
  result.hidden = shown;
}

async function rendered(url, text) {
  try {
    return await (await post(url, { text })).text();
  } catch {
    return word("failed");
  }
}
