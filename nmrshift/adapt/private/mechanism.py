"""Clipped updates, Gaussian noise, and who takes part: all that touches contributors' updates.

Federated learning with contributors as the unit of protection (McMahan et al., ICLR 2018,
arXiv 1710.06963): the sum of clipped updates changes by the clip norm at most when one
contributor's spectra come or go. Updates are whole multiples of a fixed unit and noise is rounded
to it, so that a sum is the rounding of what the ideal mechanism gives, and its last bits tell
nothing of the spectra (Mironov, CCS 2012, doi 10.1145/2382196.2382264).
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nmrshift.adapt.private.draws import SYSTEM, Draw, normal, uniform

UNITS: Final = 2**20
"""Units in a clip norm. Sums of squares stay exact in 64 bits."""

Floats = NDArray[np.float64]
Units = NDArray[np.int64]


def clipped(update: Floats, clip_norm: float) -> Units:
    """Return an update in units, shortened to the clip norm if it is longer, rounded towards 0.

    One that is not finite counts for nothing.

    Args:
        update: of one contributor ``[n_directions]``.
        clip_norm: largest Euclidean norm.
    """
    if not np.isfinite(update).all():
        return np.zeros(len(update), dtype=np.int64)
    length = max(clip_norm, math.hypot(*update.tolist()))
    return np.trunc(update * (UNITS / length)).astype(np.int64)


def is_clipped(update: Units) -> bool:
    """Say whether an update in units is no longer than the clip norm."""
    is_small = bool(((update >= -UNITS) & (update <= UNITS)).all())
    return is_small and int(update @ update) <= UNITS**2


def noisy_sum(
    updates: Sequence[Units], n_directions: int, noise_multiplier: float, draw: Draw = SYSTEM
) -> Units:
    """Return the sum of clipped updates with noise, in units ``[n_directions]``.

    Args:
        updates: of the contributors that take part; there may be none.
        n_directions: length of an update.
        noise_multiplier: standard deviation of the noise, in clip norms.
        draw: gives random bytes.

    Raises:
        ValueError: an update is not clipped.
    """
    noise = normal(n_directions, draw) * (noise_multiplier * UNITS)
    total = np.rint(noise).astype(np.int64)
    for update in updates:
        if not is_clipped(update):
            raise ValueError("an update is longer than the clip norm")
        total += update
    return total


def takes_part(n_contributors: int, rate: float, draw: Draw = SYSTEM) -> list[int]:
    """Draw who takes part in a round: each on its own, with the same chance.

    Args:
        n_contributors: how many there are.
        rate: the chance of each.
        draw: gives random bytes.
    """
    return np.flatnonzero(uniform(n_contributors, draw) < rate).tolist()
