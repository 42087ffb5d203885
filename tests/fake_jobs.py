"""Jobs for tests of the page: routes of the published form that go on only when told to."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse


class FakeJobs:
    """Holds jobs; a row is done when a test has released it.

    Attributes:
        jobs: what a client sees of each, by its id.
        queries: query strings of the requests for jobs.
        bodies: the files sent.
        types: their media types.
        released: rows that may be done.
        deleted: ids of jobs that were deleted.
    """

    def __init__(self) -> None:
        self.jobs: dict[str, dict[str, Any]] = {}
        self.queries: list[str] = []
        self.bodies: list[bytes] = []
        self.types: list[str] = []
        self.deleted: list[str] = []
        self.released = 0

    def put_in_front_of(self, app: FastAPI) -> None:
        """Add the routes, before any of the same path."""
        router = APIRouter(tags=["jobs"])
        router.add_api_route("/v1/jobs", self.create, methods=["POST"], name="create")
        router.add_api_route("/v1/jobs/{job}/events", self.events, methods=["GET"], name="events")
        router.add_api_route(
            "/v1/jobs/{job}/results", self.results, methods=["GET"], name="results"
        )
        router.add_api_route("/v1/jobs/{job}", self.status, methods=["GET"], name="status")
        router.add_api_route("/v1/jobs/{job}", self.delete, methods=["DELETE"], name="delete")
        own = len(app.router.routes)
        app.include_router(router)
        app.router.routes[:] = [*app.router.routes[own:], *app.router.routes[:own]]

    async def create(self, request: Request) -> JSONResponse:
        """Make a job of as many rows as the file has lines."""
        body = await request.body()
        self.bodies.append(body)
        self.queries.append(request.url.query)
        self.types.append(request.headers["content-type"])
        name = f"job-{len(self.bodies)}"
        self.jobs[name] = {
            "id": name,
            "status": "queued",
            "n_rows": len(body.splitlines()),
            "n_done": 0,
            "n_ok": 0,
            "n_failed": 0,
            "problem": None,
        }
        return JSONResponse(self.jobs[name], 202)

    async def status(self, job: str) -> JSONResponse:
        """Return what a client sees of a job."""
        if job not in self.jobs:
            return JSONResponse({"code": "not_found", "detail": "No such job."}, 404)
        return JSONResponse(self.jobs[job])

    async def events(self, job: str) -> Response:
        """Tell how the job goes on; the second row fails."""
        if job not in self.jobs:
            return await self.status(job)
        return StreamingResponse(self._told(self.jobs[job]), media_type="text/event-stream")

    async def _told(self, job: dict[str, Any]) -> AsyncIterator[str]:
        while job["status"] not in ("done", "cancelled"):
            done = min(self.released, job["n_rows"])
            failed = int(done > 1)
            job |= {"n_done": done, "n_ok": done - failed, "n_failed": failed}
            job["status"] = "done" if done == job["n_rows"] else "running"
            yield f": heartbeat\n\nevent: progress\ndata: {json.dumps(job)}\n\n"
            await asyncio.sleep(0.02)
        yield f"event: progress\ndata: {json.dumps(job)}\n\n"

    async def results(self, job: str, format: str) -> PlainTextResponse:  # noqa: A002
        """Return the file that was sent, after a line with the format."""
        place = int(job.removeprefix("job-")) - 1
        return PlainTextResponse(f"{format}\n".encode() + self.bodies[place])

    async def delete(self, job: str) -> JSONResponse:
        """Cancel a job."""
        self.deleted.append(job)
        self.jobs[job]["status"] = "cancelled"
        return JSONResponse(self.jobs[job])
