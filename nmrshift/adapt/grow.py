"""A network with more conventions, solvents or nuclei, its old answers unchanged."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from nmrshift.errors import ConfigError
from nmrshift.model.build import build_network
from nmrshift.model.heads import KernelHead, Neighbours
from nmrshift.model.network import ShiftNetwork

_TABLES: Final = {
    "sources": "conditioner.sources.weight",
    "solvents": "conditioner.solvents.weight",
}


@dataclass(frozen=True, slots=True)
class NewHead:
    """The head of a nucleus that a network does not have.

    Attributes:
        head: what answers.
        mean_ppm: centre of the nucleus' shifts.
        spread_ppm: their standard deviation: the unit in which the head answers.
    """

    head: KernelHead
    mean_ppm: float
    spread_ppm: float


def with_source(network: ShiftNetwork, name: str, like: str | None = None) -> ShiftNetwork:
    """Return a copy that knows a further reference convention.

    A name that the network knows already stays as it is.

    Args:
        network: the network.
        name: of the convention.
        like: the convention that it equals at first; the general one if ``None``.

    Raises:
        ConfigError: the network knows no conventions at all.
    """
    grown = _lengthen(network, "sources", (name,))
    if like is not None and name not in network.config.sources:
        rows = grown.conditioner.sources.weight
        with torch.no_grad():
            rows[-1] = rows[1 + grown.config.sources.index(like)]
    return grown


def with_modulation(network: ShiftNetwork, name: str) -> ShiftNetwork:
    """Return a copy that knows a further convention with a modulation of the heads of its own.

    Conditions get one number more, which is 1 under the new convention and 0 under all others.
    What it does to the first layer of a head is the last column of ``modulate``; that is zero at
    first, so the new convention equals the general one, and the old answers stay as they are.

    Raises:
        ConfigError: the network knows no conventions at all, or this one already.
    """
    if name in network.config.sources:
        raise ConfigError(f"the model has a convention {name!r} already")
    named = with_source(network, name)
    config = named.config.model_copy(update={"d_c": named.config.d_c + 1})
    grown = build_network(config)
    shapes = {key: value.shape for key, value in grown.state_dict().items()}
    state = {key: _padded(value, shapes[key]) for key, value in named.state_dict().items()}
    row = 1 + config.sources.index(name)
    state[_TABLES["sources"]][row, -1] = 1.0
    state["conditioner.mix.weight"][-1, -1] = 1.0 / float(functional.silu(torch.ones(())))
    grown.load_state_dict(state, strict=True)
    return grown.eval()


def _padded(value: Tensor, shape: torch.Size) -> Tensor:
    """Return a tensor with zeros at the end of every dimension that is too short."""
    missing = [
        n
        for wanted, found in zip(reversed(shape), reversed(value.shape), strict=True)
        for n in (0, wanted - found)
    ]
    return functional.pad(value, missing)


def with_offset(network: ShiftNetwork, name: str, offset_ppm: Mapping[str, float]) -> ShiftNetwork:
    """Return a copy in which all shifts of a convention lie further by a constant.

    Args:
        network: knows the convention.
        name: of the convention.
        offset_ppm: of the nuclei that lie apart.
    """
    config = network.config
    own = config.offset_sources
    state = dict(network.state_dict())
    if name not in own:
        rows = state.get("offsets", torch.zeros(0, len(config.nuclei)))
        state["offsets"] = functional.pad(rows, (0, 0, 0, 1))
        own = (*own, name)
    offsets = state["offsets"].clone()
    for nucleus, value_ppm in offset_ppm.items():
        number = config.nuclei.index(nucleus)
        offsets[own.index(name), number] += value_ppm / config.shift_scale_ppm[number]
    grown = build_network(config.model_copy(update={"offset_sources": own}))
    grown.load_state_dict({**state, "offsets": offsets}, strict=True)
    return grown.eval()


def with_neighbours(
    network: ShiftNetwork, name: str, neighbours: Mapping[str, Neighbours]
) -> ShiftNetwork:
    """Return a copy in which a convention has corrections of its own, in place of earlier ones.

    Args:
        network: has an offset for the convention, see :func:`with_offset`.
        name: of the convention.
        neighbours: by nucleus; those that are not named have none.
    """
    config = network.config
    prefix = f"neighbours.{config.offset_sources.index(name)}."
    others = {key: value for key, value in config.neighbours.items() if key != name}
    own = {nucleus: len(item.alpha) for nucleus, item in neighbours.items()}
    known = {**others, name: own} if own else others
    state = {k: v for k, v in network.state_dict().items() if not k.startswith(prefix)}
    for nucleus, item in neighbours.items():
        state |= {f"{prefix}{nucleus}.{key}": value for key, value in item.state_dict().items()}
    grown = build_network(config.model_copy(update={"neighbours": known}))
    grown.load_state_dict(state, strict=True)
    return grown.eval()


def with_solvents(network: ShiftNetwork, keys: Sequence[str]) -> ShiftNetwork:
    """Return a copy that has embeddings of further solvents, which say nothing at first.

    Until they learn, a solvent is placed by its descriptors alone, as it was before.

    Raises:
        ConfigError: the network knows no solvents at all.
    """
    return _lengthen(network, "solvents", tuple(keys))


def with_nuclei(network: ShiftNetwork, heads: Mapping[str, NewHead]) -> ShiftNetwork:
    """Return a copy that has further nuclei, after its own.

    Args:
        network: has none of them.
        heads: of each new nucleus.
    """
    config = network.config
    new = {
        "nuclei": (*config.nuclei, *heads),
        "shift_mean_ppm": (*config.shift_mean_ppm, *(h.mean_ppm for h in heads.values())),
        "shift_scale_ppm": (*config.shift_scale_ppm, *(h.spread_ppm for h in heads.values())),
        "n_centres": {
            **config.n_centres,
            **{nucleus: len(new.head.alpha) for nucleus, new in heads.items()},
        },
    }
    grown = build_network(config.model_copy(update=new))
    state = dict(network.state_dict())
    if config.offset_sources:
        state["offsets"] = functional.pad(state["offsets"], (0, len(heads)))
    for nucleus, item in heads.items():
        state |= {f"heads.{nucleus}.{name}": v for name, v in item.head.state_dict().items()}
    grown.load_state_dict(state, strict=True)
    return grown.eval()


def _lengthen(network: ShiftNetwork, table: str, names: tuple[str, ...]) -> ShiftNetwork:
    """Add rows to a table of embeddings, each a copy of the first one, which stands for none."""
    config = network.config
    known: tuple[str, ...] = getattr(config, table)
    new = tuple(name for name in names if name not in known)
    if not new:
        return copy.deepcopy(network)
    state, weight = dict(network.state_dict()), _TABLES[table]
    if weight not in state:
        raise ConfigError(
            f"networks of the kind {config.architecture!r} know no {table}",
            hint="Adapt a model of the kind 'gated', as the shipped one is.",
        )
    state[weight] = torch.cat([state[weight], state[weight][:1].expand(len(new), -1)])
    grown = build_network(config.model_copy(update={table: (*known, *new)}))
    grown.load_state_dict(state, strict=True)
    return grown.eval()


def without_solvents(network: ShiftNetwork, n_last: int) -> ShiftNetwork:
    """Return a copy without the embeddings of the last solvents, which have learned nothing.

    Args:
        network: the network.
        n_last: how many.
    """
    if not n_last:
        return network
    weight = _TABLES["solvents"]
    state = dict(network.state_dict())
    state[weight] = state[weight][:-n_last]
    update = {"solvents": network.config.solvents[:-n_last]}
    smaller = build_network(network.config.model_copy(update=update))
    smaller.load_state_dict(state, strict=True)
    return smaller.eval()
