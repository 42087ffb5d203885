"""Learning curves of several encoders as one SVG, a panel a nucleus; both axes are logarithmic."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, stdev
from typing import Final

from nmrshift.draw.marks import FAINT, INK, SOFT, Box, Line, Mark, Scene, Text
from nmrshift.draw.svg import to_svg
from nmrshift.probe.result import ProbeResult
from nmrshift.probe.table import sizes_of

COLOURS: Final = (
    *("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8A6D00"),
)
"""Palette of Okabe and Ito (doi 10.1038/nmeth.1618), yellow darkened for white paper."""

_PANEL: Final = (400, 320)
_MARGIN: Final = (56.0, 16.0, 34.0, 46.0)  # left, right, top, bottom
_FONT: Final = 12.0
_LEGEND_ROW: Final = 18
_DOT: Final = 6.0
_WIDE_RANGE: Final = 20.0


@dataclass(frozen=True, slots=True)
class _Panel:
    """Where values stand, pixels."""

    left: float
    right: float
    top: float
    bottom: float
    x_range: tuple[float, float]
    y_range: tuple[float, float]

    def x(self, n_spectra: float) -> float:
        return self.left + _share(n_spectra, self.x_range) * (self.right - self.left)

    def y(self, error_ppm: float) -> float:
        return self.bottom - _share(error_ppm, self.y_range) * (self.bottom - self.top)


@dataclass(frozen=True, slots=True)
class _Point:
    """Mean and spread over seeds."""

    n_spectra: int
    mean_ppm: float
    spread_ppm: float


def learning_curves(results: Sequence[ProbeResult]) -> str:
    """Return the SVG: test error of ordinary labels against training spectra, bars over seeds."""
    nuclei = [
        nucleus
        for nucleus in dict.fromkeys(name for result in results for name in result.pool_sizes)
        if sizes_of(results, nucleus)
    ]
    width, height = _PANEL
    marks: list[Mark] = []
    for number, nucleus in enumerate(nuclei):
        marks += _panel(results, nucleus, number * width)
    for row, result in enumerate(results):
        y = height + _LEGEND_ROW * (row + 0.6)
        marks.append(_dot(_MARGIN[0], y - 4, _colour(row)))
        marks.append(Text(_MARGIN[0] + 12, y, result.label, _FONT))
    size = (max(1, len(nuclei)) * width, height + _LEGEND_ROW * (len(results) + 1))
    return to_svg(Scene(*size, tuple(marks), "Learning curves of fine-tuned encoders"))


def _panel(results: Sequence[ProbeResult], nucleus: str, offset: float) -> Iterator[Mark]:
    curves = [_points(result, nucleus) for result in results]
    points = [point for curve in curves for point in curve]
    ends = [p.mean_ppm + s * p.spread_ppm for p in points for s in (-1, 1)]
    least = min(point.mean_ppm for point in points)
    sizes = [point.n_spectra for point in points]
    left, right, top, bottom = _MARGIN
    panel = _Panel(
        left=offset + left,
        right=offset + _PANEL[0] - right,
        top=top,
        bottom=_PANEL[1] - bottom,
        x_range=(min(sizes) / 1.15, max(sizes) * 1.15),
        y_range=(max(min(ends), least / 2) / 1.1, max(ends) * 1.1),
    )
    yield from _axes(panel, nucleus, sorted(set(sizes)))
    for number, curve in enumerate(curves):
        yield from _curve(panel, curve, _colour(number))


def _points(result: ProbeResult, nucleus: str) -> list[_Point]:
    found = []
    for size in sizes_of([result], nucleus):
        errors = [run.test.ordinary.mae_ppm for run in result.tuned(nucleus, size)]
        found.append(_Point(size, fmean(errors), stdev(errors) if len(errors) > 1 else 0.0))
    return found


def _axes(panel: _Panel, nucleus: str, sizes: Sequence[int]) -> Iterator[Mark]:
    number = nucleus.rstrip("CFHPB")
    yield Line(panel.left, panel.bottom, panel.right, panel.bottom, SOFT)
    yield Line(panel.left, panel.top, panel.left, panel.bottom, SOFT)
    for value in _ticks(*panel.y_range):
        y = panel.y(value)
        yield Line(panel.left, y, panel.right, y, FAINT, 0.5)
        yield Text(panel.left - 6, y + 4, f"{value:g}", _FONT, SOFT, "end")
    for size in sizes:
        x = panel.x(size)
        yield Line(x, panel.bottom, x, panel.bottom + 4, SOFT)
        yield Text(x, panel.bottom + 18, str(size), _FONT, SOFT, "middle")
    middle = (panel.left + panel.right) / 2
    yield Text(middle, panel.bottom + 36, "training spectra", _FONT, INK, "middle")
    title = f"{nucleus.removeprefix(number)}: mean absolute error, ppm"
    yield Text(panel.left, panel.top - 12, title, _FONT, INK, superscript=number)


def _curve(panel: _Panel, points: Sequence[_Point], colour: str) -> Iterator[Mark]:
    places = [(panel.x(point.n_spectra), panel.y(point.mean_ppm)) for point in points]
    for (x1, y1), (x2, y2) in pairwise(places):
        yield Line(x1, y1, x2, y2, colour, 1.5)
    for point, (x, y) in zip(points, places, strict=True):
        low = max(point.mean_ppm - point.spread_ppm, panel.y_range[0])
        yield Line(x, panel.y(low), x, panel.y(point.mean_ppm + point.spread_ppm), colour, 1.0)
        yield _dot(x, y, colour)


def _dot(x: float, y: float, colour: str) -> Box:
    return Box(x - _DOT / 2, y - _DOT / 2, _DOT, _DOT, colour, radius=_DOT / 2)


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]


def _share(value: float, ends: tuple[float, float]) -> float:
    low, high = (math.log(end) for end in ends)
    return (math.log(value) - low) / (high - low)


def _ticks(low: float, high: float) -> list[float]:
    """Return round values of a logarithmic axis between its ends."""
    factors = (1.0, 2.0, 5.0) if high / low > _WIDE_RANGE else (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    values = [factor * 10.0**power for power in powers for factor in factors]
    return [value for value in values if low <= value <= high]
