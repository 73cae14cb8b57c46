"""A scripted SMTP server: takes mail, refuses it, hangs or drops the line, as a test says."""

import socketserver
import threading
from collections.abc import Callable
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP

HANG, DROP = "hang", "drop"
Script = Callable[[str, str], str | None]


class Sink:
    """Listens on a spare port of this machine; `script(stage, argument)` may answer in its stead.

    Stages: connect, ehlo, mail, rcpt, data, body. Answers: a reply line, HANG, DROP, or None for "fine".
    """

    def __init__(self, script: Script | None = None, extensions: tuple[str, ...] = ("8BITMIME",)) -> None:
        self.script = script or (lambda stage, argument: None)
        self.extensions = extensions
        self.raw: list[tuple[str, bytes]] = []
        self.connections = 0
        self.released = threading.Event()
        sink = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                _Talk(sink, self).run()

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"smtp://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def __enter__(self) -> "Sink":
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self.server.shutdown()
        self.server.server_close()

    @property
    def recipients(self) -> list[str]:
        return [address for address, _raw in self.raw]

    def messages(self) -> list[EmailMessage]:
        return [message_from_bytes(raw, policy=SMTP) for _address, raw in self.raw]  # type: ignore[misc]


class _Talk:
    def __init__(self, sink: Sink, handler: socketserver.StreamRequestHandler) -> None:
        self.sink, self.handler = sink, handler
        self.recipient = ""

    def run(self) -> None:
        self.sink.connections += 1
        try:
            self.answer("connect", "", "220 sink")
            for line in self.handler.rfile:
                self.command(line.decode().strip())
        except (ConnectionError, _Bye):
            pass

    def command(self, line: str) -> None:
        verb = line.upper().split(" ")[0]
        if verb in ("EHLO", "HELO"):
            lines = ["sink", *self.sink.extensions]
            self.answer(
                "ehlo",
                line,
                "\r\n".join(
                    f"250{' ' if i == len(lines) - 1 else '-'}{text}" for i, text in enumerate(lines)
                ),
            )
        elif verb == "MAIL":
            self.answer("mail", line, "250 ok")
        elif verb == "RCPT":
            self.recipient = line.split("<")[1].split(">", maxsplit=1)[0]
            self.answer("rcpt", self.recipient, "250 ok")
        elif verb == "DATA":
            if self.answer("data", self.recipient, "354 go on").startswith("354"):
                self.body()
        elif verb == "QUIT":
            self.say("221 bye")
            raise _Bye
        else:
            self.say("250 ok")

    def body(self) -> None:
        lines = []
        for line in self.handler.rfile:
            if line == b".\r\n":
                break
            lines.append(line[1:] if line.startswith(b"..") else line)
        else:
            raise _Bye
        reply = self.sink.script("body", self.recipient)
        if reply in (None, HANG, DROP):  # taken, though the sender may never hear of it
            self.sink.raw.append((self.recipient, b"".join(lines)))
        self.give(reply or "250 taken")

    def answer(self, stage: str, argument: str, fine: str) -> str:
        return self.give(self.sink.script(stage, argument) or fine)

    def give(self, reply: str) -> str:
        if reply == HANG:
            self.sink.released.wait(60)
            raise _Bye
        if reply == DROP:
            raise _Bye
        self.say(reply)
        if reply.startswith("421"):
            raise _Bye
        return reply

    def say(self, reply: str) -> None:
        self.handler.wfile.write(reply.encode() + b"\r\n")


class _Bye(Exception):
    """The conversation is over."""
