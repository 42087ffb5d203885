"""Train every method on the same spectra for as long, calibrate it in the same way, score it."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from nmrshift.benchmark.spectra import Library
from nmrshift.benchmark.uncertainty.methods import METHODS, TRAININGS, Method, spread
from nmrshift.benchmark.uncertainty.scores import Scores, fit_factors, scores
from nmrshift.data.dataset import ShiftDataset, load_dataset
from nmrshift.data.gather import DataPart
from nmrshift.data.records import write_records
from nmrshift.model.network import ShiftNetwork
from nmrshift.train.checkpoint import write_whole
from nmrshift.train.config import DataFile, NetworkShape, Optimisation, TrainConfig
from nmrshift.train.data import TrainingData, prepare
from nmrshift.train.loop import fit, network_config

NUCLEI: Final = ("13C", "19F")
TRAINING: Final = (
    ("cascade_exp5k/train", "13C"),
    ("pfas_19f/train", "19F"),
    ("fragments_19f/train", "19F"),
    ("nmrshiftdb2/assigned", "19F"),
)
TESTS: Final = (
    ("cascade_exp5k/test", "13C"),
    ("nmrshiftdb2/test", "13C"),
    ("pfas_19f/test", "19F"),
    ("fragments_19f/test", "19F"),
)
SHAPE: Final = NetworkShape(n_layers=4, d_h=128, d_e=64, d_ffn=256, d_c=16, d_head=128, dropout=0.1)
OPTIMISATION: Final = Optimisation(
    epochs=30,
    batch_atoms=1500,
    learning_rate=4e-3,
    weight_decay=0.05,
    average_decay=0.99,
    nucleus_weight={"13C": 1.0, "19F": 3.0},
    nucleus_repeat={"19F": 2},
    bfloat16=False,
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
        library: the spectra.
        out: where trainings and results go.
        report: told in words how it goes.
        shape: of every network.
        optimisation: of every training.
        quiet: show no progress bars.
    """

    library: Library
    out: Path
    report: Callable[[str], None]
    shape: NetworkShape = SHAPE
    optimisation: Optimisation = OPTIMISATION
    quiet: bool = False

    def run(self, names: Sequence[str]) -> Iterator[Result]:
        """Yield the results of methods, training what is not trained yet."""
        for name in names:
            done = self.out / f"{name}.json"
            if not done.exists():
                found = [_to_dict(result) for result in self._measure(name)]
                write_whole(done, json.dumps(found, indent=1).encode())
            yield from (_from_dict(values) for values in json.loads(done.read_text("utf-8")))

    def train(self, training: str, seed: int) -> ShiftNetwork:
        """Train one network, go on with its training, or take it from its folder."""
        config, data = self._data(seed)
        way, folder = TRAININGS[training], self.out / f"{training}_seed{seed}"
        folder.mkdir(parents=True, exist_ok=True)
        weights = folder / _WEIGHTS
        if weights.exists():
            network = way.build(network_config(config, data))
            network.load_state_dict(load_file(weights), strict=True)
            return network.eval()
        network = fit(
            config,
            data,
            folder,
            resume=True,
            report=self.report,
            quiet=self.quiet,
            build=way.build,
            criterion=way.criterion,
        )
        save_file(network.state_dict(), weights)
        return network

    def _measure(self, name: str) -> Iterator[Result]:
        method = METHODS[name]
        networks = [self.train(method.training, seed) for seed in range(1, method.members + 1)]
        _, data = self._data(1)
        held_out = spread(networks, method.passes, data.dataset, data.held_out)
        cost = self._cost(method, networks)
        for test, nucleus in TESTS:
            number = NUCLEI.index(nucleus)
            factors = fit_factors(held_out.at(held_out.nucleus == number))
            dataset = self._test(test)
            found = spread(networks, method.passes, dataset, np.arange(dataset.n_mols))
            scored = scores(found.at(found.nucleus == number), factors)
            yield Result(name, test, nucleus, scored, round(cost, 2))

    def _data(self, seed: int) -> tuple[TrainConfig, TrainingData]:
        config = TrainConfig(
            name="uncertainty",
            version="0",
            seed=seed,
            nuclei=NUCLEI,
            data=tuple(
                DataFile(path=self._file(name, nucleus), source_name=name, licence="-")
                for name, nucleus in TRAINING
            ),
            exclude_connectivities=self.library.folder / "test_connectivities.json",
            validation_fraction=0.12,
            cache=self.out / "cache",
            threads=torch.get_num_threads(),
            network=self.shape,
            optimisation=self.optimisation,
        )
        return config, prepare(config, self.report)

    def _file(self, name: str, nucleus: str) -> Path:
        """Write the assigned spectra of one nucleus to a file of their own."""
        path = self.out / "records" / f"{name.replace('/', '_')}_{nucleus}.jsonl.gz"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            records = self.library.read(name)
            chosen = [item for item in records if item.nucleus == nucleus and item.shifts]
            write_records(path, chosen)
        return path

    def _test(self, name: str) -> ShiftDataset:
        nucleus = dict(TESTS)[name]
        part = DataPart(self._file(name, nucleus), 1.0, 1.0, 0.0, ())
        return load_dataset(
            [part], NUCLEI, self.shape.features, self.out / "cache", report=self.report
        )

    def _cost(self, method: Method, networks: Sequence[ShiftNetwork], repeats: int = 3) -> float:
        """Return processor time of a method's answers over that of one plain network's."""
        dataset = self._test(TESTS[0][0])
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
