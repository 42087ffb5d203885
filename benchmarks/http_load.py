"""A plain HTTP/1.1 client that costs little beside what it measures, and two ways to use it."""

import asyncio
import random
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

MAX_CONNECTIONS = 2000


class Reply(NamedTuple):
    """One answer.

    Attributes:
        status: HTTP status; 0 if the connection broke.
        headers: names in lower case.
        body: the bytes.
        took_s: seconds from when the request was due to the last byte.
    """

    status: int
    headers: dict[bytes, bytes]
    body: bytes
    took_s: float


class Connection:
    """A connection that is kept open, for one request at a time."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes, due_s: float | None = None) -> Reply:
        """Send a request, due now if not before; a broken connection is a reply of status 0."""
        due_s = time.perf_counter() if due_s is None else due_s
        try:
            if self._streams is None:
                self._streams = await asyncio.open_connection("127.0.0.1", self._port)
            reader, writer = self._streams
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            lines = head.split(b"\r\n")
            pairs = (line.split(b":", 1) for line in lines[1:] if line)
            headers = {name.strip().lower(): value.strip() for name, value in pairs}
            body = await reader.readexactly(int(headers.get(b"content-length", b"0")))
        except (OSError, EOFError):
            self.close()
            return Reply(0, {}, b"", time.perf_counter() - due_s)
        if headers.get(b"connection") == b"close":
            self.close()
        return Reply(int(lines[0].split()[1]), headers, body, time.perf_counter() - due_s)

    def close(self) -> None:
        """Close it; the next request opens another one."""
        if self._streams is not None:
            with suppress(OSError):
                self._streams[1].close()
            self._streams = None


def post(path: str, body: bytes) -> bytes:
    """Return a request as it goes over the wire."""
    head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


def get(path: str) -> bytes:
    """Return a request as it goes over the wire."""
    return f"GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode()


@dataclass
class Tally:
    """What came of many requests.

    Attributes:
        seconds: how long they were sent.
        n_in_time: answers with 200 that came while they were.
        took_s: seconds of each request that was answered with 200.
        statuses: number of replies by status.
        unexplained: replies of status 429 that do not say when to come back.
        n_not_sent: requests that were due while too many others were under way.
    """

    seconds: float
    n_in_time: int = 0
    took_s: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    unexplained: int = 0
    n_not_sent: int = 0

    def add(self, reply: Reply, *, in_time: bool = True) -> None:
        """Count a reply."""
        self.n_in_time += in_time and reply.status == 200
        self.statuses[reply.status] = self.statuses.get(reply.status, 0) + 1
        if reply.status == 200:
            self.took_s.append(reply.took_s)
        if reply.status == 429 and b"retry-after" not in reply.headers:
            self.unexplained += 1

    @property
    def per_s(self) -> float:
        """Requests answered with 200 a second, of those answered while requests were sent."""
        return self.n_in_time / self.seconds if self.seconds else 0.0

    def percentile_ms(self, percent: float) -> float | None:
        """Return a percentile of the times of the answers with 200, ms."""
        if not self.took_s:
            return None
        ranked = sorted(self.took_s)
        return round(1e3 * ranked[min(len(ranked) - 1, int(percent / 100 * len(ranked)))], 1)

    def report(self) -> dict[str, object]:
        """Return all figures as plain values."""
        return {
            "answered_per_s": round(self.per_s, 1),
            "p50_ms": self.percentile_ms(50),
            "p99_ms": self.percentile_ms(99),
            "max_ms": self.percentile_ms(100),
            "statuses": {str(status): n for status, n in sorted(self.statuses.items())},
            **({"not_sent": self.n_not_sent} if self.n_not_sent else {}),
        }


Check = Callable[[bytes, Reply], None]


def _no_check(_request: bytes, _reply: Reply) -> None:
    """Look at nothing."""


async def in_turn(
    port: int,
    requests: Iterator[bytes],
    *,
    n_connections: int,
    seconds: float,
    check: Check = _no_check,
) -> Tally:
    """Send from so many connections, each its next request when the last one is answered."""
    tally = Tally(seconds)
    end_s = time.perf_counter() + seconds

    async def send() -> None:
        connection = Connection(port)
        while time.perf_counter() < end_s and (request := next(requests, None)) is not None:
            reply = await connection.ask(request)
            tally.add(reply)
            check(request, reply)
        connection.close()

    began_s = time.perf_counter()
    await asyncio.gather(*(send() for _ in range(n_connections)))
    tally.seconds = time.perf_counter() - began_s
    return tally


async def at_rate(
    port: int,
    requests: Iterator[bytes],
    *,
    per_s: float,
    seconds: float,
    check: Check = _no_check,
    seed: int = 1,
) -> Tally:
    """Send at random times of a given rate, whether the last ones are answered or not.

    A request's time counts from when it was due, so that a client that falls behind shows.
    """
    randomly = random.Random(seed)
    tally = Tally(seconds)
    idle: list[Connection] = []
    under_way: set[asyncio.Task[None]] = set()

    async def send(request: bytes, due_s: float) -> None:
        connection = idle.pop() if idle else Connection(port)
        reply = await connection.ask(request, due_s)
        idle.append(connection)
        tally.add(reply, in_time=time.perf_counter() < began_s + seconds)
        check(request, reply)

    began_s = due_s = time.perf_counter()
    while (due_s := due_s + randomly.expovariate(per_s)) < began_s + seconds:
        delay_s = due_s - time.perf_counter()
        if delay_s > 0 or len(under_way) >= MAX_CONNECTIONS:
            await asyncio.sleep(max(delay_s, 0.0))
        request = next(requests, None)
        if request is None:
            break
        if len(under_way) >= MAX_CONNECTIONS:
            tally.n_not_sent += 1
            continue
        task = asyncio.ensure_future(send(request, due_s))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    if under_way:
        await asyncio.wait(under_way, timeout=60)
    for connection in idle:
        connection.close()
    return tally
