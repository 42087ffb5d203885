"""Which isomer is it? Structures ranked by a 13C peak list against isomers of themselves.

    python benchmarks/ranking.py ../shared/data [--spectra 300] [--isomers 19]

Molecules of ``nmrshiftdb2/test`` and ``cascade_exp5k/test`` whose carbons are all assigned and that
have enough isomers (same formula, other connectivity) among the unlabelled molecules, 300 of them
unless told, are ranked among them by their peak lists: shifts only, one peak a distinct shift.
Isomers are drawn at random, or are those most alike
(``--nearest``: Tanimoto similarity of Morgan fingerprints of radius 2). The HOSE table learns from
the training files and never from an evaluated molecule.
"""

import argparse
import csv
import gzip
import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from rdkit import Chem, RDLogger
from rdkit.Chem import DataStructs
from rdkit.Chem.rdFingerprintGenerator import GetMorganGenerator
from rdkit.Chem.rdMolDescriptors import CalcMolFormula

from nmrshift import Predictor
from nmrshift.data.connectivity import connectivity
from nmrshift.data.records import ShiftRecord, read_records
from nmrshift.evaluate.baseline import hose_baseline
from nmrshift.match import MatchReport, Peak, PeakList, match_spectrum
from nmrshift.types import ShiftPredictor

NUCLEUS = "13C"
TESTS = ("nmrshiftdb2/test.jsonl.gz", "cascade_exp5k/test.jsonl.gz")
TRAINING = ("nmrshiftdb2/assigned.jsonl.gz", "cascade_exp5k/train.jsonl.gz")
SAME_PEAK_PPM = 0.005
SYMBOL = re.compile(r"Cl|Br|\[(?:\d+)?([A-Za-z][a-z]?)[^\]]*\]|[BCNOPSFI]|[bcnops]")

