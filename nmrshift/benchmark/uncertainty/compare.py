"""Train every method on the same spectra for as long, calibrate it in the same way, score it."""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from safetensors.torch import load_file, save_file

from nmrshift.benchmark.uncertainty.methods import METHODS, TRAININGS, Method, spread
from nmrshift.benchmark.uncertainty.scores import Scores, fit_factors, scores
from nmrshift.benchmark.uncertainty.setting import NUCLEI, Setting
from nmrshift.model.network import ShiftNetwork
from nmrshift.train.checkpoint import write_whole
from nmrshift.train.config import TrainConfig
from nmrshift.train.data import TrainingData
from nmrshift.train.loop import fit, network_config

TESTS: Final = (
    ("cascade_exp5k/test", "13C"),
    ("nmrshiftdb2/test", "13C"),
    ("pfas_19f/test", "19F"),
    ("fragments_19f/test", "19F"),
)
_WEIGHTS = "weights.safetensors"


@dataclass(frozen=True, slots=True)
class Result:
    """What came out for one method and test.

    Attributes:
        method: key of :data:`~nmrshift.benchmark.uncertainty.methods.METHODS`.
        test: name of the test's file.
        nucleus: what was scored.
        scores: coverage, widths and the rest.
        cost: processor time of a prediction against that of one plain network.
    """

    method: str
    test: str
    nucleus: str
    scores: Scores
    cost: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """A folder of trainings and results; what is done is not done again.

    Attributes:
        setting: what is learned from.
        quiet: show no progress bars.
    """

    setting: Setting
    quiet: bool = False

    def run(self, names: Sequence[str]) -> Iterator[Result]:
        """Yield the results of methods, training what is not trained yet."""
        for name in names:
            done = self.setting.out / f"{name}.json"
            if not done.exists():
                found = [_to_dict(result) for result in self._measure(name)]
                write_whole(done, json.dumps(found, indent=1).encode())
            yield from (_from_dict(values) for values in json.loads(done.read_text("utf-8")))

    def train(self, training: str, seed: int) -> ShiftNetwork:
        """Train one network, go on with its training, or take it from its folder."""
        folder = self.setting.out / f"{training}_seed{seed}"
        return trained(training, *self.setting.training(seed), folder, quiet=self.quiet)

    def _measure(self, name: str) -> Iterator[Result]:
        method = METHODS[name]
        networks = [self.train(method.training, seed) for seed in range(1, method.members + 1)]
        _, data = self.setting.training(1)
        held_out = spread(networks, method.passes, data.dataset, data.held_out)
        cost = self._cost(method, networks)
        for test, nucleus in TESTS:
            number = NUCLEI.index(nucleus)
            factors = fit_factors(held_out.at(held_out.nucleus == number))
            dataset = self.setting.dataset([self.setting.file(test, nucleus)])
            found = spread(networks, method.passes, dataset, np.arange(dataset.n_mols))
            scored = scores(found.at(found.nucleus == number), factors)
            yield Result(name, test, nucleus, scored, round(cost, 2))

    def _cost(self, method: Method, networks: Sequence[ShiftNetwork], repeats: int = 3) -> float:
        """Return processor time of a method's answers over that of one plain network's."""
        dataset = self.setting.dataset([self.setting.file(*TESTS[0])])
        mols = np.arange(dataset.n_mols)
        plain = [self.train("variance", 1)]
        times: dict[str, float] = {}
        for _ in range(repeats):
            for key, members, passes in (
                ("plain", plain, 0),
                ("method", networks, method.passes),
            ):
                began = time.process_time()
                spread(members, passes, dataset, mols)
                spent = time.process_time() - began
                times[key] = min(times.get(key, spent), spent)
        return times["method"] / times["plain"]


def trained(
    training: str, config: TrainConfig, data: TrainingData, folder: Path, *, quiet: bool
) -> ShiftNetwork:
    """Train a network, go on with its training, or take it from its folder.

    Args:
        training: key of :data:`~nmrshift.benchmark.uncertainty.methods.TRAININGS`.
        config: settings.
        data: what it learns from.
        folder: keeps checkpoints and weights.
        quiet: show no progress bar.
    """
    way, weights = TRAININGS[training], folder / _WEIGHTS
    folder.mkdir(parents=True, exist_ok=True)
    if weights.exists():
        network = way.build(network_config(config, data))
        network.load_state_dict(load_file(weights), strict=True)
        return network.eval()
    network = fit(
        config,
        data,
        folder,
        resume=True,
        report=lambda _: None,
        quiet=quiet,
        build=way.build,
        criterion=way.criterion,
    )
    save_file(network.state_dict(), weights)
    return network


def _to_dict(result: Result) -> dict[str, Any]:
    return {
        "method": result.method,
        "test": result.test,
        "nucleus": result.nucleus,
        "scores": result.scores.to_dict(),
        "cost": result.cost,
    }


def _from_dict(values: dict[str, Any]) -> Result:
    return Result(**{**values, "scores": Scores.from_dict(values["scores"])})
