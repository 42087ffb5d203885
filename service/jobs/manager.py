"""Jobs as the routes see them."""

import json
import logging
import os
import re
import secrets
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Final

from anyio import to_thread

from nmrshift.io.formats import InputFormat, read_queries
from nmrshift.io.wire import answer_from_row
from nmrshift.types import Failure, Prediction
from service.engine import Engine
from service.jobs.files import JobFiles
from service.jobs.job import Job
from service.jobs.runner import Runner
from service.jobs.store import JobStore
from service.mapping import ProblemError
from service.metrics import Metrics
from service.options import Options
from service.problems import log_bug
from service.settings import Settings

_LOG = logging.getLogger("nmrshift.service")

_ID: Final = re.compile(r"[0-9a-f]{32}")
_GZIP_MAGIC: Final[bytes] = b"\x1f\x8b"
_RETRY_AFTER_S: Final[int] = 60
_MAX_UPLOADS: Final[int] = 4


class Jobs:
    """All jobs of a data folder.

    Args:
        root: the data folder.
        engine: predicts.
        settings: limits.
        metrics: told of ends.
    """

    def __init__(self, root: Path, engine: Engine, settings: Settings, metrics: Metrics) -> None:
        self._settings = settings
        self._files = JobFiles(root)
        self._store = JobStore(root / "jobs.sqlite")
        self._metrics = metrics
        self._n_uploads = 0
        self._runner = Runner(self._store, self._files, engine, settings, metrics)

    def start(self) -> None:
        """Go on with the jobs that an earlier process left."""
        self._runner.start()

    def stop(self) -> None:
        """Stop after the chunk under way."""
        self._runner.stop()

    def close(self) -> None:
        """Wait for the end of the work and close the table."""
        self._runner.stop()
        self._runner.join()
        self._store.close()

    async def create(
        self, body: AsyncIterator[bytes], kind: InputFormat, options: Options, name: str | None
    ) -> Job:
        """Take a file to disk and make it a job.

        Args:
            body: the file in parts.
            kind: its format.
            options: settings of molecules that name none.
            name: the user's own.

        Raises:
            ProblemError: too many jobs, no room, or a file that is empty, packed or too long.
        """
        await self._check_room()
        job_id = secrets.token_hex(16)
        self._n_uploads += 1
        try:
            path = await to_thread.run_sync(self._files.upload, job_id)
            await self._receive(body, path)
            n_rows = await to_thread.run_sync(self._count, path, kind)
            job = Job(job_id, "queued", name, kind, options, n_rows, time.time())
            await to_thread.run_sync(self._enter, job)
        except BaseException as error:
            self._files.remove(job_id)
            if isinstance(error, OSError | sqlite3.Error):
                log_bug(error)
                raise ProblemError("storage_full", "The file could not be kept.") from None
            raise
        finally:
            self._n_uploads -= 1
        self._runner.wake()
        _LOG.info("job of %d molecules", n_rows)
        return job

    def get(self, job_id: str) -> Job:
        """Return a job.

        Raises:
            ProblemError: ``not_found``.
        """
        job = self.find(job_id)
        if job is None:
            raise ProblemError("not_found", "There is no such job, or no longer.")
        return job

    def find(self, job_id: str) -> Job | None:
        """Return a job, if it is there."""
        return self._store.get(job_id) if _ID.fullmatch(job_id) else None

    def remove(self, job_id: str) -> None:
        """Cancel a job and remove all that is kept of it.

        Raises:
            ProblemError: ``not_found``.
        """
        job = self.get(job_id)
        if self._store.remove(job_id) and not job.has_ended:
            self._metrics.jobs.labels("cancelled").inc()
        self._files.remove(job_id)

    def results_file(self, job_id: str) -> Path:
        """Return the file of results of a job that is done, lines of JSON.

        Raises:
            ProblemError: ``not_found``, ``job_not_done``.
        """
        job = self.get(job_id)
        if job.status != "done":
            raise ProblemError("job_not_done", f"The job is {job.status}.")
        return self._files.results(job_id)

    async def _check_room(self) -> None:
        if await to_thread.run_sync(self._store.count) >= self._settings.max_jobs:
            detail = "Too many jobs are kept; remove some, or wait until they expire."
            raise ProblemError("too_many_jobs", detail, retry_after_s=_RETRY_AFTER_S)
        if self._n_uploads >= _MAX_UPLOADS:
            detail = "Too many files are arriving."
            raise ProblemError("busy", detail, retry_after_s=_RETRY_AFTER_S)

    async def _receive(self, body: AsyncIterator[bytes], path: Path) -> None:
        used_bytes = await to_thread.run_sync(self._files.used_bytes)
        free_bytes = self._settings.max_storage_bytes - used_bytes
        size = 0
        with path.open("xb") as stream:
            async for part in body:
                size += len(part)
                if size > free_bytes:
                    raise ProblemError("storage_full", "There is no room for the file.")
                await to_thread.run_sync(stream.write, part)
            await to_thread.run_sync(_to_disk, stream)
        if size == 0:
            raise ProblemError("invalid_request", "The file is empty.")

    def _count(self, path: Path, kind: InputFormat) -> int:
        with path.open("rb") as stream:
            if stream.read(2) == _GZIP_MAGIC:
                raise ProblemError("unsupported_media_type", "Send the file without compression.")
        n_rows = 0
        for _ in read_queries(path, kind=kind):
            n_rows += 1
            if n_rows > self._settings.max_job_rows:
                detail = f"A job may have {self._settings.max_job_rows} molecules."
                raise ProblemError("too_large", detail)
        return n_rows

    def _enter(self, job: Job) -> None:
        self._files.accept(job.id)
        self._store.add(job)


def stored_answers(path: Path) -> Iterator[Prediction | Failure]:
    """Yield the answers of a file of results."""
    with path.open(encoding="ascii") as stream:
        for line in stream:
            yield answer_from_row(json.loads(line))


def cancelled(job: Job) -> Job:
    """Return a job as it is told of to those who watch it, once it has been removed."""
    return job if job.has_ended else replace(job, status="cancelled")


def _to_disk(stream: BinaryIO) -> None:
    stream.flush()
    with suppress(OSError):
        os.fsync(stream.fileno())
