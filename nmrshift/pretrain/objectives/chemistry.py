"""Cheap chemistry: hidden atoms and bonds, the identity of environments, computed properties.

Masked attributes as targets are those of Hu et al. (arXiv 1905.12265). Here the hidden atom's
whole environment is asked for too, as Rong et al. ask for what surrounds an atom (GROVER, arXiv
2007.02835), and partial charge, log P and refractivity shares of every atom, which RDKit computes:
the charge is what a chemist would look at first to guess a shift.
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from nmrshift.graph.features import preset
from nmrshift.model.encoder import Encoder, EncoderConfig
from nmrshift.pretrain.config import Chemistry
from nmrshift.pretrain.masking import Masked, PretrainBatch
from nmrshift.pretrain.objectives.base import Objective, seen
from nmrshift.pretrain.objectives.codes import CodeHead
from nmrshift.pretrain.shards import PROPERTIES

_RADII = 2


class ChemistryTargets(Objective):
    """Atom and bond types, environments and computed properties."""

    def __init__(self, shape: EncoderConfig, settings: Chemistry) -> None:
        super().__init__(settings.weight)
        features, width = preset(shape.features), shape.d_h
        self._buckets = settings.environment_buckets
        self.atoms = CodeHead(width, features.atom)
        self.bonds = CodeHead(2 * width, features.bond)
        self.environments = nn.Linear(width, _RADII * self._buckets)
        self.properties = nn.Sequential(
            nn.Linear(width, width), nn.SiLU(), nn.Linear(width, len(PROPERTIES))
        )

    def loss(
        self,
        encoder: Encoder,
        batch: PretrainBatch,
        masked: Masked | None,
        rng: np.random.Generator,
    ) -> Tensor:
        """Return the mean of the four losses."""
        del encoder, rng
        found = seen(masked)
        h = found.depths[-1].float()
        hidden, codes = h[found.atoms], batch.tensors.environments[found.atoms, :_RADII]
        identity = functional.cross_entropy(
            self.environments(hidden).view(-1, self._buckets),
            torch.remainder(codes, self._buckets).reshape(-1),
        )
        total: Tensor = (
            self.atoms(hidden, batch.tensors.V[found.atoms])
            + bond_loss(self.bonds, h, batch, found)
            + 0.3 * identity
            + functional.smooth_l1_loss(self.properties(h), batch.properties)
        )
        return total


def bond_loss(head: CodeHead, h: Tensor, batch: PretrainBatch, found: Masked) -> Tensor:
    """Return the loss of the codes of masked bonds, told from their two ends."""
    if not len(found.edges):
        return h.new_zeros(())
    src = h[batch.tensors.edges.edge_src[found.edges]]
    dst = h[batch.tensors.edges.edge_dst[found.edges]]
    loss: Tensor = head(torch.cat([src + dst, src * dst], dim=-1), batch.tensors.E[found.edges])
    return loss
