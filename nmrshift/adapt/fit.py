"""Short runs: one way of learning from a laboratory's molecules."""

import copy
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nmrshift.adapt.answers import rows_of
from nmrshift.adapt.laboratory import Laboratory
from nmrshift.adapt.rehearsal import Rehearsal
from nmrshift.adapt.settings import AdaptSettings
from nmrshift.adapt.ways import Trained, Way, close_way, open_way
from nmrshift.model.network import ShiftNetwork
from nmrshift.model.tensors import Conditions, batch_tensors
from nmrshift.train.config import Optimisation
from nmrshift.train.objective import Targets, dataset_conditions, encoded_loss

MOST_STEPS: Final = 1500
"""Steps of one run, about: passes are fewer where there are many spectra."""

_STEPS_AN_EPOCH: Final = 20
_BATCH_MOLECULES: Final = (4, 32)
_REHEARSED_MOLECULES: Final = 8
_AVERAGE_DECAY: Final = 0.9
_REHEARSAL_WEIGHT: Final = 5.0
_PULL: Final = 1e-3
_LOSS: Final = Optimisation(bfloat16=False)


@dataclass(frozen=True, slots=True)
class Start:
    """What every run begins with.

    Attributes:
        network: the base, with the laboratory's convention.
        laboratory: the spectra.
        h: what the base's encoder makes of all atoms of the laboratory ``[n_atoms, d_h]``.
        rehearsal: public structures.
        nuclei: the laboratory's.
        settings: of the adaptation.
        n_solvents: how many of the last solvents are new to the base.
    """

    network: ShiftNetwork
    laboratory: Laboratory
    h: Tensor
    rehearsal: Rehearsal
    nuclei: tuple[str, ...]
    settings: AdaptSettings
    n_solvents: int = 0


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a run came to.

    Attributes:
        network: with averaged weights.
        epochs: passes over the molecules.
        seconds: how long it took.
    """

    network: ShiftNetwork
    epochs: int
    seconds: float


def fit(start: Start, way: Way, report: Callable[[str], None]) -> Fitted:
    """Learn in one way, for the passes that it has; the held-out molecules say what that is worth.

    With so few molecules, some of them put aside to say when to stop would say it by chance. What
    is kept is a moving average of the weights: few molecules make single steps erratic. Dropout
    stays off: what the base says is what is held on to.

    Raises:
        ArithmeticError: the loss is no longer finite.
    """
    began = time.monotonic()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(start.settings.seed)
        network = copy.deepcopy(start.network).eval()
        trained = open_way(network, way, start.settings.name, start.nuclei, start.n_solvents)
    run = _Run(start, way, network, trained)
    for number in range(1, run.epochs + 1):
        run.epoch(number)
    trained.set(run.average)
    close_way(network)
    seconds = time.monotonic() - began
    report(f"{way.name}: {run.epochs} passes, {seconds:.0f} s")
    return Fitted(network, run.epochs, seconds)


class _Run:
    """The moving parts of one run."""

    def __init__(self, start: Start, way: Way, network: ShiftNetwork, trained: Trained) -> None:
        self._start, self._way, self._network, self._trained = start, way, network, trained
        self._dataset = start.laboratory.dataset
        self._table: Conditions = dataset_conditions(self._dataset, network.config)
        self._optimiser = torch.optim.AdamW(trained.groups, weight_decay=0.0)
        self._rng = np.random.default_rng([start.settings.seed, len(way.name)])
        self._public = start.rehearsal.batches(_REHEARSED_MOLECULES, self._rng)
        low, high = _BATCH_MOLECULES
        n_mols = len(start.laboratory.learned)
        self._size = min(max(n_mols // _STEPS_AN_EPOCH, low), high)
        most = min(way.epochs, start.settings.epochs or way.epochs)
        self._n_steps = 0
        self.average = trained.values()
        self.epochs = min(most, max(1, MOST_STEPS // -(-n_mols // self._size)))

    def epoch(self, number: int) -> None:
        """Show every training molecule once."""
        for mols in self._batches():
            loss = self._loss(mols)
            if not torch.isfinite(loss):
                raise ArithmeticError(f"{self._way.name}: the loss is not finite, pass {number}")
            self._optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(self._trained.parameters(), _LOSS.clip_norm)
            self._optimiser.step()
            self._n_steps += 1
            decay = min(_AVERAGE_DECAY, self._n_steps / (self._n_steps + 2))
            self._trained.lead(self.average, 1 - decay)

    def _batches(self) -> Iterator[NDArray[np.int64]]:
        order = self._rng.permutation(self._start.laboratory.learned)
        yield from np.split(order, range(self._size, len(order), self._size))

    def _loss(self, mols: NDArray[np.int64]) -> Tensor:
        graphs, labels, lists = self._dataset.batch(mols)
        if self._way.encoder:
            h = self._network.encode(batch_tensors(graphs))
        else:
            h = self._start.h[rows_of(self._dataset.graphs, mols)]
        rows = np.arange(len(self._dataset.condition_solvent))
        targets = Targets(labels, lists, rows)
        loss = encoded_loss(self._network, h, targets, self._table, _LOSS, 1.0)
        if self._trained.pulled:
            loss = loss + _PULL * self._trained.distance()
            loss = loss + _REHEARSAL_WEIGHT * self._start.rehearsal.loss(
                self._network,
                next(self._public),
                self._rng,
                _LOSS.huber_delta,
                encoder=self._way.encoder,
            )
        return loss
