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
from service.apart.page import Standing
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
_ASIDE: Final[int] = 32
"""Molecules that may be slow at a time, each in a process of its own."""
_SPARE: Final[int] = 4
"""Processes that wait to take the place of another."""
_SLOW_S: Final[float] = 0.02
"""Work of a process, longer than reading almost any molecule takes."""
_STUCK_S: Final[float] = 0.3
"""Time that passes meanwhile, longer than even a busy machine lets a process wait."""
_HOPEFUL_S: Final[float] = 0.05
"""Work of a process that has been set aside, longer than reading most large molecules takes."""
_LOOK_S: Final[float] = 0.005
"""Time between two looks at a process, at least."""
_CANARY_S: Final[float] = 30.0


class Crew:
    """A model in processes that answer batches of molecules.

    A process whose molecule takes longer to read than almost any is set aside with it, behind the
    others, in the end behind all, and another one takes its place; what else it had goes back to
    where it was. A molecule over which a process died is a suspect: it is tried again alone.

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
        self._n_processes = settings.processes
        self._idle: list[Worker] = []
        self._busy: set[Worker] = set()
        self._at_suspect: Worker | None = None
        self._n_inside = 0
        self._is_empty = asyncio.Event()
        self._is_empty.set()
        self._breeder = Breeder(
            nursery,
            about,
            self,
            n_workers=settings.processes + _SPARE,
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
        self._idle.append(worker)
        self._dispatch()

    def on_answers(self, worker: Worker, outcomes: list[Any]) -> None:
        """Keep the process busy first, then hand out what it has found."""
        batch = worker.take_batch()
        if worker.aside is not None:
            outcomes = [outcomes[worker.aside]]
            worker.kill()
        else:
            self._leave(worker)
            self._idle.append(worker)
            self._dispatch()
        for item, outcome in zip(batch, outcomes, strict=True):
            self._deliver(item, outcome)

    def on_lost(self, worker: Worker) -> None:
        """See to the molecules of a process that is dead, and to another process."""
        if worker in self._idle:
            self._idle.remove(worker)
        place = worker.standing.place
        batch = worker.take_batch()
        if batch:
            self._metrics.workers_replaced.labels("crashed").inc()
            suspects, others = _parted(batch, place)
            self._line.put_back(others)
            for item in suspects:
                self._blame(item, is_sure=len(suspects) == 1)
        self._leave(worker)
        self._breeder.on_lost(worker)
        self._dispatch()

    def _put(self, items: Sequence[Item]) -> None:
        self._count(len(items))
        self._line.put(items)
        self._dispatch()

    def _dispatch(self) -> None:
        """Give work to all that have none; to one of them a suspect, if there is any."""
        has_room = self._at_suspect is None and self._breeder.may_set_aside
        if self._suspects and has_room and self._n_free:
            self._at_suspect = self._idle[-1]
            self._hand([self._suspects.popleft()])
        while len(self._line) and self._n_free:
            batch, n_dropped = self._line.take(self._n_processes)
            self._count(-n_dropped)
            if batch:
                self._hand(batch)

    @property
    def _n_free(self) -> int:
        """Processes that may be given work; the one that had some last has warm caches."""
        return min(len(self._idle), self._n_processes - len(self._busy))

    def _hand(self, batch: list[Item]) -> None:
        worker = self._idle.pop()
        self._busy.add(worker)
        numbers: dict[Options, int] = {}
        queries = tuple(
            (item.query, numbers.setdefault(item.ticket.options, len(numbers))) for item in batch
        )
        self._metrics.batch_molecules.observe(len(batch))
        worker.begin(batch, Task(queries, tuple(numbers), self._deadline_s))
        worker.call_later(_SLOW_S, self._look)

    def _leave(self, worker: Worker) -> None:
        """Let another process work."""
        self._busy.discard(worker)
        if self._at_suspect is worker:
            self._at_suspect = None

    def _look(self, worker: Worker) -> None:
        """See to a process that has been busy with one thing for too long."""
        standing = worker.standing
        left_s = self._left_s(worker, standing)
        if left_s > 0:
            if worker.aside is not None:
                left_s = min(left_s, self._put_last(worker, standing))
            worker.call_later(max(left_s, _LOOK_S), self._look)
            return
        self._leave(worker)
        is_reading = 0 <= standing.place < len(worker.batch)
        if worker.aside is None and is_reading and self._breeder.may_set_aside:
            self._metrics.workers_replaced.labels("slow").inc()
            self._line.put_back(worker.set_aside(standing.place))
            self._breeder.set_aside(worker)
            worker.call_later(_LOOK_S, self._look)
        else:
            self._end(worker, standing.place)
        self._dispatch()

    def _put_last(self, worker: Worker, standing: Standing) -> float:
        """Let a process that is not done soon run behind all others; return when to look again."""
        left_s = _HOPEFUL_S - worker.has_worked_s(standing)
        if left_s > 0:
            return left_s
        worker.put_last()
        return self._deadline_s

    def _end(self, worker: Worker, place: int) -> None:
        """End a process whose time is up, or for which there is no room aside."""
        batch = worker.take_batch()
        worker.kill()
        self._metrics.workers_replaced.labels("timeout").inc()
        if worker.aside is not None or len(batch) == place == 1:
            self._time_out(batch[0])
            return
        suspects, others = _parted(batch, place)
        self._line.put_back(others)
        if place < 0:
            for item in suspects:
                self._blame(item, is_sure=len(suspects) == 1)
        else:
            self._suspects.extend(suspects)

    def _left_s(self, worker: Worker, standing: Standing) -> float:
        """Return when to look at a process again; nothing is left to one that is too slow."""
        aged_s = time.monotonic() - standing.began_s
        if worker.aside is not None:
            return self._deadline_s - aged_s
        if not 0 <= standing.place < len(worker.batch):
            return NETWORK_DEADLINES * self._deadline_s - aged_s
        stuck_s = min(_STUCK_S, self._deadline_s)
        return min(_SLOW_S - worker.has_worked_s(standing), stuck_s - aged_s)

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
