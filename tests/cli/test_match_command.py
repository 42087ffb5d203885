"""``nmrshift match`` from argument to exit code, with a predictor by rule."""

import json

import pytest
from click.testing import CliRunner
from fakes import FakePredictor

import nmrshift
from nmrshift.cli.app import main

PAPER = "13C NMR (101 MHz, CDCl3) δ 22.4, 13.3, 77.2."


@pytest.fixture(autouse=True)
def fake(monkeypatch):
    monkeypatch.setitem(nmrshift.__dict__, "Predictor", FakePredictor)


def run(*arguments, stdin=None):
    return CliRunner().invoke(main, ["match", *map(str, arguments)], input=stdin)


def document(*arguments, stdin=None):
    result = run(*arguments, "--format", "json", stdin=stdin)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


class TestPeaks:
    def test_text(self):
        found = document("CCO", "--peaks", PAPER)
        assert found["spectrum"]["frequency_mhz"] == 101.0
        assert [one["shift_ppm"] for one in found["spectrum"]["peaks"]] == [22.4, 13.3, 77.2]
        (candidate,) = found["candidates"]
        assert candidate["solvent"] == "CDCl3"
        assert [one["peak"] for one in candidate["signals"]] == [1, 0]
        assert candidate["peaks"][2]["flags"] == ["extra"]

    def test_file_and_standard_input(self, tmp_path):
        file = tmp_path / "peaks.txt"
        file.write_text("\ufeff" + PAPER, "utf-8")
        wanted = document("CCO", "--peaks", PAPER)
        assert document("CCO", "--peaks", f"@{file}") == wanted
        assert document("CCO", "--peaks", "-", stdin=PAPER) == wanted

    def test_a_text_that_begins_with_a_minus(self):
        found = document("CF", "--peaks", "-90.0 (s, 1F)", "--nucleus", "f19")
        assert found["spectrum"]["nucleus"] == "19F"

    def test_options_override_the_text(self):
        text = "1H NMR (CDCl3) δ 13.0. " + PAPER
        found = document("CCO", "--peaks", text, "--nucleus", "1H", "--solvent", "DMSO")
        assert found["spectrum"]["nucleus"] == "1H"
        assert found["candidates"][0]["solvent"] == "DMSO"


class TestErrors:
    def test_a_text_that_is_not_understood(self):
        result = run("CCO", "--peaks", "22.4, what", "--nucleus", "13C")
        assert result.exit_code == 1
        assert result.stdout == ""
        assert 'at "what"' in result.stderr
        assert "hint: " in result.stderr

    def test_nucleus(self):
        assert "nucleus" in run("CCO", "--peaks", "22.4").stderr
        assert run("CCO", "--peaks", "22.4", "--nucleus", "31P").exit_code == 2
        assert run("CCO", "--peaks", "22.4", "--nucleus", "kryptonite").exit_code == 2

    def test_files(self, tmp_path):
        assert run("CCO", "--peaks", f"@{tmp_path / 'absent'}").exit_code == 2
        (tmp_path / "latin1").write_bytes(b"13C NMR \xb5 22.4")
        assert "UTF-8" in run("CCO", "--peaks", f"@{tmp_path / 'latin1'}").stderr
        (tmp_path / "long").write_bytes(b"1" * 200_000)
        assert "bytes" in run("CCO", "--peaks", f"@{tmp_path / 'long'}").stderr

    def test_peaks_are_required(self):
        assert run("CCO").exit_code == 2

    def test_failures_of_candidates(self):
        assert run("CCO", "--candidate", "C1CC", "--peaks", PAPER).exit_code == 3
        result = run("C1CC", "--peaks", PAPER)
        assert result.exit_code == 4
        assert "parse_error" in result.stdout


class TestTable:
    def test_ranking_and_assignment_of_the_best(self):
        result = run("CC(C)=O", "--candidate", "CCO", "--peaks", PAPER)
        lines = result.stdout.splitlines()
        assert result.exit_code == 0
        assert lines[0].startswith("13C spectrum, 101 MHz, 3 peaks, solvent CDCl3, model fake")
        assert lines[3].lstrip().startswith("[1] CCO")
        assert lines[4].lstrip().startswith("[0] CC(C)=O")
        assert "[1] CCO, atoms counted from 0" in lines
        assert "[0] CC(C)=O, atoms counted from 0" not in lines
        assert "  peak 77.2: extra" in lines
        assert result.stdout.isascii()
        assert result.stderr == ""

    def test_all(self):
        result = run("CC(C)=O", "--candidate", "CCO", "--peaks", PAPER, "--all")
        assert "[0] CC(C)=O, atoms counted from 0" in result.stdout

    def test_many_equivalent_atoms_and_flags(self):
        smiles = "CC(C)(C)[Si](C(C)(C)C)(C(C)(C)C)C(C)(C)C"
        result = run(smiles, "--peaks", "150.0", "--nucleus", "13C")
        assert "missing" in result.stdout
        assert max(map(len, result.stdout.splitlines())) <= 100

    def test_what_was_not_read_goes_to_stderr(self):
        result = run("CCO", "--peaks", "13C NMR (CDCl3, two rotamers) δ 22.4, 13.3. HRMS 123")
        assert "not read: two rotamers" in result.stderr
        assert "not read: HRMS 123" in result.stderr
        assert result.exit_code == 0
