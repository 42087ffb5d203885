"""The gate before the application: bodies arrive whole, small enough and in time, or not at all."""

from typing import Final

import anyio
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.mapping import ProblemError, problem_response

_NO_BODY: Final[frozenset[str]] = frozenset({"GET", "HEAD", "OPTIONS"})


class BodyGate:
    """ASGI middleware that reads the body before the application runs.

    A body that says it is too large is refused unread; one that grows too large is refused as
    soon as it does; one that does not arrive in time is refused at the deadline.
    """

    def __init__(self, app: ASGIApp, *, max_bytes: int, read_timeout_s: float) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._read_timeout_s = read_timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on one request, or answer it with 408, 413 or 415."""
        if scope["type"] != "http" or scope["method"] in _NO_BODY:
            await self._app(scope, receive, send)
            return
        try:
            body = await self._read(Headers(scope=scope), receive)
        except ProblemError as problem:
            await problem_response(problem)(scope, receive, send)
            return
        if body is not None:
            await self._app(scope, _replay(body, receive), send)

    async def _read(self, headers: Headers, receive: Receive) -> bytes | None:
        """Return the body, or ``None`` if the client went away."""
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise ProblemError("unsupported_media_type", "Send the body without compression.")
        self._check(
            int(length) if (length := headers.get("content-length", "0")).isdecimal() else 0
        )
        parts: list[bytes] = []
        size = 0
        try:
            with anyio.fail_after(self._read_timeout_s):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return None
                    parts.append(message.get("body", b""))
                    size += len(parts[-1])
                    self._check(size)
                    if not message.get("more_body", False):
                        return b"".join(parts)
        except TimeoutError:
            raise ProblemError("read_timeout", "The body did not arrive in time.") from None

    def _check(self, size: int) -> None:
        if size > self._max_bytes:
            raise ProblemError("too_large", f"A body may have {self._max_bytes} bytes.")


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a ``receive`` that hands out the body once, then what the server sends."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay
