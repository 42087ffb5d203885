"""Queries and failures in, answers out, in the same order and one for one."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Final

from nmrshift.types import Failure, Prediction, Query

MAX_HELD: Final[int] = 20_000
"""Rows held at most while the predictor reads ahead."""

Predict = Callable[[Iterable[Query]], Iterator[Prediction | Failure]]
"""``predict_many`` of a predictor, its settings bound."""


def predict_rows(
    predict: Predict, rows: Iterable[Query | Failure], *, max_held: int = MAX_HELD
) -> Iterator[Prediction | Failure]:
    """Predict the queries of a stream; failures that the reader met stay in their place.

    The predictor is called at once, so that settings it refuses raise here, not midway.

    Args:
        predict: answers a stream of queries, one each, in order.
        rows: queries and failures.
        max_held: rows held at most; past it the call is ended and another one begun.

    Returns:
        One answer a row, its ``index`` the position of the row in the stream, from 0.
    """
    feed = _Feed(iter(rows), max_held)
    return _merge(predict, feed, predict(feed.queries()))


class _Feed:
    """Hands out queries and remembers the rows between them."""

    def __init__(self, rows: Iterator[Query | Failure], max_held: int) -> None:
        self._rows = rows
        self._max_held = max_held
        self.held: deque[Failure | None] = deque()
        self.more = True

    def queries(self) -> Iterator[Query]:
        """Yield the queries up to the end of the rows, or until too many rows are held."""
        for row in self._rows:
            if isinstance(row, Failure):
                self.held.append(row)
            else:
                self.held.append(None)
                yield row
            if len(self.held) >= self._max_held:
                return
        self.more = False


def _merge(
    predict: Predict, feed: _Feed, answers: Iterator[Prediction | Failure]
) -> Iterator[Prediction | Failure]:
    index = 0
    while True:
        for answer in answers:
            for row in _failures_before(feed.held, answer):
                yield row if row.index == index else replace(row, index=index)
                index += 1
        for failure in feed.held:
            if failure is None:
                raise RuntimeError("the predictor gave fewer answers than queries")
            yield replace(failure, index=index)
            index += 1
        if not feed.more:
            return
        feed.held.clear()
        answers = predict(feed.queries())


def _failures_before(
    held: deque[Failure | None], answer: Prediction | Failure
) -> Iterator[Prediction | Failure]:
    """Yield the failures that stand before an answer, then the answer."""
    while held:
        failure = held.popleft()
        yield answer if failure is None else failure
        if failure is None:
            return
    raise RuntimeError("the predictor gave more answers than queries")
