"""The table of jobs, in SQLite; several processes may share it."""

import json
import sqlite3
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from service.jobs.job import Job, Status
from service.options import Options

_BUSY_S: Final[float] = 10.0
_PAUSE_S: Final[float] = 0.05

_SCHEMA: Final[str] = """
CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY,
    status TEXT NOT NULL,
    name TEXT,
    kind TEXT NOT NULL,
    options TEXT NOT NULL,
    n_rows INTEGER NOT NULL,
    created_s REAL NOT NULL,
    n_ok INTEGER NOT NULL,
    n_failed INTEGER NOT NULL,
    n_bytes INTEGER NOT NULL,
    finished_s REAL,
    expires_s REAL,
    problem TEXT
)
"""


class JobStore:
    """Jobs by id. Every change is one transaction, and tells whether the job was still there.

    Args:
        path: the database; made if absent.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(
            path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
        )
        self._connection.row_factory = sqlite3.Row
        self._switch_to_wal()
        for statement in ("PRAGMA synchronous = NORMAL", _SCHEMA):
            self._connection.execute(statement)

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._connection.close()

    def add(self, job: Job) -> None:
        """Enter a new job."""
        row = asdict(job)
        row["options"] = json.dumps(row["options"])
        row["problem"] = json.dumps(row["problem"])
        names = ", ".join(row)
        places = ", ".join(f":{name}" for name in row)
        self._change(f"INSERT INTO jobs ({names}) VALUES ({places})", row)  # noqa: S608 - ours

    def get(self, job_id: str) -> Job | None:
        """Return a job, if there is one of that id."""
        rows = self._rows("SELECT * FROM jobs WHERE id = ?", (job_id,))
        return _job(rows[0]) if rows else None

    def count(self) -> int:
        """Return the number of jobs, ended ones included."""
        return int(self._rows("SELECT COUNT(*) FROM jobs")[0][0])

    def ids(self) -> set[str]:
        """Return the ids of all jobs."""
        return {str(row[0]) for row in self._rows("SELECT id FROM jobs")}

    def unfinished(self) -> list[str]:
        """Return the ids of jobs that are to be worked on, the oldest first."""
        query = "SELECT id FROM jobs WHERE status IN ('queued', 'running') ORDER BY created_s, id"
        return [str(row[0]) for row in self._rows(query)]

    def expired(self, now_s: float) -> list[str]:
        """Return the ids of jobs whose time is up."""
        return [
            str(row[0]) for row in self._rows("SELECT id FROM jobs WHERE expires_s < ?", (now_s,))
        ]

    def start(self, job_id: str) -> bool:
        """Mark a job as being worked on."""
        return self._change(
            "UPDATE jobs SET status = 'running' WHERE id = ? AND status IN ('queued', 'running')",
            (job_id,),
        )

    def advance(self, job_id: str, *, n_ok: int, n_failed: int, n_bytes: int) -> bool:
        """Make answers count that are on disk already.

        Args:
            job_id: the job.
            n_ok: molecules predicted, in all.
            n_failed: molecules that failed, in all.
            n_bytes: size of all answers.
        """
        return self._change(
            "UPDATE jobs SET n_ok = ?, n_failed = ?, n_bytes = ? WHERE id = ? "
            "AND status = 'running'",
            (n_ok, n_failed, n_bytes, job_id),
        )

    def finish(
        self,
        job_id: str,
        status: Status,
        *,
        now_s: float,
        expires_s: float,
        problem: tuple[str, str] | None = None,
    ) -> bool:
        """End a job that is being worked on."""
        return self._change(
            "UPDATE jobs SET status = ?, finished_s = ?, expires_s = ?, problem = ? "
            "WHERE id = ? AND status = 'running'",
            (status, now_s, expires_s, json.dumps(problem), job_id),
        )

    def remove(self, job_id: str) -> bool:
        """Forget a job."""
        return self._change("DELETE FROM jobs WHERE id = ?", (job_id,))

    def _switch_to_wal(self) -> None:
        """Switch; where several processes do it at once, SQLite does not wait by itself."""
        end_s = time.monotonic() + _BUSY_S
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError:
                if time.monotonic() > end_s:
                    raise
                time.sleep(_PAUSE_S)
            else:
                return

    def _rows(self, query: str, values: tuple[Any, ...] = ()) -> list[sqlite3.Row]:
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    def _change(self, statement: str, values: Any) -> bool:
        with self._lock:
            return self._connection.execute(statement, values).rowcount == 1


def _job(row: sqlite3.Row) -> Job:
    values = dict(row)
    options = json.loads(values["options"])
    values["options"] = Options(**{**options, "nuclei": tuple(options["nuclei"])})
    problem = json.loads(values["problem"])
    values["problem"] = None if problem is None else tuple(problem)
    return Job(**values)
