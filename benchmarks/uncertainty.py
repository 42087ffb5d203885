"""Do the intervals hold, do they tell good shifts from bad ones, and what is a verdict worth?

    python benchmarks/uncertainty.py ../shared/data [--model DIR]

For every test set and nucleus: coverage and mean width of the 50, 80, 90 and 95 % intervals, the
rank correlation between width and error, what dropping the fifth with the widest intervals does to
the mean absolute error, and errors by domain. Markdown on standard output.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from labelled import assigned, query_of
from scipy.stats import spearmanr

from nmrshift import Prediction, Predictor
from nmrshift.data.records import ShiftRecord

LEVELS = (0.5, 0.8, 0.9, 0.95)
SETS = (
    *(("nmrshiftdb2/test.jsonl.gz", nucleus) for nucleus in ("13C", "1H", "31P", "19F", "11B")),
    ("cascade_exp5k/test.jsonl.gz", "13C"),
    ("pfas_19f/test.jsonl.gz", "19F"),
    ("fragments_19f/test.jsonl.gz", "19F"),
)
DROPPED = 0.2


@dataclass(frozen=True, slots=True)
class Judged:
    """One test label beside its prediction: error, widths of :data:`LEVELS`, held, domain."""

    error_ppm: float
    widths_ppm: tuple[float, ...]
    held: tuple[bool, ...]
    domain: str


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", type=Path)
    options = parser.parse_args()
    predictor = Predictor.load(options.model)
    found = {
        (file.partition("/test")[0], nucleus): judged(predictor, options.data / file, nucleus)
        for file, nucleus in SETS
    }
    print(f"Model {predictor.identity}.\n")
    heads = " | ".join(f"{100 * level:g} % holds (width)" for level in LEVELS)
    print(f"| test | nucleus | labels | {heads} | rank corr. | MAE | without the widest fifth |")
    print("|---" * (6 + len(LEVELS)) + "|")
    for (name, nucleus), labels in found.items():
        print(coverage_row(name, nucleus, labels))
    print("\n| test | nucleus | inside: labels, MAE, median | edge | outside |")
    print("|---|---|---|---|---|")
    for (name, nucleus), labels in found.items():
        print(domain_row(name, nucleus, labels))


def judged(predictor: Predictor, path: Path, nucleus: str) -> list[Judged]:
    """Predict the assigned spectra of a file and set labels beside predictions."""
    records = assigned(path, nucleus)
    queries = [query_of(record, predictor) for record in records]
    answers = [
        list(predictor.predict_many(queries, nuclei=(nucleus,), interval=level)) for level in LEVELS
    ]
    return [
        label
        for record, *of_record in zip(records, *answers, strict=True)
        for label in _labels(record, of_record)
    ]


def _labels(record: ShiftRecord, answers: list[Any]) -> Iterator[Judged]:
    if not all(isinstance(answer, Prediction) for answer in answers):
        return
    by_level = [{atom.atom_index: atom for atom in answer.atoms} for answer in answers]
    for index, shift_ppm in record.shifts or ():
        if index in by_level[0]:
            atoms = [atoms[index] for atoms in by_level]
            yield Judged(
                abs(atoms[0].shift_ppm - shift_ppm),
                tuple(atom.high_ppm - atom.low_ppm for atom in atoms),
                tuple(atom.low_ppm <= shift_ppm <= atom.high_ppm for atom in atoms),
                atoms[0].domain,
            )


def coverage_row(name: str, nucleus: str, labels: list[Judged]) -> str:
    """Return one row of the first table."""
    error = np.array([one.error_ppm for one in labels])
    widths = np.array([one.widths_ppm for one in labels])
    held = np.array([one.held for one in labels])
    order = np.argsort(widths[:, 0], kind="stable")
    kept = error[order[: int(len(error) * (1 - DROPPED))]].mean()
    cells = [
        f"{100 * held[:, column].mean():.1f} ({widths[:, column].mean():.2f})"
        for column in range(len(LEVELS))
    ]
    cells += [
        f"{spearmanr(widths[:, 0], error)[0]:.2f}",
        f"{error.mean():.3f}",
        f"{kept:.3f} ({100 * (kept / error.mean() - 1):+.0f} %)",
    ]
    return f"| {name} | {nucleus} | {len(labels)} | " + " | ".join(cells) + " |"


def domain_row(name: str, nucleus: str, labels: list[Judged]) -> str:
    """Return one row of the second table."""
    cells = []
    for domain in ("inside", "edge", "outside"):
        error = np.array([one.error_ppm for one in labels if one.domain == domain])
        cells.append(
            f"{len(error)}, {error.mean():.2f}, {np.median(error):.2f}" if len(error) else "0"
        )
    return f"| {name} | {nucleus} | " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
