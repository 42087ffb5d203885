"""Private adaptation against none: error, noise, budget, and what an audit finds.

    python benchmarks/private.py ../shared/data --out /tmp/private

Fifty simulated contributors and ten that are held out share the 19F spectra of one source, which
the base, trained here, has not seen: fragments in aqueous buffer as they were measured, the same on
a reference that is 2 ppm off, and poly- and perfluorinated compounds. They learn together at
epsilon 8 and 2, and without privacy by ordinary adaptation. Errors are those on the test file of
the source. What is done is not done again.
"""

import argparse
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from private_base import base_model

from nmrshift import Prediction, Predictor
from nmrshift.adapt import adapt
from nmrshift.adapt.audit import audit
from nmrshift.adapt.intake import read_laboratory
from nmrshift.adapt.laboratory import divide
from nmrshift.adapt.private.contributors import divide_contributors
from nmrshift.adapt.private.ledger import Budget
from nmrshift.adapt.private.run import adapt_private
from nmrshift.adapt.private.settings import PrivacySettings
from nmrshift.adapt.settings import AdaptSettings
from nmrshift.benchmark.spectra import Library
from nmrshift.data.dataset import as_dataset
from nmrshift.data.records import ShiftRecord, write_records
from nmrshift.model.artifact import load_artifact
from nmrshift.model.network import NetworkConfig
from nmrshift.train.checkpoint import write_whole
from nmrshift.types import Query

NAME = "consortium"
N_CONTRIBUTORS = 60
SETTINGS = AdaptSettings(NAME, validation=1 / 6)
ORDINARY = AdaptSettings(NAME)
DELTA = 1e-5
TASKS = {
    "measured": ("fragments_19f", 0.0),
    "pfas": ("pfas_19f", 0.0),
    "reference": ("fragments_19f", 2.0),
}


@dataclass(frozen=True)
class Task:
    """Spectra of one task, as files.

    Attributes:
        folder: where they and the models are.
        all: spectra of all contributors.
        learning: those of the fifty.
        members: those of them that ordinary adaptation does not hold out either.
        others: spectra of the ten.
        test: spectra of other molecules.
    """

    folder: Path
    all: Path
    learning: Path
    members: Path
    others: Path
    test: tuple[ShiftRecord, ...]


def moved(records: Sequence[ShiftRecord], offset_ppm: float) -> Iterator[ShiftRecord]:
    """Yield assigned spectra with every shift moved."""
    for record in records:
        if record.shifts:
            shifts = tuple((atom, shift_ppm + offset_ppm) for atom, shift_ppm in record.shifts)
            yield replace(record, shifts=shifts, peaks=None)


def make_task(library: Library, base: Path, folder: Path, source: str, offset_ppm: float) -> Task:
    """Write the files of a task; a molecule belongs to one contributor."""
    folder.mkdir(parents=True, exist_ok=True)
    records = list(moved(library.read(f"{source}/train"), offset_ppm))
    names = list(dict.fromkeys(record.smiles for record in records))
    order = np.random.default_rng(11).permutation(len(names))
    owner = {names[row]: number % N_CONTRIBUTORS for number, row in enumerate(order)}
    records = [replace(r, source=f"house-{owner[r.smiles]:02d}") for r in records]
    paths = [folder / f"{name}.jsonl" for name in ("all", "learning", "members", "others")]
    write_records(paths[0], records, force=True)
    config = load_artifact(base).network.config
    intake = read_laboratory([paths[0]], config.nuclei, NAME, None, "source")
    fifty = divide_contributors(
        intake, config.nuclei, config.features, ("19F",), SETTINGS.validation, SETTINGS.seed
    ).names
    learning = [r for r in records if r.source in fifty]
    write_records(paths[1], learning, force=True)
    write_records(paths[2], _members(config, paths[1], learning), force=True)
    write_records(paths[3], [r for r in records if r not in learning], force=True)
    test = tuple(moved(library.read(f"{source}/test"), offset_ppm))
    return Task(folder, *paths, test)


def _members(
    config: NetworkConfig, path: Path, learning: Sequence[ShiftRecord]
) -> list[ShiftRecord]:
    intake = read_laboratory([path], config.nuclei, NAME, None)
    dataset = as_dataset(intake.records, config.nuclei, config.features, lambda _: None)
    laboratory = divide(dataset, ORDINARY.validation, ORDINARY.seed)
    order = list(dict.fromkeys(record.smiles for record in intake.records))
    if len(order) != dataset.n_mols:
        raise ValueError("a molecule was left out")
    learned = {order[row] for row in laboratory.learned.tolist()}
    return [record for record in learning if record.smiles in learned]


