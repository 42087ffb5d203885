"""Environments of atoms as numbers, and what the same environment shows in other molecules."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nmrshift.chem.toolkit import Chem

RADII: Final[tuple[int, ...]] = (4, 3, 2, 1)
"""Bonds that an environment reaches, the widest first."""

MIN_OTHERS: Final[int] = 3
"""Other molecules that an environment needs before it judges a label."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What other molecules say of each label; all arrays ``[n_labels]``.

    Attributes:
        centre_ppm: leave-one-molecule-out median of the widest environment that enough other
            molecules share; NaN where there is none.
        scale_ppm: robust width of its residuals, never below the floor given.
        radius: bonds that environment reaches, 0 where there is none.
        n_others: other molecules that share it.
    """

    centre_ppm: NDArray[np.float64]
    scale_ppm: NDArray[np.float64]
    radius: NDArray[np.int64]
    n_others: NDArray[np.int64]


def environments(mol: Chem.Mol) -> list[tuple[int, ...]]:
    """Number the environments of each atom (a Morgan-like hash, blind to stereo).

    Returns:
        For each atom one number a radius, in the order of ``RADII``; equal numbers mean equal
        surroundings up to that many bonds. The numbers do not depend on the order of atoms.
    """
    atoms = list(mol.GetAtoms())
    marks = [
        hash(
            (
                atom.GetAtomicNum(),
                atom.GetDegree(),
                atom.GetTotalNumHs(),
                atom.GetFormalCharge(),
                int(atom.GetIsAromatic()),
                int(atom.IsInRing()),
            )
        )
        for atom in atoms
    ]
    around: list[list[tuple[int, int]]] = [[] for _ in atoms]
    for bond in mol.GetBonds():
        first, second = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        order = int(bond.GetBondTypeAsDouble() * 2)
        around[first].append((order, second))
        around[second].append((order, first))
    rounds = []
    for _ in range(max(RADII)):
        marks = [
            hash((marks[atom], *sorted(hash((order, marks[other])) for order, other in near)))
            for atom, near in enumerate(around)
        ]
        rounds.append(marks)
    return [tuple(rounds[radius - 1][atom] for radius in RADII) for atom in range(len(atoms))]


def expect(
    keys: NDArray[np.int64],
    molecule: NDArray[np.int64],
    shift_ppm: NDArray[np.float64],
    floor_ppm: float,
) -> Expected:
    """Judge each label by the same environment in other molecules.

    Args:
        keys: environments ``[n_labels, len(RADII)]``, of one nucleus.
        molecule: number of the molecule of each label ``[n_labels]``.
        shift_ppm: the labels ``[n_labels]``.
        floor_ppm: least width assumed for any environment.
    """
    n_labels = len(shift_ppm)
    centre = np.full(n_labels, np.nan)
    scale = np.full(n_labels, np.nan)
    radius = np.zeros(n_labels, dtype=np.int64)
    others = np.zeros(n_labels, dtype=np.int64)
    for column, bonds in enumerate(RADII):
        open_rows = np.isnan(centre)
        if not open_rows.any():
            break
        order = np.lexsort((molecule, keys[:, column]))
        edges = np.flatnonzero(np.diff(keys[order, column])) + 1
        for rows in np.split(order, edges):
            wanted = open_rows[rows]
            if len(rows) <= MIN_OTHERS or not wanted.any():
                continue
            found = _leave_one_out(molecule[rows], shift_ppm[rows])
            if found is not None:
                chosen = rows[wanted]
                centre[chosen] = found[0][wanted]
                scale[chosen] = max(floor_ppm, found[1])
                radius[chosen] = bonds
                others[chosen] = found[2]
    return Expected(centre, scale, radius, others)


def _leave_one_out(
    molecule: NDArray[np.int64], shift_ppm: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float, int] | None:
    """Return for each label the median of the other molecules, their robust width, their number.

    Every molecule counts once, with the mean of its labels.
    """
    names, member = np.unique(molecule, return_inverse=True)
    n_mols = len(names)
    if n_mols <= MIN_OTHERS:
        return None
    means = np.bincount(member, weights=shift_ppm) / np.bincount(member)
    order = np.argsort(means, kind="stable")
    ranked = means[order]
    place = np.empty(n_mols, dtype=np.int64)
    place[order] = np.arange(n_mols)
    n_left = n_mols - 1

    def left(rank: int) -> NDArray[np.float64]:
        """Return, for each molecule, the value of that rank among the others."""
        return ranked[np.where(rank < place, rank, rank + 1)]

    median = (left((n_left - 1) // 2) + left(n_left // 2)) / 2
    width = 1.4826 * float(np.median(np.abs(means - median)))
    return median[member], width, n_left
