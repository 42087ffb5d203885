"""Molecules of concurrent requests through the network together."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nmrshift.errors import NmrshiftError
from nmrshift.predict.prepare import Prepared
from nmrshift.types import Failure, Prediction, Query
from service.metrics import Metrics
from service.options import Options
from service.problems import log_bug
from service.tickets import Ticket


@dataclass(frozen=True, slots=True)
class Item:
    """One molecule that waits for the network.

    Attributes:
        ticket: its request.
        position: its place there.
        ready: the molecule as its model takes it.
        on_answer: told of the prediction before the ticket is.
    """

    ticket: Ticket
    position: int
    ready: Prepared | Query
    on_answer: Callable[[Prediction | Failure], None]

    def deliver(self, answer: Prediction | Failure) -> None:
        """Hand the answer to the request."""
        self.on_answer(answer)
        self.ticket.deliver(self.position, answer)


class Batcher:
    """Takes what waits, up to a size, whenever the network is free.

    Where further molecules are just being read, a batch that is not full waits for them, but no
    longer than ``max_wait_s``. A lone molecule never waits.

    Args:
        n_threads: batches computed at a time.
        max_molecules: size of a batch.
        max_wait_s: longest wait for more.
        n_coming: molecules that are being read.
        metrics: told the sizes.
    """

    def __init__(
        self,
        *,
        n_threads: int,
        max_molecules: int,
        max_wait_s: float,
        n_coming: Callable[[], int],
        metrics: Metrics,
    ) -> None:
        self._max_molecules = max_molecules
        self._max_wait_s = max_wait_s
        self._n_coming = n_coming
        self._metrics = metrics
        self._lines: tuple[deque[Item], deque[Item]] = (deque(), deque())
        self._changed = threading.Condition()
        self._closing = False
        self._threads = [
            threading.Thread(target=self._work, name=f"network-{number}", daemon=True)
            for number in range(n_threads)
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop once the batches under way are done."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def put(self, item: Item) -> None:
        """Line a molecule up; its ticket gets the answer from another thread."""
        with self._changed:
            self._lines[item.ticket.is_background].append(item)
            self._changed.notify()

    def _work(self) -> None:
        while batch := self._take():
            wanted = [item for item in batch if item.ticket.is_wanted]
            groups: dict[tuple[int, Options], list[Item]] = {}
            for item in wanted:
                ticket = item.ticket
                groups.setdefault((id(ticket.loaded), ticket.options), []).append(item)
            for group in groups.values():
                self._metrics.batch_molecules.observe(len(group))
                try:
                    answer_group(group)
                except Exception as error:  # noqa: BLE001 - the thread must live for the next ones
                    log_bug(error)
                    for item in group:
                        item.ticket.fail(error)

    def _take(self) -> list[Item]:
        """Return the next batch; empty means the end."""
        with self._changed:
            while not self._n_waiting() and not self._closing:
                self._changed.wait()
            end = time.monotonic() + self._max_wait_s
            while self._may_grow() and (left_s := end - time.monotonic()) > 0:
                self._changed.wait(left_s)
            if self._closing:
                return []
            batch: list[Item] = []
            for line in self._lines:
                while line and len(batch) < self._max_molecules:
                    batch.append(line.popleft())
            return batch

    def _n_waiting(self) -> int:
        return sum(map(len, self._lines))

    def _may_grow(self) -> bool:
        is_full = self._n_waiting() >= self._max_molecules
        return not is_full and not self._closing and self._n_coming() > 0


def answer_group(items: Sequence[Item]) -> None:
    """Answer molecules of one model and one set of options.

    An exception that one molecule provokes fails its own request only: the others are
    computed again without it.
    """
    ticket = items[0].ticket
    try:
        answers = ticket.loaded.answer([item.ready for item in items], ticket.options)
    except NmrshiftError as error:
        for item in items:
            item.ticket.fail(error)
    except Exception as error:  # noqa: BLE001 - handed to the request that waits for it
        if len(items) == 1:
            ticket.fail(error)
            return
        for item in items:
            answer_group([item])
    else:
        for item, answer in zip(items, answers, strict=True):
            item.deliver(answer)
