"""Routes whose JSON is read to the letter of RFC 8259, and whose faults leak nothing."""

from collections.abc import Callable, Coroutine
from email.message import Message
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Receive, Scope

from nmrshift.io.json_lines import strict_json
from service.mapping import ProblemError
from service.problems import on_bug


class StrictRequest(Request):
    """A request whose body has been read as strict JSON."""

    def __init__(self, scope: Scope, receive: Receive, value: Any) -> None:
        super().__init__(scope, receive)
        self._value = value

    async def json(self) -> Any:
        """Return the value of the body."""
        return self._value


class StrictRoute(APIRoute):
    """A route that takes nothing but UTF-8 JSON: finite numbers, each key once.

    An unforeseen exception is logged by its place only: its message, which the server would log
    with the traceback, may hold a structure.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler."""
        handle = super().get_route_handler()
        takes_body = self.body_field is not None

        async def strict(request: Request) -> Response:
            try:
                return await handle(await _read(request) if takes_body else request)
            except (ProblemError, HTTPException, RequestValidationError):
                raise
            except Exception as error:  # noqa: BLE001 - see the class: nothing may get past it
                return on_bug(error)

        return strict


async def _read(request: Request) -> StrictRequest:
    if not _is_json(request.headers.get("content-type")):
        raise ProblemError("unsupported_media_type", "Send application/json in UTF-8.")
    body = await request.body()
    try:
        value = strict_json(body)
    except ValueError as error:
        raise ProblemError("invalid_request", f"The body is not JSON: {error}.") from None

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return StrictRequest(request.scope, receive, value)


def _is_json(content_type: str | None) -> bool:
    message = Message()
    message["content-type"] = content_type or ""
    charset = message.get_param("charset", "utf-8")
    is_utf8 = isinstance(charset, str) and charset.lower() in ("utf-8", "utf8", "us-ascii")
    return message.get_content_type() == "application/json" and is_utf8
