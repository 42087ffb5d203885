"""How well an attacker tells spectra that a model has learned from others.

Two attacks. By loss: what a model fits well, it has seen (Yeom et al., CSF 2018,
arXiv 1709.01604). By likelihood ratio: what it fits better than a model that has not seen it
(difficulty calibration: Watson et al., ICLR 2022, arXiv 2111.08440). True positives at few false
ones tell more than accuracy (Carlini et al., S&P 2022, arXiv 2112.03570).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, rankdata

FALSE_POSITIVE_RATES: Final = (0.01, 0.05, 0.1)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Caught:
    """Members that an attacker finds.

    Attributes:
        false_positive_rate: share of non-members that it takes for members, at most.
        true_positive_rate: share of members that it finds.
        low: lower end of the 95 % interval of that share (Clopper & Pearson).
        high: upper end of it.
    """

    false_positive_rate: float
    true_positive_rate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Attack:
    """What one attack comes to.

    Attributes:
        name: ``loss`` or ``likelihood ratio``.
        auc: chance that a member looks more like one than a non-member does; 0.5 is guessing.
        advantage: largest difference of true and false positives over all thresholds; it is
            above 0 by chance with few spectra.
        caught: members found at low rates of false positives.
    """

    name: str
    auc: float
    advantage: float
    caught: tuple[Caught, ...]


def attack(name: str, members: Floats, non_members: Floats) -> Attack:
    """Measure an attack.

    Args:
        name: of the attack.
        members: scores of spectra that were learned from, larger is more like a member
            ``[n_members]``.
        non_members: scores of spectra that were not ``[n_non_members]``.
    """
    ranks = rankdata(np.concatenate([members, non_members]))[: len(members)]
    pairs = len(members) * len(non_members)
    auc = (float(ranks.sum()) - len(members) * (len(members) + 1) / 2) / pairs
    thresholds = np.unique(np.concatenate([members, non_members]))
    found = [_share_above(members, t) - _share_above(non_members, t) for t in thresholds]
    return Attack(
        name,
        round(auc, 4),
        round(max(0.0, *found), 4),
        tuple(caught(members, non_members, rate) for rate in FALSE_POSITIVE_RATES),
    )


def caught(members: Floats, non_members: Floats, rate: float) -> Caught:
    """Count members above the threshold that so many non-members pass at most.

    Args:
        members: their scores.
        non_members: their scores.
        rate: share of non-members, 0-1.
    """
    allowed = int(rate * len(non_members) + 1e-9)
    threshold = np.sort(non_members)[::-1][allowed]
    n_found, n = int((members > threshold).sum()), len(members)
    low = float(beta.ppf(0.025, n_found, n - n_found + 1)) if n_found else 0.0
    high = float(beta.ppf(0.975, n_found + 1, n - n_found)) if n_found < n else 1.0
    return Caught(rate, round(n_found / n, 4), round(low, 4), round(high, 4))


def likelihoods(error_ppm: Sequence[Floats], scale_ppm: Sequence[Floats]) -> Floats:
    """Return the mean log likelihood of the shifts of each spectrum, errors taken as Laplace's.

    Args:
        error_ppm: absolute errors of each spectrum.
        scale_ppm: error scales that the model gives.
    """
    return np.array(
        [
            float(np.mean(-error / scale - np.log(2 * scale)))
            for error, scale in zip(error_ppm, scale_ppm, strict=True)
        ]
    )


def _share_above(scores: Floats, threshold: float) -> float:
    return float(np.mean(scores >= threshold))
