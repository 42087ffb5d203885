"""``nmrshift draw`` from argument to exit code, with a predictor by rule."""

import pytest
from click.testing import CliRunner
from fakes import FakePredictor
from pictures import groups, read, words_of

import nmrshift
import nmrshift.draw
from nmrshift.cli.app import main
from nmrshift.errors import DeadlineError


@pytest.fixture(autouse=True)
def fake(monkeypatch):
    monkeypatch.setitem(nmrshift.__dict__, "Predictor", FakePredictor)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(main, ["draw", *map(str, arguments)])


@pytest.mark.parametrize("arguments", [[], ["--out", "-"]])
def test_svg_on_stdout(arguments):
    result = run("CCF", *arguments)
    assert result.exit_code == 0
    assert result.stderr == ""
    root = read(result.stdout)
    assert {g.get("data-nucleus") for g in groups(root, "stick")} == {"13C", "19F"}


def test_settings_reach_the_picture():
    result = run(
        *("CO", "--nucleus", "h1", "--solvent", "DMSO", "--interval", "0.5", "--name", "x<y")
    )
    words = words_of(read(result.stdout))
    assert words[0] == "x<y"
    assert "dimethyl sulfoxide" in words[1]
    assert "50 %" in words[1]
    assert {g.get("data-nucleus") for g in groups(read(result.stdout), "stick")} == {"1H"}


@pytest.mark.parametrize(("name", "start"), [("a.svg", b"<svg"), ("a.png", b"\x89PNG\r\n\x1a\n")])
def test_files(here, name, start):
    result = run("CCO", "--out", name)
    assert (result.exit_code, result.output) == (0, "")
    assert (here / name).read_bytes().startswith(start)
    assert [path.name for path in here.iterdir()] == [name]


def test_no_overwrite_without_force(here):
    (here / "a.svg").write_text("old")
    result = run("CCO", "--out", "a.svg")
    assert result.exit_code == 2
    assert "--force" in result.stderr
    assert (here / "a.svg").read_text() == "old"
    assert run("CCO", "--out", "a.svg", "--force").exit_code == 0
    assert (here / "a.svg").read_bytes().startswith(b"<svg")


def test_other_formats_are_refused(here):
    result = run("CCO", "--out", "a.pdf")
    assert result.exit_code == 2
    assert ".svg or .png" in result.stderr


def test_a_molecule_that_cannot_be_predicted(here):
    result = run("C1CC", "--out", "a.svg")
    assert result.exit_code == 4
    assert "parse_error" in result.stderr
    assert "hint: " in result.stderr
    assert list(here.iterdir()) == []


def test_unknown_nucleus():
    assert run("CCO", "--nucleus", "31P").exit_code == 2


def test_a_layout_that_takes_too_long(monkeypatch, here):
    def hang(prediction):
        raise DeadlineError("the 2D layout took longer than 10 s and was stopped")

    monkeypatch.setattr(nmrshift.draw, "picture", hang)
    result = run("CCO", "--out", "a.svg")
    assert result.exit_code == 1
    assert "longer than 10 s" in result.stderr
    assert "hint: " in result.stderr
    assert list(here.iterdir()) == []
