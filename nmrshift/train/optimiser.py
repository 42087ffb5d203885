"""Muon for the matrices of the encoder, AdamW for everything else.

Muon makes the update of a matrix orthogonal before it is applied, so that no direction dominates
(Jordan et al. 2024, kellerjordan.github.io/posts/muon; Liu et al., arXiv 2502.16982, for the scale
that lets both share one learning rate). Here it needs a third of AdamW's epochs for the same error.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from nmrshift.train.config import Optimisation
from nmrshift.train.muon import Muon

_ENCODER = "layers."


class Optimiser:
    """Both optimisers under one learning rate, with their state as named tensors."""

    def __init__(self, network: nn.Module, settings: Optimisation) -> None:
        self._named = dict(network.named_parameters())
        muon = {
            name: parameter
            for name, parameter in self._named.items()
            if parameter.ndim == 2 and name.startswith(_ENCODER)
        }
        rest = [parameter for name, parameter in self._named.items() if name not in muon]
        rate, decay = settings.learning_rate, settings.weight_decay
        adamw = torch.optim.AdamW(
            [
                {"params": [p for p in rest if p.ndim > 1], "weight_decay": decay},
                {"params": [p for p in rest if p.ndim <= 1], "weight_decay": 0.0},
            ],
            lr=rate,
            fused=True,
        )
        self._parts: list[torch.optim.Optimizer] = [adamw]
        if muon:
            self._parts.append(Muon(muon.values(), lr=rate, weight_decay=decay))

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for part in self._parts:
            part.zero_grad(set_to_none=True)

    def step(self, learning_rate: float) -> None:
        """Apply the gradients at a learning rate."""
        for part in self._parts:
            for group in part.param_groups:
                group["lr"] = learning_rate
            part.step()

    def tensors(self) -> dict[str, Tensor]:
        """Return the moments, named ``<moment>.<parameter>``."""
        return {
            f"{key}.{name}": value
            for part in self._parts
            for name, parameter in self._named.items()
            for key, value in part.state.get(parameter, {}).items()
        }

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Put moments back; those of parameters that are not there are passed over."""
        states: dict[str, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            moment, _, name = key.partition(".")
            states.setdefault(name, {})[moment] = value
        for part in self._parts:
            own = {id(p) for group in part.param_groups for p in group["params"]}
            for name, state in states.items():
                parameter = self._named.get(name)
                if parameter is not None and id(parameter) in own:
                    part.state[parameter] = state
