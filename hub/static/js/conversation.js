// A live thread. What is sent is kept until the server has acknowledged it; what is new is fetched in order,
// so a sleep, a restart or a lost line neither loses nor doubles a message.

import { socket } from "./live.js";
import { Outbox } from "./outbox.js";

const TYPING_EVERY = 2500; // ms between two “I am writing”
const TYPING_LASTS = 5000; // ms that one of them is shown
const DRAFT_AFTER = 800; // ms without a key

const talk = document.querySelector("[data-talk]");
const typingLine = document.querySelector("[data-typing]");
const offlineNotice = document.querySelector("[data-offline]");
const ticket = Number(talk.dataset.ticket);
const token = document.querySelector("meta[name=csrf-token]").content;
let io;

// --- Reading -----------------------------------------------------------

let fetching;
let again = false;

/** Fetch everything newer than what is shown; calls while one runs are answered by one more round. */
async function catchUp() {
  if (fetching) {
    again = true;
    return fetching;
  }
  fetching = fetchNew().catch(() => {}).finally(() => {
    fetching = undefined;
    if (again) {
      again = false;
      catchUp();
    }
  });
  return fetching;
}

async function fetchNew() {
  let more = true;
  while (more) {
    const url = `${talk.dataset.items}?after=${talk.dataset.last}&event=${talk.dataset.lastEvent}`;
    const response = await fetch(url, {
      headers: { "X-Requested-With": "fetch" },
      signal: AbortSignal.timeout(15_000),
    });
    if (!response.ok || response.redirected) return;
    const part = document.createElement("template");
    part.innerHTML = await response.text();
    more = Boolean(part.content.querySelector("[data-more]"));
    append(part.content);
  }
}

function append(part) {
  const atEnd = isAtEnd();
  const days = [...talk.querySelectorAll("[data-day]")].map((day) => day.dataset.day);
  let lastDay = days.at(-1);
  for (const item of [...part.children]) {
    if (item.dataset.day) {
      if (item.dataset.day === lastDay) continue;
      lastDay = item.dataset.day;
    }
    if (item.dataset.seq) {
      if (talk.querySelector(`[data-seq="${item.dataset.seq}"]`)) continue;
      if (item.dataset.client) outbox.done(item.dataset.client);
      talk.dataset.last = Math.max(talk.dataset.last, item.dataset.seq);
    }
    if (item.dataset.event) talk.dataset.lastEvent = Math.max(talk.dataset.lastEvent, item.dataset.event);
    if ("more" in item.dataset) continue;
    if (item.dataset.now !== undefined) {
      document.querySelector("[data-status]")?.replaceChildren(...item.childNodes);
      continue;
    }
    const firstWaiting = talk.querySelector("[data-waiting]");
    talk.insertBefore(item, firstWaiting);
  }
  for (const field of document.querySelectorAll("[data-composer] [name=seen]")) field.value = talk.dataset.last;
  if (atEnd) toEnd();
  sayRead();
}

const isAtEnd = () => talk.scrollHeight - talk.scrollTop - talk.clientHeight < 120;
const toEnd = () => (talk.scrollTop = talk.scrollHeight);

let saidRead = 0;

/** Read means: shown in a window that has the focus. */
function sayRead() {
  const last = Number(talk.dataset.last);
  if (last <= saidRead || !io?.connected || document.visibilityState !== "visible" || !document.hasFocus()) return;
  saidRead = last;
  io.emit("read", { ticket, seq: last });
}

function markSeen({ seq, user }) {
  if (user === Number(talk.dataset.me)) return;
  for (const item of talk.querySelectorAll(".mine[data-seq]")) {
    const ticks = item.querySelector("[data-ticks]");
    if (!ticks || Number(item.dataset.seq) > seq || ticks.dataset.seen) continue;
    ticks.dataset.seen = "yes";
    ticks.querySelector("use").setAttribute("href", `${talk.dataset.icons}#checks`);
    ticks.lastChild.textContent = talk.dataset.wordSeen;
  }
}

let typingTimer;

function showTyping({ ticket: where, user, name }) {
  if (where !== ticket || user === Number(talk.dataset.me)) return;
  typingLine.querySelector("[data-typing-name]").textContent = talk.dataset.wordTyping.replace("{name}", name);
  typingLine.hidden = false;
  clearTimeout(typingTimer);
  typingTimer = setTimeout(hideTyping, TYPING_LASTS);
}

