"""The engine of one machine: in this process, or in several that each hold the model."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import wait as wait_for

from nmrshift.collector import collect_seldom
from nmrshift.errors import BatchError
from nmrshift.parallel.job import Job, Part, PartReport
from nmrshift.parallel.worker import Worker

_worker: Worker | None = None
"""The worker of this process, where it is one of a pool."""


@dataclass(frozen=True, slots=True)
class LocalEngine:
    """Works parts off on this machine.

    Attributes:
        workers: processes, one thread each; 0 works in this process.
    """

    workers: int = 0

    def run(self, job: Job, parts: Iterable[Part]) -> Iterator[PartReport]:
        """Predict and write every part; see :class:`~nmrshift.parallel.job.Engine`."""
        if self.workers < 1:
            worker = Worker.load(job)
            yield from map(worker.do, parts)
            return
        try:
            yield from self._in_processes(job, parts)
        except BrokenProcessPool:
            raise BatchError("a worker process died; it was killed, or memory ran out") from None

    def _in_processes(self, job: Job, parts: Iterable[Part]) -> Iterator[PartReport]:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(self.workers, context, _start, (job,)) as pool:
            running: set[Future[PartReport]] = set()
            try:
                for part in parts:
                    running.add(pool.submit(_do, part))
                    if len(running) > self.workers:
                        done, running = wait(running, return_when=FIRST_COMPLETED)
                        yield from (future.result() for future in done)
                while running:
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in done)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise


def _start(job: Job) -> None:
    global _worker  # noqa: PLW0603 - a pool hands its workers no other place to keep the model
    _end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _worker = Worker.load(job)
    collect_seldom()


def _do(part: Part) -> PartReport:
    if _worker is None:
        raise RuntimeError("the worker was not started")
    return _worker.do(part)


def _end_with_parent() -> None:
    """End this process when its parent is gone, so that a killed run leaves no workers behind."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait_for([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
