"""Atoms and edges that look alike to the network, round by round.

After ``k`` rounds of message passing an atom's representation depends on its ``k``-bond environment
alone, so equal environments, within a molecule or across a batch, have equal representations. A
third of the work in a batch of drug-like molecules is a repetition of this kind. Classes are found
by colour refinement (Weisfeiler & Leman 1968) over everything that the network reads, hashed to 64
bits.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmrshift.graph.batch import GraphBatch, by_target, starts_of, take_ranges
from nmrshift.graph.hashing import mix64, range_sums

Ints = NDArray[np.int64]
Colours = NDArray[np.uint64]

_FEW_ATOMS = 150
"""Below this the classes cost more than they save."""

_STEP = np.uint64(0x9E3779B97F4A7C15)
_DST = np.uint64(0xD1B54A32D192ED03)


@dataclass(frozen=True, slots=True)
class Round:
    """One round of message passing between classes.

    Attributes:
        edge_before: class before the round of each edge class ``[n_edge_classes]``; ``None`` where
            classes, of atoms as well, are the same as before.
        edge_src: class before the round of the atom each edge class comes from.
        edge_dst: class before the round of the atom each edge class goes to.
        atom_before: class before the round of each atom class ``[n_atom_classes]``, or ``None``.
        incoming: edge classes that end at an atom class, class after class.
        first_incoming: where each atom class begins in ``incoming``, with the total at the end
            ``[n_atom_classes + 1]``.
    """

    edge_before: Ints | None
    edge_src: Ints
    edge_dst: Ints
    atom_before: Ints | None
    incoming: Ints
    first_incoming: Ints


@dataclass(frozen=True, slots=True)
class DistinctGraph:
    """A batch with every environment once.

    Attributes:
        V: codes of the atom classes before the first round ``[n_classes, n_atom_features]``.
        E: codes of the edge classes before the first round ``[n_classes, n_bond_features]``.
        atoms: an atom of each class before the first round.
        rounds: the rounds.
        atom_class: class of every atom after the last round ``[n_atoms]``.
    """

    V: NDArray[np.int16]
    E: NDArray[np.int16]
    atoms: Ints
    rounds: tuple[Round, ...]
    atom_class: Ints


def distinct_graph(
    batch: GraphBatch, n_rounds: int, more: NDArray[np.int64] | None = None
) -> DistinctGraph:
    """Find the classes of a batch; in a batch of few atoms every atom and edge is its own class.

    Args:
        batch: the molecules.
        n_rounds: rounds of message passing.
        more: what else the network is told of each atom ``[n_atoms, n]``.
    """
    if batch.n_atoms < _FEW_ATOMS:
        return _every_atom(batch, n_rounds)
    return _by_colour(batch, n_rounds, more)


def _every_atom(batch: GraphBatch, n_rounds: int) -> DistinctGraph:
    src, dst = batch.edge_src.astype(np.int64), batch.edge_dst.astype(np.int64)
    atoms = np.arange(batch.n_atoms)
    step = Round(None, src, dst, None, *by_target(dst, batch.n_atoms))
    return DistinctGraph(batch.V, batch.E, atoms, (step,) * n_rounds, atoms)


def _by_colour(batch: GraphBatch, n_rounds: int, more: NDArray[np.int64] | None) -> DistinctGraph:
    src, dst = batch.edge_src.astype(np.int64), batch.edge_dst.astype(np.int64)
    by_dst, first_edge = by_target(dst, batch.n_atoms)
    atom_colour = _colours(batch.V if more is None else np.concatenate([batch.V, more], axis=1))
    edge_colour = _colours(batch.E)
    atoms, atom_class = _classes(atom_colour)
    edges, edge_class = _classes(edge_colour)
    start = atoms, edges
    rounds = []
    for _ in range(n_rounds):
        edge_colour = mix64(mix64(edge_colour * _STEP + atom_colour[src]) + atom_colour[dst] * _DST)
        atom_colour = mix64(atom_colour * _STEP + range_sums(edge_colour[by_dst], first_edge))
        edge_before, atom_before = edge_class, atom_class
        edges, edge_class = _classes(edge_colour)
        atoms, atom_class = _classes(atom_colour)
        rows, n_incoming = take_ranges(first_edge, atoms)
        rounds.append(
            Round(
                edge_before=edge_before[edges],
                edge_src=atom_before[src[edges]],
                edge_dst=atom_before[dst[edges]],
                atom_before=atom_before[atoms],
                incoming=edge_class[by_dst[rows]],
                first_incoming=starts_of(n_incoming),
            )
        )
    return DistinctGraph(batch.V[start[0]], batch.E[start[1]], start[0], tuple(rounds), atom_class)


def _colours(codes: NDArray[np.int16] | Ints) -> Colours:
    colour = np.zeros(len(codes), dtype=np.uint64)
    for column in codes.T:
        colour = mix64(colour * _STEP + column.astype(np.uint64) + np.uint64(1))
    return colour


def _classes(colours: Colours) -> tuple[Ints, Ints]:
    """Number colours in order of appearance: a member of each class, and the class of each."""
    _, first, inverse = np.unique(colours, return_index=True, return_inverse=True)
    order = np.argsort(first)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return first[order], place[inverse]
