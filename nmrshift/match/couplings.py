"""Coupling constants as they are written beside a peak."""

import re
from dataclasses import replace
from typing import Final

from nmrshift.errors import PeakTextError
from nmrshift.match.peaks import Peak

_VALUE: Final = r"\d{1,4}(?:\.\d{1,3})?(?!\d|\.\d| ?(?:[CFPBJ]|H(?!z)|x))"
COUPLING: Final = re.compile(
    r"(?<![A-Za-z])\d?J"
    r"(?:[_ ]?(?:\{[^{}]{1,12}\}|\([^()]{1,12}\)|[A-Za-z-][A-Za-z0-9,'-]{0,7}))?"
    rf"[ =:~]{{0,4}}(?P<values>{_VALUE}(?:(?: ?[,/&] ?| and ){_VALUE})*) ?(?:Hz|HZ|hz)?\.?"
)
"""One or more coupling constants, as in ``1J(C,F) = 245.0 Hz`` or ``J = 8.6, 5.3 Hz``."""

_COMMA: Final = re.compile(r"(?<![\d.])\d+,\d|\d,\d+(?![\d.])")


def with_couplings(peak: Peak, values: str, position: int) -> Peak:
    """Return the peak with further couplings.

    Raises:
        PeakTextError: a comma may be a decimal comma.
    """
    if _COMMA.search(values):
        raise PeakTextError(
            "a comma between digits may be a decimal comma",
            hint="Write decimal points, and a space after commas.",
            position=position,
        )
    found = tuple(float(one) for one in re.findall(r"\d+(?:\.\d+)?", values))
    return replace(peak, couplings_hz=peak.couplings_hz + found)


def take_couplings(peak: Peak, note: str, position: int) -> tuple[Peak, str]:
    """Return the peak with the couplings of a remark, and the remark without them.

    Raises:
        PeakTextError: a coupling cannot be read.
    """
    for coupling in COUPLING.finditer(note):
        peak = with_couplings(peak, coupling["values"], position)
    rest = COUPLING.sub(",", note)
    if re.search(r"J ?=|\d ?Hz", rest):
        raise PeakTextError("a coupling constant cannot be read", position=position)
    return peak, rest
