"""The moving average of weights, which is what a run keeps."""

from copy import deepcopy
from typing import TypeVar

import torch
from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)


def averaged(network: Network, average: dict[str, Tensor]) -> Network:
    """Return a copy of a network that holds the averaged weights, in evaluation mode."""
    copy = deepcopy(network)
    copy.load_state_dict(average, strict=True)
    return copy.eval()


@torch.no_grad()
def move_average(average: dict[str, Tensor], network: nn.Module, decay: float) -> None:
    """Move averaged weights towards the present ones; counters are copied.

    Args:
        average: the averaged weights by name; changed in place.
        network: has the present ones.
        decay: share of the old average that stays.
    """
    state = network.state_dict()
    floats = [name for name, value in average.items() if value.is_floating_point()]
    torch._foreach_lerp_(
        [average[name] for name in floats], [state[name] for name in floats], 1 - decay
    )
    for name in average.keys() - floats:
        average[name].copy_(state[name])
