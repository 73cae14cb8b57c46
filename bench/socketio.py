"""As much of Socket.IO as a thousand clients need who must not cost more than the server that is measured.

Engine.IO packets are 0 open, 2 ping, 3 pong; Socket.IO's within them 40 connect, 42 event, 43 acknowledgement.
"""

import asyncio
import base64
import json
import os
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


class Socket:
    """One open page: emits with acknowledgement, hears events."""

    def __init__(self, heard: Callable[[str, Any], None]) -> None:
        self.heard = heard
        self.asked: dict[int, asyncio.Future[Any]] = {}
        self.number = 0

    async def connect(self, base: str, token: str) -> None:
        """Open the socket and sign in; returns once the server has let it in."""
        address = urlsplit(base)
        self.reader, self.writer = await asyncio.open_connection(address.hostname, address.port)
        key = base64.b64encode(os.urandom(16)).decode()
        self.writer.write(
            f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {address.netloc}\r\n"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        head = await self.reader.readuntil(b"\r\n\r\n")
        if b" 101 " not in head.partition(b"\r\n")[0]:
            raise ConnectionError(head.decode("latin-1"))
        self.let_in: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.send(f"40{json.dumps({'token': token})}")
        self.task = asyncio.create_task(self.listen())
        await asyncio.wait_for(self.let_in, 60)

    async def ask(self, event: str, data: dict[str, Any]) -> Any:
        """Emit and wait for the acknowledgement."""
        self.number += 1
        answer = self.asked[self.number] = asyncio.get_running_loop().create_future()
        self.send(f"42{self.number}{json.dumps([event, data])}")
        return await asyncio.wait_for(answer, 60)

    def send(self, text: str, kind: int = TEXT) -> None:
        """Send a masked frame."""
        data, mask = text.encode(), os.urandom(4)
        length = len(data)
        size = bytes([0x80 | length]) if length < 126 else b"\xfe" + struct.pack(">H", length)
        self.writer.write(
            bytes([0x80 | kind]) + size + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data))
        )

    async def listen(self) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await self.hear_all()

    async def hear_all(self) -> None:
        while True:
            first, second = await self.reader.readexactly(2)
            length = second & 127
            if length > 125:
                size = 2 if length == 126 else 8
                length = int.from_bytes(await self.reader.readexactly(size), "big")
            data = await self.reader.readexactly(length)
            if first & 15 == CLOSE:
                return
            if first & 15 == PING:
                self.send(data.decode(), PONG)
            elif first & 15 == TEXT:
                self.take(data.decode())

    def take(self, packet: str) -> None:
        if packet == "2":
            self.send("3")
        elif packet.startswith("40"):
            self.let_in.set_result(None)
        elif packet.startswith("42"):
            self.heard(*json.loads(packet[2:]))
        elif packet.startswith("43"):
            number, bracket, rest = packet[2:].partition("[")
            self.asked.pop(int(number)).set_result(json.loads(bracket + rest)[0])

    def close(self) -> None:
        self.task.cancel()
        self.writer.close()
