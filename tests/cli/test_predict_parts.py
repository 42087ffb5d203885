"""``nmrshift predict --part-rows`` and ``nmrshift verify`` with a predictor by rule."""

import gzip
import io
import json

import pytest
from click.testing import CliRunner
from fakes import FakePredictor

import nmrshift
from nmrshift.cli.app import main
from nmrshift.cli.progress import Progress


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.setitem(nmrshift.__dict__, "Predictor", FakePredictor)
    monkeypatch.setattr("os.fsync", lambda _: None)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.smi").write_text("".join(f"{'C' * (i % 9 + 1)} n{i}\n" for i in range(25)))
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(main, [*map(str, arguments)])


def test_a_folder_of_parts_and_its_check(here):
    result = run("predict", "a.smi", "CCO", "--out", "o", "--part-rows", 10)
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    assert result.stderr == "26 rows: 26 predicted, 0 failed\n"
    parts = sorted((here / "o").glob("part-*"))
    assert [len(path.read_text().splitlines()) for path in parts] == [10, 10, 6]
    last = json.loads(parts[-1].read_text().splitlines()[-1])
    assert (last["index"], last["input"]) == (25, "CCO")
    checked = run("verify", "o")
    assert checked.exit_code == 0
    assert checked.stdout == ""
    assert "3 parts are whole" in checked.stderr
    parts[1].unlink()
    checked = run("verify", "o")
    assert checked.exit_code == 1
    assert checked.stdout == "part-000001.jsonl is missing\n"
    assert run("verify", "absent").exit_code == 1


def test_resume_begins_and_goes_on(here):
    assert run("predict", "a.smi", "--out", "o", "--resume").exit_code == 0
    again = run("predict", "a.smi", "--out", "o", "--resume")
    assert again.exit_code == 0
    assert "25 rows" in again.stderr
    assert [path.name for path in sorted((here / "o").iterdir())] == [
        "_manifest.json",
        "part-000000.jsonl",
    ]


def test_the_name_of_the_folder_tells_format_and_compression(here):
    assert run("predict", "a.smi", "--out", "o.csv.gz/", "--part-rows", 9).exit_code == 0
    names = sorted(path.name for path in (here / "o.csv.gz").glob("part-*"))
    assert names == [f"part-00000{i}.csv.gz" for i in range(3)]
    text = gzip.decompress((here / "o.csv.gz" / names[0]).read_bytes())
    assert text.startswith(b"index,")


def test_a_mismatch_is_an_error_with_the_reason(here):
    run("predict", "a.smi", "--out", "o", "--part-rows", 9)
    (here / "a.smi").write_text("C\n")
    result = run("predict", "a.smi", "--out", "o", "--part-rows", 9, "--resume")
    assert result.exit_code == 1
    assert "inputs[0].sha256 was" in result.stderr
    assert "hint:" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("predict", "a.smi", "--part-rows", 9),
        ("predict", "a.smi", "--resume"),
        ("predict", "a.smi", "--out", "o", "--resume", "--force"),
        ("predict", "-", "--out", "o", "--part-rows", 9),
        ("predict", "a.smi", "--out", "o", "--engine", "ray"),
        ("predict", "a.smi", "--out", "a.smi", "--part-rows", 9),
        ("predict", "a.smi", "--out", "o", "--part-rows", 0),
        ("predict", "a.smi", "--out", "o", "--part-rows", 9, "--source", "nowhere"),
    ],
)
def test_what_does_not_fit_together(here, arguments):
    before = (here / "a.smi").read_bytes()
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert (here / "a.smi").read_bytes() == before
    assert not (here / "o").exists()


def test_an_existing_run_needs_a_word(here):
    run("predict", "a.smi", "--out", "o", "--part-rows", 9)
    result = run("predict", "a.smi", "--out", "o", "--part-rows", 9)
    assert result.exit_code == 2
    assert "--resume" in result.stderr
    assert run("predict", "a.smi", "--out", "o", "--part-rows", 5, "--force").exit_code == 0
    assert len(list((here / "o").glob("part-*"))) == 5


def test_a_broken_input_ends_in_a_row_that_says_so(here):
    molecules = "".join(f"{'C' * (i % 60 + 1)} {i * 7919 % 10007}\n" for i in range(9000))
    (here / "b.smi.gz").write_bytes(gzip.compress(molecules.encode())[:-40])
    result = run("predict", "b.smi.gz", "--out", "o", "--part-rows", 4000)
    assert result.exit_code == 3
    assert "1 failed (file_format 1)" in result.stderr
    assert run("verify", "o").exit_code == 0


class TestOneFile:
    @pytest.mark.parametrize("name", ["o.jsonl.gz", "o.wide.csv", "o.sdf", "o.nmredata.sdf.gz"])
    def test_by_name(self, here, name):
        result = run("predict", "a.smi", "--out", name)
        assert result.exit_code == 0
        assert result.stderr == "25 rows: 25 predicted, 0 failed\n"
        data = (here / name).read_bytes()
        assert (data[:2] == b"\x1f\x8b") == name.endswith(".gz")
        data = gzip.decompress(data) if name.endswith(".gz") else data
        assert b"n24" in data

    def test_parquet_to_stdout_and_back(self, here):
        parquet = pytest.importorskip("pyarrow.parquet")
        result = run("predict", "a.smi", "--format", "parquet")
        table = parquet.read_table(io.BytesIO(result.stdout_bytes))
        assert set(table.column("index").to_pylist()) == set(range(25))

    def test_urls(self, here):
        fsspec = pytest.importorskip("fsspec")
        system = fsspec.filesystem("memory")
        system.pipe("/in/a.smi", (here / "a.smi").read_bytes())
        arguments = ("predict", "memory://in/a.smi", "--out", "memory://out/o.jsonl")
        assert run(*arguments).exit_code == 0
        assert len(system.cat("/out/o.jsonl").splitlines()) == 25
        assert system.ls("/out", detail=False) == ["/out/o.jsonl"]
        assert run(*arguments).exit_code == 2
        assert run(*arguments, "--force").exit_code == 0
        assert run("predict", "memory://in/absent.smi").exit_code == 1
        for folder in ("/in", "/out"):
            system.rm(folder, recursive=True)

    def test_a_package_that_is_not_there(self, monkeypatch):
        monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
        result = run("predict", "CC", "--out", "o.parquet")
        assert result.exit_code == 1
        assert "nmrshift[parquet]" in result.stderr


class TestProgress:
    def test_rows_are_estimated_from_bytes(self, here):
        (here / "b.smi").write_text("".join(f"{'C' * (i % 9 + 1)} n{i}\n" for i in range(60_000)))
        progress = Progress(("b.smi",), [True], None, show=True)
        rows = progress.rows()
        for _ in range(20_000):
            next(rows)
        assert progress.estimated_rows == pytest.approx(60_000, rel=0.25)
        assert sum(1 for _ in rows) == 40_000
        assert progress.estimated_rows == 60_000

    def test_nothing_is_known_of_a_pipe(self, here):
        progress = Progress(("-",), [True], None, show=True)
        assert progress.estimated_rows is None

    def test_a_terminal_shows_rate_and_time_left(self, here, monkeypatch):
        class Terminal(io.StringIO):
            def isatty(self):
                return True

        terminal = Terminal()
        monkeypatch.setattr("sys.stderr", terminal)
        progress = Progress(("a.smi",), [True], None, show=True)
        assert sum(1 for _ in progress.rows()) == 25
        progress.done(25)
        progress.close()
        assert "25 of about 25 molecules" in terminal.getvalue()
        assert "left" in terminal.getvalue()
