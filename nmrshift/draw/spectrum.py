"""The panel of one nucleus: sticks with intervals above a reversed ppm axis."""

from collections.abc import Iterator, Sequence
from typing import Final

from nmrshift.draw.axis import Axis, fit_axis, spread
from nmrshift.draw.certainty import STEPS, step_names, step_of
from nmrshift.draw.marks import FAINT, INK, SOFT, Box, Group, Line, Mark, Text, text_width
from nmrshift.draw.numbers import number, shift_text, split_nucleus
from nmrshift.draw.sticks import Stick, stick_title

PANEL_HEIGHT: Final[int] = 290

_LABEL_BASE: Final[float] = 96.0
_STICK_TOP: Final[float] = 118.0
_STICK_FOOT: Final[float] = 188.0
_FLOOR: Final[float] = 238.0
"""Below the panel's top, pixels: where upright labels start, where the highest stick ends, where
all sticks stand, and the axis. The intervals lie between sticks and axis, lane by lane."""

_LANE: Final[float] = 8.0
_LABEL_GAP: Final[float] = 15.0
_LEAST_GAP: Final[float] = 10.0


def spectrum_marks(
    nucleus: str, signals: Sequence[Stick], *, left: float, right: float, top: float
) -> list[Mark]:
    """Draw the spectrum of one nucleus.

    Args:
        nucleus: for example ``13C``.
        signals: its sticks, from high to low shift; at least one.
        left: left end of the axis, pixels.
        right: right end of the axis, pixels.
        top: top of the panel, pixels; it is ``PANEL_HEIGHT`` high.

    Returns:
        Marks, first below. The sticks are groups of kind ``stick``, in the order given.
    """
    ends = [end for stick in signals for end in (stick.low_ppm, stick.high_ppm)]
    axis = fit_axis(ends, nucleus, left=left, right=right)
    most = max(stick.n_nuclei for stick in signals)
    unlabelled = (len(signals) - 1) * _LEAST_GAP > right - left
    marks: list[Mark] = [*_heading(nucleus, signals, axis, top, unlabelled=unlabelled)]
    marks += _axis_marks(axis, nucleus, top)
    places = spread([axis.x(s.shift_ppm) for s in signals], _LABEL_GAP, left + 6, right - 4)
    lanes = list(_lanes(signals, axis))
    pitch = min(_LANE, (_FLOOR - _STICK_FOOT - 12) / max(1, *lanes))
    for stick, place, lane in zip(signals, places, lanes, strict=True):
        y_top = top + _STICK_FOOT - (_STICK_FOOT - _STICK_TOP) * stick.n_nuclei / most
        label = () if unlabelled else _label(stick, axis, place, top, y_top)
        y_bar = top + _STICK_FOOT + 8 + pitch * lane
        shape = (*label, *_stick(stick, axis, y_top, top + _STICK_FOOT, y_bar))
        marks.append(Group(shape, "stick", nucleus, stick.atoms, stick_title(stick)))
    return marks


def _stick(
    stick: Stick, axis: Axis, y_top: float, y_foot: float, y_bar: float
) -> tuple[Line | Box, ...]:
    """Draw a stick, and below it its interval with a dot at the shift."""
    colour = step_of(stick.nucleus, stick.half_width_ppm).line
    x, x_high, x_low = (axis.x(at) for at in (stick.shift_ppm, stick.high_ppm, stick.low_ppm))
    return (
        Line(x, y_foot, x, y_top, colour, 2.4),
        Line(x, y_foot, x, y_bar, colour, 0.6),
        Line(x_high, y_bar, x_low, y_bar, colour, 1.6),
        Line(x_high, y_bar - 2.5, x_high, y_bar + 2.5, colour, 1.6),
        Line(x_low, y_bar - 2.5, x_low, y_bar + 2.5, colour, 1.6),
        Box(x - 2.4, y_bar - 2.4, 4.8, 4.8, colour, radius=2.4),
    )


def _label(
    stick: Stick, axis: Axis, place: float, top: float, y_top: float
) -> tuple[Line | Text, ...]:
    """Write the shift upright, tied to its stick by a thin line that never crosses another."""
    x, base = axis.x(stick.shift_ppm), top + _LABEL_BASE
    count = f" ×{stick.n_nuclei}" if stick.n_nuclei > 1 else ""
    words = shift_text(stick.nucleus, stick.shift_ppm) + count
    return (
        Line(place, base + 3, place, base + 6, FAINT),
        Line(place, base + 6, x, top + _STICK_TOP - 3, FAINT),
        Line(x, top + _STICK_TOP - 3, x, y_top, FAINT),
        Text(place + 4.2, base, words, 12, upwards=True),
    )


def _lanes(signals: Sequence[Stick], axis: Axis) -> Iterator[int]:
    """Give each interval the first lane in which it touches no other."""
    ends: list[float] = []
    for stick in signals:
        start, end = axis.x(stick.high_ppm), axis.x(stick.low_ppm)
        lane = next((i for i, taken in enumerate(ends) if taken + 3 < start), len(ends))
        ends[lane : lane + 1] = [end]
        yield lane


def _axis_marks(axis: Axis, nucleus: str, top: float) -> Iterator[Mark]:
    floor, foot = top + _FLOOR, top + _STICK_FOOT
    yield Line(axis.left, foot, axis.right, foot, FAINT, 1)
    yield Line(axis.left, floor, axis.right, floor, INK, 1.2)
    for tick in axis.minor:
        yield Line(axis.x(tick), floor, axis.x(tick), floor + 4, SOFT, 1)
    for tick in axis.major:
        x = axis.x(tick)
        yield Line(x, floor, x, floor + 7, INK, 1.2)
        yield Text(x, floor + 20, number(tick, axis.decimals), 12, anchor="middle")
    mass, symbol = split_nucleus(nucleus)
    middle = (axis.left + axis.right) / 2
    name = f"{symbol} chemical shift / ppm"
    yield Text(middle, floor + 39, name, 12, SOFT, "middle", superscript=mass)


def _heading(
    nucleus: str, signals: Sequence[Stick], axis: Axis, top: float, *, unlabelled: bool
) -> Iterator[Mark]:
    mass, symbol = split_nucleus(nucleus)
    yield Text(axis.left, top + 20, symbol, 17, superscript=mass)
    count = f"{len(signals)} signal{'s' if len(signals) > 1 else ''}"
    if unlabelled:
        count += ", too close together to be labelled"
    yield Text(axis.left + 42, top + 20, count, 12, SOFT)
    x = axis.right
    for step, name in reversed(list(zip(STEPS, step_names(nucleus), strict=True))):
        x -= text_width(name, 11)
        yield Text(x, top + 20, name, 11, SOFT)
        x -= 17
        yield Box(x, top + 11, 12, 10, step.ground, step.line, 1.4, 3)
        x -= 12
    yield Text(x, top + 20, "interval ± / ppm", 11, SOFT, "end")
