"""Model folders: anything altered, missing or foreign is refused."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from nmrshift.errors import ArtifactError
from nmrshift.model.artifact import load_artifact
from nmrshift.model.folder import SUMS
from nmrshift.predict.predictor import Predictor


@pytest.fixture
def folder(toy_model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(toy_model, tmp_path / "model"))


def sign(folder: Path) -> None:
    """Write a matching list of hashes, as somebody who alters a model on purpose would."""
    import hashlib

    names = sorted(path.name for path in folder.iterdir() if path.name != SUMS)
    rows = [f"{hashlib.sha256((folder / n).read_bytes()).hexdigest()}  {n}" for n in names]
    (folder / SUMS).write_text("\n".join(rows) + "\n")


def test_loads_and_verifies(folder: Path) -> None:
    predictor = Predictor.load(folder)
    report = predictor.verify()
    assert report.ok
    assert report.n_golden >= 5
    assert predictor.info.sha256 in (load_artifact(folder).sha256,)
    assert {path.name for path in folder.iterdir()} == {
        "weights.safetensors",
        "evidence.safetensors",
        "model.json",
        "CARD.md",
        "LICENSE-DATA",
        SUMS,
    }
    assert "toy laboratory" in (folder / "CARD.md").read_text()


@pytest.mark.parametrize(
    "name", ["weights.safetensors", "evidence.safetensors", "model.json", "CARD.md"]
)
def test_one_flipped_bit_is_refused(folder: Path, name: str) -> None:
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(bytes(data))
    with pytest.raises(ArtifactError, match="not the file that was released"):
        load_artifact(folder)


@pytest.mark.parametrize(
    "name", ["weights.safetensors", "evidence.safetensors", "model.json", SUMS]
)
def test_missing_file_is_refused(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ArtifactError, match="cannot be read"):
        load_artifact(folder)


def test_unlisted_weights_are_refused(folder: Path) -> None:
    rows = (folder / SUMS).read_text().splitlines()
    (folder / SUMS).write_text("\n".join(row for row in rows if "weights" not in row) + "\n")
    with pytest.raises(ArtifactError, match="does not list"):
        load_artifact(folder)


def test_list_may_not_leave_the_folder(folder: Path) -> None:
    (folder / SUMS).write_text("0" * 64 + "  ../secret\n")
    with pytest.raises(ArtifactError, match="outside"):
        load_artifact(folder)
    (folder / SUMS).write_bytes(b"\xff\xfe")
    with pytest.raises(ArtifactError, match="cannot be read"):
        load_artifact(folder)


def change_weights(folder: Path, change: str) -> None:
    weights = load_file(folder / "weights.safetensors")
    first = next(iter(weights))
    if change == "nan":
        weights[first].view(-1)[0] = float("nan")
    elif change == "less":
        del weights[first]
    elif change == "more":
        weights["stranger"] = torch.zeros(2)
    elif change == "shape":
        weights[first] = torch.zeros(3)
    elif change == "value":
        weights["norm.weight"] = weights["norm.weight"] * 1.5
    save_file(weights, folder / "weights.safetensors")


@pytest.mark.parametrize("change", ["nan", "less", "more", "shape"])
def test_signed_but_wrong_weights_are_refused(folder: Path, change: str) -> None:
    change_weights(folder, change)
    sign(folder)
    with pytest.raises(ArtifactError):
        load_artifact(folder)


def test_signed_but_other_weights_fail_the_golden_molecules(folder: Path) -> None:
    change_weights(folder, "value")
    sign(folder)
    with pytest.raises(ArtifactError, match="golden molecules are off"):
        Predictor.load(folder)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("schema_version", 99, "schema version 99"),
        ("ring_finder", "new", "ring finder"),
        ("feature_slots", [1, 2], "feature codes"),
        ("calibration", "none", "calibration"),
        ("surprise", 1, "surprise"),
    ],
)
def test_foreign_cards_are_refused(folder: Path, key: str, value: object, message: str) -> None:
    card = json.loads((folder / "model.json").read_text())
    card[key] = value
    (folder / "model.json").write_text(json.dumps(card))
    sign(folder)
    with pytest.raises(ArtifactError, match=message):
        load_artifact(folder)


def test_broken_network_settings_and_json(folder: Path) -> None:
    card = json.loads((folder / "model.json").read_text())
    card["network"]["d_h"] = -4
    (folder / "model.json").write_text(json.dumps(card))
    sign(folder)
    with pytest.raises(ArtifactError, match="d_h"):
        load_artifact(folder)
    (folder / "model.json").write_text("{")
    sign(folder)
    with pytest.raises(ArtifactError):
        load_artifact(folder)


def test_no_pickle_is_ever_read_from_a_file() -> None:
    package = Path(__file__).resolve().parents[2]
    sources = {*package.glob("nmrshift/**/*.py"), *package.glob("service/**/*.py")}
    assert len(sources) > 40
    between_own_processes = package / "service" / "apart" / "frames.py"
    assert "open(" not in between_own_processes.read_text("utf-8")
    for source in sources - {between_own_processes}:
        text = source.read_text("utf-8")
        for forbidden in ("import pickle", "torch.load(", "allow_pickle=True", "joblib"):
            assert forbidden not in text, source
