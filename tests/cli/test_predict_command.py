"""``nmrshift predict`` from argument to exit code, with a predictor by rule."""

import csv
import gzip
import io
import json

import pytest
from click.testing import CliRunner
from fakes import FakePredictor

import nmrshift
from nmrshift.cli.app import main


@pytest.fixture(autouse=True)
def fake(monkeypatch):
    monkeypatch.setitem(nmrshift.__dict__, "Predictor", FakePredictor)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments, stdin=None):
    return CliRunner().invoke(main, ["predict", *map(str, arguments)], input=stdin)


def lines(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


class TestInputs:
    def test_structures_give_tables(self):
        result = run("CCO", "InChI=1S/CH4O/c1-2/h2H,1H3", "--solvent", "CDCl3")
        assert result.exit_code == 0
        assert "[0] CCO" in result.stdout
        assert "[1] InChI=1S/CH4O" in result.stdout
        assert result.stderr == ""

    def test_standard_input(self):
        result = run("-", stdin="CCO ethanol\n\nc1ccccc1\n")
        assert [row["name"] for row in lines(result)] == ["ethanol", None]

    def test_standard_input_in_another_format(self):
        result = run("-", "--input-format", "csv", stdin="id,smiles\na,CCO\n")
        assert [row["name"] for row in lines(result)] == ["a"]

    def test_standard_input_once(self):
        assert run("-", "-").exit_code == 2

    def test_several_files_in_order(self, here):
        (here / "a.smi").write_text("C one\nN bad\n")
        (here / "b.csv").write_text("id,smiles,solvent\ntwo,CC,DMSO\n")
        (here / "c.jsonl.gz").write_bytes(gzip.compress(b'{"smiles":"CCC","name":"three"}\n'))
        result = run("a.smi", "CCCC", "b.csv", "c.jsonl.gz", "--solvent", "CDCl3")
        rows = lines(result)
        assert [row["index"] for row in rows] == [0, 1, 2, 3, 4]
        assert [row["name"] for row in rows] == ["one", "bad", None, "two", "three"]
        assert rows[3]["solvent"] == "DMSO"
        assert rows[4]["solvent"] == "CDCl3"
        assert result.exit_code == 3
        assert "4 predicted, 1 failed" in result.stderr

    def test_a_stray_file_never_shadows_a_structure_silently(self, here):
        (here / "CCO").write_text("CC\n")
        result = run("CCO")
        assert result.exit_code == 2
        assert "--input-format" in result.stderr
        assert run("CCO", "--input-format", "smi").exit_code == 0

    def test_missing_file(self, here):
        result = run("absent.smi")
        assert result.exit_code == 2
        assert "no such file" in result.stderr

    def test_a_very_long_argument_is_a_structure(self):
        assert run("C" * 5000).exit_code == 4

    def test_no_argument(self):
        assert run().exit_code == 2

    def test_an_empty_file_says_so(self, here):
        (here / "a.smi").write_text("")
        result = run("a.smi")
        assert result.exit_code == 4
        assert lines(result)[0]["message"] == "a.smi holds no molecule"


class TestSettings:
    def test_nuclei_by_any_spelling(self):
        result = run("CC", "--nucleus", "h1", "--nucleus", "C-13", "--format", "json")
        atoms = json.loads(result.stdout)["predictions"][0]["atoms"]
        assert [atom["nucleus"] for atom in atoms] == ["1H", "1H", "13C", "13C"]

    @pytest.mark.parametrize("nucleus", ["31P", "kryptonite"])
    def test_unknown_nucleus(self, nucleus):
        result = run("CC", "--nucleus", nucleus)
        assert result.exit_code == 2
        assert "hint:" in result.stderr
        assert result.stdout == ""

    def test_source(self):
        result = run("CC", "--source", "spectra", "--format", "jsonl")
        assert result.exit_code == 0

    def test_unknown_source_writes_nothing(self):
        result = run("CC", "--source", "nowhere", "--format", "csv")
        assert result.exit_code == 2
        assert result.stdout == ""

    def test_interval(self):
        result = run("CC", "--interval", "0.5", "--format", "jsonl")
        assert lines(result)[0]["interval"] == 0.5
        assert run("CC", "--interval", "1.0").exit_code == 2

    def test_model(self, monkeypatch, tmp_path):
        seen = []
        monkeypatch.setattr(
            FakePredictor,
            "load",
            classmethod(lambda cls, path=None: seen.append(path) or cls()),
        )
        run("CC", "--model", tmp_path)
        run("CC")
        assert seen == [tmp_path, None]


class TestOutput:
    def test_json(self):
        document = json.loads(run("CCO", "C1CC", "--format", "json").stdout)
        assert [row["status"] for row in document["predictions"]] == ["ok", "error"]
        assert document["counts"] == {"ok": 1, "error": 1}
        assert document["model"] == FakePredictor.identity

    def test_csv(self):
        result = run("FC", "=CC", "--format", "csv")
        rows = list(csv.DictReader(io.StringIO(result.stdout)))
        assert [row["nucleus"] for row in rows] == ["13C", "19F", ""]
        assert rows[2]["input"] == "'=CC"

    def test_table_of_a_failure(self):
        result = run("C1CC")
        assert result.exit_code == 4
        assert "error parse_error" in result.stdout
        assert "hint:" in result.stdout

    @pytest.mark.parametrize(
        ("name", "start"),
        [
            ("o.csv", "index,"),
            ("o.json", '{"schema_version"'),
            ("o.jsonl", '{"status"'),
            ("o.txt", "[0]"),
            ("o", '{"status"'),
        ],
    )
    def test_out_takes_the_format_of_its_name(self, here, name, start):
        result = run("CCO", "--out", name)
        assert result.exit_code == 0
        assert result.stdout == ""
        assert (here / name).read_text().startswith(start)
        assert [entry.name for entry in here.iterdir()] == [name]

    def test_no_overwrite_without_force(self, here):
        (here / "o.csv").write_text("mine")
        result = run("CCO", "--out", "o.csv")
        assert result.exit_code == 2
        assert (here / "o.csv").read_text() == "mine"
        assert run("CCO", "--out", "o.csv", "--force").exit_code == 0
        assert (here / "o.csv").read_text().startswith("index,")

    def test_a_failed_run_leaves_no_file(self, here):
        assert run("CCO", "--out", "o.csv", "--source", "nowhere").exit_code == 2
        assert list(here.iterdir()) == []

    def test_a_folder_that_is_not_there(self, here):
        result = run("CCO", "--out", "absent/o.csv")
        assert result.exit_code == 1
        assert "No such file" in result.stderr

    def test_help_explains_exit_codes(self):
        text = run("--help").stdout
        assert "every molecule failed" in text
        assert "  3   some molecules failed" in text

    def test_many_rows_stream(self, here):
        (here / "a.smi").write_text("".join(f"{'C' * (i % 9 + 1)} n{i}\n" for i in range(2000)))
        result = run("a.smi")
        assert [row["name"] for row in lines(result)] == [f"n{i}" for i in range(2000)]
