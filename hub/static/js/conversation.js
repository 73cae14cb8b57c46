// A live conversation: a thread that catches up, composers, and an outbox between them.

import { Composer } from "./composer.js";
import { socket } from "./live.js";
import { Outbox } from "./outbox.js";
import { Thread } from "./thread.js";

const TYPING_LASTS = 5000; // ms that “is writing” is shown

/** Bring the conversation in `root` to life: a page, or a window on a page. */
export async function converse(root) {
  const token = document.querySelector("meta[name=csrf-token]").content;
  const offline = root.querySelector("[data-offline]");
  const showLine = (up) => (offline.hidden = up);
  let io;

  const thread = new Thread(root, { onGone: (id) => outbox.done(id) });
  const { talk, ticket } = thread;
  const takeBack = (message) => composers.find(({ kind }) => kind === message.kind)?.takeBack(message);
  const outbox = new Outbox({ talk, token, ticket, onSent: () => thread.catchUp(), onLine: showLine, onBack: takeBack });
  const composers = [...root.querySelectorAll("[data-composer]")].map(
    (form) =>
      new Composer(form, {
        token,
        onSend: (message) => {
          outbox.add({ ...message, seen: talk.dataset.last });
          thread.toEnd();
        },
        onTyping: (kind) => io?.connected && io.emit("typing", { ticket, internal: kind === "internal" }),
      }),
  );

  const { show: showTyping, hide: hideTyping } = typingLine(root.querySelector("[data-typing]"), talk.dataset.wordTyping);
  talk.addEventListener("submit", (event) => saveEdit(event, token, thread));
  // A field that opens below the edge is no use.
  talk.addEventListener("toggle", ({ target }) => target.open && target.scrollIntoView({ block: "nearest" }), true);
  root.querySelector("[data-retry]").addEventListener("click", () => {
    io?.connect();
    outbox.flush();
  });
  addEventListener("online", () => outbox.flush());
  addEventListener("focus", () => thread.sayRead());
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") thread.catchUp();
  });
  thread.toEnd();
  outbox.flush();

  io = await socket();
  thread.listen(io, {
    onTyping: showTyping,
    onUp: ({ ok }) => {
      showLine(ok);
      thread.catchUp();
      outbox.flush();
    },
  });
  io.on("message", (message) => message.ticket === ticket && hideTyping());
  io.on("draft", (draft) => draft.ticket === ticket && composers.forEach((composer) => composer.follow(draft)));
  io.on("disconnect", () => showLine(false));
  io.on("connect_error", () => showLine(false));
  return thread;
}

function typingLine(line, words) {
  let timer;
  const hide = () => (line.hidden = true);
  const show = ({ name }) => {
    line.querySelector("[data-typing-name]").textContent = words.replace("{name}", name);
    line.hidden = false;
    clearTimeout(timer);
    timer = setTimeout(hide, TYPING_LASTS);
  };
  return { show, hide };
}

/** Other words for an own message, without leaving the page. */
async function saveEdit(event, token, thread) {
  const form = event.target.closest("[data-edit] form");
  if (!form) return;
  event.preventDefault();
  const answer = await fetch(form.action, {
    method: "POST",
    headers: { "X-CSRFToken": token, Accept: "application/json" },
    body: new FormData(form),
  }).catch(() => undefined);
  const refused = form.querySelector("[data-refused]");
  if (!answer?.ok) {
    refused.textContent = (await answer?.json().catch(() => undefined))?.error ?? form.dataset.wordFailed;
    return;
  }
  form.closest("[data-edit]").open = false;
  thread.catchUp();
}

// A page that is a conversation; the chat window calls by itself.
const page = document.querySelector("main [data-talk]")?.closest("main");
if (page) converse(page);
