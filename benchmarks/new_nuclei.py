"""A nucleus added from tens of shifts, against HOSE codes and training from scratch.

    python benchmarks/new_nuclei.py ../shared/data --out /tmp/new_nuclei [--model DIR] [--scratch]

Five folds by connectivity; every molecule is predicted from the others. Each molecule counts once.
Training from scratch takes most of the time; what is done is not done again.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from nmrshift import Prediction, Predictor
from nmrshift.adapt.answers import encode
from nmrshift.adapt.new_head import few_factors, labels_of, solve
from nmrshift.baselines.hose_build import build_hose_table
from nmrshift.benchmark.recipes import our_config
from nmrshift.benchmark.spectra import Library
from nmrshift.data.dataset import ShiftDataset, as_dataset
from nmrshift.data.records import ShiftRecord, write_records
from nmrshift.model.artifact import load_artifact
from nmrshift.model.network import ShiftNetwork
from nmrshift.model.shipped import shipped_model
from nmrshift.train.checkpoint import write_whole
from nmrshift.train.run import run_training
from nmrshift.types import ShiftPredictor

FILES = ("nmrshiftdb2/assigned", "nmrshiftdb2/assigned_by_symmetry")
N_FOLDS = 5


@dataclass(frozen=True)
class Nucleus:
    """Spectra of one nucleus, as records and as arrays, with the fold of each molecule."""

    name: str
    records: list[ShiftRecord]
    dataset: ShiftDataset
    fold: NDArray[np.int64]

    def training(self, fold: int) -> list[ShiftRecord]:
        """Return the spectra of the molecules of all other folds."""
        tested = {self.records[row].smiles for row in np.flatnonzero(self.fold == fold)}
        return [record for record in self.records if record.smiles not in tested]

    def tested(self, fold: int) -> list[int]:
        """Return the rows of the spectra of a fold."""
        return np.flatnonzero(self.fold == fold).tolist()


def read(library: Library, name: str, base: ShiftNetwork) -> Nucleus:
    """Read the assigned spectra of a nucleus and put molecules into folds."""
    records = [
        record
        for file in FILES
        for record in library.read(file)
        if record.nucleus == name and record.shifts
    ]
    nuclei = (*base.config.nuclei, name)
    dataset = as_dataset(records, nuclei, base.config.features, lambda _: None)
    parent_of = dict(
        zip(dict.fromkeys(record.smiles for record in records), dataset.parent, strict=True)
    )
    names = sorted(set(dataset.parent.tolist()))
    folds = np.random.default_rng(5).permutation(len(names)) % N_FOLDS
    fold_of = dict(zip(names, folds.tolist(), strict=True))
    fold = np.array([fold_of[str(parent_of[record.smiles])] for record in records])
    return Nucleus(name, records, dataset, fold)


def from_predictor(nucleus: Nucleus, fold: int, predictor: ShiftPredictor) -> Iterator[float]:
    """Yield the mean error of every spectrum of a fold, ppm."""
    for row in nucleus.tested(fold):
        record = nucleus.records[row]
        (answer,) = predictor.predict_many([record.smiles], nuclei=(nucleus.name,))
        assert isinstance(answer, Prediction), answer
        found = {atom.atom_index: atom.shift_ppm for atom in answer.atoms}
        yield float(np.mean([abs(found[a] - ppm) for a, ppm in record.shifts or ()]))


def by_hose(nucleus: Nucleus) -> list[float]:
    """Return errors of HOSE tables, in the order of the folds."""
    return [
        error
        for fold in range(N_FOLDS)
        for error in from_predictor(
            nucleus, fold, build_hose_table(nucleus.training(fold), nuclei=(nucleus.name,))
        )
    ]


def by_scratch(nucleus: Nucleus, out: Path) -> list[float]:
    """Return errors of networks that learn from these spectra alone."""
    errors: list[float] = []
    for fold in range(N_FOLDS):
        folder = out / nucleus.name / f"fold{fold}"
        done = folder / "errors.json"
        if not done.exists():
            folder.mkdir(parents=True, exist_ok=True)
            spectra, excluded = folder / "train.jsonl", folder / "excluded.json"
            training = nucleus.training(fold)
            write_records(spectra, training, force=True)
            write_whole(excluded, b"[]")
            config = our_config(
                (nucleus.name,), spectra, excluded, len(training), 1, folder / "cache"
            )
            model = run_training(config, folder, resume=True, report=print, quiet=True)
            found = list(from_predictor(nucleus, fold, Predictor(model)))
            write_whole(done, json.dumps(found).encode())
        errors += json.loads(done.read_text("utf-8"))
    return errors


def by_new_head(nucleus: Nucleus, base: ShiftNetwork) -> tuple[list[float], float]:
    """Return errors of heads solved for, and the share of shifts in their 90 % intervals."""
    dataset, number = nucleus.dataset, len(base.config.nuclei)
    h = encode(base, dataset.graphs)
    errors, inside = [], []
    for fold in range(N_FOLDS):
        tested = _parents(nucleus, {nucleus.records[row].smiles for row in nucleus.tested(fold)})
        is_tested = np.isin(dataset.parent, tested)
        solved = solve(labels_of(dataset, h, np.flatnonzero(~is_tested), number), seed=1)
        asked = labels_of(dataset, h, np.flatnonzero(is_tested), number)
        factor = few_factors(solved.scores, (0.9,))[0]
        with torch.no_grad():
            mean, log_scale = solved.new.head(torch.from_numpy(asked.h), torch.zeros(1, 1))
        error = np.abs(mean.numpy() * solved.new.spread_ppm + solved.new.mean_ppm - asked.shift_ppm)
        reach = factor * log_scale.exp().numpy() * solved.new.spread_ppm
        for group in np.unique(asked.group):
            chosen = asked.group == group
            errors.append(float(error[chosen].mean()))
            inside.append(float((error[chosen] <= reach[chosen]).mean()))
    return errors, float(np.mean(inside))


def _parents(nucleus: Nucleus, smiles: set[str]) -> list[str]:
    order = dict.fromkeys(record.smiles for record in nucleus.records)
    pairs = zip(order, nucleus.dataset.parent.tolist(), strict=True)
    return [parent for text, parent in pairs if text in smiles]


def by_molecule(nucleus: Nucleus, errors: Sequence[float]) -> list[float]:
    """Average errors of spectra, in the order of the folds, over molecules."""
    order = [row for fold in range(N_FOLDS) for row in nucleus.tested(fold)]
    parents = {text: _parents(nucleus, {text})[0] for text in {r.smiles for r in nucleus.records}}
    found: dict[str, list[float]] = {}
    for row, error in zip(order, errors, strict=True):
        found.setdefault(parents[nucleus.records[row].smiles], []).append(error)
    return [float(np.mean(values)) for values in found.values()]


def row(name: str, method: str, errors: Sequence[float], note: str = "") -> str:
    """Return a row of the table."""
    return (
        f"| {name} | {method} | {len(errors)} | {np.mean(errors):.1f} | {np.median(errors):.1f} "
        f"| {note} |"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--nucleus", action="append")
    parser.add_argument("--scratch", action="store_true")
    options = parser.parse_args()
    base = load_artifact(options.model or shipped_model()).network
    print("| nucleus | method | molecules | MAE, ppm | median, ppm | in 90 % interval |")
    print("|---|---|---|---|---|---|")
    for name in options.nucleus or ("29Si", "195Pt"):
        nucleus = read(Library(options.data), name, base)
        errors, inside = by_new_head(nucleus, base)
        print(row(name, "adapt, new head", errors, f"{100 * inside:.0f} %"))
        print(row(name, "HOSE table", by_molecule(nucleus, by_hose(nucleus))))
        if options.scratch:
            scratch = by_molecule(nucleus, by_scratch(nucleus, options.out))
            print(row(name, "network from scratch", scratch), flush=True)


if __name__ == "__main__":
    main()
