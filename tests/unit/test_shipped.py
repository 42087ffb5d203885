"""Which of the models that come with the package a tier means."""

from pathlib import Path

import pytest

from nmrshift.errors import ArtifactError, ConfigError
from nmrshift.model import shipped
from nmrshift.model.shipped import TIERS, Tier, shipped_model
from nmrshift.predict.predictor import Predictor


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder of a package that comes without models."""
    folder = tmp_path / "root" / "nmrshift"
    monkeypatch.setattr(shipped, "__file__", str(folder / "model" / "shipped.py"))
    return folder


def put(root: Path, *names: str) -> None:
    for name in names:
        (root / name).mkdir(parents=True)
        (root / name / "model.json").touch()


@pytest.mark.parametrize("root", ["_models", "../models"])
def test_each_tier_has_its_model(package: Path, root: str) -> None:
    put(package / root, "nmrshift-base-0.1.0", "nmrshift-accurate-0.1.0")
    assert shipped_model().name == "nmrshift-base-0.1.0"
    assert shipped_model("accurate").name == "nmrshift-accurate-0.1.0"


def test_a_model_of_another_name_is_the_fast_one_if_it_is_alone(package: Path) -> None:
    put(package / "_models", "ours-2")
    assert shipped_model().name == "ours-2"
    with pytest.raises(ArtifactError, match="no model of the tier 'accurate'"):
        shipped_model("accurate")
    put(package / "_models", "theirs-1")
    with pytest.raises(ArtifactError, match="2 models"):
        shipped_model()


def test_two_versions_must_be_named(package: Path) -> None:
    put(package.parent / "models", "nmrshift-base-0.1.0", "nmrshift-base-0.2.0")
    with pytest.raises(ArtifactError, match="2 models"):
        shipped_model()


def test_no_model(package: Path) -> None:
    package.mkdir(parents=True)
    with pytest.raises(ArtifactError, match="no model of the tier 'fast'"):
        shipped_model()


def test_a_folder_and_a_tier_exclude_one_another() -> None:
    with pytest.raises(ConfigError, match="a folder, some/model, and a tier, fast"):
        Predictor.load("some/model", tier="fast")


@pytest.mark.parametrize(("tier", "n_networks"), [("fast", 1), ("accurate", 4)])
def test_a_tier_answers(tier: Tier, n_networks: int) -> None:
    predictor = Predictor.load(tier=tier)
    assert predictor.identity.startswith(f"{TIERS[tier]}-")
    assert predictor.artifact.network.config.n_members == n_networks
    (fluorine,) = predictor.predict("Fc1ccccc1", solvent="CDCl3").of("19F")
    assert fluorine.low_ppm < -113.2 < fluorine.high_ppm


def test_tiers_have_the_same_evidence() -> None:
    fast, accurate = (shipped_model(tier) / "evidence.safetensors" for tier in TIERS)
    assert fast.read_bytes() == accurate.read_bytes()
