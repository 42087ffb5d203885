"""How certain a shift is, in four steps of its interval's half-width.

Colours are blue to red of the palette of Okabe and Ito, which people with any common colour
blindness can tell apart (doi 10.1038/nmeth.1618). The half-width is always written or drawn to
scale too: nothing is said by colour alone.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Step:
    """One step of certainty: colours of lines and of grounds under dark text."""

    name: str
    line: str
    ground: str


STEPS: Final[tuple[Step, ...]] = (
    Step("narrow", "#0072B2", "#C9E1F1"),
    Step("medium", "#3FA0DB", "#EAF5FC"),
    Step("wide", "#E69F00", "#FDF3DC"),
    Step("very wide", "#D55E00", "#F9D6C2"),
)
"""From certain to uncertain; the second blue is darkened for contrast on white."""

_STEP_ENDS_PPM: Final[dict[str, tuple[float, float, float]]] = {
    "1H": (0.2, 0.4, 0.8),
    "13C": (2.0, 4.0, 8.0),
    "11B": (2.0, 4.0, 8.0),
}
_OTHER_ENDS_PPM: Final[tuple[float, float, float]] = (4.0, 8.0, 16.0)
"""Half-widths at which a step ends: a convention of ours, about 1, 2 and 4 % of the range in
which the common compounds of a nucleus lie."""


def step_ends_ppm(nucleus: str) -> tuple[float, float, float]:
    """Return the half-widths, ppm, at which the first three steps end (inclusive)."""
    return _STEP_ENDS_PPM.get(nucleus, _OTHER_ENDS_PPM)


def step_of(nucleus: str, half_width_ppm: float) -> Step:
    """Return the step of an interval.

    Args:
        nucleus: for example ``13C``.
        half_width_ppm: half of the interval's width, ppm.
    """
    return STEPS[sum(half_width_ppm > end for end in step_ends_ppm(nucleus))]


def step_names(nucleus: str) -> tuple[str, ...]:
    """Return what the steps mean, for a legend: ``up to 2``, ``2-4``, ``4-8``, ``over 8``."""
    first, second, third = (f"{end:g}" for end in step_ends_ppm(nucleus))
    return (f"up to {first}", f"{first}–{second}", f"{second}–{third}", f"over {third}")
