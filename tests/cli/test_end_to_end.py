"""The commands with a model that was really trained, as a process and in this one."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from nmrshift import Predictor
from nmrshift.cli.app import main

SMILES = ["CCO", "C1CC", "FC(F)(F)c1ccccc1", "O"]


def test_every_row_of_a_file_as_python_predicts_it(toy_model, tmp_path):
    path = tmp_path / "in.smi"
    path.write_text("".join(f"{smiles} row{number}\n" for number, smiles in enumerate(SMILES)))
    command = [sys.executable, "-m", "nmrshift", "predict", str(path), "--model", str(toy_model)]
    done = subprocess.run([*command, "--solvent", "CDCl3"], capture_output=True, check=False)
    assert done.returncode == 3, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["name"] for row in rows] == ["row0", "row1", "row2", "row3"]
    assert [row.get("code") for row in rows] == [None, "parse_error", None, "no_target_atoms"]
    predictor = Predictor.load(toy_model)
    for row in rows[::2]:
        expected = predictor.predict(row["input"], solvent="CDCl3")
        assert row["solvent"] == expected.solvent
        for found, atom in zip(row["atoms"], expected.atoms, strict=True):
            assert (found["atom_index"], found["nucleus"]) == (atom.atom_index, atom.nucleus)
            assert found["shift_ppm"] == pytest.approx(atom.shift_ppm, abs=2e-3)
            assert found["low_ppm"] <= found["shift_ppm"] <= found["high_ppm"]


def test_a_structure_alone_is_predicted_without_dgl(toy_model):
    code = (
        "import sys; from nmrshift.cli.app import main; "
        "main(sys.argv[1:], standalone_mode=False); print('dgl' in sys.modules, file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, "predict", "CCO", "--model", str(toy_model)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "13C" in done.stdout
    assert done.stderr.split() == ["False"]


def test_the_automatic_number_of_workers_changes_nothing(toy_model, tmp_path, monkeypatch):
    monkeypatch.setattr("nmrshift.predict.stream.AUTOMATIC_FROM", 256)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    path = tmp_path / "in.smi"
    path.write_text("".join(f"{'C' * (1 + i % 7)}O n{i}\n" for i in range(800)))
    outputs = []
    for words in ([], ["--workers", "0"]):
        out = tmp_path / f"out{len(words)}.jsonl"
        arguments = ["predict", str(path), "--model", str(toy_model), "--out", str(out)]
        assert CliRunner().invoke(main, [*arguments, *words]).exit_code == 0
        outputs.append(out.read_bytes())
    assert outputs[0] == outputs[1]
    assert len(outputs[0].splitlines()) == 800


def test_workers_change_nothing(toy_model, tmp_path):
    path = tmp_path / "in.smi"
    path.write_text("".join(f"{'C' * (1 + i % 7)}O n{i}\n" for i in range(600)) + "C1CC bad\n")
    outputs = []
    for workers in ("0", "1"):
        out = tmp_path / f"out{workers}.jsonl"
        arguments = ["predict", str(path), "--model", str(toy_model), "--out", str(out)]
        result = CliRunner().invoke(main, [*arguments, "--workers", workers])
        assert result.exit_code == 3, result.output
        outputs.append(out.read_bytes())
    assert outputs[0] == outputs[1]
    assert len(outputs[0].splitlines()) == 601


def test_doctor(toy_model):
    result = CliRunner().invoke(main, ["doctor", "--json", "--model", str(toy_model)])
    report = {check["name"]: check for check in json.loads(result.stdout)["checks"]}
    assert result.exit_code == 0, result.stdout
    assert report["model folder"]["value"] == str(toy_model)
    assert len(report["model hash"]["value"]) == 64


def test_doctor_finds_an_altered_weight(toy_model, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    for source in toy_model.iterdir():
        data = bytearray(source.read_bytes())
        if source.name == "weights.safetensors":
            data[-1] ^= 1
        (folder / source.name).write_bytes(data)
    result = CliRunner().invoke(main, ["doctor", "--json", "--model", str(folder)])
    assert result.exit_code == 1
    assert not json.loads(result.stdout)["ok"]


def test_unknown_settings_are_usage_errors(toy_model):
    for setting in (["--source", "nowhere"], ["--nucleus", "195Pt"]):
        result = CliRunner().invoke(main, ["predict", "CCO", "--model", str(toy_model), *setting])
        assert result.exit_code == 2
        assert result.stdout == ""
        assert "hint:" in result.stderr
