"""Several networks that answer together.

The mean of networks that were trained apart errs less than each of them (Hansen & Salamon 1990,
doi 10.1109/34.58871), and how far they disagree says something of the error (Lakshminarayanan et
al., arXiv 1612.01474). It costs as many times the network's share of a prediction.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nmrshift.graph.batch import GraphBatch
from nmrshift.model.folder import halved
from nmrshift.model.network import NetworkConfig, ShiftNetwork
from nmrshift.model.tensors import BatchTensors, Conditions


class EnsembleNetwork(ShiftNetwork):
    """Networks of one shape, side by side: what they make of an atom stands in one row."""

    def __init__(self, config: NetworkConfig) -> None:
        nn.Module.__init__(self)
        self.config = config
        self.embed_environments = None  # members have their own
        alone = config.model_copy(update={"architecture": "gated", "n_members": 1})
        self.members = nn.ModuleList(ShiftNetwork(alone) for _ in range(config.n_members))

    @property
    def networks(self) -> list[ShiftNetwork]:
        """The members."""
        return [member for member in self.members if isinstance(member, ShiftNetwork)]

    @property
    def feature_slots(self) -> tuple[int, int]:
        """How many atom and edge codes it knows."""
        return self.networks[0].feature_slots

    def encode(self, batch: BatchTensors) -> Tensor:
        """Return every member's representation of every atom ``[n_atoms, n_members * d_h]``."""
        return torch.cat([member.encode(batch) for member in self.networks], dim=-1)

    def learn(self, batch: GraphBatch) -> Tensor:
        """Return what :meth:`encode` returns, for training."""
        return torch.cat([member.learn(batch) for member in self.networks], dim=-1)

    def represent(self, batch: GraphBatch, environments: NDArray[np.int64]) -> Tensor:
        """Return what :meth:`encode` returns, for prediction."""
        found = [member.represent(batch, environments) for member in self.networks]
        return torch.cat(found, dim=-1)

    def condition(self, conditions: Conditions) -> Tensor:
        """Return every member's vector of a measuring condition ``[n_conditions, width]``."""
        return torch.cat([member.condition(conditions) for member in self.networks], dim=-1)

    def read_out(self, nucleus: str, h: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean of the members' means and the log of the error scale.

        The scale is the mean of the members' scales and their mean distance from their mean.

        Args:
            nucleus: one of ``config.nuclei``.
            h: representations of the atoms wanted ``[n, n_members * d_h]``.
            condition: the condition of each ``[n, width]``, or of all ``[1, width]``.
        """
        n = len(self.members)
        parts = zip(self.networks, h.chunk(n, dim=-1), condition.chunk(n, dim=-1), strict=True)
        means, logs = zip(
            *(member.read_out(nucleus, own, under) for member, own, under in parts), strict=True
        )
        every = torch.stack(means)
        mean = every.mean(0)
        scale = torch.stack(logs).exp().mean(0) + (every - mean).abs().mean(0)
        return mean, scale.log()


def joined(members: list[ShiftNetwork]) -> EnsembleNetwork:
    """Put networks of one configuration side by side.

    Their matrices are rounded to half precision, as which a model folder stores them: four networks
    take the space of two, and a shift of the shipped model's changes by less than a hundredth ppm.
    """
    config = members[0].config.model_copy(
        update={"architecture": "ensemble", "n_members": len(members)}
    )
    network = EnsembleNetwork(config)
    for own, given in zip(network.networks, members, strict=True):
        rounded = {
            name: halved(value).to(value.dtype) for name, value in given.state_dict().items()
        }
        own.load_state_dict(rounded, strict=True)
    return network.train(members[0].training)
