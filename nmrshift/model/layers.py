"""Message passing with gated edges.

Residual gated graph convolution (Bresson & Laurent, arXiv 1711.07553) with normalisation in front
of every block and a feed-forward block after every aggregation. Letters: ``h`` atoms ``[n_atoms,
d_h]``, ``e`` edges ``[n_edges, d_e]``.
"""

from collections.abc import Sequence
from typing import Final, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from nmrshift.model.kernels import (
    Adjacency,
    bag_sums,
    bag_sums_with_gradients,
    ends_sum,
    gated_sum,
)
from nmrshift.model.tensors import RoundTensors

Aggregation = Literal["sum", "mean"]
EdgeUpdate = Literal["residual", "none"]

_LEAST_GATE: Final = 1e-6
"""Keeps the mean of an atom without neighbours finite."""

_BLOCK_ROWS = 2048
"""Rows of a feed-forward block that are computed together: what lies between fits the caches."""


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


class EnvironmentEmbedding(nn.Module):
    """Adds what is known of an atom's environment as a whole, radius by radius.

    Environments that training saw often enough have a vector of their own; slot 0 of each radius is
    "never seen". In training known environments are hidden at random, so that the network does not
    lean on them alone and slot 0 is trained.
    """

    def __init__(self, n_known: tuple[int, ...], width: int, d_h: int, hide: float) -> None:
        super().__init__()
        self.hide = hide
        tables = [nn.Embedding(n + 1, width) for n in n_known]
        for table in tables:
            nn.init.normal_(table.weight, std=0.1)
        self.tables = nn.ModuleList(tables)
        self.up = nn.Linear(width * len(n_known), d_h)
        for radius, n in enumerate(n_known):
            self.register_buffer(f"codes_{radius}", torch.zeros(n, dtype=torch.int64))

    def know(self, codes: Sequence[Tensor]) -> None:
        """Take the environments that get a vector: distinct codes of each radius, ascending."""
        for radius, known in enumerate(codes):
            self.get_buffer(f"codes_{radius}").copy_(known)

    def forward(self, environments: Tensor) -> Tensor:
        """Return ``[n_atoms, d_h]`` for environment codes ``[n_atoms, n_radii]``."""
        vectors = []
        for radius, table in enumerate(self.tables):
            slots = self._slots(self.get_buffer(f"codes_{radius}"), environments[:, radius])
            vectors.append(table(slots))
        update: Tensor = self.up(torch.cat(vectors, dim=-1))
        return update

    def _slots(self, known: Tensor, codes: Tensor) -> Tensor:
        if not len(known):
            return torch.zeros_like(codes)
        place = torch.searchsorted(known, codes.contiguous()).clamp_(max=len(known) - 1)
        found = known[place] == codes
        if self.training and self.hide:
            found &= torch.rand(codes.shape, device=codes.device) >= self.hide
        return torch.where(found, place + 1, 0)


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

    def add_to(self, x: Tensor) -> None:
        """Add the update of ``x`` ``[n, width]`` to it in place, without gradients."""
        for rows in (x,) if len(x) <= _BLOCK_ROWS else torch.split(x, _BLOCK_ROWS):
            hidden = functional.silu(self.up(self.norm(rows)), inplace=True)
            rows.add_(self.down(hidden))


class GatedLayer(nn.Module):
    """One round: edges look at their ends, atoms take gated sums of their neighbours.

    Args:
        d_h: width of atoms.
        d_e: width of edges.
        d_ffn: hidden units of the feed-forward block.
        dropout: of what an atom takes.
        aggregation: ``sum`` of the gated neighbours, or their ``mean`` by the gates, as Bresson &
            Laurent normalise them.
        edge_update: ``residual``, or ``none``: edges stay as they were embedded.
    """

    def __init__(
        self,
        d_h: int,
        d_e: int,
        d_ffn: int,
        dropout: float,
        aggregation: Aggregation = "sum",
        edge_update: EdgeUpdate = "residual",
    ) -> None:
        super().__init__()
        self._mean = aggregation == "mean"
        self._moves_edges = edge_update == "residual"
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
        if self._moves_edges:
            e = e + functional.silu(seen)
        values, gates = values.contiguous(), torch.sigmoid(seen)
        summed = gated_sum(edges, values, gates)
        if self._mean:
            summed = summed / (gated_sum(edges, torch.ones_like(values), gates) + _LEAST_GATE)
        h = h + self.dropout(self.aggregate(summed))
        return h + self.feed_forward(h), e

    def learn_on_classes(self, h: Tensor, e: Tensor, step: RoundTensors) -> tuple[Tensor, Tensor]:
        """Return what :meth:`on_classes` returns, with gradients.

        Dropout takes the same from all atoms of a class.
        """
        ends = self.from_atoms(self.norm_h(h)).view(-1, e.shape[-1])  # src, dst, values in turn
        own = self.from_edge(self.norm_e(e))
        if step.edge_before is not None:
            own, e = own.index_select(0, step.edge_before), e.index_select(0, step.edge_before)
        seen = own + bag_sums_with_gradients(ends, step.ends, step.first_end)
        if self._moves_edges:
            e = e + functional.silu(seen)
        gates = torch.sigmoid(seen)
        messages = ends.index_select(0, step.values) * gates
        summed = bag_sums_with_gradients(messages, step.incoming, step.first_incoming)
        if self._mean:
            weight = bag_sums_with_gradients(gates, step.incoming, step.first_incoming)
            summed = summed / (weight + _LEAST_GATE)
        if step.atom_before is not None:
            h = h.index_select(0, step.atom_before)
        h = h + self.dropout(self.aggregate(summed))
        return h + self.feed_forward(h), e

    def on_classes(self, h: Tensor, e: Tensor, step: RoundTensors) -> tuple[Tensor, Tensor]:
        """Return updated atom and edge classes: the same numbers without repetition.

        No gradients, no dropout.

        Args:
            h: atom classes before the round ``[n_before, d_h]``.
            e: edge classes before the round ``[n_edges_before, d_e]``.
            step: the round.
        """
        ends = self.from_atoms(self.norm_h(h)).view(-1, e.shape[-1])  # src, dst, values in turn
        seen = bag_sums(ends, step.ends, step.first_end)
        own = self.from_edge(self.norm_e(e))
        if step.edge_before is not None:
            own, e = own.index_select(0, step.edge_before), e.index_select(0, step.edge_before)
        seen.add_(own)
        if self._moves_edges:
            e = e + functional.silu(seen)
        gates = seen.sigmoid_()
        messages = ends.index_select(0, step.values).mul_(gates)
        summed = _incoming_sum(step, messages)
        if self._mean:
            summed /= _incoming_sum(step, gates) + _LEAST_GATE
        if step.atom_before is not None:
            h = h.index_select(0, step.atom_before)
        h = h + self.aggregate(summed)
        self.feed_forward.add_to(h)
        return h, e


def _incoming_sum(step: RoundTensors, messages: Tensor) -> Tensor:
    """Sum what arrives at every atom class ``[n_atom_classes, d_e]``."""
    return bag_sums(messages, step.incoming, step.first_incoming)
