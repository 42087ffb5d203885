"""From an atom's representation to a shift, for one nucleus, under solvent and convention."""

import torch
from torch import Tensor, nn
from torch.nn import functional


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
