// Uploads: dropped files come piece by piece (tus 1.0), several at a time, and go on after a broken line, a reload
// or a restart of the hub. The form then adds what is ready. Without scripts the form sends the files itself.

const AT_ONCE = 3;
/** Seconds between attempts; the last one is repeated for an hour. */
const PAUSES = [1, 2, 4, 8, 15, 30];
const ATTEMPTS = 125;
const TUS = "1.0.0";

const form = document.querySelector("form[data-uploads]");
const words = JSON.parse(form.dataset.words);
/** Bytes of a piece: a request of the hub may be smaller still. */
const PIECE = Math.min(5_000_000, Number(form.dataset.piece));
const list = form.querySelector("[data-upload-list]");
const summary = form.querySelector("[data-upload-summary]");
const field = form.querySelector("input[type=file]");
const box = form.querySelector("[data-drop]");
const button = form.querySelector("button[type=submit]");
const token = document.querySelector("meta[name=csrf-token]").content;
const label = button.lastChild.textContent;

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const bytes = (size) => {
  const [unit, by] = size < 1e6 ? ["kilobyte", 1e3] : ["megabyte", 1e6];
  return new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit, maximumFractionDigits: 1 }).format(size / by);
};
const wait = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));
const coded = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

/** A request that says how far it is; status 0 when there was no answer. */
function send(method, url, headers, body, progress) {
  return new Promise((done) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    for (const [name, value] of Object.entries({ "Tus-Resumable": TUS, "X-CSRFToken": token, ...headers })) request.setRequestHeader(name, value);
    if (progress) request.upload.onprogress = (event) => progress(event.loaded);
    request.onloadend = () => done(request);
    request.send(body);
  });
}

const isLost = (answer) => answer.status === 0 || answer.status === 423 || answer.status === 429 || answer.status >= 500;
const number = (answer, name) => Number(answer.getResponseHeader(name));
const said = (answer) => { try { return JSON.parse(answer.responseText).error; } catch { return null; } };

class Row {
  constructor(element) {
    this.element = element;
    element.row = this;
    const remove = Object.assign(document.createElement("button"), { type: "button", className: "tool", textContent: "×", ariaLabel: fill(words.remove, { name: element.dataset.name }) });
    remove.addEventListener("click", () => this.remove());
    element.append(remove);
  }

  static of(file) {
    const known = [...list.children].find(({ dataset }) => dataset.state === "receiving" && !dataset.busy
      && Number(dataset.size) === file.size && dataset.modified === String(file.lastModified));
    const row = known?.row ?? Row.fresh(file);
    row.file = file;
    row.element.dataset.busy = "yes";
    row.element.querySelectorAll("p").forEach((line) => line.remove());
    row.say("waiting");
    return row;
  }

  static fresh(file) {
    const element = document.createElement("li");
    Object.assign(element.dataset, { name: file.name, size: file.size, modified: file.lastModified, state: "receiving" });
    const grow = Object.assign(document.createElement("div"), { className: "grow" });
    const size = Object.assign(document.createElement("span"), { className: "sub", textContent: bytes(file.size) });
    grow.append(Object.assign(document.createElement("b"), { textContent: file.name }), " ", size);
    element.append(grow);
    list.append(element);
    return new Row(element);
  }

  get url() { return this.element.dataset.url; }
  get grow() { return this.element.querySelector(".grow"); }

  /** Show where the file is; `key` names a word, `tone` a colour beside it. */
  say(key, tone = "", text = words[key]) {
    let status = this.element.querySelector(".status");
    if (!status) this.grow.after((status = document.createElement("span")));
    status.className = `status${tone && ` is-${tone}`}`;
    status.textContent = text;
  }

  bar(done) {
    let bar = this.grow.querySelector("progress");
    if (done === null) return bar?.remove();
    if (!bar) {
      bar = Object.assign(document.createElement("progress"), { className: "bar", max: this.file.size || 1, ariaLabel: this.file.name });
      this.grow.append(bar);
    }
    bar.value = done;
    this.say("sending", "", fill(words.sending, { percent: Math.floor((100 * done) / (this.file.size || 1)) }));
  }

  note(text, link) {
    const line = Object.assign(document.createElement("p"), { className: "sub", textContent: `${text} ` });
    if (link) line.append(Object.assign(document.createElement("a"), { href: link.url, textContent: link.title }));
    this.grow.append(line);
  }

  refuse(reason) {
    this.element.dataset.state = "refused";
    this.bar(null);
    this.say("refused", "bad");
    if (reason) this.note(reason);
  }

