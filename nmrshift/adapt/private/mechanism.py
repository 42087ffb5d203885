"""Clipped updates, Gaussian noise, and who takes part: all that touches contributors' updates.

Federated averaging with contributors as the unit of protection (McMahan et al., ICLR 2018,
arXiv 1710.06963): the sum of clipped updates changes by the clip norm at most when a contributor
comes or goes. Noise is drawn in double precision; attacks on the floating-point grid (Mironov,
CCS 2012, doi 10.1145/2382196.2382264) are not defended against.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def clipped(update: Floats, clip_norm: float) -> Floats:
    """Return an update shortened to the clip norm, if it is longer; not finite ones count for 0.

    Args:
        update: of one contributor ``[n_parameters]``.
        clip_norm: largest Euclidean norm.
    """
    if not np.isfinite(update).all():
        return np.zeros_like(update)
    norm = float(np.linalg.norm(update))
    shorter: Floats = update * min(1.0, clip_norm / max(norm, 1e-300))
    return shorter


def noisy_mean(
    updates: Sequence[Floats],
    n_parameters: int,
    clip_norm: float,
    noise_multiplier: float,
    expected: float,
    rng: np.random.Generator,
) -> Floats:
    """Return the sum of clipped updates with noise, divided by the expected number of them.

    How many took part is not used, for it is a secret too.

    Args:
        updates: of the contributors that take part ``[n_parameters]`` each; there may be none.
        n_parameters: length of an update.
        clip_norm: to which each is clipped.
        noise_multiplier: standard deviation of the noise, in clip norms.
        expected: contributors that take part in a round on average.
        rng: draws the noise; seeded by the system, or nothing is hidden.
    """
    total = rng.normal(0.0, noise_multiplier * clip_norm, n_parameters)
    for update in updates:
        total += clipped(update, clip_norm)
    mean: Floats = total / expected
    return mean


def takes_part(n_contributors: int, rate: float, rng: np.random.Generator) -> list[int]:
    """Draw who takes part in a round: each on its own, with the same chance.

    Args:
        n_contributors: how many there are.
        rate: the chance of each.
        rng: draws.
    """
    return np.flatnonzero(rng.random(n_contributors) < rate).tolist()
