"""Processes that draw: RDKit holds the interpreter lock while it does, and may hang."""

import threading
from typing import Final

from nmrshift.errors import DeadlineError, DrawingError
from nmrshift.types import Failure
from service.metrics import Metrics
from service.problems import log_fault
from service.reading.draw_task import Drawing
from service.reading.reader import Nursery, Reader
from service.reading.task import Fault, Task

DRAW: Final[str] = "service.reading.draw_task:draw"


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
        self._nursery = Nursery(draw, memory_bytes)
        self._deadline_s = deadline_s
        self._metrics = metrics
        self._idle: list[Reader] = []
        self._lock = threading.Lock()

    def start(self) -> None:
        """Load what is needed, so that the first picture need not wait for it."""
        self._nursery.start()

    def close(self) -> None:
        """End every process."""
        with self._lock:
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
            reader = self._take()
            reader.send(Task((drawing,), None, self._deadline_s))
            outcome = self._wait(reader)
        except (EOFError, OSError):
            self._metrics.readers_replaced.labels("crashed").inc()
            raise DrawingError("the process that drew it crashed") from None
        if outcome is None:
            self._metrics.readers_replaced.labels("timeout").inc()
            raise DeadlineError(f"drawing it took longer than {self._deadline_s:g} s")
        if isinstance(outcome, Fault):
            log_fault(outcome.kind, outcome.places)
            raise DrawingError("drawing it failed in an unforeseen way")
        return outcome

    def _take(self) -> Reader:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return self._nursery.fork()

    def _wait(self, reader: Reader) -> bytes | Failure | Fault | None:
        """Return the outcome, if there is one in time; then the process is kept, else killed."""
        outcome: bytes | Failure | Fault | None = None
        try:
            outcome = reader.receive(self._deadline_s)
        finally:
            if outcome is None:
                reader.kill()
        if outcome is not None:
            with self._lock:
                self._idle.append(reader)
        return outcome