  async remove() {
    this.isGone = true;
    const next = this.element.nextElementSibling ?? this.element.previousElementSibling;
    this.element.remove();
    (next?.querySelector("button") ?? field).focus();
    count();
    if (this.url) await send("DELETE", this.url, {});
  }

  async upload() {
    if (this.isGone) return;
    if (this.file.size > Number(form.dataset.largest)) return this.refuse(words.large);
    for (let lost = 0; lost < ATTEMPTS && !this.isGone; lost += 1) {
      const answer = await this.attempt(() => (lost = 0));
      if (this.isGone || !answer) return;
      if (!isLost(answer) && answer.status !== 409) return this.refuse(said(answer));
      if (lost) {
        this.say("again", "warn");
        await wait(PAUSES[Math.min(lost, PAUSES.length) - 1]);
      }
    }
    if (this.isGone) return;
    delete this.element.dataset.busy;
    this.say("stopped", "warn");
  }

  /** Send what is missing; null when the file is there and looked at, otherwise the answer that stopped it. */
  async attempt(moved) {
    let offset = 0;
    if (this.url) {
      const there = await send("HEAD", this.url, {});
      if (there.status === 404) delete this.element.dataset.url;
      else if (there.status !== 200) return there;
      else offset = number(there, "Upload-Offset");
    }
    if (!this.url) {
      const metadata = `filename ${coded(this.file.name)},modified ${coded(String(this.file.lastModified))}`;
      const begun = await send("POST", form.dataset.uploads, { "Upload-Length": this.file.size, "Upload-Metadata": metadata });
      if (begun.status !== 201) return begun;
      this.element.dataset.url = begun.getResponseHeader("Location");
    }
    while (offset < this.file.size) {
      this.bar(offset);
      const piece = this.file.slice(offset, offset + PIECE);
      const begin = offset;
      const sent = await send("PATCH", this.url, { "Upload-Offset": offset, "Content-Type": "application/offset+octet-stream" }, piece, (loaded) => {
        this.bar(begin + loaded);
        if (begin + loaded >= this.file.size) this.say("looking");
      });
      if (this.isGone) return null;
      if (sent.status !== 204) return sent;
      offset = number(sent, "Upload-Offset");
      moved();
    }
    const state = await send("GET", this.url, {});
    if (state.status !== 200) return state;
    this.arrived(JSON.parse(state.responseText));
    return null;
  }

  arrived(file) {
    if (file.state === "refused") return this.refuse(file.error);
    this.element.dataset.state = "ready";
    this.bar(null);
    this.say("ready", "ok");
    if (file.twin || file.earlier) this.say("ready", "warn");
    if (file.twin) this.note(words.twin, file.twin);
    else if (file.earlier) this.note(fill(words.earlier, { name: file.earlier }));
    this.element.append(Object.assign(document.createElement("input"), { type: "hidden", name: "upload", value: file.token }));
  }
}

const queue = [];
let busy = 0;

async function work() {
  busy += 1;
  while (queue.length) {
    await queue.shift().upload();
    count();
  }
  busy -= 1;
  count();
}

function take(files) {
  if ("one" in form.dataset && files.length) {
    files = [files[0]]; // takes the place of the one chosen before
    [...list.children].forEach((element) => element.row.remove());
  }
  queue.push(...[...files].map((file) => Row.of(file)));
  field.value = "";
  for (let free = AT_ONCE - busy; free > 0 && queue.length; free -= 1) work();
  count();
}

function count() {
  const states = [...list.children].map((element) => element.dataset.state);
  const ready = states.filter((state) => state === "ready").length;
  const refused = states.filter((state) => state === "refused").length;
  summary.textContent = states.length ? fill(words.summary, { ready, refused, all: states.length }) : "";
  form.dataset.busy = busy ? "yes" : "";
  button.disabled = busy > 0;
  button.lastChild.textContent = ready && !("one" in form.dataset) ? `${words.button} (${ready})` : label;
}

field.addEventListener("change", () => take(field.files));
for (const name of ["dragenter", "dragover"]) box.addEventListener(name, (event) => { event.preventDefault(); box.classList.add("is-over"); });
box.addEventListener("dragleave", (event) => box.contains(event.relatedTarget) || box.classList.remove("is-over"));
box.addEventListener("drop", (event) => {
  event.preventDefault();
  box.classList.remove("is-over");
  take(event.dataTransfer.files);
});
[...list.children].forEach((element) => new Row(element));
count();
