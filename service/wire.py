"""uvicorn's HTTP protocol, with an end to waiting for the head of a request."""

import asyncio
from functools import cache
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.settings import Settings

MAX_HEAD_BYTES: Final[int] = 65_536
_GRACE_S: Final[float] = 0.05


@cache
def _read_timeout_s() -> float:
    return Settings().read_timeout_s


class PromptHttp(HttpToolsProtocol):
    """Closes a connection whose request line and headers take too long, or too much room.

    uvicorn itself waits for them for ever (github.com/Kludex/uvicorn/issues/157), so that a few
    hundred idle sockets would use up what a process may open. From the first byte of a request, or
    from the start of the connection, its head has the read timeout of the settings to arrive.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._timer: asyncio.TimerHandle | None = None
        self._is_in_head = True
        self._n_head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock."""
        super().connection_made(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop it."""
        self._unwatch()
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
        super().on_headers_complete()

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
