"""The molecules of one request while they are being answered."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError, wait
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from nmrshift.io.wire import Answer
from nmrshift.types import Query
from service.options import Options

Answers = list[Answer]

POLL_S: Final[float] = 0.5
"""How often those who wait look whether the service is ending, seconds."""


class EndingError(RuntimeError):
    """The service is ending, and the answers are not waited for."""


def wait_for(future: "Future[Answers]", is_ending: Callable[[], bool]) -> Answers:
    """Wait for answers, unless the service ends meanwhile.

    Raises:
        EndingError: it does; the answers are no longer wanted.
    """
    while not is_ending():
        if wait([future], POLL_S).done:
            return future.result()
    future.cancel()
    raise EndingError("the service is ending")


class Ticket:
    """Collects one answer a molecule, from any thread and in any order.

    Args:
        options: settings of the request.
        n_molecules: answers to wait for; at least one.
        first: number of the first molecule, where the request is part of something longer.
        is_background: whether others go first.
    """

    def __init__(
        self,
        options: Options,
        n_molecules: int,
        *,
        first: int = 0,
        is_background: bool = False,
    ) -> None:
        self.options = options
        self.is_background = is_background
        self.future: Future[Answers] = Future()
        self._first = first
        self._answers: list[Answer | None] = [None] * n_molecules
        self._n_left = n_molecules
        self._lock = threading.Lock()

    @property
    def is_wanted(self) -> bool:
        """Whether somebody still waits for the answers."""
        return not self.future.done()

    def deliver(self, position: int, answer: Answer) -> None:
        """Put an answer in its place; the last one completes the request.

        Raises:
            RuntimeError: the place is taken.
        """
        index = self._first + position
        answer = answer if answer.index == index else replace(answer, index=index)
        with self._lock:
            if self._answers[position] is not None:
                raise RuntimeError("a molecule was answered twice")
            self._answers[position] = answer
            self._n_left -= 1
            is_last = self._n_left == 0
        if is_last:
            self._end(
                lambda: self.future.set_result([one for one in self._answers if one is not None])
            )

    def fail(self, error: BaseException) -> None:
        """Refuse the request as a whole."""
        self._end(lambda: self.future.set_exception(error))

    def _end(self, end: Callable[[], None]) -> None:
        """Complete the future, unless nobody waits for it any longer."""
        with suppress(InvalidStateError):
            end()


@dataclass(slots=True)
class Item:
    """One molecule that waits for its answer.

    Attributes:
        ticket: its request.
        position: its place there.
        query: the molecule, with all settings that a molecule has.
        n_atoms: about how large it is.
        on_answer: told of the answer before the ticket is.
        attempts: processes that died over it.
    """

    ticket: Ticket
    position: int
    query: Query
    n_atoms: int
    on_answer: Callable[[Answer], None]
    attempts: int = 0

    def deliver(self, answer: Answer) -> None:
        """Hand the answer to the request."""
        self.on_answer(answer)
        self.ticket.deliver(self.position, answer)
