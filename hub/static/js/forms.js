// A form is sent once; a filter form applies itself when a choice changes; the first wrong field gets the focus.

import { fresh } from "./words.js";

export function wire(root) {
  for (const form of fresh(root, "form[data-guard]", "guard")) form.addEventListener("submit", guard);
  for (const form of fresh(root, "form[data-apply]", "apply")) apply(form);
  for (const part of fresh(root, "[data-when]", "forms")) depend(part);
  goOn(root);
  root.querySelector("[aria-invalid=true]")?.focus();
}

/** Send the form when a choice changes. With the keys one passes by others: those wait for Enter, or for leaving. */
function apply(form) {
  let byKey = false;
  let changed = null;
  const send = (event) => {
    if (!changed) return;
    goOnFrom(event?.relatedTarget?.id || changed.id);
    form.requestSubmit();
  };
  form.addEventListener("keydown", ({ key, target }) => {
    byKey = target.matches("select");
    if (byKey && key === "Enter") send();
  });
  form.addEventListener("pointerdown", () => (byKey = false));
  form.addEventListener("change", ({ target }) => {
    changed = target;
    if (!byKey) send();
  });
  form.addEventListener("focusout", send);
  form.addEventListener("submit", (event) => {
    changed = null;
    if (form.method === "get") dropEmpty(event);
  });
}

// Where the focus was when a form applied itself: the page that comes next goes on there, a later one does not.
const PLACE = "hub.place";
const SOON = 15_000; // ms

function goOnFrom(id) {
  if (id) sessionStorage.setItem(PLACE, JSON.stringify([location.pathname, id, Date.now()]));
}

function goOn(root) {
  const [path, id, at] = JSON.parse(sessionStorage.getItem(PLACE) ?? "[]");
  const place = path === location.pathname && Date.now() - at < SOON && root.querySelector(`#${CSS.escape(id)}`);
  if (!place) return;
  sessionStorage.removeItem(PLACE);
  place.focus();
}

function guard(event) {
  const form = event.currentTarget;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "yes";
  event.submitter?.setAttribute("aria-busy", "true");
  // A download or an htmx answer leaves the page in place, and it must be usable again.
  setTimeout(() => release(form, event.submitter), 4000);
}

function release(form, submitter) {
  delete form.dataset.sent;
  delete form.dataset.confirmed;
  submitter?.removeAttribute("aria-busy");
}

/** data-when="category=payout,links": there while the form's field has one of the values. */
function depend(part) {
  const [name, values] = part.dataset.when.split("=");
  const field = part.closest("form").elements[name];
  const follow = () => {
    part.hidden = !values.split(",").includes(field.value);
    for (const control of part.querySelectorAll("input, select, textarea")) control.disabled = part.hidden;
  };
  field.addEventListener("change", follow);
  follow();
}

/** Keep addresses short: a field left empty filters nothing. */
function dropEmpty(event) {
  for (const field of event.currentTarget.elements) field.disabled ||= field.name && !field.value;
}

document.addEventListener("htmx:afterRequest", (event) => {
  if (event.target.matches("form[data-guard]")) release(event.target, event.target.querySelector("[aria-busy]"));
});
// The browser's Back shows the page as it was left: sent, with its fields disabled.
window.addEventListener("pageshow", (event) => event.persisted && location.reload());
