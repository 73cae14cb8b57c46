// Messages on their way: shown at once, kept over a reload, sent one after the other with the same id
// until the server has acknowledged or refused them.

const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 15000;
const FAST = 10_000; // ms to wait for an answer
const SLOW = 120_000; // with files

export class Outbox {
  /** `onSent()` after an acknowledgement, `onLine(up)` when the line goes down or comes back, `onBack(message)` for
   *  one that was refused and is to be written again. */
  constructor({ talk, token, ticket, onSent, onLine, onBack }) {
    Object.assign(this, { talk, token, onSent, onLine, onBack });
    this.key = `outbox:${ticket}:${talk.dataset.me}`;
    this.waiting = [];
    this.pause = FIRST_PAUSE;
    for (const kept of this.kept()) this.show({ ...kept, files: [] });
  }

  add(message) {
    this.show({ ...message, id: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random().toString(36).slice(2)}` });
    this.keep();
    this.flush();
  }

  show(message) {
    message.item = this.bubble(message);
    this.talk.append(message.item);
    this.waiting.push(message);
  }

  /** Send what waits, in order. One round at a time. */
  async flush() {
    if (this.sending) return;
    clearTimeout(this.timer);
    this.sending = true;
    try {
      let next;
      while ((next = this.waiting.find((message) => !message.refused))) {
        if (!(await this.send(next))) break;
      }
    } finally {
      this.sending = false;
    }
  }

  /** True when the message is settled, one way or the other. */
  async send(message) {
    const form = new FormData();
    form.set("client_id", message.id);
    form.set("body", message.body);
    form.set("seen", message.seen);
    if (message.macro) form.set("macro", message.macro);
    for (const file of message.files) form.append("files", file);
    let answer;
    try {
      answer = await fetch(message.url, {
        method: "POST",
        headers: { "X-CSRFToken": this.token, Accept: "application/json" },
        body: form,
        // A server that is going down may accept a connection and never answer.
        signal: AbortSignal.timeout(message.files.length ? SLOW : FAST),
      });
    } catch {
      return this.later(message);
    }
    if (answer.status >= 500 || answer.status === 429) return this.later(message);
    this.onLine(true);
    this.pause = FIRST_PAUSE;
    if (!answer.ok || answer.redirected) {
      this.refuse(message, await reason(answer));
      return true;
    }
    const { url } = await answer.json().catch(() => ({}));
    if (url) {
      // The conversation goes on in another ticket.
      this.done(message.id);
      location.assign(url);
      return true;
    }
    await this.onSent();
    this.done(message.id);
    return true;
  }

  later(message) {
    this.onLine(false);
    say(message.item, "clock", this.talk.dataset.wordWaiting, this.talk.dataset.icons);
    this.timer = setTimeout(() => this.flush(), this.pause);
    this.pause = Math.min(this.pause * 2, LONGEST_PAUSE);
    return false;
  }

  /** The server has it. */
  done(id) {
    const index = this.waiting.findIndex((message) => message.id === id);
    if (index < 0) return;
    this.waiting[index].item.remove();
    this.waiting.splice(index, 1);
    this.keep();
  }

  /** The server does not want it: say why, and give the text back. */
  refuse(message, why) {
    message.refused = true;
    message.item.querySelector(".bubble").classList.replace("is-waiting", "is-failed");
    say(message.item, "alert-circle", `${this.talk.dataset.wordFailed}. ${why}`, this.talk.dataset.icons);
    const line = message.item.querySelector(".when");
    line.classList.add("tx-bad");
    line.append(
      " ",
      link(this.talk.dataset.wordRetry, () => this.retry(message)),
      " ",
      link(this.talk.dataset.wordEdit, () => {
        this.done(message.id);
        this.onBack(message);
      }),
      " ",
      link(this.talk.dataset.wordDiscard, () => this.done(message.id)),
    );
    this.onSent();
  }

  retry(message) {
    message.refused = false;
    message.seen = this.talk.dataset.last;
    message.item.querySelector(".bubble").classList.replace("is-failed", "is-waiting");
    message.item.querySelector(".when").classList.remove("tx-bad");
    say(message.item, "clock", this.talk.dataset.wordSending, this.talk.dataset.icons);
    this.flush();
  }

  bubble({ body, kind, files }) {
    const item = document.createElement("li");
    item.className = `msg mine${kind === "internal" ? " note" : ""}`;
    item.dataset.waiting = "yes";
    const bubble = Object.assign(document.createElement("div"), { className: "bubble is-waiting" });
    bubble.append(Object.assign(document.createElement("p"), { className: "as-written", textContent: body }));
    for (const file of files) bubble.append(Object.assign(document.createElement("p"), { textContent: file.name }));
    item.append(bubble, Object.assign(document.createElement("p"), { className: "when" }));
    say(item, "clock", this.talk.dataset.wordSending, this.talk.dataset.icons);
    return item;
  }

  // Files cannot be kept over a reload, so a message with files is not kept either.
  keep() {
    const kept = this.waiting.filter(({ files }) => !files.length).map(({ id, url, kind, body, seen, macro }) => ({ id, url, kind, body, seen, macro }));
    try {
      if (kept.length) localStorage.setItem(this.key, JSON.stringify(kept));
      else localStorage.removeItem(this.key);
    } catch {
      // Storage is full or forbidden: the message still waits on this page.
    }
  }

  kept() {
    try {
      return JSON.parse(localStorage.getItem(this.key) ?? "[]");
    } catch {
      return [];
    }
  }
}

function say(item, icon, text, icons) {
  const line = item.querySelector(".when");
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `${icons}#${icon}`);
  svg.append(use);
  line.replaceChildren(svg, text);
}

function link(text, act) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "btn-plain", textContent: text });
  button.addEventListener("click", act);
  return button;
}

async function reason(answer) {
  try {
    return (await answer.json()).error ?? "";
  } catch {
    return "";
  }
}
