"""Answers molecules in processes of its own; one that hangs or crashes harms no other.

Everything here happens on the event loop, so that nothing needs a lock.
"""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from anyio import to_thread

from nmrshift.errors import DeadlineError, InputError, WorkerCrashError
from nmrshift.predict.prepare import echo
from nmrshift.types import Failure
from service.apart.breeder import Breeder
from service.apart.line import Line
from service.apart.owner import Nursery
from service.apart.task import NETWORK_DEADLINES, Described, Fault, Task
from service.apart.worker import Worker
from service.estimate import estimated_atoms
from service.loaded import CANARY, shifts_of_canary
from service.metrics import Metrics
from service.options import Options
from service.problems import log_fault
from service.settings import BYTES_PER_MB, Settings
from service.tickets import Item, Ticket

READ: Final[str] = "service.apart.task:read_query"
_LOAD: Final[str] = "service.apart.predicting:load"

_ATTEMPTS: Final[int] = 3
"""Processes that one molecule may bring down before it takes the blame."""
_ASIDE: Final[int] = 8
"""Suspects that are looked at side by side."""
_IDLE_ASIDE: Final[int] = 1
"""Processes for suspects that are kept when there is none."""
_SLOW_S: Final[float] = 0.1
"""Longer than reading almost any molecule takes."""
_CANARY_S: Final[float] = 30.0


