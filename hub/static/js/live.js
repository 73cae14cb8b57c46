// One socket per page, shared by every part that listens. It connects again by itself.

let shared;

/** The page's socket; rooms join and listen on it. */
export async function socket() {
  shared ??= import("../vendor/socket.io.js").then(({ io }) => io({ transports: ["websocket", "polling"] }));
  return shared;
}
