// The bell: its number is live, a change of it is said aloud, its list is fetched when it is opened.

import { socket } from "./live.js";
import { fresh } from "./words.js";

export function wire(root) {
  for (const bell of fresh(root, "[data-bell]", "bell")) {
    bell.addEventListener("toggle", () => bell.open && load(bell.querySelector("[data-bell-list]")));
    // The socket can wait: the number on the page is right as it was rendered.
    (window.requestIdleCallback ?? setTimeout)(async () => listen(bell, await socket()));
  }
}

/** What came while nobody listened, before the socket or after a long sleep, is asked for. */
function listen(bell, socket) {
  const ask = () => socket.emit("bell", {}, (news) => {
    const badge = bell.querySelector("[data-bell-count]");
    const isSaid = news.count ? badge.textContent === shown(news.count) : badge.hidden;
    if (news.ok && !isSaid) ring(bell, news);
  });
  socket.on("bell", (news) => ring(bell, news));
  socket.on("connect", ask);
  if (socket.connected) ask();
}

const shown = (count) => (count > 99 ? "99+" : String(count));

function ring(bell, { count }) {
  const badge = bell.querySelector("[data-bell-count]");
  badge.textContent = shown(count);
  badge.hidden = !count;
  const summary = bell.querySelector("summary");
  const label = summary.dataset.label.replace("{count}", count);
  summary.setAttribute("aria-label", label);
  bell.querySelector("[data-bell-said]").textContent = label;
  delete bell.querySelector("[data-bell-list]").dataset.loaded;
}

/** Fetched once, and again when something has come since. */
async function load(list) {
  if (list.dataset.loaded) return;
  const response = await fetch(list.dataset.url, { headers: { "HX-Request": "true" } });
  if (!response.ok) return;
  list.innerHTML = await response.text();
  list.dataset.loaded = "yes";
  list.dispatchEvent(new CustomEvent("hub:part", { bubbles: true }));
}
