"""The network: one encoder for all nuclei, one head a nucleus."""

from typing import Annotated, Any, Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from nmrshift.errors import ConfigError
from nmrshift.model.encoder import Encoder, EncoderConfig
from nmrshift.model.heads import Conditioner, KernelHead, Neighbours, ShiftHead
from nmrshift.model.solvent_response import FIELDS, SolventResponse, solvent_difference
from nmrshift.model.tensors import Conditions

Architecture = Literal["gated", "seed2023", "ensemble"]


class NetworkConfig(EncoderConfig):
    """Everything that fixes the shape of the network, stored beside its weights."""

    architecture: Architecture = "gated"
    n_members: int = Field(default=1, ge=1, le=16)
    """Networks of an ensemble; all other settings are those of each of them."""
    d_c: int = Field(default=32, ge=4, le=512)
    d_head: int = Field(default=256, ge=8, le=2048)
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
    offset_sources: tuple[str, ...] = ()
    """Conventions whose shifts lie apart from all others by a constant of each nucleus ..."""
    neighbours: dict[str, dict[str, Annotated[int, Field(ge=1)]]] = Field(default_factory=dict)
    """... and, by nucleus, the number of measured atoms by which those of atoms alike move."""
    response_nuclei: tuple[str, ...] = ()
    """Nuclei whose head does not see the solvent: a :class:`SolventResponse` adds its effect."""
    response_landmarks: int = Field(default=0, ge=0, le=2000)
    """Atoms of training that every response compares with."""

    @model_validator(mode="after")
    def _lengths(self) -> Self:
        if not len(self.nuclei) == len(self.shift_mean_ppm) == len(self.shift_scale_ppm) > 0:
            raise ValueError("nuclei, shift_mean_ppm and shift_scale_ppm differ in length")
        if not set(self.response_nuclei) <= set(self.nuclei):
            raise ValueError("response_nuclei names a nucleus that is none of nuclei")
        if not set(self.offset_sources) <= set(self.sources):
            raise ValueError("offset_sources names a source that is none of sources")
        if not set(self.neighbours) <= set(self.offset_sources):
            raise ValueError("neighbours names a source that is none of offset_sources")
        if not {n for own in self.neighbours.values() for n in own} <= set(self.nuclei):
            raise ValueError("neighbours names a nucleus that is none of nuclei")
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


