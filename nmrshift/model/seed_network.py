"""The network of the seed paper, re-implemented as a baseline.

Rull, Fischer, Kuhn, J. Cheminform. 2023, doi 10.1186/s13321-023-00785-x: encoders of nodes and
edges, one block that updates edges, nodes and a global state and is applied six times with the same
weights, sums, LeakyReLU, batch normalisation. Solvent and source are no inputs. Different here, on
purpose: targets are standardised; running statistics are used outside training, each round's own,
where the authors' code normalises by the test batch; no lengths of drawn bonds; hydrogens are
counted on heavy atoms, and an embedding of the element stands for the table of its properties.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nmrshift.graph.batch import GraphBatch
from nmrshift.graph.features import preset
from nmrshift.model.layers import CodeEmbedding
from nmrshift.model.network import NetworkConfig, ShiftNetwork
from nmrshift.model.tensors import BatchTensors, Conditions, batch_tensors

_NODE, _EDGE, _GLOBAL, _EDGE_HIDDEN = 64, 32, 128, 128
_BOND_KINDS = 4


class _Perceptron(nn.Module):
    """Two linear maps with a normalisation between; the rounds share all but its statistics."""

    def __init__(self, d_in: int, d_hidden: int, d_out: int, n_rounds: int = 1) -> None:
        super().__init__()
        self.enter = nn.Linear(d_in, d_hidden)
        self.norms = nn.ModuleList(nn.BatchNorm1d(d_hidden, affine=False) for _ in range(n_rounds))
        self.gain = nn.Parameter(torch.ones(d_hidden))
        self.shift = nn.Parameter(torch.zeros(d_hidden))
        self.leave = nn.Linear(d_hidden, d_out)

    def forward(self, x: Tensor, number: int = 0) -> Tensor:
        """Map rows ``[n, d_in]`` to ``[n, d_out]`` in the round of a number."""
        normal: Tensor = self.norms[number](self.enter(x))
        out: Tensor = self.leave(nn.functional.leaky_relu(normal * self.gain + self.shift))
        return out


class SeedNetwork(ShiftNetwork):
    """Six shared rounds over edges, nodes and a global state."""

    def __init__(self, config: NetworkConfig) -> None:
        nn.Module.__init__(self)
        self.config = config
        features = preset(config.features)
        self.embed_atoms = CodeEmbedding(features.atom_slots, _NODE)
        self.embed_edges = CodeEmbedding(features.bond_slots, _EDGE)
        self.embed_environments = None
        rounds = config.n_layers
        self.edge_update = _Perceptron(2 * _NODE + _EDGE + _GLOBAL, _EDGE_HIDDEN, _EDGE, rounds)
        self.node_update = _Perceptron(_NODE + _EDGE + _GLOBAL, _NODE, _NODE, rounds)
        self.global_update = _Perceptron(_GLOBAL + _NODE, _GLOBAL, _GLOBAL, rounds)
        self.heads = nn.ModuleDict(
            {nucleus: _Perceptron(_NODE, _NODE, 1) for nucleus in config.nuclei}
        )

    def encode(self, batch: BatchTensors) -> Tensor:
        """Return the representation of every atom ``[n_atoms, 64]``."""
        bonds = batch.E[:, 0] < _BOND_KINDS  # not the edges that carry our relative configuration
        h: Tensor = self.embed_atoms(batch.V)
        e: Tensor = self.embed_edges(batch.E[bonds])
        src, dst = batch.edges.edge_src[bonds], batch.edges.edge_dst[bonds]
        mol = batch.atom_to_mol
        u = h.new_zeros(batch.n_mols, _GLOBAL)
        for number in range(self.config.n_layers):
            if len(src):
                e = self.edge_update(torch.cat([h[src], h[dst], e, u[mol[src]]], dim=-1), number)
            received = h.new_zeros(len(h), _EDGE).index_add(0, dst, e.to(h.dtype))
            h = self.node_update(torch.cat([h, received, u[mol]], dim=-1), number)
            pooled = h.new_zeros(batch.n_mols, _NODE).index_add(0, mol, h)
            u = self.global_update(torch.cat([u, pooled], dim=-1), number)
        return h

    def learn(self, batch: GraphBatch) -> Tensor:
        """Return what :meth:`encode` returns: the global state leaves no two atoms alike."""
        return self.encode(batch_tensors(batch))

    def represent(self, batch: GraphBatch, environments: NDArray[np.int64]) -> Tensor:
        """Return what :meth:`encode` returns, as :meth:`learn` does."""
        return self.encode(batch_tensors(batch, environments=environments))

    def condition(self, conditions: Conditions) -> Tensor:
        """Return nothing to go on ``[n_conditions, 0]``: the network knows no conditions."""
        return conditions.vector.new_zeros(len(conditions.vector), 0)

    def read_out(self, nucleus: str, h: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log scale; the paper has no scale, so all atoms get the same."""
        del condition
        mean: Tensor = self.heads[nucleus](h).squeeze(-1)
        return mean, torch.zeros_like(mean)
