"""The gate before the application: bodies arrive small enough and in time, or not at all."""

import time
from dataclasses import dataclass
from typing import Final

import anyio
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.mapping import ProblemError, problem_response

_MAX_DIGITS: Final[int] = 18
"""Digits of a length that are read; the rest can only make it larger."""

_NO_BODY: Final[frozenset[str]] = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Uploads:
    """Bodies of a path that are too large for memory and go on to the application in parts.

    Attributes:
        path: the path.
        max_bytes: size of a body.
        timeout_s: seconds within which a body must have arrived.
    """

    path: str
    max_bytes: int
    timeout_s: float


class BodyGate:
    """ASGI middleware that reads the body before the application runs.

    A body that says it is too large is refused unread; one that grows too large is refused as
    soon as it does; one that does not arrive in time is refused at the deadline.

    Args:
        app: the application.
        max_bytes: size of a body.
        read_timeout_s: seconds within which a body must have arrived, and longest pause of an
            upload.
        uploads: bodies that the application reads itself, by other limits.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_bytes: int,
        read_timeout_s: float,
        uploads: Uploads | None = None,
    ) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._read_timeout_s = read_timeout_s
        self._uploads = uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on one request, or answer it with 408, 413 or 415."""
        if scope["type"] != "http" or scope["method"] in _NO_BODY:
            await self._app(scope, receive, send)
            return
        try:
            if self._uploads is not None and scope["path"] == self._uploads.path:
                _check_headers(Headers(scope=scope), self._uploads.max_bytes)
                await self._app(scope, self._metered(self._uploads, receive), send)
                return
            body = await self._read(Headers(scope=scope), receive)
        except ProblemError as problem:
            await problem_response(problem)(scope, receive, send)
            return
        if body is not None:
            await self._app(scope, _replay(body, receive), send)

    def _metered(self, uploads: Uploads, receive: Receive) -> Receive:
        """Return a ``receive`` that raises a problem when a body is too large or too slow."""
        end_s = time.monotonic() + uploads.timeout_s
        size = 0
        has_more = True

        async def metered() -> Message:
            nonlocal size, has_more
            if not has_more:
                return await receive()
            try:
                with anyio.fail_after(min(self._read_timeout_s, end_s - time.monotonic())):
                    message = await receive()
            except TimeoutError:
                raise ProblemError("read_timeout", "The file did not arrive in time.") from None
            size += len(message.get("body", b""))
            _check_size(size, uploads.max_bytes)
            has_more = message.get("more_body", False)
            return message

        return metered

    async def _read(self, headers: Headers, receive: Receive) -> bytes | None:
        """Return the body, or ``None`` if the client went away."""
        _check_headers(headers, self._max_bytes)
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
                    _check_size(size, self._max_bytes)
                    if not message.get("more_body", False):
                        return b"".join(parts)
        except TimeoutError:
            raise ProblemError("read_timeout", "The body did not arrive in time.") from None


def _check_headers(headers: Headers, max_bytes: int) -> None:
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise ProblemError("unsupported_media_type", "Send the body without compression.")
    length = headers.get("content-length", "0")
    if length.isdecimal():
        _check_size(int(length[:_MAX_DIGITS]), max_bytes)


def _check_size(size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise ProblemError("too_large", f"A body may have {max_bytes} bytes.")


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a ``receive`` that hands out the body once, then what the server sends."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay
