"""Batches as tensors on a device."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nmrshift.chem.solvents import Solvent
from nmrshift.graph.batch import GraphBatch
from nmrshift.graph.distinct import DistinctGraph, Round
from nmrshift.graph.environments import environment_codes
from nmrshift.model.kernels import Adjacency, Kernel, adjacency


@dataclass(frozen=True, slots=True)
class BatchTensors:
    """A :class:`~nmrshift.graph.batch.GraphBatch` on a device.

    Attributes:
        V: atom codes ``[n_atoms, n_atom_features]``, int64.
        E: edge codes ``[n_edges, n_bond_features]``, int64.
        environments: environment codes ``[n_atoms, n_radii]``, int64.
        edges: the edges, ready for the kernels.
        atom_to_mol: molecule of each atom ``[n_atoms]``, int64.
        n_mols: number of molecules.
    """

    V: Tensor
    E: Tensor
    environments: Tensor
    edges: Adjacency
    atom_to_mol: Tensor
    n_mols: int


@dataclass(frozen=True, slots=True)
class RoundTensors:
    """A :class:`~nmrshift.graph.distinct.Round` on a device, as rows of what layers make of atoms.

    A layer makes three vectors of every atom, one after the other: for edges that leave it, for
    those that arrive, and the value that neighbours take.

    Attributes:
        edge_before: class before the round of each edge class, or ``None``, int64.
        ends: for every edge class the rows of its two ends ``[2 n_edge_classes]``, int64.
        first_end: where each edge class begins in ``ends``, with the total, int64.
        values: for every edge class the row of what it carries ``[n_edge_classes]``, int64.
        atom_before: class before the round of each atom class, or ``None``, int64.
        incoming: edge classes that end at an atom class, class after class, int64.
        first_incoming: where each atom class begins in ``incoming``, with the total, int64.
    """

    edge_before: Tensor | None
    ends: Tensor
    first_end: Tensor
    values: Tensor
    atom_before: Tensor | None
    incoming: Tensor
    first_incoming: Tensor


@dataclass(frozen=True, slots=True)
class DistinctTensors:
    """A :class:`~nmrshift.graph.distinct.DistinctGraph` on a device.

    Attributes:
        V: codes of the atom classes before the first round, int64.
        E: codes of the edge classes before the first round, int64.
        rounds: the rounds.
        atom_class: class of every atom after the last round ``[n_atoms]``, int64.
    """

    V: Tensor
    E: Tensor
    rounds: tuple[RoundTensors, ...]
    atom_class: Tensor


@dataclass(frozen=True, slots=True)
class Conditions:
    """Measuring conditions.

    Attributes:
        vector: solvent descriptors ``[n, solvent_dim]``.
        solvent: slot of the solvent's own embedding ``[n]``, 0 for none.
        source: slot of the reference convention ``[n]``, 0 for the general one.
    """

    vector: Tensor
    solvent: Tensor
    source: Tensor


def batch_tensors(
    batch: GraphBatch,
    device: torch.device | str = "cpu",
    kernel: Kernel | None = None,
    environments: NDArray[np.int64] | None = None,
) -> BatchTensors:
    """Move a batch to a device and prepare its edges.

    Args:
        batch: the molecules.
        device: where the tensors go.
        kernel: force a kernel; by default the fastest of the device.
        environments: the batch's environment codes, where they are known already.
    """
    src, dst = _move(batch.edge_src, device), _move(batch.edge_dst, device)
    if environments is None:
        environments = environment_codes(batch)
    return BatchTensors(
        V=_move(batch.V, device),
        E=_move(batch.E, device),
        environments=_move(environments, device),
        edges=adjacency(src, dst, batch.n_atoms, kernel),
        atom_to_mol=_move(batch.atom_to_mol, device),
        n_mols=batch.n_mols,
    )


def distinct_tensors(graph: DistinctGraph, device: torch.device | str = "cpu") -> DistinctTensors:
    """Move the classes of a batch to a device; rounds that are one and the same are moved once."""
    moved: dict[int, RoundTensors] = {}
    for step in graph.rounds:
        if id(step) not in moved:
            moved[id(step)] = _round_tensors(step, device)
    return DistinctTensors(
        V=_move(graph.V, device),
        E=_move(graph.E, device),
        rounds=tuple(moved[id(step)] for step in graph.rounds),
        atom_class=_move(graph.atom_class, device),
    )


def _round_tensors(step: Round, device: torch.device | str) -> RoundTensors:
    ends = np.empty((len(step.edge_src), 2), dtype=np.int64)
    ends[:, 0] = 3 * step.edge_src
    ends[:, 1] = 3 * step.edge_dst + 1
    return RoundTensors(
        edge_before=None if step.edge_before is None else _move(step.edge_before, device),
        ends=_move(ends.reshape(-1), device),
        first_end=_move(np.arange(0, ends.size + 1, 2), device),
        values=_move(ends[:, 0] + 2, device),
        atom_before=None if step.atom_before is None else _move(step.atom_before, device),
        incoming=_move(step.incoming, device),
        first_incoming=_move(step.first_incoming, device),
    )


def _move(array: np.ndarray, device: torch.device | str) -> Tensor:
    return torch.from_numpy(array.astype(np.int64, copy=False)).to(device)


def conditions(
    pairs: Sequence[tuple[Solvent, str | None]],
    solvents: Sequence[str],
    sources: Sequence[str],
    device: torch.device | str = "cpu",
) -> Conditions:
    """Describe measuring conditions to the network.

    Args:
        pairs: solvent and source of each condition.
        solvents: keys of the solvents with an embedding, in slot order from 1.
        sources: names of the sources, in slot order from 1.
        device: where the tensors go.
    """
    solvent_slot = {key: slot for slot, key in enumerate(solvents, start=1)}
    source_slot = {name: slot for slot, name in enumerate(sources, start=1)}
    return Conditions(
        torch.tensor([solvent.vector() for solvent, _ in pairs], dtype=torch.float32).to(device),
        torch.tensor([solvent_slot.get(solvent.key, 0) for solvent, _ in pairs]).to(device),
        torch.tensor([source_slot.get(source or "", 0) for _, source in pairs]).to(device),
    )
