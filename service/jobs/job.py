"""A job as a value."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from nmrshift.io.formats import InputFormat
from service.options import Options

Status = Literal["queued", "running", "done", "cancelled", "failed"]

ENDED: Final[frozenset[str]] = frozenset({"done", "cancelled", "failed"})

MEDIA_KINDS: Final[dict[str, InputFormat]] = {
    "text/csv": "csv",
    "text/tab-separated-values": "csv",
    "chemical/x-mdl-sdfile": "sdf",
    "chemical/x-daylight-smiles": "smi",
    "application/x-ndjson": "jsonl",
}
"""Formats of uploaded files by media type."""


@dataclass(frozen=True, slots=True)
class Job:
    """One row of the table of jobs.

    Attributes:
        id: cannot be guessed; whoever knows it may ask for the job.
        status: where it stands.
        name: the user's own, returned as given.
        kind: format of the uploaded file.
        options: settings of molecules that name none.
        n_rows: molecules of the file.
        n_ok: molecules predicted.
        n_failed: molecules that could not be.
        n_bytes: size of the results that count; what stands behind them in the file does not.
        created_s: seconds since 1970.
        finished_s: seconds since 1970, once it has ended.
        expires_s: when it is removed, seconds since 1970, once it has ended.
        problem: code and detail, if it failed.
    """

    id: str
    status: Status
    name: str | None
    kind: InputFormat
    options: Options
    n_rows: int
    created_s: float
    n_ok: int = 0
    n_failed: int = 0
    n_bytes: int = 0
    finished_s: float | None = None
    expires_s: float | None = None
    problem: tuple[str, str] | None = None

    @property
    def n_done(self) -> int:
        """Molecules answered; their answers are on disk."""
        return self.n_ok + self.n_failed

    @property
    def has_ended(self) -> bool:
        """Whether nothing will change any more."""
        return self.status in ENDED

    def to_dict(self) -> dict[str, Any]:
        """Return what a client is told, ready for JSON; times in UTC."""
        problem = self.problem and {"code": self.problem[0], "detail": self.problem[1]}
        return {
            "id": self.id,
            "status": self.status,
            "name": self.name,
            "n_rows": self.n_rows,
            "n_done": self.n_done,
            "n_ok": self.n_ok,
            "n_failed": self.n_failed,
            "created": _iso(self.created_s),
            "finished": _iso(self.finished_s),
            "expires": _iso(self.expires_s),
            "problem": problem,
        }


def _iso(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
