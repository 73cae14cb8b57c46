// What a thread shows. New things are fetched in order past what is shown, so a sleep, a restart or a lost line
// neither loses nor doubles a message.

const AGAIN_AFTER = 3000; // ms after a fetch that failed

export class Thread {
  /** `root` holds the list and what stands around it; `onGone(clientId)` when an own message has come back. */
  constructor(root, { onGone }) {
    this.root = root;
    this.talk = root.querySelector("[data-talk]");
    this.onGone = onGone;
    this.ticket = Number(this.talk.dataset.ticket);
    this.me = Number(this.talk.dataset.me);
    this.saidRead = 0;
    this.talk.addEventListener("scroll", () => this.sayRead(), { passive: true });
  }

  get last() {
    return Number(this.talk.dataset.last);
  }

  /** Fetch everything that is new; calls while one runs are answered by one more round. */
  catchUp() {
    if (this.fetching) {
      this.again = true;
      return this.fetching;
    }
    clearTimeout(this.timer);
    this.fetching = this.fetchNew()
      .catch(() => {
        this.timer = setTimeout(() => this.catchUp(), AGAIN_AFTER);
      })
      .finally(() => {
        this.fetching = undefined;
        if (this.again) {
          this.again = false;
          this.catchUp();
        }
      });
    return this.fetching;
  }

  async fetchNew() {
    let more = true;
    while (more) {
      const { items, last, lastEvent } = this.talk.dataset;
      const response = await fetch(`${items}?after=${last}&event=${lastEvent}`, {
        headers: { "X-Requested-With": "fetch" },
        signal: AbortSignal.timeout(15_000),
      });
      if (response.redirected) return; // signed out: the page will say so when it is used
      if (!response.ok) throw new Error(`catching up answered ${response.status}`);
      const part = document.createElement("template");
      part.innerHTML = await response.text();
      more = Boolean(part.content.querySelector("[data-more]"));
      this.append(part.content);
      // Nothing came although more was promised: asking again would ask for ever.
      if (more && this.talk.dataset.last === last) return;
    }
  }

  append(part) {
    const atEnd = this.isAtEnd();
    let lastDay = [...this.talk.querySelectorAll("[data-day]")].at(-1)?.dataset.day;
    for (const item of [...part.children]) {
      const { day, seq, event, client, changed, now, more } = item.dataset;
      if (now !== undefined) this.update(item);
      if (changed) this.replace(item);
      if (more !== undefined || now !== undefined || changed) continue;
      if (day) {
        if (day === lastDay) continue;
        lastDay = day;
      }
      if (event) {
        if (this.talk.querySelector(`[data-event="${event}"]`)) continue;
        this.sawEvent(event);
      }
      if (seq) {
        if (this.talk.querySelector(`[data-seq="${seq}"]`)) continue;
        if (client) this.onGone(client);
        this.talk.dataset.last = Math.max(this.last, seq);
      }
      this.talk.insertBefore(item, this.talk.querySelector("[data-waiting]"));
    }
    this.talk.dispatchEvent(new CustomEvent("hub:part", { bubbles: true }));
    for (const field of this.root.querySelectorAll("[data-composer] [name=seen]")) field.value = this.last;
    if (atEnd) this.toEnd();
    this.sayRead();
  }

  /** Status, read mark, rating and the last event, as they are now. */
  update(item) {
    this.sawEvent(item.dataset.now);
    this.markSeen(Number(item.dataset.seen));
    for (const part of item.querySelectorAll("[data-is]")) {
      const place = this.root.querySelector(`[data-${part.dataset.is}]`);
      const { version } = part.dataset;
      if (!place || (version !== undefined && version === (place.dataset.version ?? ""))) continue;
      if (version !== undefined) place.dataset.version = version;
      place.replaceChildren(...part.childNodes);
    }
  }

  /** A message with other words takes the place of the old one, unless its author is changing it again. */
  replace(item) {
    const old = this.talk.querySelector(`[data-seq="${item.dataset.seq}"]`);
    if (old && !old.querySelector("[data-edit][open]")) old.replaceWith(item);
  }

  sawEvent(id) {
    this.talk.dataset.lastEvent = Math.max(this.talk.dataset.lastEvent, id);
  }

  isAtEnd() {
    return this.talk.scrollHeight - this.talk.scrollTop - this.talk.clientHeight < 120;
  }

  toEnd() {
    this.talk.scrollTop = this.talk.scrollHeight;
  }

  // --- Read and seen -------------------------------------------------------

  /** Read means: in view, in a window that has the focus. */
  sayRead() {
    if (!this.io?.connected || document.visibilityState !== "visible" || !document.hasFocus()) return;
    const seq = this.lastInView();
    if (seq <= this.saidRead) return;
    this.saidRead = seq;
    this.io.emit("read", { ticket: this.ticket, seq });
  }

  lastInView() {
    const bottom = this.talk.getBoundingClientRect().bottom;
    const messages = [...this.talk.querySelectorAll("[data-seq]")];
    const shown = messages.findLast((message) => {
      const box = message.getBoundingClientRect();
      return box.height && box.top < bottom - 8;
    });
    return Number(shown?.dataset.seq ?? 0);
  }

  markSeen(upTo) {
    for (const item of this.talk.querySelectorAll(".mine[data-seq]")) {
      const ticks = item.querySelector("[data-ticks]");
      if (!ticks || Number(item.dataset.seq) > upTo || ticks.dataset.seen) continue;
      ticks.dataset.seen = "yes";
      ticks.querySelector("use").setAttribute("href", `${this.talk.dataset.icons}#checks`);
      ticks.lastChild.textContent = this.talk.dataset.wordSeen;
    }
  }

  // --- The line --------------------------------------------------------------

  /** Listen on the socket; `onUp()` after each joining. */
  listen(io, { onUp, onTyping }) {
    this.io = io;
    const here = (heard) => heard.ticket === this.ticket;
    const join = () => {
      this.saidRead = 0;
      io.emit("join", { ticket: this.ticket, after: this.last, event: Number(this.talk.dataset.lastEvent) }, onUp);
    };
    io.on("connect", join);
    if (io.connected) join();
    io.on("message", (message) => here(message) && this.catchUp());
    io.on("state", (state) => here(state) && this.catchUp());
    // One's own mark in another window says nothing about the other side.
    io.on("read", (mark) => here(mark) && mark.user !== this.me && this.markSeen(mark.seq));
    io.on("presence", (presence) => here(presence) && this.showPresence(presence.people));
    io.on("typing", (person) => here(person) && person.user !== this.me && onTyping(person));
  }

  /** Who else has the thread open: colleagues of whoever looks, and the other side. */
  showPresence(people) {
    const line = this.root.querySelector("[data-presence]");
    if (!line) return;
    const others = people.filter(({ id }) => id !== this.me);
    const ofTeam = Boolean(this.root.querySelector("[data-composer=internal]"));
    const list = new Intl.ListFormat(document.documentElement.lang);
    const said = [
      [this.talk.dataset.wordLooking, others.filter(({ team }) => team === ofTeam)],
      [this.talk.dataset.wordHere, others.filter(({ team }) => team !== ofTeam)],
    ].filter(([, some]) => some.length);
    line.textContent = said.map(([words, some]) => words.replace("{names}", list.format(some.map(({ name }) => name)))).join(" · ");
    line.hidden = !said.length;
  }
}
