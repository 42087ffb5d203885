"""Uncertainty propagation: mean and variance of every message, in one forward pass.

After Bayesian uncertainty propagation in node classification (Xu, Lawrence, Shaker, Siarheyeu,
ICDM 2022, arXiv 2304.00918), made for regression: features of atoms and bonds and all weights are
Gaussians, messages carry both moments through the layers of the gated network, and the loss weighs
a label by how sure it is and by how sure the network is of it.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nmrshift.benchmark.uncertainty.moments import (
    Moments,
    UncertainLinear,
    UncertainNorm,
    ends_moments,
    gated_moments,
    sigmoid,
    silu,
)
from nmrshift.graph.batch import GraphBatch
from nmrshift.graph.features import preset
from nmrshift.model.heads import Conditioner
from nmrshift.model.kernels import Adjacency
from nmrshift.model.layers import CodeEmbedding
from nmrshift.model.network import NetworkConfig, ShiftNetwork
from nmrshift.model.tensors import BatchTensors, batch_tensors
from nmrshift.train.config import Optimisation

_FIRST_LOG_VARIANCE = -4.0
_FIRST_LOG_LABEL_VARIANCE = -9.0


class UncertainEmbedding(nn.Module):
    """Embeddings of feature codes with a variance for each."""

    def __init__(self, n_slots: int, width: int) -> None:
        super().__init__()
        self.embed = CodeEmbedding(n_slots, width)
        self.log_variance = CodeEmbedding(n_slots, width)
        nn.init.zeros_(self.log_variance.table.weight)

    def forward(self, codes: Tensor) -> Moments:
        """Embed codes ``[n, n_features]`` to ``[n, width]``."""
        log_variance = self.log_variance(codes) + _FIRST_LOG_VARIANCE
        return Moments(self.embed(codes), torch.exp(log_variance))


class UncertainLayer(nn.Module):
    """:class:`~nmrshift.model.layers.GatedLayer` on moments."""

    def __init__(self, d_h: int, d_e: int, d_ffn: int, dropout: float) -> None:
        super().__init__()
        self.norm_h, self.norm_e = UncertainNorm(d_h), UncertainNorm(d_e)
        self.from_atoms = UncertainLinear(d_h, 3 * d_e)
        self.from_edge = UncertainLinear(d_e, d_e)
        self.aggregate = UncertainLinear(d_e, d_h)
        self.norm_ffn = UncertainNorm(d_h)
        self.up, self.down = UncertainLinear(d_h, d_ffn), UncertainLinear(d_ffn, d_h)
        self.dropout = dropout

    def forward(self, h: Moments, e: Moments, edges: Adjacency) -> tuple[Moments, Moments]:
        """Return updated atoms and edges."""
        src, dst, values = self.from_atoms(self.norm_h(h)).chunk(3)
        seen = self.from_edge(self.norm_e(e)) + ends_moments(edges, src, dst)
        received: Moments = self.aggregate(gated_moments(edges, values, sigmoid(seen)))
        h = h + received.dropped(self.dropout, training=self.training)
        update: Moments = self.down(silu(self.up(self.norm_ffn(h))))
        return h + update, e + silu(seen)


class UncertainHead(nn.Module):
    """:class:`~nmrshift.model.heads.ShiftHead` on moments: the variance is the error scale."""

    def __init__(self, d_h: int, d_c: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.into = UncertainLinear(d_h, hidden)
        self.modulate = nn.Linear(d_c, 2 * hidden)
        self.middle = UncertainLinear(hidden, hidden)
        self.mean = UncertainLinear(hidden, 1)
        self.log_label_variance = nn.Parameter(torch.tensor(_FIRST_LOG_LABEL_VARIANCE))
        self.dropout = dropout
        nn.init.zeros_(self.modulate.weight)
        nn.init.zeros_(self.modulate.bias)

    def forward(self, h: Moments, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean ``[n]``, and log variances of message and label ``[n, 2]``."""
        gain, offset = self.modulate(condition).chunk(2, dim=-1)
        entered = self.into(h).scaled(1 + gain)
        hidden = silu(Moments(entered.mean + offset, entered.variance))
        hidden = silu(self.middle(hidden.dropped(self.dropout, training=self.training)))
        found: Moments = self.mean(hidden)
        label = self.log_label_variance.expand(len(h.mean))
        logs = torch.stack([found.variance.squeeze(-1).clamp(min=1e-12).log(), label], dim=-1)
        return found.mean.squeeze(-1), logs


