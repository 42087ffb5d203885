"""A bounded crew of readers: a molecule that hangs or crashes harms no other one."""

import itertools
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from nmrshift.errors import DeadlineError, InputError, WorkerCrashError
from nmrshift.predict.prepare import Prepared, echo
from nmrshift.types import Failure, Query
from service.metrics import Metrics
from service.problems import log_bug, log_fault
from service.reading.reader import Nursery, Reader
from service.reading.task import Fault, Reading, Task

_LOG = logging.getLogger("nmrshift.service")

CHUNK: Final[int] = 16
_ATTEMPTS: Final[int] = 3
"""Readers that one molecule may bring down before it takes the blame."""
_ASIDE: Final[int] = 8
"""Molecules that may be slow at a time, each in a reader of its own, before others must wait."""
_SLOW_S: Final[float] = 0.1
_NURSERY_PAUSE_S: Final[float] = 0.5

Deliver = Callable[[int, Prepared | Failure], None]


@dataclass(slots=True)
class Batch:
    """Molecules of one request on their way through a reader.

    Attributes:
        queries: position in the request and molecule.
        reading: how to read them.
        deliver: takes position and outcome, once a molecule.
        is_wanted: false once nobody waits for the outcome.
        priority: lower goes first.
        attempts: readers that died over the first molecule.
    """

    queries: list[tuple[int, Query]]
    reading: Reading
    deliver: Deliver
    is_wanted: Callable[[], bool]
    priority: int
    attempts: int = 0


