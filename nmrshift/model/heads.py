"""From an atom's representation to a shift, for one nucleus, under solvent and convention."""

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

CONSTANT_KERNEL: Final = 100.0
"""Added to a radial kernel whose largest value is 1, for a mean that nothing holds back."""


class Conditioner(nn.Module):
    """Turns solvent descriptors, solvent identity and data source into one vector.

    The descriptors place a solvent that training never saw; the embeddings learn what descriptors
    do not say. Slot 0 of either embedding is "unknown" or "general".
    """

    def __init__(self, solvent_dim: int, n_solvents: int, n_sources: int, width: int) -> None:
        super().__init__()
        self.solvents = nn.Embedding(n_solvents, width)
        self.sources = nn.Embedding(n_sources, width)
        self.descriptors = nn.Linear(solvent_dim, width)
        self.mix = nn.Linear(width, width)
        nn.init.normal_(self.solvents.weight, std=0.1)
        nn.init.normal_(self.sources.weight, std=0.3)

    def forward(self, vector: Tensor, solvent: Tensor, source: Tensor) -> Tensor:
        """Return ``[n, width]`` from vectors ``[n, solvent_dim]`` and identities ``[n]``."""
        mixed = self.descriptors(vector) + self.solvents(solvent) + self.sources(source)
        condition: Tensor = self.mix(functional.silu(mixed))
        return condition


class ShiftHead(nn.Module):
    """Mean and log scale of one nucleus, in units of that nucleus' spread.

    The log scale is learned on a detached representation, so that judging its own errors does not
    change what the network predicts.
    """

    def __init__(self, d_h: int, d_c: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.into = nn.Linear(d_h, hidden)
        self.modulate = nn.Linear(d_c, 2 * hidden)
        self.middle = nn.Linear(hidden, hidden)
        self.mean = nn.Linear(hidden, 1)
        self.log_scale = nn.Sequential(
            nn.Linear(d_h + d_c, hidden // 2), nn.SiLU(), nn.Linear(hidden // 2, 1)
        )
        self.dropout = nn.Dropout(dropout)
        nn.init.zeros_(self.modulate.weight)
        nn.init.zeros_(self.modulate.bias)

    def forward(self, h: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log scale ``[n]`` of atoms ``[n, d_h]`` under ``[n or 1, d_c]``."""
        gain, offset = self.modulate(condition).chunk(2, dim=-1)
        hidden = functional.silu(self.into(h) * (1 + gain) + offset)
        hidden = functional.silu(self.middle(self.dropout(hidden)))
        mean = self.mean(hidden).squeeze(-1)
        condition = condition.detach().expand(len(h), -1)
        seen = torch.cat([h.detach(), condition], dim=-1)
        return mean, self.log_scale(seen).squeeze(-1)


class Neighbours(nn.Module):
    """A convention's own correction of one nucleus: what was off on measured atoms that are alike.

    Atoms are alike by an exponential kernel of the distance of their representations.
    """

    centres: Tensor
    alpha: Tensor
    width: Tensor

    def __init__(self, d_h: int, n_centres: int) -> None:
        super().__init__()
        self.register_buffer("centres", torch.zeros(n_centres, d_h, dtype=torch.float64))
        self.register_buffer("alpha", torch.zeros(n_centres, dtype=torch.float64))
        self.register_buffer("width", torch.ones(1, dtype=torch.float64))

    def forward(self, h: Tensor) -> Tensor:
        """Return the correction ``[n]`` of atoms ``[n, d_h]``, in units of the nucleus' spread."""
        alike = torch.exp(-torch.cdist(h.double(), self.centres) / self.width)
        return (alike @ self.alpha).to(h.dtype)


class KernelHead(nn.Module):
    """Mean and log scale of a nucleus with few labels: a Gaussian process on atoms that have them.

    Atoms are alike by a radial kernel of the distance of their representations. The mean is a
    weighted sum over labelled atoms; the error scale grows with the process' variance, so that it
    is largest where nothing alike was measured (Rasmussen & Williams 2006, chapter 2, isbn
    026218253X). Solvent and convention are not used.
    """

    centres: Tensor
    precision: Tensor
    width: Tensor
    noise: Tensor
    log_unit: Tensor

    def __init__(self, d_h: int, n_centres: int) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.zeros(n_centres, dtype=torch.float64))
        self.bias = nn.Parameter(torch.zeros(1, dtype=torch.float64))
        self.register_buffer("centres", torch.zeros(n_centres, d_h, dtype=torch.float64))
        self.register_buffer("precision", torch.zeros(n_centres, n_centres, dtype=torch.float64))
        self.register_buffer("width", torch.ones(1, dtype=torch.float64))
        self.register_buffer("noise", torch.ones(1, dtype=torch.float64))
        self.register_buffer("log_unit", torch.zeros(1, dtype=torch.float64))

    def forward(self, h: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log scale ``[n]`` of atoms ``[n, d_h]``; ``condition`` is not used."""
        del condition
        alike = self.alike(h)
        mean = alike @ self.alpha + self.bias
        return mean.to(h.dtype), self.log_scale(alike.detach()).to(h.dtype)

    def alike(self, h: Tensor) -> Tensor:
        """Return how alike atoms are to the labelled ones, 0-1 ``[n, n_centres]``."""
        squared = torch.cdist(h.double(), self.centres).square()
        return torch.exp(-squared / (2 * self.width))

    def log_scale(self, alike: Tensor) -> Tensor:
        """Return the log scale ``[n]`` of atoms with such likeness ``[n, n_centres]``."""
        seen = alike + CONSTANT_KERNEL
        variance = 1 + CONSTANT_KERNEL - (seen @ self.precision * seen).sum(-1)
        return self.log_unit + 0.5 * torch.log(variance.clamp_min(0.0) + self.noise)
