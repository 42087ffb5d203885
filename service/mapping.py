"""The one table from codes to HTTP status, and the form of every refused request."""

from http import HTTPStatus
from typing import Any, Final

from starlette.responses import Response

from nmrshift.errors import (
    ConfigError,
    DeadlineError,
    DrawingError,
    InputError,
    InvalidTextError,
    NmrshiftError,
    NoTargetAtomsError,
    ParseError,
    PeakTextError,
    UnknownNucleusError,
    UnsupportedElementError,
)
from nmrshift.io.wire import json_text

STATUS: Final[dict[str, int]] = {
    "bad_request": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "not_acceptable": 406,
    "read_timeout": 408,
    "job_not_done": 409,
    "reload_failed": 409,
    "too_large": 413,
    "unsupported_media_type": 415,
    "invalid_request": 422,
    UnknownNucleusError.code: 422,
    ConfigError.code: 422,
    PeakTextError.code: 422,
    InputError.code: 422,
    InvalidTextError.code: 422,
    ParseError.code: 422,
    UnsupportedElementError.code: 422,
    NoTargetAtomsError.code: 422,
    DrawingError.code: 422,
    "busy": 429,
    "rate_limited": 429,
    "too_many_jobs": 429,
    "internal_error": 500,
    "not_ready": 503,
    "deadline": 504,
    DeadlineError.code: 504,
    "storage_full": 507,
}
"""Status of a request that is refused as a whole. Failures of single molecules are no part of
it where an answer has a place for each: there they stand in their place, and the status is 200.
A picture has no such place."""

PROBLEM_JSON: Final[str] = "application/problem+json"


class ProblemError(Exception):
    """A request refused as a whole.

    Attributes:
        code: stable name, a key of ``STATUS``.
        detail: a sentence that repeats nothing of what was sent.
        fields: places in the body that are wrong, with a reason each.
        retry_after_s: when to try again, if that may help.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        fields: tuple[dict[str, Any], ...] = (),
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.fields = fields
        self.retry_after_s = retry_after_s


def problem_of(error: NmrshiftError) -> ProblemError:
    """Return the problem that an error of the library makes of a request."""
    code = error.code if error.code in STATUS else "internal_error"
    return ProblemError(code, f"{error.message}. {error.hint}".strip())


def check_source(about: object, source: str | None) -> None:
    """Refuse a reference convention that the model does not know.

    Raises:
        ProblemError: ``config_error``.
    """
    sources = getattr(about, "sources", ())
    if source is not None and source not in sources:
        detail = f"The model does not know this source. It knows {', '.join(sources)}."
        raise ProblemError(ConfigError.code, detail)


def problem_response(problem: ProblemError) -> Response:
    """Return the answer to a refused request: problem details of RFC 9457, in ASCII."""
    status = STATUS[problem.code]
    body: dict[str, Any] = {
        "type": f"urn:nmrshift:problem:{problem.code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": problem.code,
        "detail": problem.detail,
    }
    if problem.fields:
        body["fields"] = problem.fields
    headers = {"connection": "close"} if problem.code == "read_timeout" else {}
    if problem.retry_after_s is not None:
        headers["retry-after"] = str(problem.retry_after_s)
    return Response(json_text(body), status, headers, media_type=PROBLEM_JSON)
