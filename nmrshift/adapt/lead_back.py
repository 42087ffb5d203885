"""From what was learned back towards the base, until public answers are near enough.

Between two networks of which one began as the other, weights can be averaged: most of what was
learned stays while most of what was unlearned comes back (Wortsman et al., arXiv 2109.01903).
"""

import copy
from dataclasses import dataclass
from typing import Final

import torch

from nmrshift.adapt.choice import MOST_GROWTH
from nmrshift.adapt.control import Control
from nmrshift.model.network import ShiftNetwork

_AIM: Final = 0.8
"""Part of the allowed growth that is used: on other public molecules it may be larger."""

_HALVINGS: Final = 4


@dataclass(frozen=True, slots=True)
class LedBack:
    """A network that costs no more public knowledge than is allowed, if there is one.

    Attributes:
        network: the weights.
        share: of what was learned, 0-1; 1 is all of it.
        growth: share by which the error on public molecules grows, by nucleus.
    """

    network: ShiftNetwork
    share: float
    growth: dict[str, float]


def lead_back(start: ShiftNetwork, end: ShiftNetwork, watch: Control) -> LedBack:
    """Keep as much of what was learned as public knowledge allows.

    Args:
        start: the network that learning began with.
        end: what it came to.
        watch: measures what a network costs public knowledge.

    Returns:
        The end as it is where it costs little enough; also where nothing between does.
    """
    found = LedBack(end, 1.0, _growth(end, watch))
    if _is_near(found):
        return found
    best, low, high = found, 0.0, 1.0
    for _ in range(_HALVINGS):
        share = (low + high) / 2
        network = between(start, end, share)
        tried = LedBack(network, share, _growth(network, watch))
        if _is_near(tried):
            best, low = tried, share
        else:
            high = share
    return best


@torch.no_grad()
def between(start: ShiftNetwork, end: ShiftNetwork, share: float) -> ShiftNetwork:
    """Return the weighted mean of two networks of one shape.

    Args:
        start: weights of share 0.
        end: weights of share 1.
        share: 0-1.
    """
    network = copy.deepcopy(end)
    old = start.state_dict()
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            value.copy_(torch.lerp(old[name], value, share))
    return network


def _growth(network: ShiftNetwork, watch: Control) -> dict[str, float]:
    return {public.nucleus: public.growth for public in watch(network)}


def _is_near(found: LedBack) -> bool:
    return max(found.growth.values(), default=0.0) <= _AIM * MOST_GROWTH
