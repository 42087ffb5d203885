"""Quantile heads: intervals read off directly, by the pinball loss.

Koenker & Bassett 1978, doi 10.2307/1913643. A head gives the median and what each quantile is away
from the next one, so that quantiles never cross.
"""

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from nmrshift.model.heads import ShiftHead
from nmrshift.model.network import NetworkConfig, ShiftNetwork
from nmrshift.train.config import Optimisation

LEVELS: Final = (0.5, 0.8, 0.9, 0.95)
"""Intervals that the heads give, from the narrowest."""


class QuantileHead(ShiftHead):
    """Median, and log distances between neighbouring quantiles of :data:`LEVELS`."""

    def __init__(self, d_h: int, d_c: int, hidden: int, dropout: float) -> None:
        super().__init__(d_h, d_c, hidden, dropout)
        self.log_scale = nn.Sequential(
            nn.Linear(d_h + d_c, hidden // 2), nn.SiLU(), nn.Linear(hidden // 2, 2 * len(LEVELS))
        )


class QuantileNetwork(ShiftNetwork):
    """The gated network with quantile heads."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        self.heads = nn.ModuleDict(
            {
                nucleus: QuantileHead(config.d_h, config.d_c, config.d_head, config.dropout)
                for nucleus in config.nuclei
            }
        )

    def scale_ppm(self, nucleus: str, log_scale: Tensor) -> Tensor:
        """Return half the width of the 50 % interval, ppm."""
        below, above = reaches(log_scale)
        return super().scale_ppm(nucleus, torch.log((below[:, 0] + above[:, 0]) / 2))


def reaches(logs: Tensor) -> tuple[Tensor, Tensor]:
    """Return how far intervals of :data:`LEVELS` reach below and above the median ``[n, 4]``.

    Args:
        logs: what a head gives ``[n, 8]``.
    """
    below, above = logs.exp().chunk(2, dim=-1)
    return below.cumsum(dim=-1), above.cumsum(dim=-1)


def pinball(
    mean: Tensor, log_scale: Tensor, expected: Tensor, weight: Tensor, settings: Optimisation
) -> Tensor:
    """Return the pinball loss of all quantiles but the median, which is learned as it ships."""
    below, above = reaches(log_scale)
    tail = (1 - expected.new_tensor(LEVELS)) / 2
    error = (expected - mean).detach().unsqueeze(-1)
    low, high = error + below, error - above
    loss = tail * functional.relu(low) + (1 - tail) * functional.relu(-low)
    loss = loss + (1 - tail) * functional.relu(high) + tail * functional.relu(-high)
    return settings.scale_weight * (weight.unsqueeze(-1) * loss / settings.huber_delta).sum()
