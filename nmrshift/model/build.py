"""The table of architectures."""

from collections.abc import Callable, Mapping
from typing import Final

from nmrshift.model.ensemble import EnsembleNetwork
from nmrshift.model.network import Architecture, NetworkConfig, ShiftNetwork
from nmrshift.model.seed_network import SeedNetwork

ARCHITECTURES: Final[Mapping[Architecture, Callable[[NetworkConfig], ShiftNetwork]]] = {
    "gated": ShiftNetwork,
    "seed2023": SeedNetwork,
    "ensemble": EnsembleNetwork,
}


def build_network(config: NetworkConfig) -> ShiftNetwork:
    """Make a network with fresh weights."""
    return ARCHITECTURES[config.architecture](config)
