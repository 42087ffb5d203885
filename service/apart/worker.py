"""A process that answers molecules, as the event loop sees it."""

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol, cast

from service.apart.frames import Unpacker, packed
from service.apart.owner import kill
from service.apart.page import BEFORE, Page, Standing
from service.apart.task import Task
from service.tickets import Item


class Foreman(Protocol):
    """Who hands out the work."""

    def on_ready(self, worker: "Worker") -> None:
        """Take notice of a process that can begin."""
        ...

    def on_answers(self, worker: "Worker", outcomes: list[Any]) -> None:
        """Take the outcomes of a task."""
        ...

    def on_lost(self, worker: "Worker") -> None:
        """Take notice of a process that is dead."""
        ...


class Worker(asyncio.Protocol):
    """One process.

    Attributes:
        batch: the molecules that it is busy with.
        is_aside: whether it is for suspects, behind all others.

    Args:
        foreman: told what happens.
        page: says how far it is.
        is_aside: see above.
    """

    def __init__(self, foreman: Foreman, page: Page, *, is_aside: bool) -> None:
        self.batch: list[Item] = []
        self.is_aside = is_aside
        self._foreman = foreman
        self._page = page
        self._pid: int | None = None
        self._transport: asyncio.Transport | None = None
        self._unpacker = Unpacker()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_ready(self) -> bool:
        """Whether it has said that it is there."""
        return self._pid is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass of it

    def data_received(self, data: bytes) -> None:
        """Take what the process says: its number first, then the outcomes of its tasks."""
        for value in self._unpacker.feed(data):
            if self._pid is None:
                self._pid = value
                self._foreman.on_ready(self)
            else:
                self._foreman.on_answers(self, value)

    def connection_lost(self, _: Exception | None) -> None:
        """Take notice that the process is dead."""
        self._foreman.on_lost(self)
        self._stop_timer()
        self._page.close()

    def begin(self, batch: Sequence[Item], task: Task) -> None:
        """Hand out a task."""
        assert self._transport is not None
        self.batch = list(batch)
        self._page.mark(BEFORE)
        self._transport.write(packed(task))

    def take_batch(self) -> list[Item]:
        """Take the molecules back."""
        self._stop_timer()
        batch, self.batch = self.batch, []
        return batch

    @property
    def standing(self) -> Standing:
        """What it is busy with."""
        return self._page.read()

    def call_later(self, delay_s: float, look: Any) -> None:
        """Have somebody look at it, unless it is done by then."""
        self._stop_timer()
        self._timer = asyncio.get_running_loop().call_later(delay_s, look, self)

    def kill(self) -> None:
        """End the process, whatever it does; the foreman is told later."""
        self._stop_timer()
        if self._pid is not None:
            kill(self._pid)
        if self._transport is not None:
            self._transport.abort()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
