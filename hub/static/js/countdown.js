// Days, hours and minutes until a moment, kept true while the page is open; at zero the page shows what is on.

import { fresh } from "./words.js";

const lang = document.documentElement.lang;
const UNITS = [["day", 1440], ["hour", 60], ["minute", 1]];
const formats = UNITS.map(([unit]) => new Intl.NumberFormat(lang, { style: "unit", unit, unitDisplay: "long" }));

export function wire(root) {
  for (const box of fresh(root, "[data-countdown]", "countdown")) start(box);
}

function start(box) {
  const until = new Date(box.dataset.countdown);
  const tick = () => {
    const minutes = Math.floor((until - Date.now()) / 60_000);
    if (minutes < 0) return box.remove();
    show(box, minutes);
    // The next change is when the present minute is used up.
    setTimeout(tick, ((until - Date.now()) % 60_000) + 200);
  };
  tick();
}

function show(box, minutes) {
  let left = minutes;
  UNITS.forEach(([, size], at) => {
    const parts = formats[at].formatToParts(Math.floor(left / size));
    left %= size;
    const [number, word] = box.children[at].children;
    number.textContent = parts.filter(({ type }) => type !== "unit" && type !== "literal").map(({ value }) => value).join("");
    word.textContent = parts.find(({ type }) => type === "unit").value;
  });
}
