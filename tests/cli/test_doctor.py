"""``nmrshift doctor``: says what is there, and does not say all is well when it is not."""

import json
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from fakes import FakePredictor, Report

import nmrshift
from nmrshift.chem.toolkit import Chem
from nmrshift.cli.app import main
from nmrshift.errors import ArtifactError


@pytest.fixture(autouse=True)
def fake(monkeypatch):
    monkeypatch.setitem(nmrshift.__dict__, "Predictor", FakePredictor)


def run():
    result = CliRunner().invoke(main, ["doctor", "--json"])
    report = json.loads(result.stdout)
    return result.exit_code, {check["name"]: check for check in report["checks"]}, report["ok"]


def test_all_well():
    code, checks, ok = run()
    assert (code, ok) == (0, True)
    assert checks["nmrshift"]["value"] == nmrshift.__version__
    assert checks["ring finder"]["value"] == "legacy"
    assert checks["model"]["value"] == "fake 1.0"
    assert checks["model hash"]["value"] == "0" * 64
    assert checks["nuclei"]["value"] == "13C, 19F, 1H"
    assert checks["known answers"]["value"] == "3 molecules, within 0 ppm"
    assert checks["kernels"]["value"] in ("dgl", "torch")


def test_text_has_the_same_lines():
    result = CliRunner().invoke(main, ["doctor"])
    assert result.exit_code == 0
    assert all(line.startswith("ok ") for line in result.stdout.splitlines())
    assert "known answers" in result.stdout


def test_known_answers_that_deviate(monkeypatch):
    monkeypatch.setattr(FakePredictor, "verify", lambda self: Report(0.5, 3, ok=False))
    code, checks, ok = run()
    assert (code, ok) == (1, False)
    assert not checks["known answers"]["ok"]
    assert "0.5 ppm" in checks["known answers"]["value"]


def test_known_answers_that_fail(monkeypatch):
    def fail(self):
        raise ArtifactError("golden molecule refused")

    monkeypatch.setattr(FakePredictor, "verify", fail)
    code, checks, _ = run()
    assert code == 1
    assert "refused" in checks["known answers"]["value"]


def test_a_model_that_cannot_be_loaded(monkeypatch):
    def fail(cls, path=None):
        raise ArtifactError("weights altered")

    monkeypatch.setattr(FakePredictor, "load", classmethod(fail))
    code, checks, _ = run()
    assert code == 1
    assert checks["model"] == {
        "name": "model",
        "value": "cannot be loaded: weights altered",
        "ok": False,
    }
    assert "known answers" not in checks


def test_what_nobody_foresaw_is_reported_too(monkeypatch):
    def fail(cls, path=None):
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(FakePredictor, "load", classmethod(fail))
    code, checks, _ = run()
    assert code == 1
    assert checks["model"]["value"] == "cannot be loaded: ZeroDivisionError: division by zero"


def test_another_ring_finder():
    try:
        Chem.SetUseLegacyRingFinding(False)
        code, checks, _ = run()
    finally:
        Chem.SetUseLegacyRingFinding(True)
    assert code == 1
    assert checks["ring finder"] == {"name": "ring finder", "value": "default", "ok": False}


def test_packages_that_are_absent(monkeypatch):
    absent = SimpleNamespace(missing={"dgl"})
    from nmrshift.cli import doctor

    real = doctor._version
    monkeypatch.setattr(
        doctor, "_version", lambda name: None if name in absent.missing else real(name)
    )
    code, checks, _ = run()
    assert code == 0
    assert checks["dgl"]["value"] == "absent"
    absent.missing = {"safetensors"}
    code, checks, _ = run()
    assert code == 1
    assert not checks["safetensors"]["ok"]


def test_packages_that_cannot_be_imported(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "nmrshift.chem.toolkit", None)
    monkeypatch.setitem(__import__("sys").modules, "nmrshift.model.kernels", None)
    code, checks, _ = run()
    assert code == 1
    assert not checks["ring finder"]["ok"]
    assert not checks["model"]["ok"]
