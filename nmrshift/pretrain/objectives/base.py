"""What an objective is."""

from abc import ABC, abstractmethod

import numpy as np
import torch
from torch import Tensor, nn

from nmrshift.model.encoder import Encoder
from nmrshift.pretrain.masking import Masked, PretrainBatch


class Objective(nn.Module, ABC):
    """Something to learn from molecules without measured shifts.

    Attributes:
        needs_mask: whether it looks at the masked encoding that objectives share.
        weight: its share in the loss.
    """

    needs_mask = True

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight = weight

    @abstractmethod
    def loss(
        self,
        encoder: Encoder,
        batch: PretrainBatch,
        masked: Masked | None,
        rng: np.random.Generator,
    ) -> Tensor:
        """Return the loss of a batch, a number of the order of one.

        Args:
            encoder: what is pretrained.
            batch: the molecules.
            masked: their masked encoding; there is one if ``needs_mask``.
            rng: source of chance.
        """

    @torch.no_grad()
    def after_step(self, encoder: Encoder) -> None:
        """Follow the encoder after its weights have moved."""
        del encoder


def seen(masked: Masked | None) -> Masked:
    """Return the masked encoding.

    Raises:
        ValueError: there is none.
    """
    if masked is None:
        raise ValueError("this objective needs the masked encoding")
    return masked
