"""From the network's shift and error scale to the best ones: what evidence adds.

An atom whose environment was measured out to the largest sphere takes part of its shift from those
measurements. How large an error is to be expected is read from the network's own scale and from the
evidence by a log-linear rule, fitted on molecules that training never saw. A nucleus with too few
of them for a rule of its own borrows that of another.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nmrshift.model.evidence import N_SPHERES, Support

Floats = NDArray[np.float64]

_RIDGE: Final = 30.0
_N_FOLDS: Final = 10
_LEAST_LABELS: Final = 150
_WEIGHTS: Final = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
_CONTRADICTION: Final = 3.0
_SPHERE_GROUPS: Final = ((1, 2), (3, 3), (4, N_SPHERES))


@dataclass(frozen=True, slots=True)
class ErrorRule:
    """How large an error is to be expected.

    Attributes:
        weights: of the terms of :func:`_terms`; a rule without the last of them, those of the
            molecule, knows single atoms only.
        floor_ppm: added before logarithms are taken.
    """

    weights: tuple[float, ...]
    floor_ppm: float

    def scale_ppm(
        self, shift_ppm: Floats, scale_ppm: Floats, support: Support, mol: NDArray[np.int64]
    ) -> Floats:
        """Return the expected size of the error of each shift ``[n]``; ``mol`` is its molecule."""
        terms = _terms(shift_ppm, scale_ppm, support, mol, self.floor_ppm)
        expected: Floats = np.exp(terms[:, : len(self.weights)] @ np.array(self.weights))
        return expected


@dataclass(frozen=True, slots=True)
class Judge:
    """What a nucleus' evidence changes.

    Attributes:
        evidence_weight: share of the evidence in the shift, where it reaches the largest sphere.
        error_rule: expected size of errors; ``None`` keeps the network's own scale.
    """

    evidence_weight: float = 0.0
    error_rule: ErrorRule | None = None

    def __call__(
        self, shift_ppm: Floats, scale_ppm: Floats, support: Support, mol: NDArray[np.int64]
    ) -> tuple[Floats, Floats]:
        """Return shifts and error scales ``[n]`` from the network's and the evidence.

        Args:
            shift_ppm: the network's shifts ``[n]``.
            scale_ppm: its error scales ``[n]``.
            support: the evidence of each atom.
            mol: the molecule of each atom ``[n]``; all its atoms of the nucleus are there.
        """
        scale = scale_ppm
        if self.error_rule is not None:
            scale = self.error_rule.scale_ppm(shift_ppm, scale_ppm, support, mol)
        return combine(shift_ppm, scale_ppm, support, self.evidence_weight), scale

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists and numbers."""
        rule = self.error_rule
        return {
            "evidence_weight": self.evidence_weight,
            "error_rule": rule and {"weights": list(rule.weights), "floor_ppm": rule.floor_ppm},
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Judge":
        """Read what :meth:`to_dict` wrote; a model without evidence has neither."""
        rule = values.get("error_rule")
        return cls(
            values.get("evidence_weight", 0.0),
            rule and ErrorRule(tuple(rule["weights"]), rule["floor_ppm"]),
        )


def combine(shift_ppm: Floats, scale_ppm: Floats, support: Support, weight: float) -> Floats:
    """Mix in the median of the evidence where it reaches the largest sphere and agrees with itself.

    Args:
        shift_ppm: the network's shifts ``[n]``.
        scale_ppm: its error scales ``[n]``; a wider spread than three of them is a contradiction.
        support: the evidence of each atom.
        weight: share of the evidence, 0-1.
    """
    agrees = support.spread_ppm <= _CONTRADICTION * scale_ppm
    share = weight * ((support.sphere == N_SPHERES) & agrees)
    mixed: Floats = (1 - share) * shift_ppm + share * support.median_ppm
    return mixed


@dataclass(frozen=True, slots=True)
class Answers:
    """The network's answers on labels of held-out molecules; all arrays ``[n]``.

    Attributes:
        mol: molecule of each label.
        observed_ppm: what was measured.
        shift_ppm: the network's shift.
        scale_ppm: its error scale.
        support: the evidence.
        source: reference convention of each label.
    """

    mol: NDArray[np.int64]
    observed_ppm: Floats
    shift_ppm: Floats
    scale_ppm: Floats
    support: Support
    source: NDArray[np.str_]


def fit_judge(answers: Answers, lent: ErrorRule | None = None) -> tuple[Judge, Floats, Floats]:
    """Fit what evidence changes for one nucleus.

    The error rule is kept only where it describes the errors of molecules that it was not fitted
    on better than the network's own scale does. Where none is kept, the rule of a nucleus with more
    labels stands in, unless it is clearly worse than that scale on these molecules: how support
    bears on errors is much the same for all nuclei, and a few molecules cannot show it.

    Args:
        answers: on labels of held-out molecules.
        lent: the rule of a nucleus with more of them.

    Returns:
        The judge; the shifts it gives; and the error scales, each from a rule that was fitted
        without that molecule, so that intervals calibrated on them are not too narrow ``[n]``.
    """
    enough = len(answers.mol) >= _LEAST_LABELS
    weight = _evidence_weight(answers) if enough else 0.0
    shift_ppm = _mixed(answers, weight)
    error_ppm = np.abs(shift_ppm - answers.observed_ppm)
    if not error_ppm.any():
        return Judge(weight), shift_ppm, answers.scale_ppm
    floor_ppm = round(max(1e-3, 0.1 * float(np.median(error_ppm))), 6)
    if enough:
        rule, scale_ppm = _fit_rule(answers, error_ppm, floor_ppm)
        if _misfit(error_ppm, scale_ppm) < _misfit(error_ppm, answers.scale_ppm):
            return Judge(weight, rule), shift_ppm, scale_ppm
    if lent is not None:
        rule = ErrorRule(lent.weights, floor_ppm)
        scale_ppm = rule.scale_ppm(
            answers.shift_ppm, answers.scale_ppm, answers.support, answers.mol
        )
        if not _clearly_worse(answers.mol, error_ppm, scale_ppm, answers.scale_ppm):
            return Judge(weight, rule), shift_ppm, scale_ppm
    return Judge(weight), shift_ppm, answers.scale_ppm


def _fit_rule(answers: Answers, error_ppm: Floats, floor_ppm: float) -> tuple[ErrorRule, Floats]:
    """Return a nucleus' own rule, and the scales that rules fitted without each molecule give."""
    terms = _terms(answers.shift_ppm, answers.scale_ppm, answers.support, answers.mol, floor_ppm)
    target = np.log(error_ppm + floor_ppm)
    fold = _folds(answers.mol)
    scale_ppm = np.empty(len(target))
    for number in range(_N_FOLDS):
        rest = fold != number
        scale_ppm[~rest] = np.exp(terms[~rest] @ _solve(terms[rest], target[rest]))
    weights = tuple(round(float(value), 6) for value in _solve(terms, target))
    return ErrorRule(weights, floor_ppm), scale_ppm


def _mixed(answers: Answers, weight: float) -> Floats:
    return combine(answers.shift_ppm, answers.scale_ppm, answers.support, weight)


def _evidence_weight(answers: Answers) -> float:
    """Return the share of the evidence with the smallest error, or none without a clear gain.

    A gain is clear if it is larger than its own standard error, molecules taken as independent.
    """
    errors_ppm = {
        weight: np.abs(_mixed(answers, weight) - answers.observed_ppm) for weight in _WEIGHTS
    }
    best = min(_WEIGHTS, key=lambda weight: float(errors_ppm[weight].mean()))
    gain_ppm = errors_ppm[0.0] - errors_ppm[best]
    return best if float(gain_ppm.mean()) > _standard_error(answers.mol, gain_ppm) else 0.0


def _standard_error(mol: NDArray[np.int64], values: Floats) -> float:
    """Return the standard error of the mean of values ``[n]``, molecules taken as independent."""
    _, member = np.unique(mol, return_inverse=True)
    by_mol = np.bincount(member, values - values.mean())
    return float(np.sqrt((by_mol**2).sum())) / len(values)


def _terms(
    shift_ppm: Floats,
    scale_ppm: Floats,
    support: Support,
    mol: NDArray[np.int64],
    floor_ppm: float,
) -> Floats:
    """Return what the logarithm of an error is linear in ``[n, n_terms]``.

    The last four are means over the atoms of a molecule, and a spread: where the network is unsure
    of some atoms, it errs on the others too.
    """
    distance = np.log((np.abs(shift_ppm - support.mean_ppm) + floor_ppm) / scale_ppm)
    spread = np.log((support.spread_ppm + floor_ppm) / scale_ppm)
    several = support.n_measured > 1
    columns = [
        np.ones(len(shift_ppm)),
        np.log(scale_ppm),
        *(support.sphere == sphere for sphere in range(N_SPHERES + 1)),
        *(
            distance * ((support.sphere >= low) & (support.sphere <= high))
            for low, high in _SPHERE_GROUPS
        ),
        np.log1p(support.n_measured),
        spread * several,
        several,
        *_molecule_terms(np.log(scale_ppm), support.sphere, distance * (support.sphere > 0), mol),
    ]
    return np.stack(columns, axis=1).astype(np.float64)


def _molecule_terms(
    log_scale: Floats, sphere: NDArray[np.int64], distance: Floats, mol: NDArray[np.int64]
) -> list[Floats]:
    """Return means over each atom's molecule, and the standard deviation of its log scales."""
    _, member, size = np.unique(mol, return_inverse=True, return_counts=True)

    def mean(values: NDArray[Any]) -> Floats:
        averages: Floats = (np.bincount(member, values) / size)[member]
        return averages

    centre = mean(log_scale)
    return [centre, mean(sphere), mean(distance), np.sqrt(mean((log_scale - centre) ** 2))]


def _solve(terms: Floats, target: Floats) -> Floats:
    """Fit by least squares, held to "the network's own scale times a constant"."""
    start = np.zeros(terms.shape[1])
    start[1] = 1.0
    hold = np.full(terms.shape[1], _RIDGE**0.5)
    hold[0] = 1e-3
    rows = np.concatenate([terms, np.diag(hold)])
    wanted = np.concatenate([target - terms @ start, np.zeros(len(hold))])
    found: Floats = np.linalg.lstsq(rows, wanted, rcond=None)[0]
    return start + found


def _folds(mol: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return a fold of each label; a molecule is in one."""
    return (mol * 2_654_435_761) % 2**32 // 7 % _N_FOLDS


def _misfit(error_ppm: Floats, scale_ppm: Floats) -> float:
    """Return the negative log likelihood under a Laplace law, the best factor given."""
    return float(_misfits(error_ppm, scale_ppm).mean())


def _misfits(error_ppm: Floats, scale_ppm: Floats) -> Floats:
    """Return the same, less a constant, label by label ``[n]``."""
    stretched_ppm = (error_ppm / scale_ppm).mean() * scale_ppm
    misfits: Floats = np.log(stretched_ppm) + error_ppm / stretched_ppm - 1
    return misfits


def _clearly_worse(
    mol: NDArray[np.int64], error_ppm: Floats, scale_ppm: Floats, known_ppm: Floats
) -> bool:
    """Say whether scales fit worse than known ones by more than the standard error of that."""
    loss = _misfits(error_ppm, scale_ppm) - _misfits(error_ppm, known_ppm)
    return float(loss.mean()) > _standard_error(mol, loss)
