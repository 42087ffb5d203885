"""Five simulated laboratories that learn from their own spectra.

    python benchmarks/laboratories.py ../shared/data --out DIR [--lab pfas] [--size 50] [--rest]

Each laboratory's molecules are kept out of a base model, which is trained first. Then, with so many
own spectra: the error on the laboratory's other molecules of the base, of the adapted model, of one
adapted to the same spectra as peak lists, of a network that learns from these spectra alone and of
a HOSE table that has the base's data too; and the error on public test molecules. What is done is
not done again.
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from lab_base import FILES, base_model
from lab_data import LABORATORIES, Bench, SimulatedLab
from lab_table import HEADER, METHODS, Row, summary
from numpy.typing import NDArray

from nmrshift import Prediction, Predictor
from nmrshift.adapt import adapt
from nmrshift.adapt.settings import AdaptSettings
from nmrshift.baselines.hose_build import build_hose_table
from nmrshift.benchmark.recipes import our_config
from nmrshift.benchmark.spectra import Library
from nmrshift.chem.parse import parse
from nmrshift.chem.policy import RECORD_LIMITS
from nmrshift.data.connectivity import fragment_connectivities
from nmrshift.data.records import Peak, ShiftRecord, write_records
from nmrshift.errors import InputError
from nmrshift.train.checkpoint import write_whole
from nmrshift.train.config import NetworkShape
from nmrshift.train.run import run_training
from nmrshift.types import Query, ShiftPredictor

SIZES = (10, 50, 200)
NAME = "lab"
SCRATCH_SHAPE = NetworkShape(n_layers=3, d_h=64, d_e=32, d_ffn=128, d_head=64, dropout=0.1)
SCRATCH_EXPOSURES = 12_000
PUBLIC = "nmrshiftdb2/test"

Floats = NDArray[np.float64]


def errors_ppm(
    predictor: ShiftPredictor, records: Sequence[ShiftRecord], source: str | None = None
) -> Floats:
    """Return the absolute error of every shift of assigned spectra, ppm."""
    queries = [
        Query(record.smiles, solvent=record.solvent, nuclei=(record.nucleus,), source=source)
        for record in records
    ]
    found: list[float] = []
    answers = predictor.predict_many(queries, nuclei=predictor.nuclei)
    for record, answer in zip(records, answers, strict=True):
        if isinstance(answer, Prediction):
            predicted = {atom.atom_index: atom.shift_ppm for atom in answer.atoms}
            found += [abs(predicted[atom] - ppm) for atom, ppm in record.shifts or ()]
    return np.array(found)


def as_list(record: ShiftRecord) -> ShiftRecord:
    """Forget which shift is whose."""
    peaks = tuple(Peak(ppm, None, None) for ppm in sorted(ppm for _, ppm in record.shifts or ()))
    return replace(record, shifts=None, assignment=None, peaks=peaks)


@dataclass
class Runs:
    """A folder of results, one file each, and what makes them.

    Attributes:
        bench: the laboratories.
        out: the folder.
        rest: learn from and measure on the molecules that are not reported.
    """

    bench: Bench
    out: Path
    rest: bool = False

    @cached_property
    def base(self) -> Path:
        """Folder of the base model."""
        return base_model(self.bench, self.out / "base")

    @cached_property
    def base_data(self) -> list[ShiftRecord]:
        """Assigned spectra that the base learned from."""
        kept_out = set(self.bench.kept_out())
        return [
            record
            for file in FILES
            for record in self.bench.library.read(file)
            if record.nucleus in {rule.nucleus for rule in LABORATORIES}
            and not kept_out & _names(record.smiles)
        ]

    def result(self, lab: SimulatedLab, size: int, method: str) -> dict[str, Any]:
        """Measure a method with so many own spectra, or read what was measured."""
        part = "rest" if self.rest else "pool"
        folder = self.out / part / lab.rule.name / ("0" if method == "base" else str(size)) / method
        done = folder / "result.json"
        if not done.exists():
            folder.mkdir(parents=True, exist_ok=True)
            own, tested = (
                (lab.rest[:size], lab.rest[size:]) if self.rest else (lab.pool[:size], lab.tested)
            )
            began = time.process_time()
            told, predictor, source = getattr(self, f"_{method}")(folder, lab, own)
            seconds = round(time.process_time() - began, 1)
            errors = errors_ppm(predictor, tested, source)
            values = {
                "mae_ppm": float(errors.mean()),
                "median_ppm": float(np.median(errors)),
                "n_shifts": len(errors),
                "seconds": seconds,
                "public": {} if method in ("scratch", "hose") else self.public(predictor),
                **told,
            }
            write_whole(done, json.dumps(values, indent=1).encode())
        return dict(json.loads(done.read_text("utf-8")))

    def public(self, predictor: ShiftPredictor) -> dict[str, float]:
        """Return the errors on public test molecules by nucleus, the convention the general one."""
        records = self.bench.library.read(PUBLIC)
        return {
            nucleus: float(
                errors_ppm(
                    predictor, [r for r in records if r.nucleus == nucleus and r.shifts]
                ).mean()
            )
            for nucleus in predictor.nuclei
        }

    def _base(
        self, folder: Path, lab: SimulatedLab, own: Sequence[ShiftRecord]
    ) -> tuple[dict[str, Any], ShiftPredictor, str | None]:
        del folder, lab, own
        return {}, Predictor.load(self.base), None

    def _adapt(
        self, folder: Path, lab: SimulatedLab, own: Sequence[ShiftRecord]
    ) -> tuple[dict[str, Any], ShiftPredictor, str | None]:
        del lab
        spectra = folder / "own.jsonl"
        write_records(spectra, own, force=True)
        report = adapt(
            [spectra],
            folder / "model",
            model=self.base,
            settings=AdaptSettings(name=NAME),
            force=True,
            report=print,
        )
        print(report.to_text(), flush=True)
        return {"report": report.to_dict()}, Predictor.load(report.folder), NAME

    def _lists(
        self, folder: Path, lab: SimulatedLab, own: Sequence[ShiftRecord]
    ) -> tuple[dict[str, Any], ShiftPredictor, str | None]:
        return self._adapt(folder, lab, [as_list(record) for record in own])

    def _scratch(
        self, folder: Path, lab: SimulatedLab, own: Sequence[ShiftRecord]
    ) -> tuple[dict[str, Any], ShiftPredictor, str | None]:
        spectra, excluded = folder / "own.jsonl", folder / "excluded.json"
        write_records(spectra, own, force=True)
        write_whole(excluded, b"[]")
        config = our_config((lab.rule.nucleus,), spectra, excluded, len(own), 1, folder / "cache")
        epochs = min(300, SCRATCH_EXPOSURES // len(own))
        optimisation = config.optimisation.model_copy(update={"epochs": epochs})
        config = config.model_copy(update={"network": SCRATCH_SHAPE, "optimisation": optimisation})
        model = run_training(config, folder, resume=True, report=print, quiet=True)
        return {}, Predictor(model), None

    def _hose(
        self, folder: Path, lab: SimulatedLab, own: Sequence[ShiftRecord]
    ) -> tuple[dict[str, Any], ShiftPredictor, str | None]:
        del folder
        return {}, build_hose_table([*self.base_data, *own], nuclei=(lab.rule.nucleus,)), None


def _names(smiles: str) -> set[str]:
    try:
        return set(fragment_connectivities(parse(smiles, kind="smiles", limits=RECORD_LIMITS).mol))
    except InputError:
        return set()


def measured(runs: Runs, name: str, sizes: Sequence[int], methods: Sequence[str]) -> Iterator[Row]:
    """Measure a laboratory with every number of own spectra."""
    lab = runs.bench.laboratories[name]
    for size in sizes:
        results = {}
        for method in dict.fromkeys(("base", *methods)):
            results[method] = runs.result(lab, size, method)
            print(f"{name} {size} {method} {results[method]['mae_ppm']:.3f}", flush=True)
        yield Row(name, lab.rule.nucleus, size, results)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--lab", action="append", choices=[rule.name for rule in LABORATORIES])
    parser.add_argument("--size", action="append", type=int)
    parser.add_argument("--method", action="append", choices=METHODS)
    parser.add_argument("--rest", action="store_true", help="the molecules that are not reported")
    options = parser.parse_args()
    runs = Runs(Bench(Library(options.data)), options.out, options.rest)
    names = options.lab or [rule.name for rule in LABORATORIES]
    rows = [
        row
        for name in names
        for row in measured(runs, name, options.size or SIZES, options.method or METHODS)
    ]
    print("\n".join([HEADER, *(row.markdown() for row in rows), summary(rows)]))


if __name__ == "__main__":
    main()
