// The article editor: keeps a draft on the server, shows the page to be while typing, takes pictures, links articles.

import { fresh, post } from "./words.js";

const HEARTBEAT = 20_000;
const DRAFT_AFTER = 1_200;
const LOOK_AFTER = 350;

export function wire(root) {
  for (const form of fresh(root, "[data-editor]", "editor")) {
    keepDraft(form);
    showLive(form);
    takePictures(form);
    insertSnippets(form);
    pickLinks(form);
  }
}

function later(act, wait) {
  let timer;
  const run = () => {
    clearTimeout(timer);
    timer = setTimeout(act, wait);
  };
  run.cancel = () => clearTimeout(timer);
  return run;
}

function keepDraft(form) {
  const status = document.getElementById("editing");
  let saving = false;
  const fields = () => [...new FormData(form)].filter(([name]) => name !== "csrf_token");
  const send = async (values) => {
    try {
      status.innerHTML = await (await post(form.dataset.editor, values)).text();
      // Reloading the page of something new finds this draft again.
      if (form.dataset.here && Array.isArray(values)) history.replaceState(null, "", form.dataset.here);
    } catch {
      // The next change or heartbeat tries again; what is typed is still in the page.
    }
  };
  const keep = later(() => !saving && send(fields()), DRAFT_AFTER);
  form.addEventListener("input", keep);
  form.addEventListener("submit", () => {
    saving = true;
    keep.cancel();
  });
  const here = () => document.hidden || saving || send({ seen: form.elements.seen.value });
  setInterval(here, HEARTBEAT);
  here();
}

/** The preview of the shared Markdown field becomes live and stands beside the text. */
function showLive(form) {
  const box = form.querySelector("[data-markdown]");
  const [text, look] = [box.querySelector("textarea"), box.querySelector(".md-look")];
  const button = box.querySelector("[data-look]");
  const render = async () => {
    if (look.hidden) return;
    const asked = text.value;
    const html = await (await post(box.dataset.preview, { text: asked })).text();
    if (asked === text.value) look.innerHTML = html;
  };
  const soon = later(() => render().catch(() => {}), LOOK_AFTER);
  button.addEventListener(
    "click",
    (event) => {
      event.stopImmediatePropagation();
      const shown = look.hidden;
      look.hidden = !shown;
      button.setAttribute("aria-pressed", String(shown));
      box.classList.toggle("md-live", shown);
      soon();
    },
    true,
  );
  text.addEventListener("input", soon);
  text.addEventListener("scroll", () => {
    const share = text.scrollTop / Math.max(1, text.scrollHeight - text.clientHeight);
    look.scrollTop = share * (look.scrollHeight - look.clientHeight);
  });
}

function insert(text, snippet) {
  text.focus();
  text.setRangeText(snippet, text.selectionStart, text.selectionEnd, "end");
  text.dispatchEvent(new Event("input", { bubbles: true }));
}

function replace(text, from, to) {
  const at = text.value.indexOf(from);
  if (at < 0) return;
  text.setRangeText(to, at, at + from.length, "preserve");
  text.dispatchEvent(new Event("input", { bubbles: true }));
}

function takePictures(form) {
  const box = form.querySelector("[data-markdown]");
  const text = box.querySelector("textarea");
  const chooser = form.querySelector("[data-picture-file]");
  form.querySelector("[data-picture]")?.addEventListener("click", () => chooser.click());
  chooser?.addEventListener("change", () => {
    upload(form, text, chooser.files);
    chooser.value = "";
  });
  text.addEventListener("paste", (event) => {
    const files = images(event.clipboardData?.files);
    if (!files.length) return;
    event.preventDefault();
    upload(form, text, files);
  });
  box.addEventListener("dragover", (event) => {
    event.preventDefault();
    box.classList.add("is-over");
  });
  box.addEventListener("dragleave", () => box.classList.remove("is-over"));
  box.addEventListener("drop", (event) => {
    box.classList.remove("is-over");
    const files = images(event.dataTransfer?.files);
    if (!files.length) return;
    event.preventDefault();
    upload(form, text, files);
  });
}

const images = (files) => [...(files ?? [])].filter((file) => file.type.startsWith("image/"));

async function upload(form, text, files) {
  for (const file of files) {
    const holder = `![${form.dataset.uploading.replace("%s", file.name)}]()`;
    insert(text, holder);
    const body = new FormData();
    body.append("file", file);
    const token = document.querySelector("meta[name=csrf-token]").content;
    try {
      const answer = await fetch(form.dataset.pictures, { method: "POST", body, headers: { "X-CSRFToken": token } });
      const { markdown, error } = await answer.json();
      replace(text, holder, markdown ?? "");
      if (error) (await import("./toasts.js")).toast(error, { bad: true });
    } catch {
      replace(text, holder, "");
      const [{ toast }, { word }] = await Promise.all([import("./toasts.js"), import("./words.js")]);
      toast(word("failed"), { bad: true });
    }
  }
}

function insertSnippets(form) {
  const text = form.querySelector("[data-markdown] textarea");
  for (const button of form.querySelectorAll("[data-insert]")) {
    button.addEventListener("click", () => {
      const begins = text.selectionStart === 0 || text.value[text.selectionStart - 1] === "\n";
      insert(text, (begins ? "" : "\n\n") + button.dataset.insert);
    });
  }
}

function pickLinks(form) {
  const text = form.querySelector("[data-markdown] textarea");
  const dialog = document.getElementById("pick");
  const [query, hits] = [dialog.querySelector("[data-pick-query]"), dialog.querySelector("[data-pick-hits]")];
  const find = later(async () => {
    const asked = query.value;
    const url = new URL(form.dataset.pick, location.href);
    url.searchParams.set("q", asked);
    const html = await (await fetch(url)).text();
    if (asked === query.value) hits.innerHTML = html;
  }, 200);
  query.addEventListener("input", find);
  hits.addEventListener("click", (event) => {
    const chosen = event.target.closest("[data-link]");
    if (!chosen) return;
    dialog.close();
    const marked = text.value.slice(text.selectionStart, text.selectionEnd);
    const label = (marked || chosen.dataset.title).replace(/[[\]]/g, "");
    insert(text, `[${label}](${chosen.dataset.link})`);
  });
}
