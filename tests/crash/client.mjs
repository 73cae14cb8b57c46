// A program of somebody else's: the official client, the README's events, nothing of ours.

import { io } from "socket.io-client";

const [base, token, number] = process.argv.slice(2);
const ticket = Number(number);
const socket = io(base, { auth: { token } });
const say = (line) => console.log(JSON.stringify(line));
const messages = [];
let state;

socket.on("message", (message) => messages.push(message));
socket.on("state", (now) => (state = now));
socket.on("connect_error", (error) => say({ error: error.message }));
socket.on("connect", async () => {
  say({ joined: await socket.emitWithAck("join", { ticket, after: 0 }) });
  const message = { ticket, body: "From JavaScript", client_id: "js-1", seen: 1 };
  say({ sent: [await socket.emitWithAck("send", message), await socket.emitWithAck("send", message)] });
  say({ refused: await socket.emitWithAck("send", { ...message, client_id: "" }) });
});

const ended = setInterval(() => {
  if (messages.length < 2 || state?.status !== "waiting") return;
  clearInterval(ended);
  say({ messages });
  say({ state });
}, 20);
process.stdin.on("close", () => process.exit(0)).resume();
