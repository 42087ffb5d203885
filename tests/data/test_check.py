"""The check finds what was put wrong on purpose, and leaves the rest alone."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmrshift.chem.parse import parse
from nmrshift.chem.toolkit import Chem
from nmrshift.data.check import Checker, check_files
from nmrshift.data.check_report import MEANING, CheckReport, Finding
from nmrshift.data.check_witness import with_opinions
from nmrshift.data.environments import MIN_OTHERS, RADII, environments, expect
from nmrshift.data.records import Peak, RecordIssue, ShiftRecord, write_records
from nmrshift.types import DEFAULT_NUCLEI, AtomShift, Failure, Prediction, Query


def check(*records: ShiftRecord | RecordIssue) -> CheckReport:
    checker = Checker()
    for record in records:
        checker.add(record)
    return checker.report()


def methyls(*peaks: Peak, smiles: str = "CC(C)O") -> ShiftRecord:
    return ShiftRecord("x:1", smiles, "13C", peaks=peaks)


def carbons(name: str, smiles: str, *shifts: tuple[int, float], **rest: str) -> ShiftRecord:
    return ShiftRecord(name, smiles, "13C", shifts=shifts, **rest)


def alcohols() -> list[ShiftRecord]:
    """1-Alkanols whose first two carbons have ordinary, slightly different shifts."""
    return [
        carbons(f"x:{n}", "OCC" + "C" * n, (1, 62.0 + 0.1 * n), (2, 32.0 + 0.1 * n))
        for n in range(3, 12)
    ]


def found(report: CheckReport, code: str) -> list[Finding]:
    return [finding for finding in report.findings if finding.code == code]


def test_counts_solvents_and_nothing_wrong() -> None:
    records = [
        carbons("x:1", "CCO", (0, 18.1), (1, 57.8), solvent="CDCl3"),
        carbons("x:2", "CCN", (0, 19.0), solvent="Unreported"),
        carbons("x:3", "CCN", (0, 19.1), solvent="witch's brew 7"),
        ShiftRecord("x:4", "CF", "19F", peaks=(Peak(-271.9),)),
    ]
    report = check(*records, RecordIssue(7, "json", "broken"))
    assert report.n_records == 4
    assert report.issues == (("json", 1),)
    assert [
        (n.nucleus, n.n_records, n.n_molecules, n.n_labels, n.n_peaks) for n in report.nuclei
    ] == [
        ("13C", 3, 2, 4, 0),
        ("19F", 1, 1, 0, 1),
    ]
    assert report.solvents == (("unknown", 3), ("cdcl3", 1))
    assert report.unknown_solvents == (("witch's brew 7", 1),)
    assert report.findings == ()
    assert check(*alcohols()).findings == ()


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (carbons("x:1", "CCO", (0, 480.0)), "out_of_range"),
        (ShiftRecord("x:1", "CCO", "13C", peaks=(Peak(-99.0),)), "out_of_range"),
        (carbons("x:1", "CCO", (2, 18.0)), "wrong_element"),
        (ShiftRecord("x:1", "CF", "1H", shifts=((1, 4.0),)), "wrong_element"),
        (carbons("x:1", "CCO", (7, 18.0)), "index_out_of_range"),
        (carbons("x:1", "CCO", (0, 18.0), level="DFT"), "computed"),
        (carbons("x:1", "C(C)(C)(C)(C)(C)C", (0, 18.0)), "structure"),
        (carbons("x:1", "CC(C)O", (0, 18.0), (2, 29.0)), "symmetry"),
        (methyls(Peak(18.0, "Q", 1), Peak(57.0, "Q", 2), smiles="CCO"), "multiplicity"),
        (ShiftRecord("x:1", "CCO", "13C", peaks=(Peak(18.0, "D"),)), "multiplicity"),
    ],
)
def test_single_faults(record: ShiftRecord, code: str) -> None:
    report = check(record)
    assert [finding.code for finding in report.findings] == [code]
    assert report.counts() == {code: 1}
    assert report.findings[0].message


@pytest.mark.parametrize(
    "record",
    [
        carbons("x:1", "CC(C)O", (0, 25.0), (2, 25.5)),
        ShiftRecord("x:1", "CCO", "1H", shifts=((1, 3.6), (1, 4.9), (0, 1.2))),
        ShiftRecord("x:1", "FS(F)(F)(F)(F)C", "19F", shifts=((0, 85.0), (2, 64.0), (3, 64.0))),
        ShiftRecord("x:1", "CC(C)O", "13C", peaks=(Peak(25.0, "Q", 1), Peak(25.1, "Q", 3))),
        methyls(Peak(25.0, "Q", 1), Peak(25.0, "Q", 1), Peak(64.0, "D")),
    ],
)
def test_what_is_right_is_left_alone(record: ShiftRecord) -> None:
    assert check(record).findings == ()


def test_an_outlier_is_found_by_other_molecules() -> None:
    records = alcohols()
    records[4] = carbons("x:bad", records[4].smiles, (1, 162.0), (2, 32.4))
    (finding,) = check(*records).findings
    assert (finding.code, finding.record, finding.atoms) == ("outlier", "x:bad", (1,))
    assert finding.expected_ppm[0] == pytest.approx(62.7, abs=0.5)
    assert "other molecules" in finding.message


def test_an_exchanged_pair_is_found_as_a_pair() -> None:
    records = alcohols()
    records[4] = carbons("x:bad", records[4].smiles, (1, 32.4), (2, 62.4))
    (finding,) = check(*records).findings
    assert (finding.code, finding.record, finding.atoms) == ("swap", "x:bad", (1, 2))


def test_computed_spectra_judge_nobody() -> None:
    wrong = [carbons(f"d:{n}", "OCC" + "C" * n, (1, 99.0), level="DFT") for n in range(3, 12)]
    report = check(*alcohols(), *wrong)
    assert set(report.counts()) == {"computed"}


def test_repeats_need_the_same_isomer_and_solvent() -> None:
    def fluoro(name: str, smiles: str, atom: int, ppm: float, solvent: str) -> ShiftRecord:
        return ShiftRecord(name, smiles, "19F", solvent=solvent, shifts=((atom, ppm),))

    report = check(
        fluoro("x:1", "F/C=C/C", 0, -130.0, "CDCl3"),
        fluoro("x:2", "C/C=C/F", 3, -131.0, "Chloroform-D1 (CDCl3)"),
        fluoro("x:3", "F/C=C\\C", 0, -150.0, "CDCl3"),
        fluoro("x:4", "F/C=C/C", 0, -160.0, "D2O"),
    )
    (repeats,) = report.repeats
    assert (repeats.nucleus, repeats.n_atoms, repeats.median_spread_ppm) == ("19F", 1, 1.0)
    assert report.findings == ()
    assert "spread, ppm" in report.to_text()
    assert "1.00" in report.to_text()
    far = check(fluoro("x:1", "CF", 1, -270.0, "D2O"), fluoro("x:2", "FC", 0, -250.0, "D2O"))
    assert [finding.code for finding in far.findings] == ["repeat"]
    assert far.findings[0].score == pytest.approx(20.0)


def test_a_name_twice_is_reported() -> None:
    assert [f.code for f in check(*alcohols(), alcohols()[0]).findings] == ["duplicate_id"]


def test_report_as_json_and_text(tmp_path: Path) -> None:
    records = [*alcohols(), carbons("x:bad", "CCO", (0, 480.0), solvent="brew")]
    write_records(tmp_path / "r.jsonl", records)
    report = check_files([tmp_path / "r.jsonl"])
    data = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert data["counts"] == {"out_of_range": 1}
    assert data["findings"][0]["record"] == "x:bad"
    text = report.to_text()
    for part in ("10 records", "13C", "brew", MEANING["out_of_range"], "x:bad", "480.0 ppm"):
        assert part in text
    assert "and 1 more" in report.to_text(most=0)


def leave_one_out_slowly(molecule: list[int], shifts: list[float]) -> list[float]:
    """The obvious twin: for each label the median of the other molecules' means."""
    out = []
    for own in molecule:
        others = sorted(set(molecule) - {own})
        means = [
            np.mean([s for s, m in zip(shifts, molecule, strict=True) if m == other])
            for other in others
        ]
        out.append(float(np.median(means)) if len(others) >= MIN_OTHERS else float("nan"))
    return out


