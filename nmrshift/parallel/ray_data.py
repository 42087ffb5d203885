"""The engine of a cluster: Ray actors that each hold the model. Nothing else imports Ray."""

import os
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from nmrshift.errors import BatchError, MissingExtraError
from nmrshift.io.frames import frame_rows, to_frame
from nmrshift.io.parquet_writer import arrow_schema
from nmrshift.io.stream import predict_rows
from nmrshift.parallel.job import Job, Part, PartReport, Settings
from nmrshift.parallel.worker import Worker, load_predictor

try:
    import ray
except ImportError:
    raise MissingExtraError(
        "ray is not installed", hint='Install it with: pip install "nmrshift[ray]"'
    ) from None

_MAX_LOSSES: Final[int] = 3
"""Actors that may be lost over one part, or in a row while they start."""


@dataclass(frozen=True, slots=True)
class RayEngine:
    """Works parts off on a Ray cluster that sees the model and the folder of the parts.

    Attributes:
        workers: actors of one CPU; 0 takes as many as the cluster has CPUs.
        address: of a running cluster; ``None`` starts one on this machine.
    """

    workers: int = 0
    address: str | None = None

    def run(self, job: Job, parts: Iterable[Part]) -> Iterator[PartReport]:
        """Predict and write every part; see :class:`~nmrshift.parallel.job.Engine`.

        A part whose actor is lost, with its node or alone, is given to another one: it replaces
        its own file, if it had come so far, by the same bytes.
        """
        with _cluster(self.address):
            n_actors = self.workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
            pool = _Pool(job, n_actors)
            try:
                yield from pool.map(iter(parts))
            finally:
                pool.close()


class PartActor:
    """A worker on some node."""

    def __init__(self, job: Job) -> None:
        self._worker = Worker.load(job)

    def ready(self) -> bool:
        """Return once the model is loaded."""
        return True

    def do(self, part: Part) -> PartReport:
        """Predict and write one part."""
        return self._worker.do(part)


class _Pool:
    """Actors with one part each at a time; lost ones are replaced."""

    def __init__(self, job: Job, n_actors: int) -> None:
        self._job = job
        self._actor = ray.remote(num_cpus=1)(PartActor)
        self._starting: dict[Any, Any] = {}
        self._working: dict[Any, tuple[Any, Part]] = {}
        self._free: deque[Any] = deque()
        self._again: deque[Part] = deque()
        self._losses: Counter[int] = Counter()
        self._failed_starts = 0
        for _ in range(n_actors):
            self._start()

    def map(self, parts: Iterator[Part]) -> Iterator[PartReport]:
        more = True
        while True:
            while self._free and (more or self._again):
                part = self._again.popleft() if self._again else next(parts, None)
                if part is None:
                    more = False
                else:
                    actor = self._free.popleft()
                    self._working[actor.do.remote(part)] = (actor, part)
            if not more and not self._again and not self._working:
                return
            done, _ = ray.wait([*self._working, *self._starting], num_returns=1)
            for reference in done:
                if reference in self._starting:
                    self._started(reference)
                elif (report := self._finished(reference)) is not None:
                    yield report

    def close(self) -> None:
        """Give the CPUs back."""
        working = (actor for actor, _ in self._working.values())
        for actor in (*self._free, *self._starting.values(), *working):
            ray.kill(actor)

    def _start(self) -> None:
        actor = self._actor.remote(self._job)
        self._starting[actor.ready.remote()] = actor

    def _started(self, reference: Any) -> None:
        actor = self._starting.pop(reference)
        try:
            ray.get(reference)
        except ray.exceptions.RayError as error:
            self._failed_starts += 1
            if self._failed_starts > _MAX_LOSSES:
                raise BatchError(f"no worker starts: {_reason(error)}") from None
            self._start()
            return
        self._failed_starts = 0
        self._free.append(actor)

    def _finished(self, reference: Any) -> PartReport | None:
        actor, part = self._working.pop(reference)
        try:
            report: PartReport = ray.get(reference)
        except ray.exceptions.RayTaskError as error:
            raise error.cause from None
        except ray.exceptions.RayError as error:
            self._losses[part.number] += 1
            if self._losses[part.number] > _MAX_LOSSES:
                message = f"part {part.number} cost {_MAX_LOSSES + 1} workers"
                raise BatchError(f"{message}: {_reason(error)}") from None
            ray.kill(actor)
            self._again.append(part)
            self._start()
            return None
        self._free.append(actor)
        return report


class FrameActor:
    """A model that maps tables of Arrow to tables in long form."""

    def __init__(self, model: str | None, settings: Settings, structure: str | None) -> None:
        self._predictor = load_predictor(model)
        self._settings = settings
        self._structure = structure

    def __call__(self, table: Any) -> Any:
        """Return the predictions of one batch."""
        predict = partial(self._predictor.predict_many, **self._settings.keywords())
        rows = frame_rows(table, self._structure)
        return to_frame(predict_rows(predict, rows), "arrow").drop_columns(["index"])


def map_batches(
    dataset: Any,
    model: str | None,
    settings: Settings,
    structure: str | None,
    concurrency: int,
    batch_size: int,
) -> Any:
    """Map a Ray Dataset; see :func:`nmrshift.batch.map_dataset`."""
    arrow_schema()
    return dataset.map_batches(
        FrameActor,
        fn_constructor_args=(model, settings, structure),
        batch_format="pyarrow",
        batch_size=batch_size,
        concurrency=concurrency,
        num_cpus=1,
    )


@contextmanager
def _cluster(address: str | None) -> Iterator[None]:
    """Join a cluster, or start one, unless this process is in one already."""
    if ray.is_initialized():
        yield
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        ray.init(address=address, include_dashboard=None if address else False, log_to_driver=False)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise BatchError(f"no Ray cluster: {error}", hint="Check --ray-address.") from None
    try:
        yield
    finally:
        ray.shutdown()


def _reason(error: Exception) -> str:
    """Return the last line of what Ray says, which names the cause."""
    lines = str(error).strip().splitlines()
    return lines[-1].strip() if lines else type(error).__name__
