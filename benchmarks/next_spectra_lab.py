"""Chosen spectra against random ones: what a simulated laboratory gains as spectra are added.

    python benchmarks/next_spectra_lab.py ../shared/data --out DIR [--lab pfas] [--draws 10]

``DIR`` is that of ``laboratories.py``, whose base model is used, and trained where it is missing.
Of a laboratory's 200 spectra the first n in the order of ``learn-next``, or in random ones, give
corrections of atoms alike (the way ``convention`` of ``nmrshift adapt``); the error is that of the
network on the laboratory's 100 other molecules.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from lab_base import base_model
from lab_data import LABORATORIES, Bench, SimulatedLab
from numpy.typing import NDArray
from torch import Tensor

from nmrshift import Predictor
from nmrshift.adapt.answers import answer, encode
from nmrshift.adapt.grow import with_neighbours, with_offset, with_source
from nmrshift.adapt.neighbours import neighbours_of
from nmrshift.adapt.next_spectra import learn_next
from nmrshift.benchmark.spectra import Library
from nmrshift.data.dataset import ShiftDataset, as_dataset
from nmrshift.model.network import ShiftNetwork
from nmrshift.train.objective import dataset_conditions
from nmrshift.types import Query

NAME = "lab"
SIZES = (10, 20, 35, 50, 100)
MOST_CHOSEN = max(SIZES)


@dataclass(frozen=True)
class Choosing:
    """A laboratory that may measure what it likes of its pool."""

    predictor: Predictor
    laboratory: SimulatedLab

    @cached_property
    def network(self) -> ShiftNetwork:
        """The base with a convention of the laboratory's own, which says nothing yet."""
        named = with_source(self.predictor.artifact.network, NAME)
        return with_neighbours(with_offset(named, NAME, {}), NAME, {})

    @cached_property
    def dataset(self) -> ShiftDataset:
        """The spectra that measure, then those of the pool."""
        spectra = [*self.laboratory.tested, *self.laboratory.pool]
        config = self.network.config
        records = [replace(record, source=NAME) for record in spectra]
        found = as_dataset(records, config.nuclei, config.features, lambda _: None)
        if found.n_mols != len(spectra):
            raise ValueError("a molecule of the laboratory has two spectra, or none that is usable")
        return found

    @cached_property
    def h(self) -> Tensor:
        """What the encoder makes of all atoms; corrections do not change it."""
        return encode(self.network, self.dataset.graphs)

    @cached_property
    def order(self) -> tuple[int, ...]:
        """Places in the pool in the order of ``learn-next``."""
        queries = [Query(one.smiles, solvent=one.solvent) for one in self.laboratory.pool]
        nuclei = (self.laboratory.rule.nucleus,)
        found = learn_next(self.predictor, queries, n=MOST_CHOSEN, nuclei=nuclei)
        return tuple(one.index for one in found.chosen)

    def error_ppm(self, learned: Sequence[int]) -> float:
        """Return the mean error on the molecules that measure.

        Args:
            learned: places in the pool of the spectra to learn from.
        """
        network, dataset = self.network, self.dataset
        tested = np.arange(len(self.laboratory.tested))
        mols = np.sort(np.array([len(tested) + place for place in learned], dtype=np.int64))
        if len(mols):
            known = neighbours_of(network, dataset, mols, seed=1).neighbours
            network = with_neighbours(network, NAME, known)
        table = dataset_conditions(dataset, network.config)
        return float(answer(network, dataset, tested, table, h=self.h).error_ppm.mean())

    def random_ppm(self, sizes: Sequence[int], draws: int) -> NDArray[np.float64]:
        """Return the mean errors of random orders ``[n_draws, n_sizes]``."""
        n_pool = len(self.laboratory.pool)
        orders = [np.random.default_rng([3, n]).permutation(n_pool) for n in range(draws)]
        return np.array([[self.error_ppm(order[:n]) for n in sizes] for order in orders])


def main() -> None:
    """Measure and print."""
    names = [rule.name for rule in LABORATORIES]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--lab", action="append", choices=names)
    parser.add_argument("--draws", type=int, default=10, help="random orders")
    options = parser.parse_args()
    torch.set_num_threads(1)
    bench = Bench(Library(options.data))
    predictor = Predictor.load(base_model(bench, options.out / "base"))
    print("| laboratory | spectra | chosen, MAE in ppm | random, MAE in ppm (standard deviation) |")
    print("|---|---|---|---|")
    for name in options.lab or names:
        choosing = Choosing(predictor, bench.laboratories[name])
        print(f"| {name} | 0 | {choosing.error_ppm([]):.2f} | |", flush=True)
        random = choosing.random_ppm(SIZES, options.draws)
        for place, n in enumerate(SIZES):
            drawn = random[:, place]
            chosen = choosing.error_ppm(choosing.order[:n])
            print(f"| {name} | {n} | {chosen:.2f} | {drawn.mean():.2f} ({drawn.std():.2f}) |")


if __name__ == "__main__":
    main()
