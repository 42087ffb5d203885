"""Muon in the precision that the machine multiplies fast in, matrices of one shape at once.

``torch.optim.Muon`` always works in bfloat16, which a processor without instructions for it
emulates: there it takes longer than the network's own gradients. The update is the same: a matrix'
momentum is made orthogonal by five Newton-Schulz steps (Jordan et al. 2024,
kellerjordan.github.io/posts/muon) and scaled to the size of an AdamW update (Liu et al., arXiv
2502.16982).
"""

import math
from collections.abc import Iterable
from typing import Any, Final

import torch
from torch import Tensor, nn

from nmrshift.train.precision import native_bfloat16

_MOMENTUM: Final = 0.95
_STEPS: Final = 5
_QUINTIC: Final = (3.4445, -4.7750, 2.0315)
_ADAMW_SIZE: Final = 0.2
_SMALLEST_NORM: Final = 1e-7


class Muon(torch.optim.Optimizer):
    """Muon with Nesterov momentum and decoupled weight decay, for matrices only."""

    def __init__(self, params: Iterable[nn.Parameter], lr: float, weight_decay: float) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Apply the gradients."""
        del closure
        for group in self.param_groups:
            by_shape: dict[tuple[int, ...], list[Tensor]] = {}
            for parameter in group["params"]:
                if parameter.grad is not None:
                    by_shape.setdefault(tuple(parameter.shape), []).append(parameter)
            for shape, parameters in by_shape.items():
                rate = group["lr"] * _ADAMW_SIZE * math.sqrt(max(shape))
                updates = orthogonal(self._momenta(parameters))
                torch._foreach_mul_(parameters, 1 - group["lr"] * group["weight_decay"])
                torch._foreach_add_(parameters, updates.unbind(), alpha=-rate)

    def _momenta(self, parameters: list[Tensor]) -> Tensor:
        """Move momenta on and return what the step goes along ``[n, rows, columns]``."""
        for parameter in parameters:
            if "momentum_buffer" not in self.state[parameter]:
                self.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
        momenta = [self.state[parameter]["momentum_buffer"] for parameter in parameters]
        gradients = [p.grad for p in parameters if p.grad is not None]
        torch._foreach_lerp_(momenta, gradients, 1 - _MOMENTUM)
        return torch.lerp(torch.stack(gradients), torch.stack(momenta), _MOMENTUM)


def orthogonal(matrices: Tensor) -> Tensor:
    """Return matrices with singular values near one and the singular vectors of the given ones.

    Args:
        matrices: ``[n, rows, columns]``.

    Returns:
        ``[n, rows, columns]`` in the precision of the given ones.
    """
    a, b, c = _QUINTIC
    fast = torch.bfloat16 if matrices.is_cuda or native_bfloat16() else torch.float32
    tall = matrices.shape[1] > matrices.shape[2]
    x = (matrices.mT if tall else matrices).to(fast)
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp_min(_SMALLEST_NORM)
    for _ in range(_STEPS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return (x.mT if tall else x).to(matrices.dtype)
