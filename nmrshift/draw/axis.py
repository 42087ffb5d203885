"""The ppm axis: high shifts on the left, ticks at round numbers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_MIN_SPAN_PPM: Final[dict[str, float]] = {"1H": 2.0}
_OTHER_SPAN_PPM: Final[float] = 20.0
_MAJOR_TICKS: Final[int] = 10
_PADDING: Final[float] = 0.04


@dataclass(frozen=True, slots=True)
class Axis:
    """A reversed axis.

    Attributes:
        high_ppm: value at the left end, ppm.
        low_ppm: value at the right end, ppm.
        left: left end, pixels.
        right: right end, pixels.
        major: labelled ticks, ppm, from high to low.
        minor: ticks between them, ppm.
        decimals: decimals of the labels.
    """

    high_ppm: float
    low_ppm: float
    left: float
    right: float
    major: tuple[float, ...]
    minor: tuple[float, ...]
    decimals: int

    def x(self, shift_ppm: float) -> float:
        """Return the place of a shift, pixels: the higher the shift, the further left."""
        share = (self.high_ppm - shift_ppm) / (self.high_ppm - self.low_ppm)
        return self.left + share * (self.right - self.left)


def fit_axis(values_ppm: Sequence[float], nucleus: str, *, left: float, right: float) -> Axis:
    """Return an axis that holds all values with some room at both ends.

    Args:
        values_ppm: shifts and ends of intervals, ppm; at least one.
        nucleus: decides how much ppm the axis spans at least.
        left: left end, pixels.
        right: right end, pixels.
    """
    low, high = min(values_ppm), max(values_ppm)
    lacking = max(0.0, _MIN_SPAN_PPM.get(nucleus, _OTHER_SPAN_PPM) - (high - low))
    padding = lacking / 2 + _PADDING * (high - low + lacking)
    step, parts = nice_step((high - low + 2 * padding) / _MAJOR_TICKS)
    fine = step / parts
    first, last = math.floor((low - padding) / fine), math.ceil((high + padding) / fine)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    places = range(last, first - 1, -1)
    major = tuple(round(place * fine, 9) for place in places if place % parts == 0)
    minor = tuple(round(place * fine, 9) for place in places if place % parts)
    return Axis(last * fine, first * fine, left, right, major, minor, decimals)


def nice_step(least: float) -> tuple[float, int]:
    """Return the smallest 1, 2 or 5 times a power of ten that is not below ``least``.

    Returns:
        The step, and the number of parts its minor ticks cut it into.
    """
    power = 10.0 ** math.floor(math.log10(least))
    for factor, parts in ((1, 5), (2, 4), (5, 5)):
        if least <= factor * power * (1 + 1e-9):
            return factor * power, parts
    return 10 * power, 5


def spread(places: Sequence[float], gap: float, left: float, right: float) -> list[float]:
    """Move ascending places as little as possible until neighbours are ``gap`` apart.

    The least-squares answer by pooling adjacent violators, then held between the ends. Where
    there is no room for all, they stand evenly and closer.

    Args:
        places: wanted places, ascending, pixels.
        gap: least distance, pixels.
        left: lowest place allowed, pixels.
        right: highest place allowed, pixels.
    """
    if len(places) > 1:
        gap = min(gap, (right - left) / (len(places) - 1))
    pools: list[tuple[float, int]] = []
    for rank, place in enumerate(places):
        mean, size = place - rank * gap, 1
        while pools and pools[-1][0] > mean:
            above, count = pools.pop()
            mean, size = (mean * size + above * count) / (size + count), size + count
        pools.append((mean, size))
    flat = [mean for mean, size in pools for _ in range(size)]
    last = right - (len(places) - 1) * gap
    return [min(max(mean, left), last) + rank * gap for rank, mean in enumerate(flat)]
