"""Message passing with gated edges.

Residual gated graph convolution (Bresson & Laurent, arXiv 1711.07553) with normalisation in front
of every block and a feed-forward block after every aggregation. Letters: ``h`` atoms ``[n_atoms,
d_h]``, ``e`` edges ``[n_edges, d_e]``.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from nmrshift.model.kernels import Adjacency, ends_sum, gated_sum


class CodeEmbedding(nn.Module):
    """Sums the embeddings of an atom's or edge's feature codes."""

    def __init__(self, n_slots: int, width: int) -> None:
        super().__init__()
        self.table = nn.EmbeddingBag(n_slots, width, mode="sum")
        nn.init.normal_(self.table.weight, std=0.3)

    def forward(self, codes: Tensor) -> Tensor:
        """Embed codes ``[n, n_features]`` to ``[n, width]``."""
        embedded: Tensor = self.table(codes)
        return embedded


class FeedForward(nn.Module):
    """Two linear maps with SiLU between, normalised in front."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the update of ``x`` ``[n, width]``."""
        update: Tensor = self.down(functional.silu(self.up(self.norm(x))))
        return update


class GatedLayer(nn.Module):
    """One round: edges look at their ends, atoms take gated sums of their neighbours."""

    def __init__(self, d_h: int, d_e: int, d_ffn: int, dropout: float) -> None:
        super().__init__()
        self.norm_h = nn.LayerNorm(d_h)
        self.norm_e = nn.LayerNorm(d_e)
        self.from_atoms = nn.Linear(d_h, 3 * d_e)
        self.from_edge = nn.Linear(d_e, d_e)
        self.aggregate = nn.Linear(d_e, d_h)
        self.feed_forward = FeedForward(d_h, d_ffn)
        self.dropout = nn.Dropout(dropout)

    def forward(self, h: Tensor, e: Tensor, edges: Adjacency) -> tuple[Tensor, Tensor]:
        """Return updated atoms and edges."""
        src, dst, values = self.from_atoms(self.norm_h(h)).chunk(3, dim=-1)
        seen = self.from_edge(self.norm_e(e)) + ends_sum(edges, src.contiguous(), dst.contiguous())
        e = e + functional.silu(seen)
        summed = gated_sum(edges, values.contiguous(), torch.sigmoid(seen))
        h = h + self.dropout(self.aggregate(summed))
        return h + self.feed_forward(h), e
