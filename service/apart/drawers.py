"""Processes that draw: RDKit holds the interpreter lock while it does, and may hang."""

import threading
from contextlib import suppress
from typing import Final

from nmrshift.errors import DeadlineError, DrawingError
from nmrshift.types import Failure
from service.apart.draw_task import Drawing
from service.apart.frames import Channel
from service.apart.owner import START_S, Nursery, kill
from service.apart.task import Fault
from service.metrics import Metrics
from service.problems import log_fault

DRAW: Final[str] = "service.apart.draw_task:draw"
_LOAD: Final[str] = "service.apart.draw_task:load"


class _Drawer:
    """One process that draws, behind a channel of its own.

    Raises:
        OSError: there is none to be had.
        EOFError: it died at once.
    """

    def __init__(self, nursery: Nursery) -> None:
        connection, page = nursery.fork()
        page.close()
        self.channel = Channel(connection)
        if not self.channel.is_ready(START_S):
            self.channel.close()
            raise TimeoutError("no process that draws gets ready")
        self._pid: int = self.channel.receive()

    def kill(self) -> None:
        """End it, whatever it does."""
        kill(self._pid)
        self.channel.close()


class Drawers:
    """Draws in processes of their own, which are kept, and killed when their time is up.

    Args:
        draw: ``module:function`` that draws one picture.
        deadline_s: seconds for one.
        memory_bytes: address space of a process.
        metrics: counts what had to be replaced.
    """

    def __init__(
        self, draw: str, *, deadline_s: float, memory_bytes: int, metrics: Metrics
    ) -> None:
        self._nursery = Nursery(_LOAD, draw, memory_bytes=memory_bytes)
        self._deadline_s = deadline_s
        self._metrics = metrics
        self._idle: list[_Drawer] = []
        self._is_closed = False
        self._lock = threading.Lock()

    def start(self) -> None:
        """Load what is needed, so that the first picture need not wait for it."""
        with suppress(OSError):
            self._nursery.start()

    def close(self) -> None:
        """End every process."""
        with self._lock:
            self._is_closed = True
            while self._idle:
                self._idle.pop().kill()
        self._nursery.close()

    def draw(self, drawing: Drawing) -> bytes | Failure:
        """Return a picture, or why there is none; as many at a time as there are callers.

        Raises:
            DeadlineError: it took too long and was stopped.
            DrawingError: the process that drew it died, or failed in an unforeseen way.
        """
        try:
            drawer = self._take()
            drawer.channel.send((drawing, self._deadline_s))
            outcome = self._wait(drawer)
        except (EOFError, OSError):
            self._metrics.workers_replaced.labels("crashed").inc()
            raise DrawingError("the process that drew it crashed") from None
        if outcome is None:
            self._metrics.workers_replaced.labels("timeout").inc()
            raise DeadlineError(f"drawing it took longer than {self._deadline_s:g} s")
        if isinstance(outcome, Fault):
            log_fault(outcome.kind, outcome.places)
            raise DrawingError("drawing it failed in an unforeseen way")
        return outcome

    def _take(self) -> _Drawer:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return _Drawer(self._nursery)

    def _wait(self, drawer: _Drawer) -> bytes | Failure | Fault | None:
        """Return the outcome, if there is one in time; then the process is kept, else killed."""
        outcome: bytes | Failure | Fault | None = None
        try:
            if drawer.channel.is_ready(self._deadline_s):
                outcome = drawer.channel.receive()
        finally:
            with self._lock:
                if outcome is None or self._is_closed:
                    drawer.kill()
                else:
                    self._idle.append(drawer)
        return outcome
