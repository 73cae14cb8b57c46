"""`python -m bench.sink`: an SMTP server that takes every mail and forgets it; prints its port, then counts."""

import asyncio
import sys

EHLO = b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 20000000\r\n"


class Talk(asyncio.Protocol):
    """One conversation. It reads whole lines, and in a message only looks for its end."""

    taken = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.buffer, self.in_data = transport, b"", False
        transport.write(b"220 sink\r\n")  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while self.step():
            pass

    def step(self) -> bool:
        end, say = (b"\r\n.\r\n" if self.in_data else b"\r\n"), self.transport.write  # type: ignore[attr-defined]
        at = self.buffer.find(end)
        if at < 0:
            return False
        line, self.buffer = self.buffer[:at], self.buffer[at + len(end) :]
        if self.in_data:
            self.in_data, Talk.taken = False, Talk.taken + 1
            say(b"250 taken\r\n")
        elif line[:4].upper() == b"DATA":
            self.in_data = True
            say(b"354 go on\r\n")
        elif line[:4].upper() == b"EHLO":
            say(EHLO)
        elif line[:4].upper() == b"XNUM":
            say(b"250 %d\r\n" % Talk.taken)
        elif line[:4].upper() == b"QUIT":
            say(b"221 bye\r\n")
            self.transport.close()
        else:
            say(b"250 ok\r\n")
        return bool(self.buffer)


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Talk, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        sys.exit(0)
