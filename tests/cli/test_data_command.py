"""``nmrshift data``: exit codes, what goes to which stream, and files left behind."""

import gzip
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from spectra import record, sd_file

from nmrshift.cli.data import data
from nmrshift.data.records import ShiftRecord, read_records, write_records
from nmrshift.errors import ConfigError, FileFormatError

GOOD = record("x", {"nmrshiftdb2 ID": "1", "Spectrum 19F 0": "-225.3;1.0S;0|"})
EMPTY = record("y", {"nmrshiftdb2 ID": "2"})


def call(*words: object) -> Result:
    return CliRunner().invoke(data, [str(word) for word in words])


@pytest.fixture
def spectra_file(tmp_path: Path) -> Path:
    path = tmp_path / "spectra.jsonl.gz"
    write_records(
        path,
        [
            ShiftRecord(f"x:{n}", "C" * n + "F", "19F", shifts=((n, -220.0 + n),))
            for n in range(1, 40)
        ],
    )
    return path


def test_import_writes_records_and_says_so(tmp_path: Path) -> None:
    source, out = tmp_path / "x.sd.gz", tmp_path / "r.jsonl.gz"
    source.write_bytes(gzip.compress(sd_file(GOOD)))
    result = call("import", source, "--out", out)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "1 records written" in result.stderr
    assert [entry.id for entry in read_records(out)] == ["nmrshiftdb2:1/19F/0"]


def test_import_reports_what_it_could_not_take(tmp_path: Path) -> None:
    source, out = tmp_path / "x.sd", tmp_path / "r.jsonl"
    source.write_bytes(sd_file(GOOD, *([EMPTY] * 30)))
    result = call("import", source, "--out", out)
    assert result.exit_code == 3
    assert result.stdout == ""
    assert "no_spectrum" in result.stderr
    assert "10 more" in result.stderr
    assert "1 records written" in result.stderr
    assert "30 reported" in result.stderr
    everything = call("import", source, "--out", out, "--force", "--all-issues")
    assert everything.stderr.count("no spectrum in the record") == 30


def test_import_keeps_an_output_unless_forced(tmp_path: Path) -> None:
    source, out = tmp_path / "t.csv", tmp_path / "r.jsonl"
    source.write_text("smiles,atom,shift\nCF,2,-271.9\n")
    out.write_text("mine")
    result = call("import", source, "--out", out, "--first-atom", "1")
    assert result.exit_code == 1
    assert "--force" in result.stderr
    assert out.read_text() == "mine"
    forced = call("import", source, "--out", out, "--first-atom", "1", "--source", "lab", "--force")
    assert forced.exit_code == 0
    assert [entry.id for entry in read_records(out)] == ["lab:CF/19F/0"]


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "smiles,shifts\n"])
def test_import_of_a_file_without_records_fails_and_leaves_nothing(
    tmp_path: Path, text: str
) -> None:
    source, out = tmp_path / "t.csv", tmp_path / "r.jsonl"
    source.write_text(text)
    result = call("import", source, "--out", out, "--format", "csv")
    assert result.exit_code == 1
    assert isinstance(result.exception, FileFormatError)
    assert not out.exists()


def test_check_in_words_and_as_json(spectra_file: Path) -> None:
    result = call("check", spectra_file)
    assert result.exit_code == 0
    assert "39 records" in result.stdout
    assert result.stderr == ""
    report = json.loads(call("check", spectra_file, "--json").stdout)
    assert report["nuclei"][0]["n_labels"] == 39


def test_check_of_a_broken_file(spectra_file: Path) -> None:
    spectra_file.write_bytes(spectra_file.read_bytes()[:-12])
    result = call("check", spectra_file)
    assert result.exit_code == 3
    assert "damaged_file" in result.stdout


def test_split_writes_parts_and_a_summary(spectra_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "parts"
    words = ("split", spectra_file, "--out", out, "--fractions", "0.6,0.2,0.2", "--seed", "1")
    result = call(*words)
    assert result.exit_code == 0
    summary = json.loads(result.stdout)
    assert sum(part["records"] for part in summary.values()) == 39
    for name in ("train", "valid", "test"):
        assert len(list(read_records(out / f"{name}.jsonl.gz"))) == summary[name]["records"]
    again = call(*words)
    assert again.exit_code == 1
    assert "--force" in again.stderr
    assert call(*words, "--force").stdout == result.stdout


def test_split_into_folds_with_exclusions(spectra_file: Path, tmp_path: Path) -> None:
    exclude = tmp_path / "no.json"
    exclude.write_text('["NBVXSUQYWXRMNV"]')
    out = tmp_path / "folds"
    words = ("split", spectra_file, "--out", out, "--folds", 3, "--exclude", exclude, "--plain")
    summary = json.loads(call(*words).stdout)
    assert sorted(path.name for path in out.iterdir()) == [f"fold{n}.jsonl" for n in range(3)]
    assert summary["excluded"] == {"records": 1, "molecules": 1}


def test_split_reports_rows_it_could_not_place(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text("{}\n")
    result = call("split", path, "--out", tmp_path / "out")
    assert result.exit_code == 3
    assert "missing_field" in result.stderr


def test_split_refuses_impossible_fractions(spectra_file: Path, tmp_path: Path) -> None:
    for fractions in ("half", "0.5,0.5", "1,1,1"):
        result = call("split", spectra_file, "--out", tmp_path / "o", "--fractions", fractions)
        assert isinstance(result.exception, ConfigError)
        assert not (tmp_path / "o").exists()
