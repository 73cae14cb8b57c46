"""A thousand open pages, a hundred messages a second, and pages asked for meanwhile."""

import asyncio
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

from .client import Client
from .rows import Row
from .server import environment, hub, memory_mb, run, spare_port, web
from .socketio import Socket

TICKETS = 500
SOCKETS = 2 * TICKETS
RATE = 100  # messages a second
SECONDS = 30
WARM_UP = TICKETS / RATE + 1  # everyone's first message opens a settled ticket again, which is another act
PAGES = 20  # a second
CONNECTING = 20  # at once


def measure(home: Path, backend: str, settings: dict[str, str]) -> Iterator[Row]:
    """Yield time from sending to the other side's page, what was lost or came twice, and the memory of it all."""
    port = spare_port()
    env = environment(home, port) | settings
    hub(env, "migrate")
    run(env, f"tickets_data.fill({TICKETS}, {TICKETS})")
    with ExitStack() as stack:
        process = stack.enter_context(web("hub.wsgi:app", port, env, threads=SOCKETS + 64))
        base = f"http://127.0.0.1:{port}"
        Client(base).get("/healthz")
        crowd = Crowd(base)
        pages = Pages(base)
        pages.start()
        try:
            asyncio.run(crowd.talk())
        finally:
            pages.stop()
        memory = memory_mb(process)
    times = sorted(crowd.times)
    p99 = times[int(len(times) * 0.99)] if times else float("inf")
    p50 = statistics.median(times) if times else float("inf")
    yield Row("chat.p50_ms", SOCKETS, backend, round(p50, 1), "ms")
    yield Row("chat.p99_ms", SOCKETS, backend, round(p99, 1), "ms")
    yield Row("chat.lost", SOCKETS, backend, crowd.lost, "messages")
    yield Row("chat.twice", SOCKETS, backend, crowd.twice, "messages")
    yield Row("chat.rss_mb", SOCKETS, backend, round(memory, 1), "MB")
    yield Row("chat.rate", SOCKETS, backend, round(crowd.rate, 1), "messages/s")
    yield Row("chat.pages", SOCKETS, backend, round(pages.rate, 1), "pages/s")


class Crowd:
    """Both sides of every ticket, in turn."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.sent: dict[str, float] = {}
        self.arrived: Counter[str] = Counter()
        self.times: list[float] = []
        self.seqs = dict.fromkeys(range(1, TICKETS + 1), 4)

    async def talk(self) -> None:
        self.sockets: dict[tuple[int, str], Socket] = {}
        gate = asyncio.Semaphore(CONNECTING)
        sides = [(id, side) for id in range(1, TICKETS + 1) for side in ("partner", "team")]
        await asyncio.gather(*(self.enter(gate, id, side) for id, side in sides))
        asks = []
        start = time.perf_counter()
        for number in count():
            due = start + number / RATE
            if due > start + WARM_UP + SECONDS:
                break
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            id, turn = number % TICKETS + 1, number // TICKETS % 2
            counted = due >= start + WARM_UP
            asks.append(asyncio.create_task(self.say(id, ("partner", "team")[turn], f"m-{number}", counted)))
        self.rate = len(asks) / (time.perf_counter() - start)
        await asyncio.gather(*asks)
        await asyncio.sleep(2)
        for socket in self.sockets.values():
            socket.close()

    async def enter(self, gate: asyncio.Semaphore, id: int, side: str) -> None:
        async with gate:
            socket = Socket(lambda event, data: self.hear(side, event, data))
            user = id % TICKETS + 1 if side == "partner" else TICKETS + 1 + id % 20
            await socket.connect(self.base, f"hub_{user}")
            answer = await socket.ask("join", {"ticket": 1000 + id, "after": 0})
            assert answer["ok"], answer
            self.sockets[id, side] = socket

    async def say(self, id: int, side: str, key: str, counted: bool) -> None:
        if counted:
            self.sent[key] = time.perf_counter()
        words = {"ticket": 1000 + id, "body": key, "client_id": key, "seen": self.seqs[id]}
        try:
            answer = await self.sockets[id, side].ask("send", words)
        except (TimeoutError, ConnectionError):
            return  # not acknowledged: counted as lost unless it arrived
        if answer["ok"]:
            self.seqs[id] = max(self.seqs[id], answer["seq"])

    def hear(self, side: str, event: str, data: Any) -> None:
        if event != "message" or data["author"]["team"] == (side == "team"):
            return  # one's own comes back too
        self.seqs[data["ticket"] - 1000] = max(self.seqs[data["ticket"] - 1000], data["seq"])
        if data["body"] in self.sent:
            self.arrived[data["body"]] += 1
            self.times.append((time.perf_counter() - self.sent[data["body"]]) * 1000)

    @property
    def lost(self) -> int:
        return len(self.sent) - len(self.arrived)

    @property
    def twice(self) -> int:
        return sum(times - 1 for times in self.arrived.values())


class Pages(threading.Thread):
    """Somebody asks for pages meanwhile."""

    def __init__(self, base: str) -> None:
        super().__init__(daemon=True)
        self.client, self.ending, self.asked = Client(base), threading.Event(), 0
        self.started = time.perf_counter()

    def run(self) -> None:
        while not self.ending.wait(1 / PAGES):
            self.client.get("/kb/")
            self.asked += 1

    def stop(self) -> None:
        self.rate = self.asked / (time.perf_counter() - self.started)
        self.ending.set()
        self.join(10)
