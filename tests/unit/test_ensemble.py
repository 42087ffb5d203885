"""Networks that answer together: their mean, their disagreement, and what cannot be joined."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from toy import SMILES, write_laboratory

from nmrshift.adapt.run import base_of
from nmrshift.errors import ConfigError
from nmrshift.model.artifact import load_artifact
from nmrshift.model.ensemble import EnsembleNetwork
from nmrshift.predict.predictor import Predictor
from nmrshift.train.config import TrainConfig, load_config, parse_config
from nmrshift.train.run import run_training


def silent(_: str) -> None:
    return


def train(config: TrainConfig, folder: Path, epochs: int, **changes: object) -> Path:
    optimisation = config.optimisation.model_copy(update={"epochs": epochs})
    run = config.model_copy(update={"optimisation": optimisation, **changes})
    return run_training(run, folder, resume=False, report=silent, quiet=True).path


@pytest.fixture(scope="module")
def members(toy_model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """The toy model, another one trained from it, and their ensemble."""
    folder = tmp_path_factory.mktemp("members")
    config = load_config(write_laboratory(folder))
    other = train(config, folder / "other", 1, start_from=toy_model, seed=7)
    both = train(config, folder / "both", 0, members=(toy_model, other))
    return toy_model, other, both


def shifts(folder: Path, nucleus: str = "13C") -> np.ndarray:
    """Return what the network alone says: evidence would mix its own share in."""
    predictor = Predictor(replace(load_artifact(folder), evidence=None))
    found = [predictor.predict(text, solvent="CDCl3", nuclei=(nucleus,)) for text in SMILES]
    return np.array([atom.shift_ppm for item in found for atom in item.atoms])


def test_an_ensemble_answers_with_the_mean(members: tuple[Path, Path, Path]) -> None:
    one, two, both = (shifts(folder) for folder in members)
    assert np.abs(one - two).max() > 0.1
    assert both == pytest.approx((one + two) / 2, abs=0.02)  # its members are rounded
    assert np.abs(both - (one + two) / 2).mean() < 0.003


def test_two_networks_take_the_space_of_one(members: tuple[Path, Path, Path]) -> None:
    one, two, both = (folder / "weights.safetensors" for folder in members)
    assert both.stat().st_size < 0.6 * (one.stat().st_size + two.stat().st_size)
    stored, loaded = load_file(both), load_artifact(members[2]).network
    for name, value in loaded.named_parameters():
        assert value.dtype == torch.float32
        assert stored[name].dtype == (torch.float16 if value.ndim > 1 else torch.float32)
        assert torch.equal(stored[name].float(), value)


def test_its_error_scale_grows_where_members_disagree(members: tuple[Path, Path, Path]) -> None:
    network = load_artifact(members[2]).network
    assert isinstance(network, EnsembleNetwork)
    n = len(network.networks)
    h = torch.randn(5, n * network.config.d_h)
    condition = torch.zeros(1, n * network.config.d_c)
    means, logs = zip(
        *(
            member.read_out("13C", own, condition[:, : network.config.d_c])
            for member, own in zip(network.networks, h.chunk(n, dim=-1), strict=True)
        ),
        strict=True,
    )
    mean, log_scale = network.read_out("13C", h, condition)
    apart = (means[0] - means[1]).abs() / 2
    assert torch.allclose(mean, (means[0] + means[1]) / 2)
    assert torch.allclose(log_scale.exp(), (logs[0].exp() + logs[1].exp()) / 2 + apart)
    assert apart.max() > 0.01


def test_it_is_a_model_like_others(members: tuple[Path, Path, Path]) -> None:
    predictor = Predictor.load(members[2])
    assert predictor.verify().ok
    assert predictor.nuclei == Predictor.load(members[0]).nuclei
    atom = predictor.predict("FC(F)(F)c1ccccc1", nuclei=("19F",)).atoms[0]
    assert atom.low_ppm < atom.shift_ppm < atom.high_ppm
    assert "the mean of 2 gated graph networks" in (members[2] / "CARD.md").read_text("utf-8")
    assert "one gated graph network" in (members[0] / "CARD.md").read_text("utf-8")


def test_it_is_not_adapted(members: tuple[Path, Path, Path]) -> None:
    with pytest.raises(ConfigError, match="ensemble"):
        base_of(members[2])


def test_what_does_not_go_together(members: tuple[Path, Path, Path], tmp_path: Path) -> None:
    config = load_config(write_laboratory(tmp_path))
    one, _, both = members
    wide = config.network.model_copy(update={"d_head": 24})
    other = train(config, tmp_path / "wide", 1, network=wide)
    with pytest.raises(ConfigError, match="differs from"):
        train(config, tmp_path / "a", 0, members=(one, other))
    with pytest.raises(ConfigError, match="no ensembles"):
        train(config, tmp_path / "b", 0, members=(both, both))


@pytest.mark.parametrize(
    "change",
    [
        {"members": ["a"]},
        {"optimisation": {"epochs": 1}},
        {"start_from": "a"},
        {"solvent_response": ["13C"]},
    ],
)
def test_settings_of_members(change: dict[str, object], tmp_path: Path) -> None:
    values = {
        "name": "both",
        "version": "0",
        "members": ["a", "b"],
        "data": [{"path": "a.jsonl", "source_name": "a", "licence": "MIT"}],
        "optimisation": {"epochs": 0},
    }
    assert parse_config(values, tmp_path).members == (tmp_path / "a", tmp_path / "b")
    with pytest.raises(ConfigError, match="two or more models"):
        parse_config(values | change, tmp_path)