class ReaderPool:
    """Reads molecules with a hard deadline each.

    Up to ``n_readers`` processes read at a time. One that has been busy with a molecule for
    longer than almost any takes is set aside with it, at low priority, and another one goes on
    with what it had before it.

    Args:
        read: ``module:function`` that reads one molecule.
        n_readers: processes at work.
        deadline_s: seconds for one molecule.
        memory_bytes: address space of a process.
        metrics: counts what had to be replaced.
    """

    def __init__(
        self, read: str, *, n_readers: int, deadline_s: float, memory_bytes: int, metrics: Metrics
    ) -> None:
        self._nursery = Nursery(read, memory_bytes)
        self._deadline_s = deadline_s
        self._metrics = metrics
        self._batches: queue.PriorityQueue[tuple[int, int, Batch | None]] = queue.PriorityQueue()
        self._order = itertools.count()
        self._in_front = itertools.count(-1, -1)
        self._permits = threading.Semaphore(n_readers)
        self._n_waiting = 0
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._work, name=f"reader-{number}", daemon=True)
            for number in range(n_readers + _ASIDE)
        ]
        self._closing = False

    def start(self) -> None:
        """Start the threads; processes follow when there is something to read."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop, and end every process."""
        self._closing = True
        for _ in self._threads:
            self._batches.put((-1, next(self._in_front), None))
            self._permits.release()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(self._deadline_s + 1.0)
        self._nursery.close()

    @property
    def n_waiting(self) -> int:
        """Molecules that have been handed in and not delivered."""
        return self._n_waiting

    def read(
        self,
        queries: Sequence[tuple[int, Query]],
        reading: Reading,
        deliver: Deliver,
        is_wanted: Callable[[], bool],
        *,
        priority: int,
    ) -> None:
        """Have molecules read; ``deliver`` is called from other threads, in no order."""
        with self._lock:
            self._n_waiting += len(queries)
        for start in range(0, len(queries), CHUNK):
            chunk = list(queries[start : start + CHUNK])
            batch = Batch(chunk, reading, deliver, is_wanted, priority)
            self._batches.put((priority, next(self._order), batch))

    def _work(self) -> None:
        """Serve batches in one thread, which owns at most one process at a time."""
        reader: Reader | None = None
        while True:
            self._permits.acquire()
            batch = self._batches.get()[2]
            if batch is None or self._closing:
                break
            seat = _Seat(self._permits)
            try:
                while batch.queries and not self._closing:
                    reader = self._serve(reader, batch, seat)
            except Exception as error:  # noqa: BLE001 - the thread must live for the next ones
                log_bug(error)
                _kill(reader)
                reader = None
                self._give_up(batch)
            seat.leave()
        _kill(reader)

    def _serve(self, reader: Reader | None, batch: Batch, seat: "_Seat") -> Reader | None:
        """Get on with a batch; return the process if it is still good."""
        if not batch.is_wanted():
            with self._lock:
                self._n_waiting -= len(batch.queries)
            batch.queries.clear()
            return reader
        try:
            reader = reader or self._nursery.fork()
        except OSError:
            self._metrics.readers_replaced.labels("nursery").inc()
            _LOG.error("no reader could be started")
            time.sleep(_NURSERY_PAUSE_S)
            self._blame(batch, "no process could be started to read it")
            return None
        try:
            queries = tuple(query for _, query in batch.queries)
            reader.send(Task(queries, batch.reading, self._deadline_s))
            while batch.queries and reader is not None:
                reader = self._one(reader, batch, seat)
        except (EOFError, OSError):
            assert reader is not None
            reader.kill()
            if not self._closing:
                self._metrics.readers_replaced.labels("crashed").inc()
            self._blame(batch, "the process that read it crashed")
            return None
        return reader

    def _one(self, reader: Reader, batch: Batch, seat: "_Seat") -> Reader | None:
        """Wait for the outcome of the first molecule; return the process if it is still good."""
        start = time.monotonic()
        outcome: Prepared | Failure | Fault | None
        outcome = reader.receive(min(_SLOW_S, self._deadline_s))
        if outcome is None:
            self._set_aside(reader, batch, seat)
            while outcome is None and time.monotonic() < start + self._deadline_s:
                outcome = reader.receive(start + self._deadline_s - time.monotonic())
        query = batch.queries[0][1]
        if outcome is None:
            self._metrics.readers_replaced.labels("timeout").inc()
            message = f"reading it took longer than {self._deadline_s:g} s and was stopped"
            outcome = _failure(query, DeadlineError(message, hint="Send a simpler structure."))
        elif isinstance(outcome, Fault):
            log_fault(outcome.kind, outcome.places)
            outcome = _failure(query, WorkerCrashError("reading it failed in an unforeseen way"))
        self._deliver(batch, outcome)
        if seat.is_taken:
            return reader
        reader.kill()
        return None

    def _set_aside(self, reader: Reader, batch: Batch, seat: "_Seat") -> None:
        """Let others go on with all but the first molecule."""
        rest = batch.queries[1:]
        del batch.queries[1:]
        if rest:
            again = Batch(rest, batch.reading, batch.deliver, batch.is_wanted, batch.priority)
            self._batches.put((batch.priority, next(self._in_front), again))
        reader.give_way()
        seat.leave()

    def _blame(self, batch: Batch, message: str) -> None:
        """Count a dead reader against the molecule that it was busy with."""
        batch.attempts += 1
        if batch.attempts >= _ATTEMPTS and batch.queries and not self._closing:
            error = WorkerCrashError(message)
            self._deliver(batch, _failure(batch.queries[0][1], error))

    def _give_up(self, batch: Batch) -> None:
        """Fail what is left of a batch that our own fault stopped."""
        error = WorkerCrashError("reading it failed in an unforeseen way")
        while batch.queries:
            with suppress(RuntimeError):
                self._deliver(batch, _failure(batch.queries[0][1], error))

    def _deliver(self, batch: Batch, outcome: Prepared | Failure) -> None:
        position, _ = batch.queries.pop(0)
        batch.attempts = 0
        with self._lock:
            self._n_waiting -= 1
        batch.deliver(position, outcome)


class _Seat:
    """The right to read, given back once, early by those who take too long."""

    def __init__(self, permits: threading.Semaphore) -> None:
        self._permits = permits
        self.is_taken = True

    def leave(self) -> None:
        """Give it back."""
        if self.is_taken:
            self.is_taken = False
            self._permits.release()


def _kill(reader: Reader | None) -> None:
    if reader is not None:
        reader.kill()


def _failure(query: Query, error: InputError | DeadlineError) -> Failure:
    return Failure(0, echo(query), query.name, error.code, error.message, error.hint)
