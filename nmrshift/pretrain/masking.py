"""What every objective sees: a batch, and one encoding of it with atoms and bonds masked."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nmrshift.graph.batch import GraphBatch, take_ranges
from nmrshift.graph.features import FeaturePreset
from nmrshift.model.encoder import Encoder
from nmrshift.model.tensors import BatchTensors, batch_tensors
from nmrshift.pretrain.shards import Shard
from nmrshift.pretrain.text import PAD
from nmrshift.pretrain.views import Bonds, read_bonds


@dataclass(frozen=True, slots=True)
class Targets:
    """Computed shifts of a batch.

    Attributes:
        atom: whose they are, by row of the batch ``[n_targets]``.
        nucleus: number of the nucleus in ``NUCLEI`` ``[n_targets]``.
        shift_ppm: ``[n_targets]``.
    """

    atom: Tensor
    nucleus: Tensor
    shift_ppm: Tensor


@dataclass(frozen=True, slots=True)
class PretrainBatch:
    """Molecules without measured shifts.

    Attributes:
        graph: the molecules.
        tensors: the same on the device.
        bonds: what their codes say.
        features: the preset that made the codes.
        properties: computed properties of atoms ``[n_atoms, 3]``.
        text: tokens of each molecule's text, padded ``[n_mols, length]``, int64.
        targets: computed shifts, of those that come with some.
    """

    graph: GraphBatch
    tensors: BatchTensors
    bonds: Bonds
    features: FeaturePreset
    properties: Tensor
    text: Tensor
    targets: Targets


@dataclass(frozen=True, slots=True)
class Masked:
    """One encoding of a batch with some of it hidden.

    Attributes:
        depths: atoms after every round, the last normalised, each ``[n_atoms, d_h]``.
        atoms: the masked atoms.
        edges: the masked edges; a bond is masked in both directions.
    """

    depths: list[Tensor]
    atoms: Tensor
    edges: Tensor


def make_batch(
    shard: Shard, mols: NDArray[np.int64], features: FeaturePreset, device: torch.device
) -> PretrainBatch:
    """Cut molecules out of a shard."""
    graph = shard.graphs.batch(mols)
    rows, _ = take_ranges(shard.graphs.first_atom, mols)
    places, lengths = take_ranges(shard.first_token, mols)
    text = np.full((len(mols), int(lengths.max())), PAD, dtype=np.int64)
    text[np.arange(text.shape[1]) < lengths[:, None]] = shard.text[places]
    found, counts = take_ranges(shard.first_target, mols)
    begins = np.cumsum(shard.graphs.n_atoms[mols]) - shard.graphs.n_atoms[mols]
    atoms = np.repeat(begins, counts) + shard.target_node[found]
    return PretrainBatch(
        graph=graph,
        tensors=batch_tensors(graph, device),
        bonds=read_bonds(graph, features),
        features=features,
        properties=torch.from_numpy(shard.properties[rows]).to(device),
        text=torch.from_numpy(text).to(device),
        targets=Targets(
            atom=torch.from_numpy(atoms.astype(np.int64)).to(device),
            nucleus=torch.from_numpy(shard.target_nucleus[found]).to(device),
            shift_ppm=torch.from_numpy(shard.target_ppm[found]).to(device),
        ),
    )


class Masking(nn.Module):
    """Replaces what is known of some atoms and bonds by vectors that are learned."""

    def __init__(self, d_h: int, d_e: int, share_atoms: float, share_bonds: float) -> None:
        super().__init__()
        self._share_atoms, self._share_bonds = share_atoms, share_bonds
        self.atom = nn.Parameter(torch.zeros(d_h))
        self.edge = nn.Parameter(torch.zeros(d_e))

    def forward(self, encoder: Encoder, batch: PretrainBatch, rng: np.random.Generator) -> Masked:
        """Encode a batch with a share of its atoms and bonds masked, chosen at random."""
        atoms, edges = self._choose(batch.graph, rng)
        h, e = encoder.embed(batch.tensors)
        hidden, masked = torch.from_numpy(atoms).to(h.device), torch.from_numpy(edges).to(h.device)
        h = h.index_put((hidden,), self.atom.to(h.dtype).expand(len(hidden), -1))
        e = e.index_put((masked,), self.edge.to(e.dtype).expand(len(masked), -1))
        return Masked(encoder.depths(batch.tensors, h, e), hidden, masked)

    def _choose(
        self, graph: GraphBatch, rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        atoms = np.flatnonzero(rng.random(graph.n_atoms) < self._share_atoms)
        if not len(atoms):
            atoms = rng.integers(0, graph.n_atoms, 1)
        low = np.minimum(graph.edge_src, graph.edge_dst).astype(np.int64)
        high = np.maximum(graph.edge_src, graph.edge_dst).astype(np.int64)
        pairs, pair = np.unique(low * graph.n_atoms + high, return_inverse=True)
        return atoms, np.flatnonzero((rng.random(len(pairs)) < self._share_bonds)[pair])