Composition = frozenset[tuple[str, int]]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--spectra", type=int, default=300)
    parser.add_argument("--isomers", type=int, default=19)
    parser.add_argument("--nearest", action="store_true")
    parser.add_argument("--no-baseline", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    RDLogger.DisableLog("rdApp.*")
    spectra = test_spectra(options.data)
    pool = isomers(options.data / "unlabelled" / "molecules.csv.gz", spectra)
    rng = random.Random(options.seed)
    rng.shuffle(spectra)
    tasks = [
        (record, decoys)
        for record in spectra
        if (decoys := chosen(record, pool, options, rng)) is not None
    ][: options.spectra]
    report = {
        "spectra": len(tasks),
        "structures_each": options.isomers + 1,
        "isomers": "nearest" if options.nearest else "random",
    }
    predictor = Predictor.load(options.model)
    report[predictor.identity] = measure(predictor, tasks)
    if not options.no_baseline:
        training = (record for file in TRAINING for record in read_records(options.data / file))
        table, _ = hose_baseline(training, [record for record, _ in tasks], nuclei=(NUCLEUS,))
        report["HOSE"] = measure(table, tasks)
    print(json.dumps(report, indent=2))


def test_spectra(data: Path) -> list[ShiftRecord]:
    """Return complete test spectra; a molecule of the first file does not count again."""
    kept: list[ShiftRecord] = []
    for name in TESTS:
        known = {own_key(record) for record in kept}
        found = [item for item in map(complete, read_records(data / name)) if item]
        kept += [
            record
            for record in found
            if connectivity(Chem.MolFromSmiles(record.smiles)) not in known
        ]
    return kept


def own_key(record: ShiftRecord) -> str:
    """Return the connectivity of a spectrum's molecule."""
    return connectivity(Chem.MolFromSmiles(record.smiles))


def complete(record: object) -> ShiftRecord | None:
    """Return a spectrum in which every carbon of one molecule has a shift, else ``None``."""
    if not isinstance(record, ShiftRecord) or record.nucleus != NUCLEUS or not record.shifts:
        return None
    mol = Chem.MolFromSmiles(record.smiles)
    if mol is None or "." in record.smiles:
        return None
    carbons = {atom.GetIdx() for atom in mol.GetAtoms() if atom.GetAtomicNum() == 6}
    return record if carbons == {atom for atom, _ in record.shifts} and len(carbons) > 4 else None


def composition(smiles: str) -> Composition:
    """Count the heavy atoms of a SMILES by its text alone, which is quick."""
    symbols = ((found[1] or found[0]).capitalize() for found in SYMBOL.finditer(smiles))
    return frozenset(Counter(symbol for symbol in symbols if symbol != "H").items())


def isomers(path: Path, spectra: list[ShiftRecord]) -> dict[str, list[tuple[str, str]]]:
    """Return connectivity and SMILES of unlabelled molecules by the formulas of the spectra."""
    mols = [Chem.MolFromSmiles(record.smiles) for record in spectra]
    formulas = {CalcMolFormula(mol) for mol in mols}
    compositions = {composition(record.smiles) for record in spectra}
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for smiles in rows(path):
        if "." in smiles or composition(smiles) not in compositions:
            continue
        mol = Chem.MolFromSmiles(smiles)
        if mol is not None and (formula := CalcMolFormula(mol)) in formulas:
            found[formula].setdefault(connectivity(mol), smiles)
    return {formula: list(items.items()) for formula, items in found.items()}


def rows(path: Path) -> Iterator[str]:
    """Read SMILES."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            yield row["smiles"]


def chosen(
    record: ShiftRecord,
    pool: dict[str, list[tuple[str, str]]],
    options: argparse.Namespace,
    rng: random.Random,
) -> list[str] | None:
    """Return the isomers a spectrum is ranked among, or ``None`` if there are too few."""
    mol = Chem.MolFromSmiles(record.smiles)
    own = connectivity(mol)
    others = [smiles for key, smiles in pool.get(CalcMolFormula(mol), []) if key != own]
    if len(others) < options.isomers:
        return None
    if not options.nearest:
        return rng.sample(others, options.isomers)
    generator = GetMorganGenerator(radius=2)
    prints = [generator.GetFingerprint(Chem.MolFromSmiles(smiles)) for smiles in others]
    alike = DataStructs.BulkTanimotoSimilarity(generator.GetFingerprint(mol), prints)
    order = np.argsort(-np.array(alike), kind="stable")
    return [others[number] for number in order[: options.isomers].tolist()]


def peak_list(record: ShiftRecord) -> PeakList:
    """Return the spectrum without its assignment, peaks of equal shift as one."""
    peaks: list[Peak] = []
    for shift_ppm in sorted(shift_ppm for _, shift_ppm in record.shifts or ()):
        if not peaks or shift_ppm - peaks[-1].shift_ppm > SAME_PEAK_PPM:
            peaks.append(Peak(shift_ppm))
    return PeakList(NUCLEUS, tuple(peaks), solvent=record.solvent)


def measure(
    predictor: ShiftPredictor, tasks: list[tuple[ShiftRecord, list[str]]]
) -> dict[str, Any]:
    """Rank every spectrum's structure among its isomers."""
    places: list[int] = []
    given: list[float] = []
    for record, decoys in tasks:
        report: MatchReport = match_spectrum(
            predictor, [record.smiles, *decoys], peak_list(record), nucleus=NUCLEUS
        )
        places.append(report.ranking.index(0) + 1)
        given.append(report.candidates[report.ranking[0]].probability)  # type: ignore[union-attr]
    first = np.array(places) == 1
    sure = np.array(given)
    return {
        "first": round(float(first.mean()), 4),
        "among_three": round(float((np.array(places) <= 3).mean()), 4),
        "probability_of_the_first": {
            f"{low}-{high}": {
                "spectra": int(rows.sum()),
                "right": round(float(first[rows].mean()), 3) if rows.any() else None,
                "stated": round(float(sure[rows].mean()), 3) if rows.any() else None,
            }
            for low, high in ((0.0, 0.5), (0.5, 0.8), (0.8, 0.95), (0.95, 1.01))
            if (rows := (sure >= low) & (sure < high)) is not None
        },
    }


if __name__ == "__main__":
    main()
