"""Peak lists come back on the atoms they belong to, and nothing is lost on the way."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from nmrshift import Failure, Prediction, Predictor, Query
from nmrshift.chem.toolkit import Chem
from nmrshift.cli.app import main
from nmrshift.data.records import Peak, RecordIssue, ShiftRecord, read_records, write_records
from nmrshift.errors import UnknownNucleusError
from nmrshift.evaluate.assign_lists import assign_lists
from nmrshift.types import DEFAULT_NUCLEI

# Measured in CDCl3; the letter says how many hydrogens the carbon has.
ISOBUTANOL = ((0, 18.9, "Q"), (1, 30.8, "D"), (3, 69.4, "T"))
ANISOLE = ((0, 55.1, "Q"), (2, 159.6, "S"), (3, 113.9, "D"), (4, 129.5, "D"), (5, 120.7, "D"))


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Predictor.load()


class OnlyCarbon:
    """A model that, asked for another nucleus, refuses everything, as every model does."""

    nuclei = ("13C",)

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor

    def predict_many(
        self,
        queries: Iterable[str | Chem.Mol | Query],
        *,
        solvent: str | None = None,
        nuclei: tuple[str, ...] = DEFAULT_NUCLEI,
        interval: float = 0.9,
        references: int = 0,
    ) -> Iterator[Prediction | Failure]:
        if not set(nuclei) <= set(self.nuclei):
            raise UnknownNucleusError("the model does not predict 19F")
        return self._predictor.predict_many(
            queries, solvent=solvent, nuclei=nuclei, interval=interval, references=references
        )


def bare(name: str, smiles: str, lines: tuple[tuple[int, float, str], ...]) -> ShiftRecord:
    peaks = tuple(Peak(shift_ppm, letter) for _, shift_ppm, letter in reversed(lines))
    return ShiftRecord(name, smiles, "13C", solvent="CDCl3", peaks=peaks)


def assigned(record: ShiftRecord, predictor: Predictor) -> ShiftRecord | RecordIssue:
    (result,) = assign_lists([record], predictor)
    return result


def test_peaks_find_their_atoms_and_equivalent_atoms_share_them(predictor: Predictor) -> None:
    result = assigned(bare("a", "CC(C)CO", ISOBUTANOL), predictor)
    assert isinstance(result, ShiftRecord)
    assert result.assignment == "order-uncertain"
    assert result.shifts == ((0, 18.9), (1, 30.8), (2, 18.9), (3, 69.4))
    assert result.peaks is None
    assert result.doubted is None
    result = assigned(bare("b", "COc1ccccc1", ANISOLE), predictor)
    assert isinstance(result, ShiftRecord)
    found = dict(result.shifts or ())
    assert {atom: found[atom] for atom, _, _ in ANISOLE} == {a: ppm for a, ppm, _ in ANISOLE}
    assert found[7] == found[3]
    assert found[6] == found[4]


def test_a_model_of_one_nucleus_assigns_that(predictor: Predictor) -> None:
    records = [
        bare("a", "CC(C)CO", ISOBUTANOL),
        ShiftRecord("b", "CF", "19F", peaks=(Peak(-271.9),)),
    ]
    first, second = assign_lists(records, OnlyCarbon(predictor))
    assert isinstance(first, ShiftRecord)
    assert isinstance(second, RecordIssue)
    assert second.code == "unsupported_nucleus"


def test_what_is_far_off_is_doubted(predictor: Predictor) -> None:
    lines = (*ISOBUTANOL[:2], (3, 130.0, "T"))
    result = assigned(bare("a", "CC(C)CO", lines), predictor)
    assert isinstance(result, ShiftRecord)
    assert dict(result.shifts or ())[3] == 130.0
    assert result.doubted == (3,)


def test_every_row_comes_out_or_is_reported(tmp_path: Path) -> None:
    rows = [
        bare("a", "CC(C)CO", ISOBUTANOL),
        ShiftRecord("b", "CCO", "13C", shifts=((0, 18.0),), assignment="file"),
        bare("c", "C1CC", ISOBUTANOL),
        ShiftRecord("d", "CCN", "15N", peaks=(Peak(-340.0),)),
        ShiftRecord("e", "CC(C)CO", "13C", peaks=(Peak(18.9, "S"),)),
        bare("f", "COc1ccccc1", ANISOLE),
    ]
    path = tmp_path / "lists.jsonl"
    write_records(path, rows)
    with path.open("a", encoding="utf-8") as stream:
        stream.write("{broken\n")
    out = tmp_path / "assigned.jsonl"
    arguments = ["data", "assign", str(path), "--out", str(out)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 3
    records = [record for record in read_records(out) if isinstance(record, ShiftRecord)]
    assert [record.id for record in records] == ["a", "b", "f"]
    assert records[1] == rows[1]
    assert "3 records written" in result.stderr
    told = [line.split()[:2] for line in result.stderr.splitlines()]
    for row, code in enumerate(("", "", "parse_error", "unsupported_nucleus", "unassigned"), 1):
        assert not code or [str(row), code] in told
    assert ["7", "json"] in told
    before = out.read_bytes()
    assert CliRunner().invoke(main, arguments).exit_code != 0
    assert out.read_bytes() == before
    assert json.loads(before.splitlines()[0])["id"] == "a"
