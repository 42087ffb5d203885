"""The files of jobs: a folder each, and one for uploads under way."""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_STALE_S: Final[float] = 3600.0


class JobFiles:
    """Folders below the data folder.

    Args:
        root: the data folder; made if absent, closed to other users.
    """

    def __init__(self, root: Path) -> None:
        self._uploads = root / "uploads"
        self._jobs = root / "jobs"
        for folder in (root, self._uploads, self._jobs):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def upload(self, job_id: str) -> Path:
        """Return the place of a file that is just arriving, its folder made."""
        folder = self._uploads / job_id
        folder.mkdir(mode=0o700)
        return folder / "input"

    def accept(self, job_id: str) -> None:
        """Make an upload that has arrived the input of its job."""
        (self._uploads / job_id).rename(self._jobs / job_id)

    def input(self, job_id: str) -> Path:
        """Return the place of a job's input."""
        return self._jobs / job_id / "input"

    def results(self, job_id: str) -> Path:
        """Return the place of a job's results, lines of JSON."""
        return self._jobs / job_id / "results.jsonl"

    def remove(self, job_id: str) -> None:
        """Remove all files of a job or of its upload."""
        for folder in (self._uploads, self._jobs):
            shutil.rmtree(folder / job_id, ignore_errors=True)

    def used_bytes(self) -> int:
        """Return the size of everything that is kept."""
        total = 0
        for folder in (self._uploads, self._jobs):
            for place, _, names in os.walk(folder):
                total += sum(_size(Path(place, name)) for name in names)
        return total

    def sweep(self, known: set[str]) -> None:
        """Remove what a killed process left behind: old folders that belong to no job."""
        for folder in (*self._uploads.iterdir(), *self._jobs.iterdir()):
            if folder.name not in known and _age_s(folder) > _STALE_S:
                shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def claimed(self, job_id: str) -> Iterator[bool]:
        """Claim a job for this process; the claim ends with the block, or with the process.

        Yields:
            Whether the claim succeeded; another process may have the job, or it may be gone.
        """
        try:
            descriptor = os.open(self._jobs / job_id / "lock", os.O_CREAT | os.O_RDWR, 0o600)
        except OSError:
            yield False
            return
        try:
            yield _lock(descriptor)
        finally:
            os.close(descriptor)


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _age_s(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return 0.0
