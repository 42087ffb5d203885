"""Randomness that nobody can foresee, as numbers.

Noise hides something only if it cannot be told from the outside, so bytes come from the operating
system's generator, never from a seed. Tests put other bytes in.
"""

import os
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

Draw = Callable[[int], bytes]
"""Gives so many bytes."""

SYSTEM: Final[Draw] = os.urandom

Floats = NDArray[np.float64]


def uniform(n: int, draw: Draw = SYSTEM) -> Floats:
    """Return numbers between 0 and 1, neither of them included ``[n]``."""
    whole = np.frombuffer(draw(8 * n), dtype="<u8") >> np.uint64(12)
    found: Floats = (whole.astype(np.float64) + 0.5) * 2.0**-52
    return found


def normal(n: int, draw: Draw = SYSTEM) -> Floats:
    """Return standard normal numbers (Box & Muller, doi 10.1214/aoms/1177706645) ``[n]``.

    The largest that can come out is 8.5, beyond which a true one lies once in 10^17 times.
    """
    pairs = uniform(2 * n, draw).reshape(2, n)
    found: Floats = np.sqrt(-2.0 * np.log(pairs[0])) * np.cos(2.0 * np.pi * pairs[1])
    return found
