// One socket per page, shared by every part that listens. It connects again by itself.

let shared;

/** The page's socket; rooms join and listen on it. */
export async function socket() {
  shared ??= import("../vendor/socket.io.js").then(({ io }) => {
    const opened = io({ transports: ["websocket", "polling"] });
    // The hub closes the pages of whoever's rights have changed. Who may come back does, with those of now.
    return opened.on("disconnect", (reason) => reason === "io server disconnect" && opened.connect());
  });
  return shared;
}
