"""Numbers as files hold them."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from nmrshift.errors import OutputError

_DECIMALS: Final[int] = 3
_PER_PPM: Final[float] = 1e3
_SMALL: Final[float] = 1e9
"""Below it, a number of three decimals is the shortest text that stands for its float."""
_NEAR_A_TIE: Final[float] = 0.499
"""Further than this from a whole number of thousandths the product does not tell which is next."""


def ppm_of(value: float) -> float:
    """Return a number of ppm rounded to 0.001, without minus zero.

    Raises:
        OutputError: the number is not finite.
    """
    if value - value != 0.0:
        raise OutputError("a shift is not finite")
    return round(value, _DECIMALS) + 0.0


def ppm_column(values: Sequence[float | None]) -> list[float | None]:
    """Return many numbers of ppm, each as :func:`ppm_of` has it; ``None`` stays.

    Raises:
        OutputError: a number is not finite.
    """
    given = np.array(values, dtype=np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        thousandths = given * _PER_PPM
        whole = np.rint(thousandths)
        sure = (np.abs(thousandths - whole) < _NEAR_A_TIE) & (np.abs(given) < _SMALL)
    rounded: list[float | None] = (whole / _PER_PPM + 0.0).tolist()
    for place in np.flatnonzero(~sure).tolist():
        value = values[place]
        rounded[place] = None if value is None else ppm_of(value)
    return rounded


def ppm_text(value: float) -> str:
    """Return a number of ppm with three decimals, without minus zero.

    Raises:
        OutputError: the number is not finite.
    """
    if -_SMALL < value < _SMALL:
        text = f"{value:.3f}"
        return "0.000" if text == "-0.000" else text
    return f"{ppm_of(value):.{_DECIMALS}f}"


def ppm_json(value: float) -> str:
    """Return a number of ppm as JSON has it: rounded to 0.001, the shortest text of that float.

    Raises:
        OutputError: the number is not finite.
    """
    if not -_SMALL < value < _SMALL:
        return repr(ppm_of(value))
    text = f"{value:.3f}"
    if text[-1] != "0":
        return text
    text = text.rstrip("0")
    if text[-1] == ".":
        text += "0"
    return "0.0" if text == "-0.0" else text