class Crew:
    """A model in processes that answer batches of molecules.

    A process whose molecule takes longer to read than almost any is killed. Its other molecules
    go back to where they were, and the slow one is a suspect: it is tried again alone, in a
    process behind all others, which has the full time. So is one over which a process died.

    Attributes:
        about: the model.
        key: tells its results from those of other models.

    Args:
        nursery: has loaded the model.
        about: what it said of it.
        settings: sizes and deadlines.
        metrics: told what happens.
    """

    def __init__(
        self, nursery: Nursery, about: Described, settings: Settings, metrics: Metrics
    ) -> None:
        self.about = about
        self.key = about.info.sha256
        self._loop = asyncio.get_running_loop()
        self._deadline_s = settings.molecule_timeout_s
        self._metrics = metrics
        self._line = Line(settings.batch_molecules)
        self._suspects: deque[Item] = deque()
        self._idle: list[Worker] = []
        self._idle_aside: list[Worker] = []
        self._n_inside = 0
        self._is_empty = asyncio.Event()
        self._is_empty.set()
        self._breeder = Breeder(
            nursery,
            about,
            self,
            n_workers=settings.processes,
            most_aside=_ASIDE,
            metrics=metrics,
        )

    @classmethod
    async def of(cls, settings: Settings, metrics: Metrics, read: str) -> "Crew":
        """Load the model of the settings and start the processes.

        Raises:
            BrokenNurseryError: it cannot be loaded.
            OSError: no process can be started.
        """
        model = "" if settings.model is None else str(Path(settings.model))
        memory_bytes = settings.process_memory_mb * BYTES_PER_MB
        nursery = Nursery(_LOAD, read, model, memory_bytes=memory_bytes)
        try:
            about = await to_thread.run_sync(nursery.described, abandon_on_cancel=True)
        except BaseException:
            nursery.close()
            raise
        crew = cls(nursery, about, settings, metrics)
        crew._breeder.start()
        return crew

    def put(self, items: Sequence[Item]) -> None:
        """Line up molecules of one request, from any thread; their tickets get the answers."""
        try:
            is_here = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            is_here = False
        if is_here:
            self._put(items)
        else:
            with suppress(RuntimeError):  # the loop is closed, and nobody waits
                self._loop.call_soon_threadsafe(self._put, items)

    async def canary_ppm(self) -> tuple[float, ...]:
        """Predict the canary molecule, before everything else; return its shifts, ppm.

        Raises:
            RuntimeError: it cannot be predicted, or not in time.
        """
        ticket = Ticket(Options(self.about.nuclei, None, None, 0.9), 1)
        item = Item(ticket, 0, CANARY, estimated_atoms(CANARY), lambda _: None)
        self._count(1)
        self._line.put_back([item])
        self._dispatch()
        try:
            (answer,) = await asyncio.wait_for(asyncio.wrap_future(ticket.future), _CANARY_S)
        except TimeoutError:
            raise RuntimeError("the canary molecule is not answered in time") from None
        return shifts_of_canary(answer)

    async def close(self, *, when_done: bool) -> None:
        """End all processes, at once or when what is in line has been answered."""
        if when_done:
            await self._is_empty.wait()
        self._line.clear()
        self._suspects.clear()
        await self._breeder.close()

    def on_ready(self, worker: Worker) -> None:
        """Give a process its first task."""
        self._rest(worker)
        self._dispatch()

    def on_answers(self, worker: Worker, outcomes: list[Any]) -> None:
        """Keep the process busy first, then hand out what it has found."""
        batch = worker.take_batch()
        self._rest(worker)
        self._dispatch()
        for item, outcome in zip(batch, outcomes, strict=True):
            self._deliver(item, outcome)

    def on_lost(self, worker: Worker) -> None:
        """See to the molecules of a process that is dead, and to another process."""
        for idle in (self._idle, self._idle_aside):
            if worker in idle:
                idle.remove(worker)
        place = worker.standing.place
        batch = worker.take_batch()
        if batch:
            self._metrics.workers_replaced.labels("crashed").inc()
            suspects, others = _parted(batch, place)
            self._line.put_back(others)
            for item in suspects:
                self._blame(item, is_sure=len(suspects) == 1)
        self._breeder.on_lost(worker)
        self._dispatch()

    def _put(self, items: Sequence[Item]) -> None:
        self._count(len(items))
        self._line.put(items)
        self._dispatch()

    def _dispatch(self) -> None:
        """Give work to all that have none."""
        while self._idle and len(self._line):
            batch, n_dropped = self._line.take(len(self._idle))
            self._count(-n_dropped)
            if batch:
                self._hand(self._idle.pop(), batch)
        while self._suspects and self._idle_aside:
            self._hand(self._idle_aside.pop(), [self._suspects.popleft()])
        if self._suspects:
            self._breeder.breed_aside(len(self._suspects))

    def _hand(self, worker: Worker, batch: list[Item]) -> None:
        numbers: dict[Options, int] = {}
        queries = tuple(
            (item.query, numbers.setdefault(item.ticket.options, len(numbers))) for item in batch
        )
        self._metrics.batch_molecules.observe(len(batch))
        worker.begin(batch, Task(queries, tuple(numbers), self._deadline_s, worker.is_aside))
        worker.call_later(min(_SLOW_S, self._deadline_s), self._look)

    def _rest(self, worker: Worker) -> None:
        if not worker.is_aside:
            self._idle.append(worker)
        elif self._suspects or len(self._idle_aside) < _IDLE_ASIDE:
            self._idle_aside.append(worker)
        else:
            worker.kill()

    def _look(self, worker: Worker) -> None:
        """End a process that has been busy with one thing for too long."""
        place, began_s = worker.standing
        limit_s = self._deadline_s
        if not 0 <= place < len(worker.batch):
            limit_s *= NETWORK_DEADLINES
        elif not worker.is_aside:
            limit_s = min(_SLOW_S, limit_s)
        left_s = began_s + limit_s - time.monotonic()
        if left_s > 0:
            worker.call_later(left_s, self._look)
            return
        batch = worker.take_batch()
        worker.kill()
        self._metrics.workers_replaced.labels("timeout" if worker.is_aside else "slow").inc()
        suspects, others = _parted(batch, place)
        self._line.put_back(others)
        if worker.is_aside:
            for item in suspects:
                self._time_out(item)
        else:
            self._suspects.extend(suspects)
        self._dispatch()

    def _blame(self, item: Item, *, is_sure: bool) -> None:
        """Count a dead process against a molecule, if it was this one, and try it again alone."""
        item.attempts += is_sure
        if item.attempts < _ATTEMPTS:
            self._suspects.append(item)
        else:
            error = WorkerCrashError("the process that worked on it crashed")
            self._deliver(item, _failure(item, error))

    def _time_out(self, item: Item) -> None:
        message = f"it took longer than {self._deadline_s:g} s and was stopped"
        error = DeadlineError(message, hint="Send a simpler structure.")
        self._deliver(item, _failure(item, error))

    def _deliver(self, item: Item, outcome: Any) -> None:
        if isinstance(outcome, Fault):
            log_fault(outcome.kind, outcome.places)
            outcome = _failure(item, WorkerCrashError("it failed in an unforeseen way"))
        self._count(-1)
        item.deliver(outcome)

    def _count(self, change: int) -> None:
        self._n_inside += change
        if self._n_inside:
            self._is_empty.clear()
        else:
            self._is_empty.set()


def _parted(batch: list[Item], place: int) -> tuple[list[Item], list[Item]]:
    """Return those that a process may have failed over, and the others.

    Args:
        batch: its molecules.
        place: of the one that it read; outside of the batch it may have been any.
    """
    if not 0 <= place < len(batch):
        return batch, []
    return [batch[place]], batch[:place] + batch[place + 1 :]


def _failure(item: Item, error: InputError | DeadlineError) -> Failure:
    query = item.query
    return Failure(0, echo(query), query.name, error.code, error.message, error.hint)
