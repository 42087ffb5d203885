"""The encoder: from molecules to a representation of every atom."""

from collections.abc import Callable
from typing import Literal, cast

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from nmrshift.graph.batch import GraphBatch
from nmrshift.graph.distinct import distinct_graph
from nmrshift.graph.environments import N_RADII, environment_codes
from nmrshift.graph.features import preset
from nmrshift.model.layers import (
    Aggregation,
    CodeEmbedding,
    EdgeUpdate,
    EnvironmentEmbedding,
    GatedLayer,
)
from nmrshift.model.tensors import BatchTensors, RoundTensors, distinct_tensors

ReadOut = Literal["last", "all"]

_RunLayer = Callable[[GatedLayer, Tensor, Tensor, RoundTensors], tuple[Tensor, Tensor]]


class EncoderConfig(BaseModel):
    """Everything that fixes the shape of an encoder."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    features: str = "v1"
    n_layers: int = Field(default=6, ge=1, le=32)
    d_h: int = Field(default=256, ge=8, le=2048)
    d_e: int = Field(default=128, ge=8, le=2048)
    d_ffn: int = Field(default=512, ge=8, le=8192)
    dropout: float = Field(default=0.05, ge=0, lt=1)
    d_env: int = Field(default=48, ge=4, le=512)
    hide_environments: float = Field(default=0.2, ge=0, lt=1)
    aggregation: Aggregation = "sum"
    edge_update: EdgeUpdate = "residual"
    read_out: ReadOut = "last"
    """Whether the representation is the last round's, or the sum of all rounds'."""
    n_environments: tuple[int, ...] = Field(default=(), max_length=N_RADII)
    """Environments with a vector of their own, at radius 1, 2 ...; none is no such input."""


class Encoder(nn.Module):
    """Rounds of gated message passing over atoms and bonds."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        features = preset(config.features)
        self.embed_atoms = CodeEmbedding(features.atom_slots, config.d_h)
        self.embed_edges = CodeEmbedding(features.bond_slots, config.d_e)
        self.embed_environments = (
            EnvironmentEmbedding(
                config.n_environments, config.d_env, config.d_h, config.hide_environments
            )
            if config.n_environments
            else None
        )
        self.layers = nn.ModuleList(
            GatedLayer(
                config.d_h,
                config.d_e,
                config.d_ffn,
                config.dropout,
                config.aggregation,
                config.edge_update,
            )
            for _ in range(config.n_layers)
        )
        self.norm = nn.LayerNorm(config.d_h)

    @property
    def feature_slots(self) -> tuple[int, int]:
        """How many atom and edge codes it knows."""
        return self.embed_atoms.table.num_embeddings, self.embed_edges.table.num_embeddings

    def encode(self, batch: BatchTensors) -> Tensor:
        """Return the representation of every atom ``[n_atoms, d_h]``."""
        return self.depths(batch, *self.embed(batch))[-1]

    def embed(self, batch: BatchTensors) -> tuple[Tensor, Tensor]:
        """Return atoms ``[n_atoms, d_h]`` and edges ``[n_edges, d_e]`` before the first round."""
        h = self.embed_atoms(batch.V)
        if self.embed_environments is not None:
            h = h + self.embed_environments(batch.environments)
        return h, self.embed_edges(batch.E)

    def depths(self, batch: BatchTensors, h: Tensor, e: Tensor) -> list[Tensor]:
        """Return every atom after each round: ``n_layers`` times ``[n_atoms, d_h]``.

        The last one is normalised: it is the representation.

        Args:
            batch: the molecules.
            h: their atoms, as :meth:`embed` gives them or altered.
            e: their edges.
        """
        found: list[Tensor] = []
        for layer in self.layers:
            h, e = layer(h, e, batch.edges)
            found.append(h)
        last = torch.stack(found).sum(0) if self.config.read_out == "all" else found[-1]
        return [*found[:-1], self.norm(last)]

    def learn(self, batch: GraphBatch) -> Tensor:
        """Return the representation of every atom ``[n_atoms, d_h]``, for training.

        The numbers are those of :meth:`encode`; equal environments are computed once, and dropout
        takes the same from all of them.
        """
        codes = None if self.embed_environments is None else environment_codes(batch)
        return self._by_classes(batch, codes, GatedLayer.learn_on_classes)

    @torch.inference_mode()
    def represent(self, batch: GraphBatch, environments: NDArray[np.int64]) -> Tensor:
        """Return the representation of every atom ``[n_atoms, d_h]``, for prediction.

        The numbers are those of :meth:`encode`; equal environments are computed once.

        Args:
            batch: the molecules.
            environments: environment codes of their atoms ``[n_atoms, n_radii]``.
        """
        return self._by_classes(batch, environments, GatedLayer.on_classes)

    def _by_classes(
        self, batch: GraphBatch, environments: NDArray[np.int64] | None, run: _RunLayer
    ) -> Tensor:
        embed = self.embed_environments
        codes = None if embed is None else environments
        classes = distinct_graph(batch, self.config.n_layers, codes)
        graph = distinct_tensors(classes, self.norm.weight.device)
        h = self.embed_atoms(graph.V)
        if embed is not None and codes is not None:
            h = h + embed(torch.from_numpy(codes[classes.atoms]).to(h.device))
        e = self.embed_edges(graph.E)
        adds_up = self.config.read_out == "all"
        total = torch.zeros_like(h)
        for layer, step in zip(self.layers, graph.rounds, strict=True):
            h, e = run(cast("GatedLayer", layer), h, e, step)
            if adds_up:
                before = step.atom_before
                total = h + (total if before is None else total.index_select(0, before))
        encoded: Tensor = self.norm(total if adds_up else h).index_select(0, graph.atom_class)
        return encoded
