// The team's pages say when nobody has touched them for long: a partner is offered a chat only while someone is there.

import { socket } from "./live.js";

const LONG = 10 * 60_000; // ms
let timer;
let gone = false;
let wired = false;

export function wire() {
  if (wired) return;
  wired = true;
  for (const sign of ["pointerdown", "keydown", "wheel", "focus"]) addEventListener(sign, touched, { passive: true });
  touched();
}

function touched() {
  clearTimeout(timer);
  timer = setTimeout(() => say(true), LONG);
  if (gone) say(false);
}

async function say(away) {
  gone = away;
  const io = await socket();
  if (io.connected) io.emit("away", { away });
}
