"""Mean and variance of numbers that are not sure, carried through the maps of a network.

All numbers are taken as independent Gaussians. A linear map is exact under that assumption. The
expectation of the logistic function is MacKay's (doi 10.1162/neco.1992.4.5.720), that of SiLU
follows from it by Stein's lemma; variances are those of the linear map that fits the function best
under the Gaussian (statistical linearisation, Gelb 1974), which never exceed the true ones
(Cacoullos, doi 10.1214/aop/1176993788).
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from nmrshift.model.kernels import Adjacency, ends_sum, gated_sum


@dataclass(frozen=True, slots=True)
class Moments:
    """Numbers that are not sure.

    Attributes:
        mean: ``[n, width]``.
        variance: ``[n, width]``, never negative.
    """

    mean: Tensor
    variance: Tensor

    def __add__(self, other: "Moments") -> "Moments":
        """Add numbers that are independent of these."""
        return Moments(self.mean + other.mean, self.variance + other.variance)

    def scaled(self, factor: Tensor) -> "Moments":
        """Multiply by numbers that are sure."""
        return Moments(self.mean * factor, self.variance * factor**2)

    def dropped(self, rate: float, *, training: bool) -> "Moments":
        """Drop numbers at random in training, with what is not sure of them."""
        if not training or not rate:
            return self
        return self.scaled(functional.dropout(torch.ones_like(self.mean), rate))

    def chunk(self, n: int) -> tuple["Moments", ...]:
        """Cut the columns into parts of equal width."""
        parts = zip(self.mean.chunk(n, dim=-1), self.variance.chunk(n, dim=-1), strict=True)
        return tuple(Moments(mean.contiguous(), variance.contiguous()) for mean, variance in parts)


class UncertainLinear(nn.Module):
    """A linear map whose weights are not sure either.

    Weights are independent Gaussians; weight decay holds their deviations to ``prior`` over the
    root of the inputs, where they begin.
    """

    def __init__(self, d_in: int, d_out: int, prior: float = 0.1) -> None:
        super().__init__()
        self.linear = nn.Linear(d_in, d_out)
        self.log_deviation = nn.Parameter(torch.zeros(d_out, d_in))
        self._prior_variance = prior**2 / d_in

    def forward(self, x: Moments) -> Moments:
        """Map ``[n, d_in]`` to ``[n, d_out]``."""
        unsure = self._prior_variance * torch.exp(2 * self.log_deviation)
        spread = torch.cat([x.variance, x.mean**2], dim=-1)
        weights = torch.cat([self.linear.weight**2 + unsure, unsure], dim=-1)
        return Moments(self.linear(x.mean), functional.linear(spread, weights))


class UncertainNorm(nn.Module):
    """Layer normalisation; what is not sure counts towards the width that is divided by."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Moments) -> Moments:
        """Normalise each row of ``[n, width]``; its mean and width count as sure."""
        centred = x.mean - x.mean.mean(dim=-1, keepdim=True)
        total = (centred**2 + x.variance).mean(dim=-1, keepdim=True)
        factor = torch.rsqrt(total + self.norm.eps) * self.norm.weight
        return Moments(centred * factor + self.norm.bias, x.variance * factor**2)


def sigmoid(x: Moments) -> Moments:
    """Return the moments of the logistic function."""
    shrink, share = _shrunk(x)
    slope = shrink * share * (1 - share)
    return Moments(share, slope**2 * x.variance)


def silu(x: Moments) -> Moments:
    """Return the moments of ``x * sigmoid(x)``."""
    shrink, share = _shrunk(x)
    slope = shrink * share * (1 - share)
    mean = x.mean * share + x.variance * slope
    steepness = share + x.mean * slope + x.variance * shrink * slope * (1 - 2 * share)
    return Moments(mean, steepness**2 * x.variance)


def _shrunk(x: Moments) -> tuple[Tensor, Tensor]:
    """Return by how much uncertainty flattens the logistic function, and its expectation."""
    shrink = torch.rsqrt(1 + math.pi / 8 * x.variance)
    return shrink, torch.sigmoid(shrink * x.mean)


def gated_moments(edges: Adjacency, values: Moments, gates: Moments) -> Moments:
    """Sum the neighbours' values ``[n_atoms, d]``, each times its gate ``[n_edges, d]``."""
    mean = gated_sum(edges, values.mean, gates.mean)
    variance = gated_sum(edges, values.variance + values.mean**2, gates.variance)
    return Moments(mean, variance + gated_sum(edges, values.variance, gates.mean**2))


def ends_moments(edges: Adjacency, src: Moments, dst: Moments) -> Moments:
    """Add the two ends ``[n_atoms, d]`` of every edge ``[n_edges, d]``."""
    return Moments(ends_sum(edges, src.mean, dst.mean), ends_sum(edges, src.variance, dst.variance))