function hideTyping() {
  typingLine.hidden = true;
}

// --- Writing -----------------------------------------------------------

const outbox = new Outbox({ talk, token, ticket, onSent: catchUp, onLine: showLine });

function showLine(up) {
  offlineNotice.hidden = up;
}

for (const form of document.querySelectorAll("[data-composer]")) wireComposer(form);

function wireComposer(form) {
  const text = form.elements.body;
  const files = form.elements.files;
  let lastTyping = 0;
  let draftTimer;

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      send();
    }
  });
  text.addEventListener("input", () => {
    grow(text);
    clearTimeout(draftTimer);
    draftTimer = setTimeout(saveDraft, DRAFT_AFTER);
    if (text.value && io?.connected && Date.now() - lastTyping > TYPING_EVERY) {
      lastTyping = Date.now();
      io.emit("typing", { ticket, internal: form.dataset.composer === "internal" });
    }
  });
  files.addEventListener("change", () => showPicked(form));
  text.addEventListener("paste", (event) => take(event, event.clipboardData?.files));
  form.addEventListener("dragover", (event) => event.preventDefault());
  form.addEventListener("drop", (event) => take(event, event.dataTransfer?.files));
  grow(text);

  function send() {
    if (!text.value.trim() && !files.files.length) return text.focus();
    clearTimeout(draftTimer);
    outbox.add({
      url: form.action,
      kind: form.dataset.composer,
      body: text.value,
      seen: talk.dataset.last,
      files: [...files.files],
      restore: (body) => {
        text.value = body;
        grow(text);
        text.focus();
      },
    });
    text.value = "";
    files.value = "";
    form.querySelector("[data-saved]").textContent = "";
    showPicked(form);
    grow(text);
    lastTyping = 0;
    text.focus();
    toEnd();
  }

  async function saveDraft() {
    const answer = await fetch(form.dataset.draft, {
      method: "POST",
      headers: { "X-CSRFToken": token },
      body: new URLSearchParams({ body: text.value }),
    }).catch(() => undefined);
    if (!answer?.ok) return;
    const time = new Date().toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
    form.querySelector("[data-saved]").textContent = text.value ? form.dataset.wordSaved.replace("{time}", time) : "";
  }

  function take(event, dropped) {
    if (!dropped?.length) return;
    event.preventDefault();
    const all = new DataTransfer();
    for (const file of [...files.files, ...dropped]) all.items.add(file);
    files.files = all.files;
    showPicked(form);
  }
}

function showPicked(form) {
  const list = form.querySelector("[data-picked]");
  const files = [...form.elements.files.files];
  const size = files.reduce((sum, file) => sum + file.size, 0);
  const tooLarge = size > Number(form.dataset.max);
  list.replaceChildren(...files.map((file) => Object.assign(document.createElement("li"), { textContent: file.name })));
  if (tooLarge) {
    list.append(Object.assign(document.createElement("li"), { className: "tx-bad", textContent: form.dataset.wordLarge }));
    form.elements.files.value = "";
  }
  list.hidden = !files.length;
}

function grow(text) {
  text.style.height = "auto";
  text.style.height = `${Math.min(text.scrollHeight + 2, 240)}px`;
}

// --- The line ----------------------------------------------------------

socket().then((connection) => {
  io = connection;
  const join = () =>
    io.emit("join", { ticket, after: Number(talk.dataset.last) }, () => {
      showLine(true);
      catchUp();
      outbox.flush();
    });
  io.on("connect", join);
  if (io.connected) join();
  io.on("disconnect", () => showLine(false));
  io.on("connect_error", () => showLine(false));
  io.on("message", (message) => {
    if (message.ticket !== ticket) return;
    hideTyping();
    catchUp();
  });
  io.on("state", (state) => state.ticket === ticket && catchUp());
  io.on("read", (mark) => mark.ticket === ticket && markSeen(mark));
  io.on("typing", showTyping);
});
document.querySelector("[data-retry]").addEventListener("click", () => {
  io?.connect();
  outbox.flush();
});
window.addEventListener("online", () => outbox.flush());
window.addEventListener("focus", sayRead);
document.addEventListener("visibilitychange", () => {
  sayRead();
  if (document.visibilityState === "visible") catchUp();
});
toEnd();
sayRead();
outbox.flush();
