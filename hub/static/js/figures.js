// Pictures open large, videos play in their place. Without this script both are links that lead there.

import { fresh, word } from "./words.js";

const PLAYERS = {
  youtube: (id) => `https://www.youtube-nocookie.com/embed/${id}?autoplay=1`,
  vimeo: (id) => `https://player.vimeo.com/video/${id}?autoplay=1&dnt=1`,
  loom: (id) => `https://www.loom.com/embed/${id}?autoplay=1`,
};

export function wire(root) {
  for (const link of fresh(root, ".read a.zoom", "figures")) link.addEventListener("click", (event) => plain(event) && enlarge(event));
  for (const link of fresh(root, ".read a.video[data-video]", "figures")) link.addEventListener("click", (event) => plain(event) && play(event));
}

/** A click that wants neither another tab nor a download. */
function plain(event) {
  return !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey && event.button === 0;
}

function enlarge(event) {
  event.preventDefault();
  const small = event.currentTarget.querySelector("img");
  const dialog = Object.assign(document.createElement("dialog"), { className: "zoomed" });
  dialog.setAttribute("aria-label", small.alt);
  const close = Object.assign(document.createElement("button"), { type: "button", className: "btn", textContent: word("close") });
  const large = Object.assign(new Image(), { src: event.currentTarget.href, alt: small.alt });
  dialog.append(large, close);
  dialog.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  close.focus();
}

function play(event) {
  const link = event.currentTarget;
  const [site, id] = link.dataset.video.split("/");
  if (!PLAYERS[site]) return;
  event.preventDefault();
  const frame = Object.assign(document.createElement("iframe"), {
    className: "video",
    src: PLAYERS[site](encodeURIComponent(id)),
    title: link.textContent.trim(),
    allow: "autoplay; fullscreen; picture-in-picture",
    referrerPolicy: "strict-origin-when-cross-origin", // players refuse a page that does not say where it is from
  });
  frame.setAttribute("sandbox", "allow-scripts allow-same-origin allow-popups allow-presentation");
  link.replaceWith(frame);
  frame.focus();
}
