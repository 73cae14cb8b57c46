// The chat window: opened over any page, its content fetched when it is first looked at.

import { fresh } from "./words.js";

export function wire(root) {
  for (const link of fresh(root, "[data-chat]", "chat")) {
    const panel = document.getElementById("chat");
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      panel.showPopover();
      load(panel);
    });
    panel.addEventListener("submit", (event) => begin(event, panel));
  }
}

async function load(panel) {
  const body = panel.querySelector("[data-chat-body]");
  if (body.querySelector("[data-talk]")) return focus(body); // it is live already
  const answer = await fetch(panel.dataset.url, { headers: { "X-Requested-With": "fetch" } }).catch(() => undefined);
  if (answer?.ok && !answer.redirected) await show(body, await answer.text());
  else location.href = panel.dataset.url; // the page says what is wrong
}

async function begin(event, panel) {
  const form = event.target.closest("[data-begin]");
  if (!form) return;
  event.preventDefault();
  const button = form.querySelector("button:not([type=button])");
  button.disabled = true;
  const answer = await fetch(form.action, {
    method: "POST",
    headers: { "X-Requested-With": "fetch" },
    body: new FormData(form),
  }).catch(() => undefined);
  button.disabled = false;
  if (!answer) return complain("offline");
  if (answer.status >= 500 || answer.redirected) return complain("failed");
  await show(panel.querySelector("[data-chat-body]"), await answer.text());
}

/** What was written stays: the same form can be sent again, with the same id. */
async function complain(key) {
  const [{ toast }, { word }] = await Promise.all([import("./toasts.js"), import("./words.js")]);
  toast(word(key), { bad: true });
}

async function show(body, html) {
  body.innerHTML = html;
  body.dispatchEvent(new CustomEvent("hub:part", { bubbles: true }));
  if (body.querySelector("[data-talk]")) {
    const { converse } = await import("./conversation.js");
    converse(body);
  }
  focus(body);
}

const focus = (body) => body.querySelector("textarea")?.focus();
