// The team's inbox: a list that stays true, and keys for everything.

import { socket } from "./live.js";

if (document.querySelector("[data-talk]")) {
  // First, so that an open list of offers has the keys before the composer does.
  const { wireOffers } = await import("./offers.js");
  for (const form of document.querySelectorAll("[data-offer]")) wireOffers(form);
  import("./conversation.js");
}

const PAUSE = 400; // ms: several changes in a row are one fetch
let timer;

function refresh() {
  clearTimeout(timer);
  timer = setTimeout(fetchQueue, PAUSE);
}

async function fetchQueue() {
  const queue = document.querySelector("[data-queue]");
  // Do not pull an open filter from under someone's hands, nor a later page.
  if (picked().length || queue.querySelector("details[open]") || new URLSearchParams(location.search).has("cursor")) return;
  const answer = await fetch(queue.dataset.queue).catch(() => undefined);
  if (!answer?.ok || answer.redirected) return;
  const part = document.createElement("template");
  part.innerHTML = await answer.text();
  const list = queue.querySelector("ul");
  const scrolled = list?.scrollTop ?? 0;
  const focused = queue.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  const fresh = part.content.firstElementChild;
  queue.replaceWith(fresh);
  showCounts(JSON.parse(fresh.dataset.counts));
  if (fresh.querySelector("ul")) fresh.querySelector("ul").scrollTop = scrolled;
  if (focused) fresh.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
  // The page's scripts wire what is new.
  fresh.dispatchEvent(new CustomEvent("htmx:load", { bubbles: true }));
}

// --- Several at once -----------------------------------------------------

const picked = () => [...document.querySelectorAll(".q-pick:checked")];

function showPicked() {
  const bar = document.querySelector("[data-bulk]");
  if (!bar) return;
  bar.querySelector("[data-bulk-count]").textContent = picked().length;
}

document.addEventListener("change", (event) => event.target.matches(".q-pick") && showPicked());

const MOST = 999;

/** The numbers beside the views, wherever the views are shown. */
function showCounts(counts) {
  const format = new Intl.NumberFormat(document.documentElement.lang);
  for (const [view, count] of Object.entries(counts)) {
    for (const place of document.querySelectorAll(`[data-view="${view}"] .n`)) {
      place.textContent = count > MOST ? `${MOST}+` : count ? format.format(count) : "";
    }
  }
}

socket().then((io) => {
  io.on("ticket", refresh);
  const watch = () => {
    io.emit("watch", {});
    refresh();
  };
  io.on("connect", watch);
  if (io.connected) watch();
});

const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  o: () => document.activeElement?.closest?.("[data-queue] li a")?.click(),
  r: () => document.querySelector("#text-public")?.focus(),
  n: () => document.querySelector("#text-internal")?.focus(),
  a: () => press("a"),
  e: () => press("e"),
  s: () => press("s"),
  x: () => document.activeElement?.closest?.("[data-queue] li")?.querySelector(".q-pick")?.click(),
  "?": () => document.querySelector("#shortcuts")?.showModal(),
};

function step(by) {
  const links = [...document.querySelectorAll("[data-queue] li a")];
  const here = links.findIndex((link) => link === document.activeElement);
  const shown = links.findIndex((link) => link.getAttribute("aria-current"));
  const next = links[Math.max(0, Math.min(links.length - 1, (here >= 0 ? here : shown >= 0 ? shown : by > 0 ? -1 : 0) + by))];
  next?.focus();
}

function press(key) {
  document.querySelector(`[data-key="${key}"]`)?.click();
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable], dialog[open]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const act = KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

/** What few people open a menu for is fetched when they do; until then the form keeps what is chosen. */
document.addEventListener("toggle", async (event) => {
  const place = event.target.open && event.target.querySelector("[data-fetch-open]");
  if (!place) return;
  const answer = await fetch(place.dataset.fetchOpen).catch(() => undefined);
  if (!answer?.ok) return;
  place.innerHTML = await answer.text();
  place.removeAttribute("data-fetch-open");
}, true);
