"""Mending puts right what was exchanged, marks what is doubted, and leaves the rest alone."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from nmrshift.cli.app import main
from nmrshift.data.check_report import Finding
from nmrshift.data.dataset import load_dataset
from nmrshift.data.gather import DataPart
from nmrshift.data.mend import by_record, mend_files, mended
from nmrshift.data.records import ShiftRecord, read_records, write_records
from nmrshift.errors import ConfigError


def alcohols() -> list[ShiftRecord]:
    """1-Alkanols whose first two carbons have ordinary, slightly different shifts."""
    return [
        ShiftRecord(
            f"x:{n}",
            "OCC" + "C" * n,
            "13C",
            shifts=((1, round(62.0 + 0.1 * n, 1)), (2, round(32.0 + 0.1 * n, 1))),
        )
        for n in range(3, 14)
    ]


def spoiled() -> list[ShiftRecord]:
    """One alcohol has its two shifts the wrong way round, another is far off at one atom."""
    records = alcohols()
    (a, first), (b, second) = records[2].shifts or ()
    records[2] = replace(records[2], shifts=((a, second), (b, first)))
    records[5] = replace(records[5], shifts=((1, 120.0), (2, 32.8)))
    return records


def written(folder: Path, records: list[ShiftRecord], name: str = "a.jsonl") -> Path:
    folder.mkdir(exist_ok=True)
    write_records(folder / name, records)
    return folder / name


def test_exchanged_pairs_are_put_right_and_outliers_marked(tmp_path: Path) -> None:
    path = written(tmp_path / "in", spoiled())
    done = mend_files([path], tmp_path / "out")
    assert (done.n_records, done.n_changed) == (11, 2)
    assert (done.n_exchanged, done.n_doubted) == (1, 1)
    assert done.issues == ()
    records = list(read_records(tmp_path / "out" / "a.jsonl"))
    expected = alcohols()
    expected[5] = replace(spoiled()[5], doubted=(1,))
    assert records == expected


def test_mending_twice_changes_nothing_more(tmp_path: Path) -> None:
    mend_files([written(tmp_path / "in", spoiled())], tmp_path / "once")
    done = mend_files([tmp_path / "once" / "a.jsonl"], tmp_path / "twice")
    assert (done.n_changed, done.n_exchanged, done.n_doubted) == (0, 0, 0)
    once, twice = (tmp_path / name / "a.jsonl" for name in ("once", "twice"))
    assert once.read_bytes() == twice.read_bytes()


def test_what_a_model_contradicts_is_left_alone() -> None:
    far = Finding("outlier", "x:1", "13C", (1,), (120.0,), (62.0,), 9.0, "far")
    pair = Finding("swap", "x:1", "13C", (1, 2), (120.0, 30.0), (31.0, 119.0), 9.0, "exchanged")
    repeat = Finding("repeat", "x:1", "13C", (1,), (120.0,), (62.0,), 9.0, "again")
    other = replace(far, nucleus="1H")
    assert by_record([far, repeat]) == {("x:1", "13C"): (far,)}
    assert by_record([replace(far, borne_out=False), replace(pair, borne_out=False)]) == {}
    sure = replace(pair, borne_out=True)
    assert by_record([sure, other]) == {("x:1", "13C"): (sure,), ("x:1", "1H"): (other,)}


def test_shifts_that_a_record_does_not_have_are_passed_over() -> None:
    record = ShiftRecord("x:1", "OCCC", "13C", shifts=((1, 62.0), (2, 32.0)))
    far = Finding("outlier", "x:1", "13C", (1,), (120.0,), (62.0,), 9.0, "far")
    assert mended(record, [far]) is record
    assert mended(record, []) is record


def test_rows_that_are_no_records_are_reported(tmp_path: Path) -> None:
    path = written(tmp_path / "in", spoiled())
    with path.open("a", encoding="utf-8") as stream:
        stream.write("{broken\n")
    result = CliRunner().invoke(main, ["data", "mend", str(path), "--out", str(tmp_path / "out")])
    assert result.exit_code == 3
    summary = json.loads(result.stdout)
    assert summary == {"records": 11, "changed": 2, "exchanged_pairs": 1, "doubted_atoms": 1}
    assert "broken JSON" in result.stderr


def test_nothing_is_written_over(tmp_path: Path) -> None:
    path = written(tmp_path / "in", spoiled())
    before = path.read_bytes()
    with pytest.raises(ConfigError, match="the files themselves"):
        mend_files([path], tmp_path / "in", force=True)
    other = written(tmp_path / "other", alcohols())
    with pytest.raises(ConfigError, match="one name"):
        mend_files([path, other], tmp_path / "out")
    written(tmp_path / "out", alcohols())
    with pytest.raises(FileExistsError):
        mend_files([path], tmp_path / "out")
    arguments = ["data", "mend", str(path), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code != 0
    assert "--force" in result.stderr
    assert path.read_bytes() == before
    assert CliRunner().invoke(main, [*arguments, "--force"]).exit_code == 0
    assert len(list(read_records(tmp_path / "out" / "a.jsonl"))) == 11


@pytest.mark.parametrize(("weight", "expected"), [(0.25, [0.25, 1.0]), (1.0, [1.0, 1.0])])
def test_training_trusts_doubted_labels_less(
    tmp_path: Path, weight: float, expected: list[float]
) -> None:
    path = written(tmp_path / "in", [replace(alcohols()[0], doubted=(1,))])
    part = DataPart(path, doubt_weight=weight)
    data = load_dataset([part], ("13C",), "v1", tmp_path, report=lambda _: None, workers=1)
    assert data.label_weight.tolist() == expected


def test_doubted_labels_may_be_left_out(tmp_path: Path) -> None:
    path = written(tmp_path / "in", [replace(alcohols()[0], doubted=(1,))])
    part = DataPart(path, doubt_weight=0.0)
    data = load_dataset([part], ("13C",), "v1", tmp_path, report=lambda _: None, workers=1)
    assert data.label_ppm.tolist() == pytest.approx([32.3])
