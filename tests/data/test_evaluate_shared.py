"""The HOSE baseline on real spectra: figures near the published ones, and codes on real molecules.

Published HOSE error on the PFAS test set: 4.16 ppm (median 0.70).
"""

import csv
import gzip
import random
from itertools import islice
from pathlib import Path

import pytest

from nmrshift.baselines.hose_build import build_hose_table
from nmrshift.baselines.hose_table import HoseTable
from nmrshift.chem.hose import hose_codes_of_mol
from nmrshift.chem.toolkit import Chem, quiet
from nmrshift.data.records import ShiftRecord, read_records
from nmrshift.evaluate.baseline import hose_baseline
from nmrshift.evaluate.score import evaluate

pytestmark = pytest.mark.shared


def spectra(path: Path) -> list[ShiftRecord]:
    records = list(read_records(path))
    assert all(isinstance(record, ShiftRecord) for record in records)
    return records


@pytest.fixture(scope="module")
def pfas(shared_dir: Path) -> tuple[list[ShiftRecord], list[ShiftRecord]]:
    folder = shared_dir / "data" / "pfas_19f"
    return spectra(folder / "train.jsonl.gz"), spectra(folder / "test.jsonl.gz")


@pytest.fixture(scope="module")
def table(pfas: tuple[list[ShiftRecord], list[ShiftRecord]]) -> HoseTable:
    return build_hose_table(pfas[0])


def test_pfas_errors_are_near_the_published(
    pfas: tuple[list[ShiftRecord], list[ShiftRecord]], table: HoseTable
) -> None:
    report = evaluate(pfas[1], table)
    found = report.metrics("19F")
    assert (found.n_labels, found.n_molecules) == (633, 96)
    assert 3.0 < found.mae_ppm < 6.0
    assert 0.4 < found.median_ppm < 1.1
    assert 0.84 < found.coverage < 0.97
    assert not report.counts.n_failed


def test_a_baseline_does_not_know_what_it_is_measured_on(
    pfas: tuple[list[ShiftRecord], list[ShiftRecord]], table: HoseTable
) -> None:
    learned = pfas[0][:150]
    known = evaluate(learned, table).metrics("19F")
    strict, n_dropped = hose_baseline(pfas[0], learned)
    unknown = evaluate(learned, strict).metrics("19F")
    assert n_dropped >= len({record.smiles for record in learned})
    assert known.mae_ppm < 1.5 < unknown.mae_ppm


def test_a_saved_table_answers_alike(
    pfas: tuple[list[ShiftRecord], list[ShiftRecord]], table: HoseTable, tmp_path: Path
) -> None:
    table.save(tmp_path / "table.npz")
    loaded = HoseTable.load(tmp_path / "table.npz")
    assert evaluate(pfas[1], loaded) == evaluate(pfas[1], table)


def test_unassigned_fragments_are_matched(shared_dir: Path) -> None:
    folder = shared_dir / "data" / "fragments_19f"
    table = build_hose_table(spectra(folder / "train.jsonl.gz"))
    report = evaluate(spectra(folder / "test.jsonl.gz"), table)
    assert report.metrics("19F").n_labels == 1263
    matched = report.metrics("19F", "peaks")
    assert matched.n_labels > 200
    assert matched.median_ppm < 2.0


def test_codes_of_real_molecules_do_not_depend_on_numbering(shared_dir: Path) -> None:
    shuffle = random.Random(11)
    with gzip.open(shared_dir / "data" / "unlabelled" / "molecules.csv.gz", "rt") as file:
        texts = [row["smiles"] for row in islice(csv.DictReader(file), 400)]
    with quiet():
        mols = [mol for mol in map(Chem.MolFromSmiles, texts) if mol is not None]
    assert len(mols) > 390
    for mol in mols:
        order = list(range(mol.GetNumAtoms()))
        shuffle.shuffle(order)
        codes = hose_codes_of_mol(mol)
        again = hose_codes_of_mol(Chem.RenumberAtoms(mol, order))
        assert [codes[atom] for atom in order] == list(again)
