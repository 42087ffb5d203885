"""A process that answers molecules, as the event loop sees it."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final, Protocol, cast

from service.apart.frames import Unpacker, packed
from service.apart.owner import give_way, kill, run_when_idle, worked_s
from service.apart.page import Page, Standing
from service.apart.task import Task
from service.tickets import Item

_BEHIND: Final[int] = 10


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
        aside: number of the only one of its task that is still wanted, once it has been set aside.

    Args:
        foreman: told what happens.
        page: says how far it is.
    """

    def __init__(self, foreman: Foreman, page: Page) -> None:
        self.batch: list[Item] = []
        self.aside: int | None = None
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
        self._page.clear()
        self._transport.write(packed(task))

    def set_aside(self, place: int) -> list[Item]:
        """Let it go on with one molecule only, behind the others; return the rest."""
        rest = self.batch[:place] + self.batch[place + 1 :]
        self.batch = [self.batch[place]]
        self.aside = place
        self._page.set_aside()
        if self._pid is not None:
            give_way(self._pid, _BEHIND)
        return rest

    def put_last(self) -> None:
        """Let it run when no other process wants to."""
        if self._pid is not None:
            run_when_idle(self._pid)

    def take_batch(self) -> list[Item]:
        """Take the molecules back."""
        self._stop_timer()
        batch, self.batch = self.batch, []
        return batch

    @property
    def standing(self) -> Standing:
        """What it is busy with."""
        return self._page.read()

    def has_worked_s(self, standing: Standing) -> float:
        """Return how long it has worked since, the time that others had the processor left out."""
        return 0.0 if self._pid is None else max(0.0, worked_s(self._pid) - standing.worked_s)

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
