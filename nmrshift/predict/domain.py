"""The edge of knowledge: which atoms and molecules training has nothing like.

A verdict never withholds an answer; it comes with flags that say why.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nmrshift.model.evidence import Support
from nmrshift.types import Domain, Notice

UNSEEN_ENVIRONMENT: Final = "unseen_environment"
RARE_ENVIRONMENT: Final = "rare_environment"
UNCERTAIN: Final = "uncertain"
DISAGREES: Final = "evidence_disagrees"

_ORDER: Final[tuple[Domain, ...]] = ("inside", "edge", "outside")
_STRONG_SPHERE, _STRONG_COUNT = 4, 3
_DISAGREEMENT = 4.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """A verdict and the flags or notices behind it."""

    domain: Domain
    flags: tuple[str, ...] = ()


INSIDE: Final = Verdict("inside")


def atom_verdicts(
    support: Support,
    shift_ppm: NDArray[np.float64],
    scale_ppm: NDArray[np.float64],
    uncertain_ppm: float,
) -> list[Verdict]:
    """Judge atoms of one nucleus.

    Args:
        support: their evidence.
        shift_ppm: the network's own shifts ``[n]``.
        scale_ppm: expected size of their errors ``[n]``.
        uncertain_ppm: scale that only one in twenty held-out atoms exceeds.

    Returns:
        ``outside`` where no measured atom has even the same neighbours, ``edge`` where only those
        are the same or the expected error is unusually large.
    """
    unsure = scale_ppm > uncertain_ppm
    # the spread of a few like atoms may be small by chance: the expected error is a floor to it
    allowed = _DISAGREEMENT * np.maximum(support.spread_ppm, scale_ppm)
    strong = (support.sphere >= _STRONG_SPHERE) & (support.n_measured >= _STRONG_COUNT)
    disagrees = strong & (np.abs(shift_ppm - support.mean_ppm) > allowed)
    plain = (support.sphere > 1) & ~unsure & ~disagrees
    verdicts = [INSIDE] * len(plain)
    for row in np.flatnonzero(~plain).tolist():
        sphere = int(support.sphere[row])
        flags = (UNSEEN_ENVIRONMENT,) * (sphere == 0) + (RARE_ENVIRONMENT,) * (sphere == 1)
        flags += (UNCERTAIN,) * bool(unsure[row])
        domain: Domain = "outside" if sphere == 0 else "edge" if flags else "inside"
        verdicts[row] = Verdict(domain, flags + (DISAGREES,) * bool(disagrees[row]))
    return verdicts


def molecule_verdict(
    n_atoms: int, largest_atoms: int, unseen_atoms: Sequence[int]
) -> tuple[Domain, tuple[Notice, ...]]:
    """Judge a molecule as a whole, whatever its atoms.

    Args:
        n_atoms: its heavy atoms.
        largest_atoms: heavy atoms of the largest training molecule.
        unseen_atoms: input indices of atoms whose element and charge no training molecule has.
    """
    domain: Domain = "inside"
    notices: list[Notice] = []
    if n_atoms > largest_atoms:
        domain = "edge"
        text = f"Larger than any training molecule ({largest_atoms} heavy atoms)."
        notices.append(Notice("large_molecule", text))
    if unseen_atoms:
        domain = "outside"
        named = ", ".join(map(str, unseen_atoms[:10])) + (" ..." if len(unseen_atoms) > 10 else "")
        text = f"No training molecule has this element with this charge: atom {named}."
        notices.append(Notice("unseen_atom", text))
    return domain, tuple(notices)


def worst(domains: Iterable[Domain]) -> Domain:
    """Return the worst of some verdicts, ``inside`` of none."""
    return _ORDER[max(map(_ORDER.index, domains), default=0)]
