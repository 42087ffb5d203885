"""Carry a protocol out, cell by cell; what is done is not done again."""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from nmrshift.benchmark.cell import Cell, Result, Test, read_results, write_results
from nmrshift.benchmark.methods import Method
from nmrshift.benchmark.recipes import from_encoder, our_config, seed_config, together, wide_config
from nmrshift.data.records import write_records
from nmrshift.evaluate.baseline import HeldOut, hose_baseline
from nmrshift.evaluate.score import evaluate
from nmrshift.predict.predictor import Predictor
from nmrshift.train.checkpoint import write_whole
from nmrshift.train.config import TrainConfig
from nmrshift.train.run import run_training
from nmrshift.types import ShiftPredictor

Recipe = Callable[[tuple[str, ...], Path, Path, int, int, Path], TrainConfig]

RECIPES: Final[dict[Method, Recipe]] = {
    "nmrshift": our_config,
    "wide": wide_config,
    "pretrained": our_config,
    "seed": seed_config,
}


@dataclass(frozen=True, slots=True)
class Runner:
    """Where results go and how to speak of them.

    Attributes:
        out: folder of all results; every cell has a folder of its own.
        model: folder of the model that stands for the shipped one; ``None`` is the installed one.
        encoder: folder of a pretrained encoder; without it cells that ask for one are left out.
        report: told in words how it goes.
        quiet: show no progress bars.
    """

    out: Path
    model: Path | None
    encoder: Path | None
    report: Callable[[str], None]
    quiet: bool = False

    def run(self, cells: Iterable[Cell]) -> Iterator[Result]:
        """Yield the results of all cells, measuring those that have none yet."""
        for cell in cells:
            if self.encoder is None and any(one.method == "pretrained" for one in cell.networks):
                continue
            folder = self.out / cell.protocol / cell.name
            done = folder / "result.json"
            if not done.exists():
                self.report(f"{cell.protocol}: {cell.name}, {len(cell.training)} spectra")
                write_results(done, self._measure(cell, folder))
            yield from read_results(done)

    def _measure(self, cell: Cell, folder: Path) -> list[Result]:
        began = time.monotonic()
        predictor: ShiftPredictor | None = None
        if cell.method == "shipped":
            predictor = Predictor.load(self.model)
        elif cell.method != "hose":
            predictor = self._trained(cell, folder)
        seconds = time.monotonic() - began if cell.method in RECIPES else 0.0
        return [
            replace(self._score(cell, test, predictor), seconds=round(seconds, 1))
            for test in cell.tests
        ]

    def _trained(self, cell: Cell, folder: Path) -> Predictor:
        """Train on the cell's spectra, without any test molecule, or go on with that."""
        spectra, excluded = folder / "train.jsonl.gz", folder / "excluded.json"
        folder.mkdir(parents=True, exist_ok=True)
        write_records(spectra, cell.training, force=True)
        held_out = HeldOut.of(record.smiles for test in cell.tests for record in test.records)
        write_whole(excluded, json.dumps(sorted(held_out.connectivities)).encode())
        nuclei = tuple(dict.fromkeys(test.nucleus for test in cell.tests))
        config = RECIPES[cell.networks[0].method](
            nuclei, spectra, excluded, len(cell.training), cell.seed, self.out / "cache"
        )
        if cell.members:
            config = together(config, self._models(cell.members))
        elif cell.method == "pretrained" and self.encoder is not None:
            config = from_encoder(config, self.encoder)
        return Predictor(
            run_training(config, folder, resume=True, report=self.report, quiet=self.quiet)
        )

    def _models(self, cells: Sequence[Cell]) -> tuple[Path, ...]:
        """Return the model folders of other cells, which are measured first where need be."""
        for _ in self.run(cells):
            pass
        return tuple(self.out / cell.protocol / cell.name / "model" for cell in cells)

    def _score(self, cell: Cell, test: Test, predictor: ShiftPredictor | None) -> Result:
        if predictor is None:
            predictor, _ = hose_baseline(cell.training, test.records, nuclei=(test.nucleus,))
        report = evaluate(test.records, predictor, selection=test.selection)
        return Result(
            protocol=cell.protocol,
            method=cell.method,
            size=cell.size,
            seed=cell.seed,
            test=test.name,
            nucleus=test.nucleus,
            n_spectra=len(cell.training),
            metrics=report.metrics(test.nucleus, "peaks" if test.matched else "all"),
            model=report.model,
        )
