// Writing a message: its draft is kept by the server, files are pasted or dropped, Ctrl+Enter sends.

const TYPING_EVERY = 2500; // ms between two “I am writing”
const DRAFT_AFTER = 800; // ms without a key

export class Composer {
  /** `onSend({url, kind, body, files})` when the person sends, `onTyping(kind)` while they write. */
  constructor(form, { token, onSend, onTyping }) {
    Object.assign(this, { form, token, onSend, onTyping });
    this.kind = form.dataset.composer;
    this.text = form.elements.body;
    this.files = form.elements.files;
    this.saved = form.querySelector("[data-saved]");
    this.lastTyping = 0;
    form.addEventListener("submit", (event) => this.send(event));
    this.text.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.send(event);
    });
    this.text.addEventListener("input", () => this.written());
    this.files.addEventListener("change", () => this.showPicked());
    this.text.addEventListener("paste", (event) => this.take(event, event.clipboardData?.files));
    form.addEventListener("dragover", (event) => this.invite(event));
    form.addEventListener("dragleave", () => form.classList.remove("is-over"));
    form.addEventListener("drop", (event) => this.take(event, event.dataTransfer?.files));
    this.offerEmoji(form.querySelector("[data-emoji]"));
    // Whoever leaves at once keeps what they wrote too.
    addEventListener("pagehide", () => this.draftTimer && this.saveDraft());
    this.grow();
  }

  written() {
    this.grow();
    clearTimeout(this.draftTimer);
    this.draftTimer = setTimeout(() => this.saveDraft(), DRAFT_AFTER);
    if (this.text.value && Date.now() - this.lastTyping > TYPING_EVERY) {
      this.lastTyping = Date.now();
      this.onTyping(this.kind);
    }
  }

  send(event) {
    event.preventDefault();
    if (!this.text.value.trim() && !this.files.files.length) return this.text.focus();
    // A draft that is still on its way would come back after the message.
    this.forgetDraft();
    const macro = this.form.elements.macro;
    this.onSend({ url: this.form.action, kind: this.kind, body: this.text.value, files: [...this.files.files], macro: macro?.value });
    if (macro) macro.value = "";
    this.files.value = "";
    this.showPicked();
    this.put("");
    this.lastTyping = 0;
    this.text.focus();
  }

  /** Show a text as if it had been typed long ago. */
  put(body) {
    this.text.value = body;
    this.grow();
    if (!body) this.saved.textContent = "";
  }

  /** Go on writing a message that was refused, above what has been begun since. */
  takeBack({ body, files, macro }) {
    this.put([body, this.text.value].filter(Boolean).join("\n\n"));
    this.pick([...files, ...this.files.files]);
    if (macro) this.form.elements.macro.value = macro;
    this.written();
    this.text.focus();
  }

  offerEmoji(place) {
    for (const sign of place.dataset.emoji.split(" ")) {
      const button = element("button", { type: "button", textContent: sign });
      button.addEventListener("click", () => this.insert(sign));
      place.append(button);
    }
  }

  /** Put a sign where the cursor was, and go on writing after it. */
  insert(sign) {
    const { text } = this;
    text.setRangeText(sign, text.selectionStart, text.selectionEnd, "end");
    text.dispatchEvent(new Event("input", { bubbles: true }));
    this.form.querySelector("[data-menu][open]").open = false;
    text.focus();
  }

  // --- Draft ----------------------------------------------------------------

  forgetDraft() {
    clearTimeout(this.draftTimer);
    this.draftTimer = undefined;
    this.saving?.abort();
  }

  async saveDraft() {
    this.forgetDraft();
    const saving = (this.saving = new AbortController());
    const body = this.text.value;
    const answer = await fetch(this.form.dataset.draft, {
      method: "POST",
      headers: { "X-CSRFToken": this.token },
      body: new URLSearchParams({ body }),
      keepalive: body.length < 60_000, // browsers carry no more past the end of a page
      signal: saving.signal,
    }).catch(() => undefined);
    if (!answer?.ok || saving !== this.saving) return;
    const time = new Date().toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
    this.saved.textContent = body ? this.form.dataset.wordSaved.replace("{time}", time) : "";
  }

  /** Another window of the same person has written: show it here, unless something else stands here. */
  follow({ kind, body, was }) {
    const mine = this.text.value;
    if (kind === this.kind && !this.draftTimer && (mine === was || !mine)) this.put(body);
  }

  // --- Files ------------------------------------------------------------------

  invite(event) {
    if (![...(event.dataTransfer?.types ?? [])].includes("Files")) return;
    event.preventDefault();
    this.form.classList.add("is-over");
  }

  take(event, files) {
    this.form.classList.remove("is-over");
    if (!files?.length) return;
    event.preventDefault();
    this.pick([...this.files.files, ...files]);
  }

  pick(files) {
    const all = new DataTransfer();
    for (const file of files) all.items.add(file);
    this.files.files = all.files;
    this.showPicked();
  }

  showPicked() {
    const list = this.form.querySelector("[data-picked]");
    const files = [...this.files.files];
    const tooLarge = files.reduce((sum, file) => sum + file.size, 0) > Number(this.form.dataset.max);
    for (const picture of list.querySelectorAll("img")) URL.revokeObjectURL(picture.src);
    list.replaceChildren(...files.map((file) => this.picked(file)));
    if (tooLarge) {
      list.append(element("li", { className: "tx-bad", textContent: this.form.dataset.wordLarge }));
      this.files.value = "";
    }
    list.hidden = !files.length;
  }

  picked(file) {
    const item = element("li", {});
    if (file.type.startsWith("image/") && file.type !== "image/svg+xml") {
      item.append(element("img", { src: URL.createObjectURL(file), alt: "" }));
    }
    const remove = element("button", { type: "button", className: "btn-plain", textContent: "×" });
    remove.setAttribute("aria-label", this.form.dataset.wordRemove.replace("{name}", file.name));
    remove.addEventListener("click", () => {
      this.pick([...this.files.files].filter((other) => other !== file));
      this.text.focus();
    });
    item.append(element("span", { textContent: file.name }), remove);
    return item;
  }

  grow() {
    this.text.style.height = "auto";
    this.text.style.height = `${Math.min(this.text.scrollHeight + 2, 240)}px`;
  }
}

const element = (name, properties) => Object.assign(document.createElement(name), properties);
