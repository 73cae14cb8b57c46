// Native dialogs: opened by data-dialog="id", closed by data-close, Escape or the backdrop. data-confirm asks first.

import { fresh, word } from "./words.js";

export function wire(root) {
  for (const opener of fresh(root, "[data-dialog]", "dialogs")) {
    opener.addEventListener("click", (event) => {
      event.preventDefault();
      document.getElementById(opener.dataset.dialog)?.showModal();
    });
  }
  for (const dialog of fresh(root, "dialog", "dialogs")) {
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog || event.target.closest("[data-close]")) dialog.close();
    });
  }
  for (const form of fresh(root, "form[data-confirm]", "dialogs")) form.addEventListener("submit", ask, true);
}

/** Hold a submit back until the person confirms; the button that was pressed is pressed again then. */
function ask(event) {
  const form = event.currentTarget;
  if (form.dataset.confirmed) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const submitter = event.submitter;
  const dialog = confirmBox(form.dataset.confirm, form.dataset.confirmLabel || submitter?.textContent.trim());
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (dialog.returnValue !== "yes") return submitter?.focus();
    form.dataset.confirmed = "yes";
    form.requestSubmit(submitter);
  });
  dialog.showModal();
}

function confirmBox(text, label) {
  const dialog = document.createElement("dialog");
  dialog.className = "dialog";
  dialog.setAttribute("aria-labelledby", "confirm-text");
  const question = Object.assign(document.createElement("h2"), { id: "confirm-text", textContent: text });
  const form = Object.assign(document.createElement("form"), { method: "dialog" });
  const footer = document.createElement("footer");
  footer.append(choice(word("cancel"), "no", "btn"), choice(label, "yes", "btn btn-danger"));
  form.append(footer);
  dialog.append(question, form);
  document.body.append(dialog);
  return dialog;
}

function choice(textContent, value, className) {
  return Object.assign(document.createElement("button"), { textContent, value, className });
}
