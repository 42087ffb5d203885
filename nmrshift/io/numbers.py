"""Numbers as files hold them."""

from typing import Final

from nmrshift.errors import OutputError

_DECIMALS: Final[int] = 3


def ppm_of(value: float) -> float:
    """Return a number of ppm rounded to 0.001, without minus zero.

    Raises:
        OutputError: the number is not finite.
    """
    if value - value != 0.0:
        raise OutputError("a shift is not finite")
    return round(value, _DECIMALS) + 0.0


def ppm_text(value: float) -> str:
    """Return a number of ppm with three decimals, without minus zero.

    Raises:
        OutputError: the number is not finite.
    """
    return f"{ppm_of(value):.{_DECIMALS}f}"