class PropagatedNetwork(ShiftNetwork):
    """The gated network with both moments of everything.

    A representation holds means and variances side by side.
    """

    def __init__(self, config: NetworkConfig) -> None:
        nn.Module.__init__(self)
        self.config = config
        features = preset(config.features)
        self.embed_environments = None
        self.embed_uncertain_atoms = UncertainEmbedding(features.atom_slots, config.d_h)
        self.embed_uncertain_edges = UncertainEmbedding(features.bond_slots, config.d_e)
        self.layers = nn.ModuleList(
            UncertainLayer(config.d_h, config.d_e, config.d_ffn, config.dropout)
            for _ in range(config.n_layers)
        )
        self.uncertain_norm = UncertainNorm(config.d_h)
        self.conditioner = Conditioner(
            config.solvent_dim, len(config.solvents) + 1, len(config.sources) + 1, config.d_c
        )
        self.heads = nn.ModuleDict(
            {
                nucleus: UncertainHead(config.d_h, config.d_c, config.d_head, config.dropout)
                for nucleus in config.nuclei
            }
        )

    def encode(self, batch: BatchTensors) -> Tensor:
        """Return means and variances of every atom ``[n_atoms, 2 * d_h]``."""
        h, e = self.embed_uncertain_atoms(batch.V), self.embed_uncertain_edges(batch.E)
        for layer in self.layers:
            h, e = layer(h, e, batch.edges)
        found: Moments = self.uncertain_norm(h)
        return torch.cat([found.mean, found.variance], dim=-1)

    def learn(self, batch: GraphBatch) -> Tensor:
        """Return what :meth:`encode` returns, atom by atom."""
        return self.encode(batch_tensors(batch))

    @torch.inference_mode()
    def represent(self, batch: GraphBatch, environments: NDArray[np.int64]) -> Tensor:
        """Return what :meth:`encode` returns, atom by atom."""
        return self.encode(batch_tensors(batch, environments=environments))

    def read_out(self, nucleus: str, h: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean ``[n]``, and log variances of message and label ``[n, 2]``."""
        mean, logs = self.heads[nucleus](Moments(*h.chunk(2, dim=-1)), condition)
        return mean, logs

    def scale_ppm(self, nucleus: str, log_scale: Tensor) -> Tensor:
        """Return the Laplace scale that has the variance of message and label together, ppm."""
        return super().scale_ppm(nucleus, log_laplace_scale(log_scale, log_scale.new_ones(())))


def log_laplace_scale(logs: Tensor, weight: Tensor) -> Tensor:
    """Return the log scale of the Laplace law of a label.

    Args:
        logs: log variances of message and label ``[n, 2]``.
        weight: trust in the label; half the trust is twice the variance ``[n]``.
    """
    label = logs[..., 1] - torch.log(weight)
    return 0.5 * (torch.logaddexp(logs[..., 0], label) - torch.log(logs.new_tensor(2.0)))


def propagated_likelihood(
    mean: Tensor, log_scale: Tensor, expected: Tensor, weight: Tensor, settings: Optimisation
) -> Tensor:
    """Return the Laplace likelihood of labels that are themselves not sure.

    Its gradient reaches every layer, by the error as well as by the variance: what the network is
    unsure of pulls less, and being unsure costs.
    """
    sure = log_laplace_scale(log_scale, weight)
    likelihood = (mean - expected).abs() * torch.exp(-sure) + sure
    return settings.scale_weight * likelihood.sum()
