"""The thread that works on jobs: chunk by chunk, each on disk before it counts."""

import logging
import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from io import BufferedRandom
from itertools import islice
from typing import Final

from nmrshift.errors import NmrshiftError
from nmrshift.io.formats import read_queries
from nmrshift.io.wire import row_text
from nmrshift.types import Failure, Query
from service.engine import Engine
from service.jobs.files import JobFiles
from service.jobs.job import Job
from service.jobs.store import JobStore
from service.mapping import ProblemError, problem_of
from service.metrics import Metrics
from service.problems import log_bug
from service.settings import Settings
from service.tickets import POLL_S, Answers, EndingError, wait_for

_LOG = logging.getLogger("nmrshift.service")

CHUNK_ROWS: Final[int] = 64
_AHEAD: Final[int] = 2
_SWEEP_S: Final[float] = 60.0


class Runner:
    """Works on one job at a time, the oldest first.

    Results are appended to a file, forced to disk, and counted in the table, in this order. A
    process that dies between the second and the third leaves a tail that does not count: the
    next one cuts it off and goes on behind the last row that does. So no row is lost, and none
    is there twice.

    Args:
        store: the table.
        files: the folders.
        engine: predicts.
        settings: limits.
        metrics: told of ends.
    """

    def __init__(
        self,
        store: JobStore,
        files: JobFiles,
        engine: Engine,
        settings: Settings,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._files = files
        self._engine = engine
        self._settings = settings
        self._metrics = metrics
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._work, name="jobs", daemon=True)
        self._next_sweep_s = 0.0

    def start(self) -> None:
        """Start the thread; jobs that an earlier process left go on."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the chunk under way; the job goes on when the service runs again."""
        self._stopping = True
        self._wake.set()

    def join(self) -> None:
        """Wait for the end of the thread."""
        if self._thread.ident is not None:
            self._thread.join()

    def _is_stopping(self) -> bool:
        return self._stopping

    def wake(self) -> None:
        """Look for work at once."""
        self._wake.set()

    def _work(self) -> None:
        while not self._stopping:
            self._wake.clear()
            try:
                self._sweep()
                is_busy = any(self._try(job_id) for job_id in self._store.unfinished())
            except Exception as error:  # noqa: BLE001 - the thread must live for the next ones
                log_bug(error)
                is_busy = False
            if not is_busy:
                self._wake.wait(POLL_S)

    def _sweep(self) -> None:
        if time.monotonic() < self._next_sweep_s:
            return
        self._next_sweep_s = time.monotonic() + _SWEEP_S
        for job_id in self._store.expired(time.time()):
            self._store.remove(job_id)
            self._files.remove(job_id)
        self._files.sweep(self._store.ids())

    def _try(self, job_id: str) -> bool:
        """Work on a job unless another process does; return whether there was anything to do."""
        with self._files.claimed(job_id) as is_ours:
            if not is_ours or self._stopping or not self._store.start(job_id):
                return False
            job = self._store.get(job_id)
            if job is None:
                return False
            try:
                self._run(job)
            except EndingError:
                return True
            except ProblemError as error:
                self._fail(job, error.code, error.detail)
            except NmrshiftError as error:
                self._fail(job, problem_of(error).code, problem_of(error).detail)
            except (OSError, sqlite3.Error) as error:
                if self._is_there(job):
                    log_bug(error)
                    self._fail(job, "storage_full", "The results could not be written.")
            except Exception as error:  # noqa: BLE001 - one job's fault is that job's
                log_bug(error)
                self._fail(job, "internal_error", "The fault is ours and was logged.")
            return True

    def _is_there(self, job: Job) -> bool:
        """Return whether a job has not been removed meanwhile, its files with it."""
        try:
            return self._store.get(job.id) is not None
        except sqlite3.Error:
            return True

    def _run(self, job: Job) -> None:
        """Bring a job to its end."""
        results = self._files.results(job.id)
        results.touch(mode=0o600)
        free_bytes = self._settings.max_storage_bytes - self._files.used_bytes()
        n_ok, n_failed = job.n_ok, job.n_failed
        with results.open("r+b") as stream:
            stream.truncate(job.n_bytes)
            stream.seek(job.n_bytes)
            for answers in self._answers(job):
                _append(stream, answers)
                n_bad = sum(isinstance(answer, Failure) for answer in answers)
                n_failed += n_bad
                n_ok += len(answers) - n_bad
                n_bytes = stream.tell()
                if n_bytes - job.n_bytes > free_bytes:
                    raise ProblemError("storage_full", "There is no room for the results.")
                if not self._store.advance(job.id, n_ok=n_ok, n_failed=n_failed, n_bytes=n_bytes):
                    return
        self._end(job)

    def _answers(self, job: Job) -> Iterator[Answers]:
        """Yield the answers to the rows that have none yet, in chunks, in order."""
        rows = islice(
            read_queries(self._files.input(job.id), kind=job.kind), job.n_done, job.n_rows
        )
        first = job.n_done
        waiting: deque[Future[Answers]] = deque()
        try:
            while chunk := list(islice(rows, CHUNK_ROWS)):
                waiting.append(self._submit(chunk, job, first))
                first += len(chunk)
                if len(waiting) >= _AHEAD:
                    yield wait_for(waiting.popleft(), self._is_stopping)
            while waiting:
                yield wait_for(waiting.popleft(), self._is_stopping)
        finally:
            for future in waiting:
                future.cancel()

    def _submit(self, chunk: Sequence[Query | Failure], job: Job, first: int) -> "Future[Answers]":
        """Hand a chunk in, as soon as there is a model."""
        while True:
            if self._stopping:
                raise EndingError
            try:
                options = replace(job.options, as_text=True)
                return self._engine.in_background(chunk, options, first=first)
            except ProblemError as error:
                if error.code != "not_ready":
                    raise
                self._wake.wait(POLL_S)

    def _end(self, job: Job) -> None:
        now_s = time.time()
        expires_s = now_s + self._settings.job_ttl_s
        if self._store.finish(job.id, "done", now_s=now_s, expires_s=expires_s):
            self._files.input(job.id).unlink(missing_ok=True)
            self._metrics.jobs.labels("done").inc()
            _LOG.info("job done, %d molecules", job.n_rows)

    def _fail(self, job: Job, code: str, detail: str) -> None:
        now_s = time.time()
        expires_s = now_s + self._settings.job_ttl_s
        problem = (code, detail)
        if self._store.finish(job.id, "failed", now_s=now_s, expires_s=expires_s, problem=problem):
            self._metrics.jobs.labels("failed").inc()
            _LOG.warning("job failed: %s", code)


def _append(stream: BufferedRandom, answers: Answers) -> None:
    """Write answers and force them to disk."""
    stream.write("".join(row_text(answer) + "\n" for answer in answers).encode("ascii"))
    stream.flush()
    os.fsync(stream.fileno())
