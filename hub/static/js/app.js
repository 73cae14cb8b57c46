// Wires a page by its data attributes. What a page does not use is not loaded.

const PARTS = [
  ["[data-set-theme]", () => import("./theme.js")],
  ["[data-suggest]", () => import("./suggest.js")],
  ["[data-hits]", () => import("./hits.js")],
  ["[data-menu]", () => import("./menus.js")],
  ["[data-dialog], dialog, [data-confirm]", () => import("./dialogs.js")],
  ["[data-guard], [data-apply]", () => import("./forms.js")],
  ["[data-toast]", () => import("./toasts.js")],
  ["[data-copy]", () => import("./copy.js")],
  ["[data-ago]", () => import("./times.js")],
  ["[data-countdown]", () => import("./countdown.js")],
  ["[data-chart]", () => import("./charts.js")],
  ["[data-markdown]", () => import("./markdown.js")],
  ["a.zoom, a.video", () => import("./figures.js")],
  ["[data-editor]", () => import("./editor.js")],
  ["[data-fitting]", () => import("./fitting.js")],
  ["[data-keep]", () => import("./keep.js")],
  ["file-attachment", () => import("../vendor/file-attachment.js")],
  ["[data-read]", () => import("./read.js")],
  ["[data-bell]", () => import("./bell.js")],
  ["[data-chat]", () => import("./bubble.js")],
  [".hub-staff", () => import("./away.js")],
];

/** Load the part of every attribute found under `root` and let it wire what is new there. */
async function wire(root) {
  const found = PARTS.filter(([selector]) => root.matches?.(selector) || root.querySelector(selector));
  await Promise.all(found.map(async ([, load]) => (await load()).wire?.(root)));
}

function focusSearch(event) {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const search = document.getElementById("search");
  if (!search) return;
  event.preventDefault();
  search.select();
}

function sendToken(event) {
  event.detail.headers["X-CSRFToken"] = document.querySelector("meta[name=csrf-token]").content;
}

document.addEventListener("keydown", focusSearch);
document.addEventListener("htmx:configRequest", sendToken);
// htmx announces every part it puts into the page (first the page itself); scripts of ours say hub:part.
document.addEventListener("htmx:load", (event) => event.target !== document.body && wire(event.target));
document.addEventListener("hub:part", (event) => wire(event.target));
document.addEventListener("htmx:sendError", () => say("offline"));
document.addEventListener("htmx:responseError", () => say("failed"));
// What drives a page from outside can wait for this: before, clicks and keys meet a page without scripts.
wire(document).then(() => (document.documentElement.dataset.wired = ""));

async function say(key) {
  const [{ toast }, { word }] = await Promise.all([import("./toasts.js"), import("./words.js")]);
  toast(word(key), { bad: true });
}
