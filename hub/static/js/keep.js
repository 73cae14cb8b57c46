// What somebody types in a field with data-keep stays in this tab until it is posted: through a lost connection,
// an expired form or the browser's Back.

import { fresh } from "./words.js";

const key = (field) => `keep ${field.dataset.keep}`;

export function wire(root) {
  for (const field of fresh(root, "[data-keep]", "keep")) keep(field);
}

function keep(field) {
  const posted = field.closest("[data-posted]")?.dataset.posted;
  if (posted && field.id === `body-${posted}`) sessionStorage.removeItem(key(field));
  const before = sessionStorage.getItem(key(field));
  // What came with the page is a text to change, or one that was refused just now.
  if (before && !field.value) {
    field.value = before;
    const details = field.closest("details");
    if (details) details.open = true;
  }
  field.addEventListener("input", () => sessionStorage.setItem(key(field), field.value));
}