@given(st.lists(st.tuples(st.integers(0, 8), st.floats(-100, 100)), min_size=1, max_size=30))
def test_leave_one_out_against_its_twin(labels: list[tuple[int, float]]) -> None:
    molecule = [number for number, _ in labels]
    shifts = [shift for _, shift in labels]
    keys = np.zeros((len(labels), len(RADII)), dtype=np.int64)
    expected = expect(keys, np.array(molecule), np.array(shifts), 1.0)
    slow = leave_one_out_slowly(molecule, shifts)
    np.testing.assert_allclose(expected.centre_ppm, slow, atol=1e-9, equal_nan=True)
    known = ~np.isnan(expected.centre_ppm)
    assert (expected.scale_ppm[known] >= 1.0).all()
    assert (expected.radius[known] == RADII[0]).all()


def test_environments_do_not_depend_on_the_order_of_atoms() -> None:
    mol = parse("CC(=O)Nc1ccc(F)cc1CCl").mol
    order = list(np.random.default_rng(3).permutation(mol.GetNumAtoms()))
    shuffled = Chem.RenumberAtoms(mol, [int(index) for index in order])
    there = environments(shuffled)
    assert [there[place] for place in range(len(order))] == [environments(mol)[i] for i in order]
    assert len(set(environments(mol))) == mol.GetNumAtoms()