def private(task: Task, base: Path, epsilon: float, number: int) -> dict[str, object]:
    """Learn privately; return figures of the model."""
    out = task.folder / f"private-{epsilon:g}-{number}"
    for left in (out, out.with_name(f"{out.name}.journal")):  # of a run that was cut off
        shutil.rmtree(left, ignore_errors=True)
    report = adapt_private(
        [task.all],
        out,
        PrivacySettings(Budget(epsilon, DELTA), ("19F",)),
        model=base,
        settings=SETTINGS,
        contributor_column="source",
    )
    told = {key: report.to_dict()[key] for key in ("epsilon", "noise_multiplier", "n_rounds")}
    return {**told, **measure(task, out, base)}


def ordinary(task: Task, base: Path) -> dict[str, object]:
    """Learn without privacy; return figures of the model."""
    out = task.folder / "ordinary"
    report = adapt([task.learning], out, model=base, settings=ORDINARY, force=True, report=print)
    return {"way": report.way, "verdict": report.verdict, **measure(task, out, base)}


def measure(task: Task, model: Path, base: Path) -> dict[str, object]:
    """Return the error on other molecules and what attackers find out."""
    predictor, reference = Predictor.load(model), Predictor.load(base)
    found = audit(
        predictor, [task.members], [task.others], reference=reference, source=NAME
    ).to_dict()
    return {"error_ppm": error_ppm(predictor, task.test, NAME), "attacks": found["attacks"]}


def error_ppm(predictor: Predictor, records: Sequence[ShiftRecord], source: str | None) -> float:
    """Return the mean absolute error."""
    queries = [Query(r.smiles, solvent=r.solvent, nuclei=("19F",), source=source) for r in records]
    errors = []
    for record, answer in zip(
        records, predictor.predict_many(queries, nuclei=("19F",), source=source), strict=True
    ):
        if isinstance(answer, Prediction):
            shifts = {atom.atom_index: atom.shift_ppm for atom in answer.atoms}
            errors += [abs(shifts[i] - ppm) for i, ppm in record.shifts or () if i in shifts]
    return float(np.mean(errors))


def once(path: Path, make: Callable[[], dict[str, object]]) -> dict[str, object]:
    """Return a result; it is made if its file is not there."""
    if not path.exists():
        write_whole(path, json.dumps(make()).encode())
    return dict(json.loads(path.read_text("utf-8")))


def row(label: str, results: Sequence[dict[str, object]]) -> str:
    """Return a line of the table: averages, and the spread of the error over draws of noise."""

    def mean(values: Sequence[float]) -> float:
        return float(np.mean(values))

    errors = [float(result["error_ppm"]) for result in results]
    spread = f" ± {np.std(errors, ddof=1):.2f}" if len(errors) > 1 else ""
    cells = [label, f"{mean(errors):.2f}{spread}"]
    if "epsilon" in results[0]:
        cells += [
            f"{max(r['epsilon'] for r in results):.3f}",
            f"{results[0]['noise_multiplier']:.2f}",
        ]
    else:
        cells += ["none", "none"]
    for number in range(2):
        attacks = [result["attacks"][number] for result in results]
        cells += [f"{mean([a['auc'] for a in attacks]):.2f}"]
        cells += [f"{mean([a['advantage'] for a in attacks]):.2f}"]
        caught = mean([a["caught"][1]["true_positive_rate"] for a in attacks])
        cells += [f"{caught:.0%}"]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Train what is not trained, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=20, help="of the base")
    parser.add_argument("--draws", type=int, default=3, help="of noise")
    options = parser.parse_args()
    library = Library(options.data)
    base = base_model(library, options.out / "base", options.epochs)
    tasks = {
        name: make_task(library, base, options.out / name, source, offset_ppm)
        for name, (source, offset_ppm) in TASKS.items()
    }
    lines = {name: list(private_lines(name, tasks[name], base, options.draws)) for name in tasks}
    attacks = "AUC | advantage | found at 5 %"
    print(f"| task | error, ppm | epsilon | noise | loss: {attacks} | likelihood: {attacks} |")
    print("|---" * 10 + "|")
    for name, task in tasks.items():
        print("\n".join(lines[name]), flush=True)
        result = once(task.folder / "ordinary.json", partial(ordinary, task, base))
        print(row(f"{name}, not private", [result]), flush=True)


def private_lines(name: str, task: Task, base: Path, n_draws: int) -> Iterator[str]:
    """Yield the lines of the base and of private learning."""
    before = error_ppm(Predictor.load(base), task.test, None)
    yield f"| {name}, base | {before:.2f} |" + " |" * 8
    for epsilon in (8.0, 2.0):
        results = [
            once(
                task.folder / f"private-{epsilon:g}-{number}.json",
                partial(private, task, base, epsilon, number),
            )
            for number in range(1, n_draws + 1)
        ]
        yield row(f"{name}, epsilon {epsilon:g}", results)


if __name__ == "__main__":
    main()
