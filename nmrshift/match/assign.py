"""Sums over all assignments, and the best one.

Assignments are matchings: a signal takes at most one slot and a slot at most one signal, each
pair has a weight, and what is left alone has weight one (the monomer-dimer model). Marginals and
the log of the sum of all matchings come from belief propagation: exact on trees, a lower bound
elsewhere (Vontobel, arXiv 1107.4196, for the permanent, which is the case without anything left
alone). The best one is a linear assignment (doi 10.1109/TAES.2016.140952).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

Array = NDArray[np.float64]

MAX_ROUNDS: Final[int] = 1000
"""Rounds of messages at most."""

TOLERANCE: Final[float] = 1e-7
"""Messages have settled when no log odds of being alone moves by more in a round."""

_MAX_LOG_W: Final[float] = 230.0


@dataclass(frozen=True, slots=True)
class Beliefs:
    """What all assignments together say.

    Attributes:
        pair: probability of each pair ``[n, m]``.
        row_alone: probability that a row has no partner ``[n]``.
        column_alone: the same for columns ``[m]``.
        log_sum: log of the sum of the weights of all matchings.
        settled: whether the messages converged.
    """

    pair: Array
    row_alone: Array
    column_alone: Array
    log_sum: float
    settled: bool


def beliefs(log_w: Array) -> Beliefs:
    """Return marginals and the log sum of all matchings.

    Numbers stay positive and are only added, so that plain arithmetic loses nothing; weights are
    clipped to ``exp(±230)``, which no density of a shift reaches.

    Args:
        log_w: log weights of pairs ``[n, m]``, ``-inf`` where there is none.
    """
    w = np.where(np.isneginf(log_w), 0.0, np.exp(np.clip(log_w, -_MAX_LOG_W, _MAX_LOG_W)))
    # Where a pair is alone with one like it, this is the fixed point already.
    to_column = to_row = 0.5 * (np.sqrt(1.0 + 4.0 * w) - 1.0)
    totals = np.full(sum(w.shape), np.inf)
    settled = False
    for _ in range(MAX_ROUNDS):
        # The geometric mean with the last message damps the swing between two extremes.
        to_column = np.sqrt(to_column * w / (1.0 + _others(to_row, axis=1)))
        to_row = np.sqrt(to_row * w / (1.0 + _others(to_column, axis=0)))
        before, totals = totals, np.log1p(np.append(to_row.sum(axis=1), to_column.sum(axis=0)))
        if np.abs(totals - before).max(initial=0.0) < TOLERANCE:
            settled = True
            break
    odds = _odds(to_column, to_row, w)
    alone = np.exp(-totals)
    log_sum = float(totals.sum() - np.log1p(odds).sum())
    n = len(w)
    return Beliefs(odds / (1.0 + odds), alone[:n], alone[n:], log_sum, settled)


def best_assignment(log_w: Array) -> list[tuple[int, int]]:
    """Return the pairs of the heaviest matching, by row; a weight below one is never taken."""
    gain = np.where(log_w > 0.0, log_w, 0.0)
    rows, columns = linear_sum_assignment(gain, maximize=True)
    return [
        (int(row), int(column))
        for row, column in zip(rows, columns, strict=True)
        if gain[row, column] > 0.0
    ]


def _odds(to_column: Array, to_row: Array, w: Array) -> Array:
    """Return the odds of each pair: the product of its messages over its weight."""
    return to_column * np.divide(to_row, w, out=np.zeros_like(w), where=w > 0.0)


def _others(x: Array, axis: int) -> Array:
    """Return for every element the sum of the others along an axis, without subtracting."""
    x = np.moveaxis(x, axis, -1)
    before = np.zeros_like(x)
    after = np.zeros_like(x)
    np.cumsum(x[..., :-1], axis=-1, out=before[..., 1:])
    np.cumsum(x[..., :0:-1], axis=-1, out=after[..., -2::-1])
    return np.moveaxis(before + after, -1, axis)
