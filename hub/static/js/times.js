// Times in words stay true while the page is open: “40 minutes ago” becomes “41”.

import { fresh } from "./words.js";

const UNITS = [["minute", 60], ["hour", 3600], ["day", 86400]];
const words = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto" });
const watched = new Set();

export function wire(root) {
  for (const time of fresh(root, "time[data-ago]", "times")) watched.add(time);
}

function refresh() {
  for (const time of watched) {
    if (!time.isConnected) watched.delete(time);
    else update(time);
  }
}

/** The server's words stand until they are a minute old, and from a week on they do not change. */
function update(time) {
  const seconds = (new Date(time.dateTime) - Date.now()) / 1000;
  const size = Math.abs(seconds);
  if (size < 60 || size > 7 * 86400) return;
  const [unit, length] = UNITS.findLast(([, seconds]) => size >= seconds);
  time.textContent = words.format(Math.round(seconds / length), unit);
}

setInterval(refresh, 60_000);
