"""A bounded number of requests and atoms inside; the rest is told to come back."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final, NamedTuple

from starlette.types import ASGIApp, Receive, Scope, Send

from service.mapping import ProblemError, problem_response

RETRY_AFTER_S: Final[int] = 2


class Load(NamedTuple):
    """How much work a request is.

    Attributes:
        n_molecules: its molecules.
        n_atoms: about how many atoms they have together.
    """

    n_molecules: int
    n_atoms: int


class Admission:
    """Counts what is being answered.

    Attributes:
        max_requests: requests inside at a time, those at work included.
        n_requests: requests inside.
        n_molecules: their molecules.
        n_atoms: about how many atoms they have.

    Args:
        max_requests: see above.
        max_atoms: atoms inside from which on no request is let in; the last one may exceed it.
        on_change: told the number of molecules inside.
    """

    def __init__(
        self, *, max_requests: int, max_atoms: int, on_change: Callable[[float], object]
    ) -> None:
        self.max_requests = max_requests
        self._max_atoms = max_atoms
        self._on_change = on_change
        self._lock = threading.Lock()
        self.n_requests = 0
        self.n_molecules = 0
        self.n_atoms = 0

    def enter(self, load: Load) -> None:
        """Let a request in.

        Raises:
            ProblemError: ``busy``.
        """
        with self._lock:
            if self.is_full:
                raise _busy()
            self._change(1, load)

    @property
    def is_full(self) -> bool:
        """Whether no request would be let in now."""
        return self.n_requests >= self.max_requests or self.n_atoms >= self._max_atoms

    def leave(self, load: Load) -> None:
        """Let a request out."""
        with self._lock:
            self._change(-1, load)

    def leave_with(self, future: "Future[Any]", load: Load) -> None:
        """Let a request out once its future is done, or cancelled."""
        future.add_done_callback(lambda _: self.leave(load))

    def _change(self, sign: int, load: Load) -> None:
        self.n_requests += sign
        self.n_molecules += sign * load.n_molecules
        self.n_atoms += sign * load.n_atoms
        self._on_change(self.n_molecules)


class AdmissionGate:
    """ASGI middleware that turns requests away while no more are let in, before it costs anything.

    Without it, most of the work on a request is done before its body can be counted, and a service
    asked for ten times what it can do would spend its time on refusals.

    Args:
        app: the application.
        admission: tells whether it is full.
        paths: where molecules are asked for.
    """

    def __init__(self, app: ASGIApp, *, admission: Admission, paths: frozenset[str]) -> None:
        self._app = app
        self._admission = admission
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on one request, or answer it with 429."""
        is_asking = scope["type"] == "http" and scope["method"] == "POST"
        if is_asking and self._admission.is_full and scope["path"] in self._paths:
            await _BUSY(scope, receive, send)
            return
        await self._app(scope, receive, send)


class EarlyRefusal:
    """Refuses requests on the wire while no more are let in, before anything is made of them.

    The server's own HTTP protocol asks it. The gate above does the same under any server, at some
    times the cost, and a service asked for ten times what it can do would still be busy with it.
    Requests count here from the ends of their bodies to those of their answers, so that of many
    that arrive at once no more get through than there is room for.

    Args:
        admission: tells whether it is full.
        paths: where molecules are asked for.
        count: called for each refusal.
    """

    def __init__(
        self, admission: Admission, paths: frozenset[str], count: Callable[[], object]
    ) -> None:
        self._admission = admission
        self._paths = frozenset(path.encode("ascii") for path in paths)
        self._count = count
        self._n_under_way = 0

    def concerns(self, method: bytes, path: bytes) -> bool:
        """Return whether a request asks for molecules."""
        return method == b"POST" and path in self._paths

    def refuses(self) -> bool:
        """Return whether there is no room for another request, and count its refusal."""
        is_full = self._admission.is_full or self._n_under_way >= self._admission.max_requests
        if is_full:
            self._count()
        return is_full

    def enter(self) -> None:
        """Take notice of a request whose body is there: one that is slow takes nobody's place."""
        self._n_under_way += 1

    def leave(self) -> None:
        """Let a request out."""
        self._n_under_way -= 1


def _busy() -> ProblemError:
    detail = "Too many requests are waiting."
    return ProblemError("busy", detail, retry_after_s=RETRY_AFTER_S)


_BUSY: Final = problem_response(_busy())
BUSY_HEADERS: Final = tuple(_BUSY.raw_headers)
BUSY_BODY: Final[bytes] = bytes(_BUSY.body)
