"""Error measures, kinds of atom and the whole evaluation, with a predictor that is known."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest

from nmrshift.chem.parse import parse
from nmrshift.data.records import Peak, RecordIssue, ShiftRecord
from nmrshift.errors import RecordError
from nmrshift.evaluate.baseline import HeldOut
from nmrshift.evaluate.environment import bonded_elements, environment
from nmrshift.evaluate.metrics import Score, summarise
from nmrshift.evaluate.score import Selection, evaluate, molecule_number
from nmrshift.types import AtomShift, Failure, Prediction, Query

ENVIRONMENTS = [
    ("CC", 0, "13C", "CH3"),
    ("CCC", 1, "13C", "CH2"),
    ("CC(C)C", 1, "13C", "CH"),
    ("CC(C)(C)C", 1, "13C", "C sp3"),
    ("FC(F)(F)F", 1, "13C", "C sp3"),
    ("C", 0, "13C", "CH3"),
    ("C=C", 0, "13C", "sp2 CH"),
    ("CC(C)=C", 1, "13C", "sp2 C"),
    ("CC=O", 1, "13C", "C=O"),
    ("CC(=S)C", 1, "13C", "sp2 C"),
    ("C#C", 0, "13C", "C sp"),
    ("C=C=C", 1, "13C", "C sp"),
    ("O=C=O", 1, "13C", "C sp"),
    ("CC#N", 1, "13C", "C#N"),
    ("c1ccccc1", 0, "13C", "aromatic CH"),
    ("Cc1ccccc1", 1, "13C", "aromatic C"),
    ("CC(F)(F)F", 2, "19F", "CF3"),
    ("CC(F)F", 2, "19F", "CF2"),
    ("CCF", 2, "19F", "CF"),
    ("FC(F)(F)F", 0, "19F", "other"),
    ("Fc1ccccc1", 0, "19F", "aryl-F"),
    ("FC=C", 0, "19F", "vinyl-F"),
    ("FC(=O)C", 0, "19F", "C(=X)F"),
    ("FC#C", 0, "19F", "other"),
    ("FN(F)F", 0, "19F", "N-F"),
    ("FS(F)(F)(F)(F)F", 0, "19F", "S-F"),
    ("[F-]", 0, "19F", "other"),
    ("CO", 1, "1H", "O-H"),
    ("CN", 1, "1H", "N-H"),
    ("CO", 0, "1H", "CH3"),
    ("CC=O", 1, "1H", "CHO"),
    ("c1ccccc1", 0, "1H", "aromatic H"),
    ("C=C", 0, "1H", "vinyl H"),
    ("CP(C)C", 1, "31P", "P, 3 neighbours"),
]


@pytest.mark.parametrize(("smiles", "atom", "nucleus", "name"), ENVIRONMENTS)
def test_kinds_of_atom(smiles: str, atom: int, nucleus: str, name: str) -> None:
    assert environment(parse(smiles).mol, atom, nucleus) == name


def test_bonded_elements_count_hydrogens_written_or_not() -> None:
    assert bonded_elements(parse("CCF").mol, 1) == {"C", "F", "H"}
    assert bonded_elements(parse("[H]F").mol, 1) == {"H"}
    assert bonded_elements(parse("F").mol, 0) == {"H"}
    assert bonded_elements(parse("CF").mol, 1) == {"C"}


def score(record: str, observed: float, predicted: float, half: float = 1.0) -> Score:
    return Score(
        record,
        f"SMILES of {record[0]}",
        "13C",
        "cdcl3",
        "CH3",
        observed,
        predicted,
        predicted - half,
        predicted + half,
    )


def test_measures_by_hand() -> None:
    scores = [score("a1", 10, 11), score("a2", 20, 17), score("a2", 30, 35), score("b", 5, 5, 2)]
    found = summarise(scores)
    assert (found.n_labels, found.n_molecules) == (4, 2)
    assert found.mae_ppm == pytest.approx((1 + 3 + 5 + 0) / 4)
    assert found.median_ppm == pytest.approx(2.0)
    assert found.rmse_ppm == pytest.approx(np.sqrt((1 + 9 + 25) / 4))
    assert found.p95_ppm == pytest.approx(np.percentile([1, 3, 5, 0], 95))
    assert found.record_mae_ppm == pytest.approx((1 + 4 + 0) / 3)
    assert found.record_median_ppm == pytest.approx(1.0)
    assert found.coverage == pytest.approx(0.5)
    assert found.mean_width_ppm == pytest.approx((2 + 2 + 2 + 4) / 4)


def test_nothing_cannot_be_summarised() -> None:
    with pytest.raises(ValueError, match="no scores"):
        summarise([])


@dataclass
class Fixed:
    """Predicts 10 ppm times the atom index, and remembers what it was asked."""

    nuclei: tuple[str, ...] = ("13C", "19F", "1H")
    sources: tuple[str, ...] = ("known",)
    asked: list[Query] = field(default_factory=list)

    def predict_many(
        self,
        queries: Iterable[Query],
        *,
        solvent: str | None = None,
        nuclei: tuple[str, ...] = ("13C",),
        interval: float = 0.9,
    ) -> Iterator[Prediction | Failure]:
        for index, query in enumerate(queries):
            self.asked.append(query)
            if "Xe" in query.structure:
                yield Failure(index, query.structure, None, "unsupported_element", "xenon", "")
                continue
            atoms = tuple(
                self.shift(atom, nucleus)
                for nucleus in query.nuclei or nuclei
                for atom in parse(query.structure).mol.GetAtoms()
                if atom.GetSymbol() == {"13C": "C", "19F": "F"}.get(nucleus)
                or (nucleus == "1H" and atom.GetTotalNumHs())
            )
            yield Prediction(index, query.structure, None, "unknown", interval, atoms, "fixed-1")

    def shift(self, atom: object, nucleus: str) -> AtomShift:
        index = atom.GetIdx()
        value = 10.0 * index
        hydrogens = atom.GetTotalNumHs(includeNeighbors=True)
        return AtomShift(
            index, atom.GetSymbol(), nucleus, value, value - 2, value + 2, index, hydrogens
        )


def record(name: str, smiles: str, nucleus: str, **more: object) -> ShiftRecord:
    return ShiftRecord(id=f"nmrshiftdb2:{name}/{nucleus}/0", smiles=smiles, nucleus=nucleus, **more)


RECORDS = [
    record("1", "CCF", "13C", solvent="CDCl3", source="known", shifts=((0, 1.0), (1, 15.0))),
    record("1", "CCF", "19F", solvent="CDCl3", source="known", shifts=((2, 21.0),)),
    record("1", "CCF", "13C", solvent="DMSO", source="other", shifts=((0, 3.0), (2, 9.0))),
    record("2", "FN(F)C", "19F", shifts=((0, -4.0), (2, 22.0))),
    record("3", "F[Xe]F", "19F", shifts=((0, 1.0),)),
    record("4", "CP", "31P", shifts=((1, 1.0),)),
    record("5", "CCO", "1H", shifts=((1, 12.0), (1, 9.0))),
    RecordIssue(3, "json", "broken", "{"),
]


def test_an_evaluation_by_hand() -> None:
    predictor = Fixed()
    report = evaluate(RECORDS, predictor, interval=0.8, notes=("a note",))
    assert (report.model, report.interval, report.notes) == ("fixed-1", 0.8, ("a note",))
    carbon = report.metrics("13C")
    assert (carbon.n_labels, carbon.n_molecules) == (3, 1)
    assert carbon.mae_ppm == pytest.approx((1 + 5 + 3) / 3)
    assert carbon.record_mae_ppm == pytest.approx((3 + 3) / 2)
    assert carbon.coverage == pytest.approx(1 / 3)
    assert carbon.mean_width_ppm == pytest.approx(4)
    assert report.metrics("13C", "solvent", "dmso-d6").mae_ppm == pytest.approx(3)
    assert report.metrics("13C", "environment", "CH2").mae_ppm == pytest.approx(5)
    assert report.metrics("19F").n_labels == 3
    assert report.metrics("19F", "environment", "N-F").mae_ppm == pytest.approx(3)
    assert report.metrics("1H").mae_ppm == pytest.approx((2 + 1) / 2)
    with pytest.raises(KeyError):
        report.metrics("31P")
    counts = report.counts
    assert counts.n_records == 7
    assert counts.n_issues == {"json": 1}
    assert counts.n_skipped == {"31P": 1}
    assert counts.n_failed == {"unsupported_element": 1}
    assert counts.n_unplaced == 1


def test_molecules_are_asked_once_for_each_condition() -> None:
    predictor = Fixed()
    evaluate(RECORDS, predictor)
    asked = [(q.structure, q.solvent, q.source, q.nuclei) for q in predictor.asked]
    assert asked == [
        ("CCF", "CDCl3", "known", ("13C", "19F")),
        ("CCF", "DMSO", None, ("13C",)),
        ("FN(F)C", None, None, ("19F",)),
        ("F[Xe]F", None, None, ("19F",)),
        ("CCO", None, None, ("1H",)),
    ]


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(nuclei=("19F",)), {"19F": 3}),
        (Selection(nuclei=("19F",), bonded_to="C"), {"19F": 1}),
        (Selection(window_ppm=(0.0, 3.0)), {"13C": 2}),
        (Selection(molecules=frozenset({"2", "5"})), {"19F": 2, "1H": 2}),
        (Selection(molecules=frozenset({"nmrshiftdb2:2/19F/0"})), {"19F": 2}),
    ],
)
def test_selections(selection: Selection, expected: dict[str, int]) -> None:
    report = evaluate(RECORDS, Fixed(), selection=selection)
    assert {row.nucleus: row.metrics.n_labels for row in report.rows if row.part == "all"} == (
        expected
    )


def test_computed_spectra_are_scored_only_on_demand() -> None:
    records = [*RECORDS, record("6", "CCC", "13C", level="B3LYP", shifts=((1, 15.0),))]
    report = evaluate(records, Fixed())
    assert report.metrics("13C").n_labels == 3
    assert report.counts.n_skipped == {"31P": 1, "computed": 1}
    report = evaluate(records, Fixed(), selection=Selection(computed=True))
    assert report.metrics("13C").n_labels == 4


def test_nothing_to_score_is_an_error() -> None:
    with pytest.raises(RecordError, match="nothing to score"):
        evaluate(RECORDS, Fixed(), selection=Selection(nuclei=("31P",)))
    with pytest.raises(RecordError, match="in 0 spectra"):
        evaluate([], Fixed())


def test_peak_lists_are_matched_and_reported_apart() -> None:
    peaks = (Peak(19.0, "S"), Peak(1.0, "Q"), Peak(400.0, "Q"))
    records = [*RECORDS, record("6", "CC(=O)C", "13C", peaks=peaks)]
    report = evaluate(records, Fixed())
    assert report.metrics("13C").n_labels == 3
    matched = report.metrics("13C", "peaks")
    assert matched.n_labels == 3
    assert matched.mae_ppm == pytest.approx((1 + 9 + 370) / 3)
    alone = evaluate([record("6", "CCO", "13C", peaks=(*peaks, Peak(9.0, "T")))], Fixed())
    assert [row.part for row in alone.rows] == ["peaks"]
    assert alone.metrics("13C", "peaks").n_labels == 2
    assert alone.counts.n_unmatched_peaks == 2
    assert alone.counts.n_missing_signals == 0


def test_a_report_as_text_and_as_json() -> None:
    report = evaluate(RECORDS, Fixed(), notes=("only some",))
    text = report.to_text()
    assert "note: only some" in text
    assert "  in cdcl3" in text
    assert "spectra whose molecule failed: 1 (unsupported_element 1)" in text
    assert "labels on atoms without prediction: 1" in text
    table = [line for line in text.splitlines() if line.startswith(("13C", "  CH3", "19F", "  in"))]
    assert len({len(line) for line in table}) == 1
    data = json.loads(json.dumps(report.to_dict()))
    assert data["rows"][0]["nucleus"] == "13C"
    assert data["rows"][0]["metrics"]["mae_ppm"] == pytest.approx(3.0)
    assert data["counts"]["n_failed"] == {"unsupported_element": 1}


def test_molecule_numbers() -> None:
    assert molecule_number("nmrshiftdb2:20172866/1H/0") == "20172866"
    assert molecule_number("exp5k:30096617") == "30096617"
    assert molecule_number("plain") == "plain"


def test_held_out_molecules_are_known_whatever_their_stereo_and_charge() -> None:
    held_out = HeldOut.of(["C[C@H](N)C(=O)O", "no structure(", "CCF"])
    asked = ["C[C@@H]([NH3+])C(=O)[O-]", "[2H]CCF", "CCCl", "CC(F)C", "NCCC(=O)O"]
    assert [held_out(parse(smiles).mol) for smiles in asked] == [True, True, False, False, False]
    assert held_out.n_met == 2
