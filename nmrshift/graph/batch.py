"""Many molecules as one graph: the only place that adds offsets."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmrshift.graph.molgraph import MolGraph


@dataclass(frozen=True, slots=True)
class GraphBatch:
    """Disconnected molecules in one graph.

    Attributes:
        V: atom codes ``[n_atoms, n_atom_features]``.
        E: edge codes ``[n_edges, n_bond_features]``.
        edge_src: ``[n_edges]``.
        edge_dst: ``[n_edges]``.
        atom_to_mol: number of the molecule each atom belongs to ``[n_atoms]``.
        first_atom: first node of each molecule, with the total at the end ``[n_mols + 1]``.
    """

    V: NDArray[np.int16]
    E: NDArray[np.int16]
    edge_src: NDArray[np.int32]
    edge_dst: NDArray[np.int32]
    atom_to_mol: NDArray[np.int32]
    first_atom: NDArray[np.int64]

    @property
    def n_atoms(self) -> int:
        """Number of nodes."""
        return len(self.V)

    @property
    def n_mols(self) -> int:
        """Number of molecules."""
        return len(self.first_atom) - 1


@dataclass(frozen=True, slots=True)
class GraphStore:
    """Graphs of a whole data set in flat arrays, from which batches are cut without a loop.

    Attributes:
        V: atom codes of all molecules.
        E: edge codes of all molecules.
        edge_src: node numbers within their molecule.
        edge_dst: node numbers within their molecule.
        first_atom: first row of each molecule in ``V``, with the total at the end.
        first_edge: first row of each molecule in ``E``, with the total at the end.
    """

    V: NDArray[np.int16]
    E: NDArray[np.int16]
    edge_src: NDArray[np.int32]
    edge_dst: NDArray[np.int32]
    first_atom: NDArray[np.int64]
    first_edge: NDArray[np.int64]

    @property
    def n_mols(self) -> int:
        """Number of molecules."""
        return len(self.first_atom) - 1

    @property
    def n_atoms(self) -> NDArray[np.int64]:
        """Atoms of each molecule ``[n_mols]``."""
        return np.diff(self.first_atom)

    def batch(self, mols: NDArray[np.int64]) -> GraphBatch:
        """Cut the given molecules out, in the given order."""
        atom_rows, n_atoms = take_ranges(self.first_atom, mols)
        edge_rows, n_edges = take_ranges(self.first_edge, mols)
        first_atom = starts_of(n_atoms)
        shift = np.repeat(first_atom[:-1], n_edges).astype(np.int32)
        return GraphBatch(
            V=self.V[atom_rows],
            E=self.E[edge_rows],
            edge_src=self.edge_src[edge_rows] + shift,
            edge_dst=self.edge_dst[edge_rows] + shift,
            atom_to_mol=np.repeat(np.arange(len(mols), dtype=np.int32), n_atoms),
            first_atom=first_atom,
        )


def store_graphs(graphs: Sequence[MolGraph]) -> GraphStore:
    """Lay graphs end to end.

    Raises:
        ValueError: there are none.
    """
    if not graphs:
        raise ValueError("no graphs to store")
    return GraphStore(
        V=np.concatenate([g.V for g in graphs]),
        E=np.concatenate([g.E for g in graphs]),
        edge_src=np.concatenate([g.edge_src for g in graphs]),
        edge_dst=np.concatenate([g.edge_dst for g in graphs]),
        first_atom=starts_of(np.array([g.n_atoms for g in graphs], dtype=np.int64)),
        first_edge=starts_of(np.array([g.n_edges for g in graphs], dtype=np.int64)),
    )


def batch_graphs(graphs: Sequence[MolGraph]) -> GraphBatch:
    """Join graphs into one batch, in order.

    Raises:
        ValueError: there are none.
    """
    return store_graphs(graphs).batch(np.arange(len(graphs)))


def take_ranges(
    starts: NDArray[np.int64], picks: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows of the picked ranges, end to end, and each range's length.

    Args:
        starts: first row of every range, with the total at the end ``[n + 1]``.
        picks: numbers of ranges.
    """
    lengths = starts[picks + 1] - starts[picks]
    ends = np.cumsum(lengths)
    rows = np.arange(int(ends[-1]) if len(ends) else 0)
    return rows + np.repeat(starts[picks] - (ends - lengths), lengths), lengths


def by_target(
    edge_dst: NDArray[np.int32] | NDArray[np.int64], n_atoms: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sort edges by the atom that they go to.

    Args:
        edge_dst: atom of each edge ``[n_edges]``.
        n_atoms: number of atoms, isolated ones included.

    Returns:
        The order of the edges ``[n_edges]``, and where in it each atom's edges begin, with the
        total at the end ``[n_atoms + 1]``.
    """
    order = np.argsort(edge_dst, kind="stable")
    return order, np.searchsorted(edge_dst[order], np.arange(n_atoms + 1))


def starts_of(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where ranges of these lengths begin, with the total at the end ``[n + 1]``."""
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
