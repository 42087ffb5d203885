"""Prediction of feature codes: one softmax a feature."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from nmrshift.graph.features import Feature


class CodeHead(nn.Module):
    """Predicts the codes of atoms or bonds."""

    def __init__(self, width: int, features: Sequence[Feature]) -> None:
        super().__init__()
        self._widths = [feature.width for feature in features]
        self.hidden = nn.Linear(width, width)
        self.out = nn.Linear(width, sum(self._widths))

    def forward(self, x: Tensor, codes: Tensor) -> Tensor:
        """Return the mean cross entropy.

        Args:
            x: representations ``[n, width]``.
            codes: true codes ``[n, n_features]``, slots of the preset's one table.
        """
        logits = self.out(functional.silu(self.hidden(x)))
        losses, start = [], 0
        for column, width in enumerate(self._widths):
            part = logits[:, start : start + width]
            if width > 1:
                losses.append(functional.cross_entropy(part, codes[:, column] - start))
            start += width
        return torch.stack(losses).mean()
