"""Ways of learning from few spectra, from cautious to free."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from nmrshift.model.heads import KernelHead
from nmrshift.model.network import ShiftNetwork

WayName = Literal["base", "new-head", "convention", "solvent", "heads", "low-rank", "full"]

_CONVENTION_RATE: Final = 0.02


@dataclass(frozen=True, slots=True)
class Way:
    """What may change.

    Attributes:
        name: of the way.
        words: what it changes, for people.
        solvents: the embeddings of solvents that are new to the base.
        heads: the heads of the laboratory's nuclei.
        rank: of what is added to the encoder's linear maps; 0 adds nothing.
        everything: all weights.
        learning_rate: of all but the convention, which has its own.
        epochs: passes over the spectra, at most; 0 learns nothing but what is solved for.
    """

    name: WayName
    words: str
    solvents: bool = True
    heads: bool = False
    rank: int = 0
    everything: bool = False
    learning_rate: float = 1e-3
    epochs: int = 20

    @property
    def encoder(self) -> bool:
        """Whether the encoder changes."""
        return self.rank > 0 or self.everything


BASE: Final = Way("base", "the base model as it is")

NEW_HEAD: Final = Way("new-head", "the heads of new nuclei, solved for, nothing else")

WAYS: Final = (
    Way(
        "convention",
        "a convention of its own, solved for: its offset, and what atoms alike are off by",
        solvents=False,
        epochs=0,
    ),
    Way("solvent", "and embeddings of solvents that are new to the base", epochs=40),
    Way("heads", "and the heads of its nuclei, on the encoder as it is", heads=True),
    Way("low-rank", "and low-rank updates of the encoder", heads=True, rank=8, learning_rate=2e-3),
    Way(
        "full",
        "and every weight, pulled towards the base's",
        everything=True,
        learning_rate=5e-4,
        epochs=10,
    ),
)


class LowRank(nn.Module):
    """A matrix plus a product of two thin ones, zero at first (Hu et al., arXiv 2106.09685)."""

    def __init__(self, shape: torch.Size, rank: int) -> None:
        super().__init__()
        rows, columns = shape
        self.down = nn.Parameter(torch.randn(rank, columns) / columns**0.5)
        self.up = nn.Parameter(torch.zeros(rows, rank))

    def forward(self, weight: Tensor) -> Tensor:
        """Return the changed matrix ``[rows, columns]``."""
        return weight + self.up @ self.down


@dataclass(frozen=True, slots=True)
class Trained:
    """The parameters that a way changes.

    Attributes:
        groups: for the optimiser.
        pulled: parameters with the values that they are pulled towards.
    """

    groups: list[dict[str, Any]]
    pulled: list[tuple[nn.Parameter, Tensor]]

    def parameters(self) -> list[nn.Parameter]:
        """Return all of them."""
        return [parameter for group in self.groups for parameter in group["params"]]

    def values(self) -> list[Tensor]:
        """Return a copy of their values."""
        return [parameter.detach().clone() for parameter in self.parameters()]

    @torch.no_grad()
    def set(self, values: Sequence[Tensor]) -> None:
        """Put values back that :meth:`values` gave."""
        for parameter, value in zip(self.parameters(), values, strict=True):
            parameter.copy_(value)

    @torch.no_grad()
    def lead(self, average: list[Tensor], share: float) -> None:
        """Move an average of their values towards the present ones, in place."""
        torch._foreach_lerp_(average, [p.detach() for p in self.parameters()], share)

    def distance(self) -> Tensor:
        """Return the squared distance from where they are pulled (Li et al., arXiv 1802.01483)."""
        total = torch.zeros(())
        for parameter, start in self.pulled:
            total = total + (parameter - start).square().sum()
        return total


def open_way(
    network: ShiftNetwork, way: Way, name: str, nuclei: Sequence[str], n_solvents: int = 0
) -> Trained:
    """Free the parameters that a way changes, and fix all others.

    Args:
        network: knows the laboratory's convention.
        way: the way.
        name: of the laboratory.
        nuclei: the laboratory's.
        n_solvents: how many of the last solvents are new to the base.
    """
    network.requires_grad_(requires_grad=way.everything)
    sources = network.conditioner.sources.weight
    tables = [sources]
    _free_rows(sources, 1 + network.config.sources.index(name), 1)
    if n_solvents and way.solvents:
        solvents = network.conditioner.solvents.weight
        tables.append(solvents)
        _free_rows(solvents, len(solvents) - n_solvents, n_solvents)
    groups = [{"params": tables, "lr": _CONVENTION_RATE}]
    free = []
    kept = {id(table) for table in tables}
    for head in network.heads.values():
        if isinstance(head, KernelHead):  # solved for; steps of a size for other heads undo that
            kept |= {id(parameter) for parameter in head.requires_grad_(False).parameters()}
    if way.everything:
        free = [p for p in network.parameters() if id(p) not in kept]
    elif way.heads:
        heads = [network.heads[nucleus] for nucleus in nuclei]
        free = [p for head in heads for p in head.parameters() if id(p) not in kept]
    thin: list[nn.Parameter] = []
    for module in _encoder_maps(network) if way.rank else ():
        update = LowRank(module.weight.shape, way.rank)
        parametrize.register_parametrization(module, "weight", update)
        thin += update.parameters()
    for parameter in free:
        parameter.requires_grad_()
    if free or thin:
        groups.append({"params": free + thin, "lr": way.learning_rate})
    return Trained(groups, [(parameter, parameter.detach().clone()) for parameter in free])


def close_way(network: ShiftNetwork) -> None:
    """Merge low-rank updates into the weights and fix everything."""
    for module in _encoder_maps(network):
        if parametrize.is_parametrized(module, "weight"):
            parametrize.remove_parametrizations(module, "weight", leave_parametrized=True)
    network.requires_grad_(requires_grad=False)


def _encoder_maps(network: ShiftNetwork) -> Iterator[nn.Linear]:
    for module in list(network.layers.modules()):
        if isinstance(module, nn.Linear):
            yield module


def _free_rows(table: Tensor, first: int, n_rows: int) -> None:
    """Let some rows of a table of embeddings learn, and no others."""
    mask = torch.zeros(len(table), 1)
    mask[first : first + n_rows] = 1.0
    table.requires_grad_()
    table.register_hook(lambda gradient: gradient * mask)  # type: ignore[no-untyped-call]