class Model:
    """A model that knows alkanols, and nothing of fluorine."""

    nuclei = ("13C",)

    def __init__(self, *, knows: bool = True) -> None:
        self.knows = knows
        self.asked: list[Query] = []

    def predict_many(
        self, queries: Iterable[Query], *, nuclei: tuple[str, ...] = DEFAULT_NUCLEI, **_: object
    ) -> Iterator[Prediction | Failure]:
        assert set(nuclei) <= set(self.nuclei)
        for index, query in enumerate(queries):
            self.asked.append(query)
            first, second = (62.5, 32.5) if self.knows else (32.5, 62.5)
            atoms = tuple(
                AtomShift(atom, "C", "13C", shift, shift - 2, shift + 2, atom, 2)
                for atom, shift in ((1, first), (2, second))
            )
            yield Prediction(index, "", None, "unknown", 0.99, atoms, "model")


def suspicious(tmp_path: Path) -> Path:
    exchanged = carbons("x:swap", "OCC" + "C" * 12, (1, 32.7), (2, 62.7))
    far = carbons("x:far", "OCC" + "C" * 13, (1, 90.0), (2, 32.9))
    path = tmp_path / "suspicious.jsonl"
    write_records(path, [*alcohols(), exchanged, far])
    return path


def test_a_model_is_asked_about_suspects_alone(tmp_path: Path) -> None:
    path, model = suspicious(tmp_path), Model()
    plain = check_files([path])
    assert all(finding.borne_out is None for finding in plain.findings)
    report = check_files([path], model)  # type: ignore[arg-type]
    assert len(model.asked) == 2
    assert [f.record for f in report.findings] == [f.record for f in plain.findings]
    (swap,), (outlier,) = found(report, "swap"), found(report, "outlier")
    assert swap.borne_out
    assert outlier.borne_out
    assert swap.model_ppm == (62.5, 32.5)
    assert outlier.model_ppm == (62.5,)
    assert "so does the model, 62.5 and 32.5" in report.to_text()


def test_a_model_may_side_with_the_label(tmp_path: Path) -> None:
    report = check_files([suspicious(tmp_path)], Model(knows=False))  # type: ignore[arg-type]
    (swap,) = found(report, "swap")
    assert swap.borne_out is False
    assert "not so the model" in swap.message


def test_other_nuclei_are_not_asked_about() -> None:
    finding = Finding("outlier", "x:1", "19F", (0,), (1.0,), (2.0,), 9.0, "far")
    record = ShiftRecord("x:1", "FC", "19F", shifts=((0, 1.0),))
    model = Model()
    assert with_opinions([finding], [record], model) == [finding]  # type: ignore[arg-type]
    assert model.asked == []
