"""uvicorn's HTTP protocol, with an end to waiting for the head of a request, and early refusals."""

import asyncio
from functools import cache
from http import HTTPStatus
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from service.admission import BUSY_BODY, BUSY_HEADERS, EarlyRefusal
from service.settings import Settings

REFUSAL: Final[str] = "refusal"
"""Where the application leaves its :class:`~service.admission.EarlyRefusal` in its state."""

MAX_HEAD_BYTES: Final[int] = 65_536
_GRACE_S: Final[float] = 0.05


@cache
def _read_timeout_s() -> float:
    return Settings().read_timeout_s


class PromptHttp(HttpToolsProtocol):
    """Closes a connection whose head takes too long, or too much room; refuses early.

    uvicorn itself waits for them for ever (github.com/Kludex/uvicorn/issues/157), so that a few
    hundred idle sockets would use up what a process may open. From the first byte of a request, or
    from the start of the connection, its head has the read timeout of the settings to arrive.

    While the application is full, requests for molecules are answered as soon as their heads are
    there; their bodies, for which the same clock runs again, are thrown away as they come. Such
    refusals are counted and not logged.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._timer: asyncio.TimerHandle | None = None
        self._is_in_head = True
        self._n_head_bytes = 0
        self._is_refused = False
        self._coming: EarlyRefusal | None = None
        self._inside: EarlyRefusal | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock."""
        super().connection_made(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop it."""
        self._unwatch()
        self._leave()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what has arrived; close if it is too much and still no end of a head."""
        super().data_received(data)
        self._n_head_bytes = self._n_head_bytes + len(data) if self._is_in_head else 0
        if self._n_head_bytes > MAX_HEAD_BYTES:
            self.transport.close()

    def on_message_begin(self) -> None:
        """Start the clock for the next request of a connection."""
        super().on_message_begin()
        self._is_in_head = True
        if self._timer is None:
            self._watch()

    def on_headers_complete(self) -> None:
        """Stop the clock: bodies have one of their own."""
        self._is_in_head = False
        self._unwatch()
        if self._passes():
            super().on_headers_complete()
        else:
            self._refuse()

    def on_body(self, body: bytes) -> None:
        """Pass the body on, unless the request has been refused."""
        if not self._is_refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Get ready for the next request where this one has been refused."""
        if not self._is_refused:
            super().on_message_complete()
            self._enter()
            return
        self._is_refused = False
        self._unwatch()
        if self.parser.should_keep_alive():
            self.on_response_complete()
        else:
            self.transport.close()

    def on_response_complete(self) -> None:
        """Let the request out."""
        self._leave()
        super().on_response_complete()

    def _passes(self) -> bool:
        """Return whether a request goes on to the application."""
        refusal: EarlyRefusal | None = self.app_state.get(REFUSAL)
        is_first = self.cycle is None or self.cycle.response_complete
        if refusal is None or not is_first or self.expect_100_continue:
            return True
        if not refusal.concerns(self.parser.get_method(), self.url):
            return True
        if refusal.refuses():
            return False
        self._coming = refusal
        return True

    def _refuse(self) -> None:
        self._is_refused = True
        lines = [STATUS_LINE[HTTPStatus.TOO_MANY_REQUESTS]]
        for name, value in (*self.server_state.default_headers, *BUSY_HEADERS):
            lines += [name, b": ", value, b"\r\n"]
        self.transport.write(b"".join([*lines, b"\r\n", BUSY_BODY]))
        self._watch()

    def _enter(self) -> None:
        """Count a request that has arrived, unless it has been answered already."""
        if self._coming is not None and not self.cycle.response_complete:
            self._inside = self._coming
            self._inside.enter()
        self._coming = None

    def _leave(self) -> None:
        if self._inside is not None:
            self._inside.leave()
            self._inside = None

    def _watch(self) -> None:
        self._timer = self.loop.call_later(_read_timeout_s(), self._on_time)

    def _unwatch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _on_time(self) -> None:
        self._timer = None
        if self.cycle is not None and not self.cycle.response_complete:
            self._watch()  # the request before it is still being answered, and nothing is read
        else:  # what has arrived while the loop was held up is read after timers, and counts
            self._timer = self.loop.call_later(_GRACE_S, self.transport.close)
