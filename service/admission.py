"""A bounded number of requests and molecules inside; the rest is told to come back."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final

from service.mapping import ProblemError

RETRY_AFTER_S: Final[int] = 2


class Admission:
    """Counts what is being answered.

    Args:
        max_requests: requests inside at a time, those at work included.
        max_molecules: molecules inside at a time; one request alone may exceed it.
        on_change: told the number of molecules inside.
    """

    def __init__(
        self, *, max_requests: int, max_molecules: int, on_change: Callable[[float], object]
    ) -> None:
        self._max_requests = max_requests
        self._max_molecules = max_molecules
        self._on_change = on_change
        self._lock = threading.Lock()
        self.n_requests = 0
        self.n_molecules = 0

    def enter(self, n_molecules: int) -> None:
        """Let a request in.

        Raises:
            ProblemError: ``busy``.
        """
        with self._lock:
            too_many = self.n_molecules + n_molecules > self._max_molecules
            if self.n_requests >= self._max_requests or (self.n_requests and too_many):
                detail = "Too many requests are waiting."
                raise ProblemError("busy", detail, retry_after_s=RETRY_AFTER_S)
            self._change(1, n_molecules)

    def leave(self, n_molecules: int) -> None:
        """Let a request out."""
        with self._lock:
            self._change(-1, -n_molecules)

    def leave_with(self, future: "Future[Any]", n_molecules: int) -> None:
        """Let a request out once its future is done, or cancelled."""
        future.add_done_callback(lambda _: self.leave(n_molecules))

    def _change(self, n_requests: int, n_molecules: int) -> None:
        self.n_requests += n_requests
        self.n_molecules += n_molecules
        self._on_change(self.n_molecules)
