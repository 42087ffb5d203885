"""Fine-tuning: the whole encoder and a small head learn from a few spectra of one nucleus.

Every encoder gets the same recipe and the same number of steps; what differs is where its weights
start, and the share of the learning rate at which they move. Muon for the encoder's matrices and
AdamW for the rest, as in training.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from nmrshift.model.encoder import Encoder, EncoderConfig
from nmrshift.probe.batches import LabelledGraphs
from nmrshift.probe.settings import FineTuning
from nmrshift.train.average import move_average
from nmrshift.train.config import Schedule
from nmrshift.train.loop import learning_rate
from nmrshift.train.optimiser import Optimiser

_HEAD: Final = "head."


@dataclass(frozen=True, slots=True)
class _Unit:
    """In which shifts are learned: counted from their middle, in units of their spread."""

    centre_ppm: float
    spread_ppm: float


class TunedNetwork(Encoder):
    """An encoder with a head for one nucleus."""

    def __init__(self, config: EncoderConfig, d_head: int) -> None:
        super().__init__(config)
        out = nn.Linear(d_head, 1)
        nn.init.zeros_(out.weight)
        nn.init.zeros_(out.bias)
        self.head = nn.Sequential(nn.Linear(config.d_h, d_head), nn.SiLU(), out)

    def shifts(self, batch: LabelledGraphs) -> Tensor:
        """Return a shift for every label, in units of the nucleus' spread ``[n_labels]``."""
        found: Tensor = self.head(self.encode(batch.graphs)[batch.atom]).squeeze(-1)
        return found


def fine_tune(
    encoder: Encoder,
    training: Sequence[LabelledGraphs],
    tests: Sequence[LabelledGraphs],
    recipe: FineTuning,
    seed: int,
    encoder_rate: float = 1.0,
) -> NDArray[np.float64]:
    """Learn from some spectra and predict others.

    Args:
        encoder: where the weights start; it is not changed.
        training: what is learned from.
        tests: what is predicted.
        recipe: the same for every encoder.
        seed: of the head's weights, of dropout and of the order of batches.
        encoder_rate: learning rate of the encoder in units of the head's.

    Returns:
        Predicted shifts of the tests' labels, ppm ``[n_labels]``.

    Raises:
        ArithmeticError: the loss is no longer finite.
    """
    labels = torch.cat([batch.shift_ppm for batch in training])
    unit = _Unit(float(labels.median()), float(labels.std().clamp_min(1.0)))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        config = encoder.config.model_copy(update={"dropout": recipe.dropout})
        network = TunedNetwork(config, recipe.d_head)
        network.load_state_dict(encoder.state_dict(), strict=False)
        _learn(network.train(), training, recipe, unit, seed, encoder_rate)
    with torch.inference_mode():
        found = torch.cat([network.eval().shifts(batch) for batch in tests])
    predicted: NDArray[np.float64] = (found.double() * unit.spread_ppm + unit.centre_ppm).numpy()
    return predicted


def _learn(
    network: TunedNetwork,
    training: Sequence[LabelledGraphs],
    recipe: FineTuning,
    unit: _Unit,
    seed: int,
    encoder_rate: float,
) -> None:
    """Train a network and leave the moving average of its weights in it."""
    settings = Schedule(learning_rate=recipe.learning_rate, weight_decay=recipe.weight_decay)
    optimiser = Optimiser(network, settings, shares={_HEAD: 1.0, "": encoder_rate})
    targets = [(batch.shift_ppm - unit.centre_ppm) / unit.spread_ppm for batch in training]
    parameters = list(network.parameters())
    average = {name: value.clone() for name, value in network.state_dict().items()}
    rng = np.random.default_rng([seed, len(training)])
    order: list[int] = []
    for step in range(recipe.steps):
        order = order or rng.permutation(len(training)).tolist()
        number = order.pop()
        found = network.shifts(training[number])
        loss = functional.huber_loss(found, targets[number], delta=recipe.huber_delta)
        loss = loss / recipe.huber_delta
        if not torch.isfinite(loss):
            raise ArithmeticError(f"the loss is not finite at step {step}")
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(parameters, settings.clip_norm)
        optimiser.step(learning_rate(step, recipe.steps, settings))
        move_average(average, network, min(recipe.average_decay, (1 + step) / (10 + step)))
    network.load_state_dict(average)
