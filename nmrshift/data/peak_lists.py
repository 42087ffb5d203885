"""Unassigned peak lists of a data set as flat arrays, cut into batches without a loop."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmrshift.data.peak_groups import PeakGroup
from nmrshift.graph.batch import take_ranges


@dataclass(frozen=True, slots=True)
class ListBatch:
    """Peak groups of one batch; which peak is which atom's is not known.

    Attributes:
        atom: nodes of the batch that give peaks, group by group ``[n_candidates]``.
        atom_group: group of each, ascending ``[n_candidates]``.
        shift_ppm: peaks, group by group and ascending within each ``[n_peaks]``.
        peak_group: group of each, ascending ``[n_peaks]``.
        nucleus: number of each group's nucleus ``[n_groups]``.
        condition: number of each group's measuring condition ``[n_groups]``.
        weight: trust in each group ``[n_groups]``.
    """

    atom: NDArray[np.int64]
    atom_group: NDArray[np.int64]
    shift_ppm: NDArray[np.float32]
    peak_group: NDArray[np.int64]
    nucleus: NDArray[np.int64]
    condition: NDArray[np.int64]
    weight: NDArray[np.float32]

    @property
    def n_groups(self) -> int:
        """Number of groups."""
        return len(self.nucleus)

    def of(self, nucleus: int) -> "ListBatch":
        """Return the groups of one nucleus, numbered anew."""
        kept = self.nucleus == nucleus
        number = np.cumsum(kept) - 1
        atoms, peaks = kept[self.atom_group], kept[self.peak_group]
        return ListBatch(
            atom=self.atom[atoms],
            atom_group=number[self.atom_group[atoms]],
            shift_ppm=self.shift_ppm[peaks],
            peak_group=number[self.peak_group[peaks]],
            nucleus=self.nucleus[kept],
            condition=self.condition[kept],
            weight=self.weight[kept],
        )


@dataclass(frozen=True, slots=True)
class PeakLists:
    """Peak groups of all molecules, sorted by molecule.

    Attributes:
        first_group: first group of each molecule, with the total at the end ``[n_mols + 1]``.
        first_node: first candidate of each group, with the total at the end ``[n_groups + 1]``.
        first_peak: first peak of each group, with the total at the end ``[n_groups + 1]``.
        node: node within its molecule ``[n_candidates]``.
        peak_ppm: ascending within a group ``[n_peaks]``.
        nucleus: ``[n_groups]``.
        condition: ``[n_groups]``.
        weight: ``[n_groups]``.
    """

    first_group: NDArray[np.int64]
    first_node: NDArray[np.int64]
    first_peak: NDArray[np.int64]
    node: NDArray[np.int64]
    peak_ppm: NDArray[np.float32]
    nucleus: NDArray[np.int64]
    condition: NDArray[np.int64]
    weight: NDArray[np.float32]

    def batch(self, mols: NDArray[np.int64], first_atom: NDArray[np.int64]) -> ListBatch:
        """Cut the groups of the given molecules out.

        Args:
            mols: molecules, in order.
            first_atom: first node of each in the batch ``[len(mols) + 1]``.
        """
        groups, per_mol = take_ranges(self.first_group, mols)
        nodes, per_group = take_ranges(self.first_node, groups)
        peaks, peaks_per_group = take_ranges(self.first_peak, groups)
        offset = np.repeat(first_atom[:-1], per_mol)
        numbers = np.arange(len(groups))
        return ListBatch(
            atom=self.node[nodes] + np.repeat(offset, per_group),
            atom_group=np.repeat(numbers, per_group),
            shift_ppm=self.peak_ppm[peaks],
            peak_group=np.repeat(numbers, peaks_per_group),
            nucleus=self.nucleus[groups],
            condition=self.condition[groups],
            weight=self.weight[groups],
        )


@dataclass(frozen=True, slots=True)
class MeasuredGroup:
    """A peak group with what it was measured of and under.

    Attributes:
        group: peaks and nodes.
        nucleus: number of the nucleus.
        condition: number of the measuring condition.
        weight: trust in it.
    """

    group: PeakGroup
    nucleus: int
    condition: int
    weight: float


def store_lists(molecules: Sequence[Sequence[MeasuredGroup]]) -> PeakLists:
    """Lay the groups of all molecules end to end."""
    groups = [group for molecule in molecules for group in molecule]
    return PeakLists(
        first_group=_starts([len(molecule) for molecule in molecules]),
        first_node=_starts([len(item.group.nodes) for item in groups]),
        first_peak=_starts([len(item.group.shifts_ppm) for item in groups]),
        node=np.array([node for item in groups for node in item.group.nodes], dtype=np.int64),
        peak_ppm=np.array([s for item in groups for s in item.group.shifts_ppm], dtype=np.float32),
        nucleus=np.array([item.nucleus for item in groups], dtype=np.int64),
        condition=np.array([item.condition for item in groups], dtype=np.int64),
        weight=np.array([item.weight for item in groups], dtype=np.float32),
    )


def _starts(lengths: Sequence[int]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)
