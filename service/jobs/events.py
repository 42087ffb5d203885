"""The progress of a job as server-sent events."""

import time
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import anyio
from anyio import to_thread

from nmrshift.io.wire import json_text
from service.jobs.job import Job
from service.jobs.manager import Jobs, cancelled

MEDIA_TYPE: Final[str] = "text/event-stream"
EVENT_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["event", "data"],
    "properties": {
        "event": {"const": "progress"},
        "data": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": {"$ref": "#/components/schemas/JobOut"},
        },
    },
}
"""One event, in the words of OpenAPI."""

_POLL_S: Final[float] = 0.25
_HEARTBEAT_S: Final[float] = 15.0


async def progress(
    jobs: Jobs, job: Job, is_ending: Callable[[], bool], *, heartbeat_s: float = _HEARTBEAT_S
) -> AsyncIterator[str]:
    """Yield an event whenever a job has got on, until it or the service ends.

    The table is asked, since another process may be at work on the job.

    Args:
        jobs: where the job is kept.
        job: the job as it is now.
        is_ending: whether the service is about to end.
        heartbeat_s: seconds without an event after which a comment keeps the connection open.
    """
    yield _event(job)
    quiet_since_s = time.monotonic()
    while not job.has_ended and not is_ending():
        await anyio.sleep(_POLL_S)
        found = await to_thread.run_sync(jobs.find, job.id)
        now = cancelled(job) if found is None else found
        if now != job:
            job = now
            yield _event(job)
            quiet_since_s = time.monotonic()
        elif time.monotonic() - quiet_since_s >= heartbeat_s:
            yield ": still here\n\n"
            quiet_since_s = time.monotonic()


def _event(job: Job) -> str:
    return f"event: progress\ndata: {json_text(job.to_dict())}\n\n"
