"""Muon: momentum made orthogonal before it moves a matrix.

Jordan et al. 2024 (kellerjordan.github.io/posts/muon); the scale of the step is that of Liu et al.
(arXiv 2502.16982), so that it shares a learning rate with AdamW. torch has it too, one matrix after
another and always in bfloat16, which takes twenty times as long on a processor without
instructions for it; here matrices of one shape are treated together, in a precision the
processor has.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

import torch
from torch import Tensor, nn

from nmrshift.train.precision import native_bfloat16

_A, _B, _C = 3.4445, -4.7750, 2.0315
_ROUNDS: Final = 5
_MOMENTUM: Final = 0.95
_LEAST: Final = 1e-7


class Muon(torch.optim.Optimizer):
    """Muon with Nesterov momentum and decoupled weight decay, for matrices only."""

    def __init__(
        self, parameters: Iterable[nn.Parameter], lr: float, weight_decay: float = 0.0
    ) -> None:
        super().__init__(parameters, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Move every matrix that has a gradient."""
        del closure
        for group in self.param_groups:
            alike: dict[torch.Size, list[Tensor]] = defaultdict(list)
            for matrix in group["params"]:
                if matrix.grad is not None:
                    alike[matrix.shape].append(matrix)
            for shape, matrices in alike.items():
                rate = group["lr"] * 0.2 * max(shape) ** 0.5
                gradients = [(m, m.grad) for m in matrices if m.grad is not None]
                moves = orthogonal(torch.stack([self._momentum(m, g) for m, g in gradients]))
                torch._foreach_mul_(matrices, 1 - group["lr"] * group["weight_decay"])
                torch._foreach_add_(matrices, list(moves.to(matrices[0].dtype)), alpha=-rate)

    def _momentum(self, matrix: Tensor, gradient: Tensor) -> Tensor:
        """Take in the gradient of a matrix; return where the momentum points after it."""
        state = self.state[matrix]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(matrix)
        momentum: Tensor = state["momentum_buffer"].lerp_(gradient, 1 - _MOMENTUM)
        return torch.lerp(gradient, momentum, _MOMENTUM)


def orthogonal(matrices: Tensor) -> Tensor:
    """Return matrices of the same directions with singular values near one ``[n, rows, columns]``.

    Five rounds of Newton and Schulz, which leave them between about 0.7 and 1.2.
    """
    dtype = torch.bfloat16 if native_bfloat16() else matrices.dtype
    x = matrices.to(dtype)
    tall = x.shape[1] > x.shape[2]
    if tall:
        x = x.mT
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=_LEAST)
    for _ in range(_ROUNDS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=_B, alpha=_C), x, beta=_A)
    return x.mT if tall else x
