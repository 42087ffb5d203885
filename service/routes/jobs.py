"""Files of molecules as background jobs."""

from email.message import Message
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from starlette.requests import ClientDisconnect
from starlette.responses import FileResponse, Response, StreamingResponse

from nmrshift.errors import UnknownNucleusError
from nmrshift.io.formats import InputFormat
from nmrshift.io.options import parse_nuclei
from nmrshift.io.wire import json_text
from service.deps import EngineDep, JobsDep
from service.documents import document_parts
from service.jobs.events import EVENT_SCHEMA, MEDIA_TYPE, progress
from service.jobs.job import MEDIA_KINDS, Job
from service.jobs.manager import stored_answers
from service.jobs.schemas import JobOut, JobQuery
from service.mapping import ProblemError, check_source, problem_of
from service.negotiation import MEDIA_TYPES, content_type, format_named
from service.options import Options
from service.schemas import ProblemOut
from service.strict import StrictRoute

PATH: Final[str] = "/v1/jobs"

router = APIRouter(prefix=PATH, tags=["jobs"], route_class=StrictRoute)


def _problems(*cases: tuple[int, str]) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": ProblemOut, "description": text} for status, text in cases}


_GONE = (404, "There is no such job, or no longer.")
_ODD = (422, "Not the schema.")
_CREATE = _problems(
    (408, "The file did not arrive in time."),
    (413, "Too large a file, or too many molecules."),
    (415, "Not one of the media types of files, or compressed."),
    (422, "Not the schema, or a setting that the model does not know."),
    (429, "Too many jobs are kept, or too many files are arriving."),
    (503, "No model is loaded."),
    (507, "There is no room for the file."),
)
_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": {}} for kind in MEDIA_KINDS},
    }
}
_PREDICTIONS: dict[str, Any] = {"$ref": "#/components/schemas/PredictResponse"}
_RESULTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "One answer a molecule, in order.",
        "content": {
            kind: {"schema": _PREDICTIONS if name == "json" else {"type": "string"}}
            for name, kind in MEDIA_TYPES.items()
        },
    }
}


@router.post("", status_code=202, response_model=JobOut, responses=_CREATE, openapi_extra=_FILE)
async def create(
    request: Request, query: Annotated[JobQuery, Query()], engine: EngineDep, jobs: JobsDep
) -> Response:
    """Make a file a job.

    The body is the file as it is; its `Content-Type` says what it is. Every molecule gets one
    answer, in the order of the file.
    """
    kind = _kind(request.headers.get("content-type"))
    try:
        nuclei = parse_nuclei(query.nucleus, engine.about.nuclei)
    except UnknownNucleusError as error:
        raise problem_of(error) from None
    check_source(engine.about, query.source)
    options = Options(nuclei, query.solvent, query.source, query.interval)
    try:
        job = await jobs.create(request.stream(), kind, options, query.name)
    except ClientDisconnect:
        raise ProblemError("bad_request", "The file did not arrive.") from None
    return _answer(job, 202, {"location": f"{PATH}/{job.id}"})


@router.get("/{job_id}", response_model=JobOut, responses=_problems(_GONE, _ODD))
def status(job_id: str, jobs: JobsDep) -> Response:
    """Tell where a job stands."""
    return _answer(jobs.get(job_id))


@router.get(
    "/{job_id}/events",
    response_class=Response,
    responses={
        200: {"content": {MEDIA_TYPE: {"itemSchema": EVENT_SCHEMA}}},
        **_problems(_GONE, _ODD),
    },
)
async def events(job_id: str, engine: EngineDep, jobs: JobsDep) -> Response:
    """Tell how a job gets on, as server-sent events named `progress`, until it ends."""
    stream = progress(jobs, jobs.get(job_id), lambda: engine.is_draining)
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(stream, headers=headers, media_type=MEDIA_TYPE)


@router.get(
    "/{job_id}/results",
    response_class=Response,
    responses={
        **_RESULTS,
        **_problems(_GONE, (409, "The job is not done."), (422, "No such format.")),
    },
)
def results(
    job_id: str,
    jobs: JobsDep,
    output: Annotated[str, Query(alias="format", json_schema_extra={"enum": [*MEDIA_TYPES]})] = (
        "jsonl"
    ),
) -> Response:
    """Return the answers of a job that is done."""
    name = format_named(output)
    path = jobs.results_file(job_id)
    if name == "jsonl":
        return FileResponse(path, media_type=content_type(name))
    parts = document_parts(stored_answers(path), name)
    return StreamingResponse(parts, media_type=content_type(name))


@router.delete("/{job_id}", status_code=204, responses=_problems(_GONE, _ODD))
def remove(job_id: str, jobs: JobsDep) -> Response:
    """Cancel a job and remove all that is kept of it."""
    jobs.remove(job_id)
    return Response(status_code=204)


def _answer(job: Job, code: int = 200, headers: dict[str, str] | None = None) -> Response:
    headers = {"cache-control": "no-store", **(headers or {})}
    return Response(json_text(job.to_dict()), code, headers, media_type="application/json")


def _kind(content_type: str | None) -> InputFormat:
    message = Message()
    message["content-type"] = content_type or ""
    charset = message.get_param("charset", "utf-8")
    kind = MEDIA_KINDS.get(message.get_content_type()) if content_type else None
    if kind is None or str(charset).lower() not in ("utf-8", "utf8", "us-ascii"):
        media_types = ", ".join(MEDIA_KINDS)
        raise ProblemError("unsupported_media_type", f"Send one of {media_types}, in UTF-8.")
    return kind
