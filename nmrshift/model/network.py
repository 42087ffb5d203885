"""The network: one encoder for all nuclei, one head a nucleus."""

from typing import Annotated, Any, Literal, Self, cast

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor, nn

from nmrshift.errors import ConfigError
from nmrshift.graph.batch import GraphBatch
from nmrshift.graph.distinct import distinct_graph
from nmrshift.graph.environments import N_RADII
from nmrshift.graph.features import preset
from nmrshift.model.heads import Conditioner, KernelHead, ShiftHead
from nmrshift.model.layers import CodeEmbedding, EnvironmentEmbedding, GatedLayer
from nmrshift.model.tensors import BatchTensors, Conditions, distinct_tensors

Architecture = Literal["gated", "seed2023"]


class NetworkConfig(BaseModel):
    """Everything that fixes the shape of the network, stored beside its weights."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    architecture: Architecture = "gated"
    features: str = "v1"
    n_layers: int = Field(default=6, ge=1, le=32)
    d_h: int = Field(default=256, ge=8, le=2048)
    d_e: int = Field(default=128, ge=8, le=2048)
    d_ffn: int = Field(default=512, ge=8, le=8192)
    d_c: int = Field(default=32, ge=4, le=512)
    d_head: int = Field(default=256, ge=8, le=2048)
    dropout: float = Field(default=0.05, ge=0, lt=1)
    d_env: int = Field(default=48, ge=4, le=512)
    hide_environments: float = Field(default=0.2, ge=0, lt=1)
    n_environments: tuple[int, ...] = Field(default=(), max_length=N_RADII)
    """Environments with a vector of their own, at radius 1, 2 ...; none is no such input."""
    nuclei: tuple[str, ...]
    shift_mean_ppm: tuple[float, ...]
    shift_scale_ppm: tuple[float, ...]
    n_centres: dict[str, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)
    """Nuclei with few labels, whose head compares atoms with so many labelled ones."""
    solvent_dim: int
    solvents: tuple[str, ...]
    """Solvents with an identity of their own, in the order of their slots from 1."""
    sources: tuple[str, ...]
    """Reference conventions, in the order of their slots from 1."""

    @model_validator(mode="after")
    def _lengths(self) -> Self:
        if not len(self.nuclei) == len(self.shift_mean_ppm) == len(self.shift_scale_ppm) > 0:
            raise ValueError("nuclei, shift_mean_ppm and shift_scale_ppm differ in length")
        return self

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "NetworkConfig":
        """Read a config that went through JSON.

        Raises:
            ConfigError: a setting is missing, unknown or out of range.
        """
        try:
            return cls.model_validate(values, strict=False)
        except ValueError as error:
            raise ConfigError(f"network settings are not valid: {error}") from None


class ShiftNetwork(nn.Module):
    """Shifts of every labelled or wanted atom of a batch of molecules."""

    def __init__(self, config: NetworkConfig) -> None:
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
            GatedLayer(config.d_h, config.d_e, config.d_ffn, config.dropout)
            for _ in range(config.n_layers)
        )
        self.norm = nn.LayerNorm(config.d_h)
        self.conditioner = Conditioner(
            config.solvent_dim, len(config.solvents) + 1, len(config.sources) + 1, config.d_c
        )
        self.heads = nn.ModuleDict({nucleus: _head(config, nucleus) for nucleus in config.nuclei})

    def encode(self, batch: BatchTensors) -> Tensor:
        """Return the representation of every atom ``[n_atoms, d_h]``."""
        h = self.embed_atoms(batch.V)
        if self.embed_environments is not None:
            h = h + self.embed_environments(batch.environments)
        e = self.embed_edges(batch.E)
        for layer in self.layers:
            h, e = layer(h, e, batch.edges)
        encoded: Tensor = self.norm(h)
        return encoded

    @torch.inference_mode()
    def represent(self, batch: GraphBatch, environments: NDArray[np.int64]) -> Tensor:
        """Return the representation of every atom ``[n_atoms, d_h]``, for prediction.

        The numbers are those of :meth:`encode`; equal environments are computed once.

        Args:
            batch: the molecules.
            environments: environment codes of their atoms ``[n_atoms, n_radii]``.
        """
        embed = self.embed_environments
        classes = distinct_graph(
            batch, self.config.n_layers, None if embed is None else environments
        )
        graph = distinct_tensors(classes, self.norm.weight.device)
        h = self.embed_atoms(graph.V)
        if embed is not None:
            h = h + embed(torch.from_numpy(environments[classes.atoms]).to(h.device))
        e = self.embed_edges(graph.E)
        for layer, step in zip(self.layers, graph.rounds, strict=True):
            h, e = cast("GatedLayer", layer).on_classes(h, e, step)
        encoded: Tensor = self.norm(h)[graph.atom_class]
        return encoded

    def condition(self, conditions: Conditions) -> Tensor:
        """Return one vector a measuring condition ``[n_conditions, d_c]``."""
        vector: Tensor = self.conditioner(conditions.vector, conditions.solvent, conditions.source)
        return vector

    def read_out(self, nucleus: str, h: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log scale of atoms, in units of the nucleus' spread.

        Args:
            nucleus: one of ``config.nuclei``.
            h: representations of the atoms wanted ``[n, d_h]``.
            condition: the condition of each ``[n, d_c]``, or of all ``[1, d_c]``.
        """
        mean, log_scale = self.heads[nucleus](h, condition)
        return mean, log_scale

    def to_ppm(self, nucleus: str, mean: Tensor) -> Tensor:
        """Turn a mean in units of the nucleus' spread into ppm, in double precision."""
        row = self.config.nuclei.index(nucleus)
        scale, centre = self.config.shift_scale_ppm[row], self.config.shift_mean_ppm[row]
        return mean.to(torch.float64) * scale + centre

    def scale_ppm(self, nucleus: str, log_scale: Tensor) -> Tensor:
        """Turn a log scale in units of the nucleus' spread into an error scale in ppm."""
        row = self.config.nuclei.index(nucleus)
        return log_scale.to(torch.float64).exp() * self.config.shift_scale_ppm[row]


def _head(config: NetworkConfig, nucleus: str) -> nn.Module:
    if nucleus in config.n_centres:
        return KernelHead(config.d_h, config.n_centres[nucleus])
    return ShiftHead(config.d_h, config.d_c, config.d_head, config.dropout)
