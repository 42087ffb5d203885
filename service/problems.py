"""Handlers that turn every exception into problem details; none repeats a value sent."""

import logging
import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route

from service.mapping import PROBLEM_JSON, STATUS, ProblemError, problem_response
from service.places import places_of

_LOG = logging.getLogger("nmrshift.service")
_MAX_FIELDS: Final[int] = 20
_LISTS: Final[tuple[str, ...]] = ("molecules", "smiles", "peaks")
_PLAIN_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")
_CODE_OF: Final[dict[int, str]] = {status: code for code, status in reversed(STATUS.items())}


def add_handlers(app: FastAPI, routes: Sequence[BaseRoute]) -> None:
    """Register the handlers.

    Args:
        app: the application.
        routes: all that it has.
    """
    known = [route for route in routes if isinstance(route, Route)]

    async def on_http(request: Request, error: Exception) -> Response:
        return _on_http(request, error, known)

    app.add_exception_handler(ProblemError, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, on_http)


def describe_problems(schema: dict[str, Any]) -> None:
    """Give every refusal of a schema the media type that it has; FastAPI knows one a route."""
    for methods in schema["paths"].values():
        for operation in methods.values():
            for status, response in operation["responses"].items():
                if int(status) >= HTTPStatus.BAD_REQUEST:
                    refused = response["content"].pop("application/json")
                    response["content"] = {PROBLEM_JSON: refused}


async def _on_problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)
    return problem_response(error)


async def _on_invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return problem_response(_invalid(error.errors()))


def _on_http(request: Request, error: Exception, routes: Sequence[Route]) -> Response:
    assert isinstance(error, HTTPException)
    code = _CODE_OF.get(error.status_code, "bad_request")
    response = problem_response(ProblemError(code, "See the API description."))
    response.headers.update(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        response.headers["allow"] = ", ".join(_methods(request, routes))
    return response


def _methods(request: Request, routes: Sequence[Route]) -> list[str]:
    """Return the methods of all routes of a path; the router itself names those of one."""
    found = [route for route in routes if route.matches(request.scope)[0] != Match.NONE]
    return sorted({method for route in found for method in route.methods or ()})


def on_bug(error: Exception) -> Response:
    """Return the answer of status 500 and log where the fault lies."""
    log_bug(error)
    return problem_response(ProblemError("internal_error", "The fault is ours and was logged."))


def log_bug(error: BaseException) -> None:
    """Log where an unforeseen exception arose, without its message: that may hold a structure."""
    log_fault(type(error).__name__, places_of(error))


def log_fault(kind: str, places: str) -> None:
    """Log an exception by its kind and its places in the code."""
    _LOG.error("unforeseen %s at %s", kind, places)


def _invalid(errors: Sequence[Any]) -> ProblemError:
    """Return the problem of a body that the schema refuses."""
    too_long = any(one["type"] == "too_long" and one["loc"][1] in _LISTS for one in errors)
    code = "too_large" if too_long else "invalid_request"
    fields = tuple(
        {"place": _place(one["loc"]), "reason": _reason(one)} for one in errors[:_MAX_FIELDS]
    )
    detail = "The body does not fit the schema."
    return ProblemError(code, detail, fields=fields)


def _place(loc: Sequence[Any]) -> str:
    """Return a place such as ``body.molecules.3.name``; odd keys are not repeated."""
    parts = (str(part) for part in loc)
    return ".".join(part if part.isdigit() or _PLAIN_KEY.fullmatch(part) else "?" for part in parts)


def _reason(error: Any) -> str:
    """Return the schema's own words; they name types and bounds, never values."""
    return str(error["msg"]).removeprefix("Value error, ")
