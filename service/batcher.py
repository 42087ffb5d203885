"""Molecules of concurrent requests together to a predictor that lives in this process."""

import threading
from collections.abc import Callable, Sequence

from nmrshift.errors import NmrshiftError
from nmrshift.types import Failure, Prediction, Query
from service.apart.line import Line
from service.metrics import Metrics
from service.options import Options
from service.problems import log_bug
from service.tickets import Item

Predict = Callable[[Sequence[Query], Options], Sequence[Prediction | Failure]]


class Batcher:
    """Takes what waits, up to a size, whenever the predictor is free.

    Args:
        predict: predicts molecules together.
        max_molecules: size of a batch.
        metrics: told the sizes.
    """

    def __init__(self, predict: Predict, *, max_molecules: int, metrics: Metrics) -> None:
        self._predict = predict
        self._metrics = metrics
        self._line = Line(max_molecules)
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="predictor", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop once what is in line is done."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def put(self, items: Sequence[Item]) -> None:
        """Line molecules of one request up; their ticket gets the answers from another thread."""
        with self._changed:
            self._line.put(items)
            self._changed.notify()

    def _work(self) -> None:
        while (batch := self._take()) is not None:
            groups: dict[Options, list[Item]] = {}
            for item in batch:
                groups.setdefault(item.ticket.options, []).append(item)
            for group in groups.values():
                self._metrics.batch_molecules.observe(len(group))
                try:
                    self._answer(group)
                except Exception as error:  # noqa: BLE001 - the thread must live for the next ones
                    log_bug(error)
                    for item in group:
                        item.ticket.fail(error)

    def _take(self) -> list[Item] | None:
        """Return the next batch, ``None`` at the end."""
        with self._changed:
            while not len(self._line) and not self._closing:
                self._changed.wait()
            return self._line.take(1)[0] if len(self._line) else None

    def _answer(self, items: Sequence[Item]) -> None:
        """Answer molecules with the same options.

        An exception that one molecule provokes fails its own request only: the others are
        computed again without it.
        """
        try:
            answers = self._predict([item.query for item in items], items[0].ticket.options)
            pairs = list(zip(items, answers, strict=True))
        except NmrshiftError as error:
            for item in items:
                item.ticket.fail(error)
        except Exception as error:  # noqa: BLE001 - handed to the request that waits for it
            if len(items) == 1:
                items[0].ticket.fail(error)
                return
            for item in items:
                self._answer([item])
        else:
            for item, answer in pairs:
                item.deliver(answer)
