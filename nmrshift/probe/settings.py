"""How encoders are judged: the same for every one of them."""

from typing import Annotated

from pydantic import Field

from nmrshift.train.config import Fraction, Positive
from nmrshift.train.settings import Frozen

Decay = Annotated[float, Field(ge=0)]


class FineTuning(Frozen):
    """The recipe of fine-tuning.

    Attributes:
        steps: optimiser steps.
        batch_atoms: atoms of a batch, about.
        learning_rate: peak of a linear warm-up and cosine decay.
        encoder_rates: shares of it that the encoder may learn at; for each nucleus and number of
            spectra an encoder gets the one with the smallest error on held-out spectra, for one
            that knows much must move little, and the more there is to learn, the more it may.
        weight_decay: on matrices only.
        dropout: of the encoder while it learns.
        d_head: hidden units of the head.
        average_decay: of the moving average of weights, which is what is measured.
        huber_delta: where the loss turns from square to absolute, in units of the spread.
    """

    steps: Annotated[int, Field(ge=1)] = 300
    batch_atoms: Annotated[int, Field(ge=1)] = 500
    learning_rate: Positive = 1e-2
    encoder_rates: Annotated[tuple[Positive, ...], Field(min_length=1)] = (1.0, 0.3, 0.1, 0.03)
    weight_decay: Decay = 0.1
    dropout: Fraction = 0.1
    d_head: Annotated[int, Field(ge=1)] = 128
    average_decay: Fraction = 0.97
    huber_delta: Positive = 0.01


class LinearGrid(Frozen):
    """The grid of the linear probe.

    Attributes:
        learning_rates: peaks of a cosine decay.
        weight_decays: pulls towards zero, decoupled from the gradient.
        steps: optimiser steps, each on all labels.
        huber_delta: as in fine-tuning.
    """

    learning_rates: Annotated[tuple[Positive, ...], Field(min_length=1)] = (
        3e-3,
        1e-2,
        3e-2,
        1e-1,
        3e-1,
    )
    weight_decays: Annotated[tuple[Decay, ...], Field(min_length=1)] = (0.0, 1e-3, 1e-2)
    steps: Annotated[int, Field(ge=1)] = 300
    huber_delta: Positive = 0.01


class ProbeSettings(Frozen):
    """Settings of the judge.

    Attributes:
        fine_tuning: the recipe of fine-tuning.
        linear: the grid of the linear probe.
        neighbours: numbers of neighbours tried.
    """

    fine_tuning: FineTuning = FineTuning()
    linear: LinearGrid = LinearGrid()
    neighbours: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)] = (
        1,
        2,
        4,
        8,
        16,
    )