class ShiftNetwork(Encoder):
    """Shifts of every labelled or wanted atom of a batch of molecules."""

    config: NetworkConfig
    offsets: Tensor
    """Of each offset source ``[n_offset_sources, n_nuclei]``, in units of the nucleus' spread."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        self.conditioner = Conditioner(
            config.solvent_dim, len(config.solvents) + 1, len(config.sources) + 1, config.d_c
        )
        self.heads = nn.ModuleDict({nucleus: _head(config, nucleus) for nucleus in config.nuclei})
        self.responses = nn.ModuleDict(
            {
                nucleus: SolventResponse(config.d_h, config.response_landmarks)
                for nucleus in config.response_nuclei
            }
        )
        if config.offset_sources:
            shape = len(config.offset_sources), len(config.nuclei)
            self.register_buffer("offsets", torch.zeros(shape))
        self.neighbours = nn.ModuleDict(
            {
                str(place): _neighbours(config, config.neighbours.get(source, {}))
                for place, source in enumerate(config.offset_sources)
            }
        )

    def condition(self, conditions: Conditions) -> Tensor:
        """Return one vector a measuring condition ``[n_conditions, width]``.

        The width is ``d_c``. Where nuclei have a response, the condition without its solvent and
        the solvent's difference from chloroform follow; where sources have offsets, a 1 in the
        place of the one that is asked for.
        """
        vector, solvent, source = conditions.vector, conditions.solvent, conditions.source
        parts = [self.conditioner(vector, solvent, source)]
        if self.config.response_nuclei:
            plain = self.conditioner(torch.zeros_like(vector), torch.zeros_like(solvent), source)
            parts += [plain, solvent_difference(vector)]
        if self.config.offset_sources:
            sources, own = self.config.sources, self.config.offset_sources
            slots = torch.tensor([1 + sources.index(name) for name in own], device=source.device)
            parts.append((source[:, None] == slots).to(vector.dtype))
        return torch.cat(parts, dim=-1)

    def read_out(self, nucleus: str, h: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log scale of atoms, in units of the nucleus' spread.

        Args:
            nucleus: one of ``config.nuclei``.
            h: representations of the atoms wanted ``[n, d_h]``.
            condition: the condition of each ``[n, width]``, or of all ``[1, width]``.
        """
        mean, log_scale = self._general(nucleus, h, condition)
        offset = self._offset(nucleus, condition)
        if offset is None:
            return mean, log_scale
        own = condition[:, -len(self.config.offset_sources) :]
        mean = mean + offset
        for place, source in enumerate(self.config.offset_sources):
            if nucleus in self.config.neighbours.get(source, {}) and own[:, place].any():
                correction = self.get_submodule(f"neighbours.{place}.{nucleus}")
                mean = mean + own[:, place] * correction(h)
        return mean, log_scale

    def offset_ppm(self, nucleus: str, condition: Tensor) -> Tensor:
        """Return how far the conditions' sources lie apart from all others ``[n]``, ppm.

        Args:
            nucleus: one of ``config.nuclei``.
            condition: as :meth:`condition` gives it ``[n, width]``.
        """
        offset = self._offset(nucleus, condition)
        scale_ppm = self.config.shift_scale_ppm[self.config.nuclei.index(nucleus)]
        if offset is None:
            return condition.new_zeros(len(condition), dtype=torch.float64)
        return offset.to(torch.float64) * scale_ppm

    def _offset(self, nucleus: str, condition: Tensor) -> Tensor | None:
        n_sources = len(self.config.offset_sources)
        if not n_sources:
            return None
        return condition[:, -n_sources:] @ self.offsets[:, self.config.nuclei.index(nucleus)]

    def _general(self, nucleus: str, h: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        condition = condition[:, : condition.shape[1] - len(self.config.offset_sources)]
        if not self.config.response_nuclei:
            mean, log_scale = self.heads[nucleus](h, condition)
            return mean, log_scale
        d_c = self.config.d_c
        full, plain, difference = torch.split(condition, [d_c, d_c, len(FIELDS)], dim=-1)
        if nucleus not in self.config.response_nuclei:
            mean, log_scale = self.heads[nucleus](h, full)
            return mean, log_scale
        mean, log_scale = self.heads[nucleus](h, plain)
        scale_ppm = self.config.shift_scale_ppm[self.config.nuclei.index(nucleus)]
        return mean + self.responses[nucleus](h, difference) / scale_ppm, log_scale

    def to_ppm(self, nucleus: str, mean: Tensor) -> Tensor:
        """Turn a mean in units of the nucleus' spread into ppm, in double precision."""
        row = self.config.nuclei.index(nucleus)
        scale, centre = self.config.shift_scale_ppm[row], self.config.shift_mean_ppm[row]
        return mean.to(torch.float64) * scale + centre

    def scale_ppm(self, nucleus: str, log_scale: Tensor) -> Tensor:
        """Turn a log scale in units of the nucleus' spread into an error scale in ppm."""
        row = self.config.nuclei.index(nucleus)
        return log_scale.to(torch.float64).exp() * self.config.shift_scale_ppm[row]


def _neighbours(config: NetworkConfig, n_centres: dict[str, int]) -> nn.ModuleDict:
    return nn.ModuleDict({name: Neighbours(config.d_h, n) for name, n in n_centres.items()})


def _head(config: NetworkConfig, nucleus: str) -> nn.Module:
    if nucleus in config.n_centres:
        return KernelHead(config.d_h, config.n_centres[nucleus])
    return ShiftHead(config.d_h, config.d_c, config.d_head, config.dropout)
