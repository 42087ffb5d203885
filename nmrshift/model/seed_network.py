"""The network of the seed paper, re-implemented as a baseline.

Rull, Fischer, Kuhn, J. Cheminform. 2023, doi 10.1186/s13321-023-00785-x: encoders of nodes and
edges, one block that updates edges, nodes and a global state and is applied six times with the same
weights, sums, LeakyReLU, batch normalisation. Solvent and source are no inputs. Different here, on
purpose: targets are standardised, running statistics are used outside training, no lengths of
drawn bonds; hydrogens are counted on heavy atoms, and an embedding of the element stands for the
table of its properties.
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


def _perceptron(d_in: int, d_hidden: int, d_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(d_in, d_hidden),
        nn.BatchNorm1d(d_hidden),
        nn.LeakyReLU(),
        nn.Linear(d_hidden, d_out),
    )


class SeedNetwork(ShiftNetwork):
    """Six shared rounds over edges, nodes and a global state."""

    def __init__(self, config: NetworkConfig) -> None:
        nn.Module.__init__(self)
        self.config = config
        features = preset(config.features)
        self.embed_atoms = CodeEmbedding(features.atom_slots, _NODE)
        self.embed_edges = CodeEmbedding(features.bond_slots, _EDGE)
        self.embed_environments = None
        self.edge_update = _perceptron(2 * _NODE + _EDGE + _GLOBAL, _EDGE_HIDDEN, _EDGE)
        self.node_update = _perceptron(_NODE + _EDGE + _GLOBAL, _NODE, _NODE)
        self.global_update = _perceptron(_GLOBAL + _NODE, _GLOBAL, _GLOBAL)
        self.heads = nn.ModuleDict(
            {nucleus: _perceptron(_NODE, _NODE, 1) for nucleus in config.nuclei}
        )

    def encode(self, batch: BatchTensors) -> Tensor:
        """Return the representation of every atom ``[n_atoms, 64]``."""
        bonds = batch.E[:, 0] < _BOND_KINDS  # not the edges that carry our relative configuration
        h: Tensor = self.embed_atoms(batch.V)
        e: Tensor = self.embed_edges(batch.E[bonds])
        src, dst = batch.edges.edge_src[bonds], batch.edges.edge_dst[bonds]
        mol = batch.atom_to_mol
        u = h.new_zeros(batch.n_mols, _GLOBAL)
        for _ in range(self.config.n_layers):
            if len(src):
                e = self.edge_update(torch.cat([h[src], h[dst], e, u[mol[src]]], dim=-1))
            received = h.new_zeros(len(h), _EDGE).index_add(0, dst, e.to(h.dtype))
            h = self.node_update(torch.cat([h, received, u[mol]], dim=-1))
            pooled = h.new_zeros(batch.n_mols, _NODE).index_add(0, mol, h)
            u = self.global_update(torch.cat([u, pooled], dim=-1))
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
