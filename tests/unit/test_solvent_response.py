"""What a solvent changes: nothing in chloroform, linear in descriptors, fitted within an atom."""

from pathlib import Path

import numpy as np
import pytest
import torch
from toy import write_laboratory

from nmrshift.chem.solvents import normalise
from nmrshift.errors import ArtifactError, ConfigError
from nmrshift.model.artifact import load_artifact
from nmrshift.model.network import NetworkConfig, ShiftNetwork
from nmrshift.model.solvent_response import FIELDS, SolventResponse, solvent_difference
from nmrshift.model.tensors import conditions
from nmrshift.predict.predictor import Predictor
from nmrshift.train.config import TrainConfig, load_config
from nmrshift.train.data import prepare
from nmrshift.train.run import run_training
from nmrshift.train.solvent_data import Observations, observe
from nmrshift.train.solvent_response import fit_response, with_responses


def silent(_: str) -> None:
    return


@pytest.fixture
def config(tmp_path: Path) -> TrainConfig:
    return load_config(write_laboratory(tmp_path))


def differences(*names: str | None) -> torch.Tensor:
    return solvent_difference(torch.tensor([normalise(name).vector() for name in names]))


def test_no_difference_where_nothing_is_known() -> None:
    found = differences("CDCl3", None, "nonsense liquid", "D2O", "perfluorotributylamine", "neat")
    assert torch.equal(found[:3], torch.zeros(3, len(FIELDS)))
    assert found[3].abs().max() > 0.3
    alpha = FIELDS.index("alpha")
    assert normalise("perfluorotributylamine").alpha is None
    assert found[4, alpha] == 0
    assert found[4].abs().max() > 0
    assert torch.equal(found[5], torch.zeros(len(FIELDS)))


def fitted(seen: Observations, h: np.ndarray, difference: np.ndarray) -> np.ndarray:
    """Fit a response and ask it, ppm."""
    response = SolventResponse(seen.h.shape[1], 100)
    fit_response(response, seen)
    with torch.inference_mode():
        told = response(torch.from_numpy(h).float(), torch.from_numpy(difference).float())
    return told.double().numpy()


def planted(rng: np.random.Generator, n_atoms: int = 400) -> tuple[Observations, np.ndarray]:
    """Atoms in three solvents each, with a sensitivity that is linear in two of six numbers."""
    truth = np.zeros((len(FIELDS), 6))
    truth[2, 0], truth[4, 1] = 2.0, -1.0
    h = np.repeat(rng.normal(size=(n_atoms, 6)), 3, axis=0)
    table = differences("CDCl3", "D2O", "DMSO-d6", "C6D6", "CD3OD", "acetone-d6").double().numpy()
    solvent = np.stack([np.zeros(n_atoms, int), *rng.integers(1, 6, (2, n_atoms))], axis=1).ravel()
    atom = np.repeat(np.arange(n_atoms), 3)
    offset = np.repeat(rng.normal(scale=3.0, size=n_atoms), 3)
    change = np.einsum("nf,fd,nd->n", table[solvent], truth, h)
    residual = change + offset + rng.normal(scale=0.2, size=len(change))
    ones = np.ones(len(change))
    return Observations(h, residual, table[solvent], ones, atom, np.arange(len(change))), truth


def test_planted_sensitivities_are_found_behind_offsets() -> None:
    seen, truth = planted(np.random.default_rng(4))
    change = np.einsum("nf,fd,nd->n", seen.difference, truth, seen.h)
    told = fitted(seen, seen.h, seen.difference)
    assert np.corrcoef(change, told)[0, 1] > 0.94
    assert np.abs(told - change).mean() < 0.5 * np.abs(change).mean()


def test_nothing_is_found_in_noise() -> None:
    rng = np.random.default_rng(5)
    seen, _ = planted(rng)
    few = seen.take(np.arange(30))
    noise = Observations(
        few.h, rng.normal(size=30), few.difference, few.weight, few.atom, few.spectrum
    )
    assert np.abs(fitted(noise, few.h, few.difference)).mean() < 0.4


def test_trust_counts() -> None:
    """Of two atoms that contradict each other the trusted one is believed."""
    table = differences("CDCl3", "D2O").double().numpy()
    h = np.ones((4, 2)) + np.arange(4)[:, None] // 2 * 1e-3
    residual = np.array([0.0, 4.0, 0.0, -4.0])
    told = []
    for first, second in ((12.0, 0.1), (0.1, 12.0)):
        weight = np.array([first, first, second, second])
        seen = Observations(h, residual, table[[0, 1, 0, 1]], weight, np.array([0, 0, 1, 1]),
                            np.arange(4))  # fmt: skip
        told.append(float(fitted(seen, h[:1], table[1:])[0]))
    assert told[0] > 1.0
    assert told[1] < -1.0


def test_a_response_is_all_that_a_solvent_changes(config: TrainConfig, toy_model: Path) -> None:
    base = load_artifact(toy_model).network
    data = prepare(config, silent)
    grown = with_responses(base, data.dataset, np.unique(data.shown), ("13C",))
    assert set(grown.state_dict()) - set(base.state_dict()) == {
        "responses.13C.sensitivity.weight",
        "responses.13C.sensitivity.bias",
        "responses.13C.landmarks",
        "responses.13C.sharpness",
    }
    solvents = ("CDCl3", None, "DMSO-d6", "D2O")
    pairs = [(normalise(name), "toy") for name in solvents]
    table = conditions(pairs, base.config.solvents, base.config.sources)
    h = torch.randn(1, base.config.d_h).expand(4, -1)
    before, scale_before = base.read_out("13C", h, base.condition(table))
    after, scale_after = grown.read_out("13C", h, grown.condition(table))
    assert after[0] == after[1] == before[1]
    assert scale_after[0] == scale_before[1]
    assert after[0] != after[2] != after[3]
    other = base.read_out("1H", h, base.condition(table))[0]
    assert torch.equal(grown.read_out("1H", h, grown.condition(table))[0], other)


def test_a_response_of_another_nucleus_leaves_the_first(
    config: TrainConfig, toy_model: Path
) -> None:
    base = load_artifact(toy_model).network
    data = prepare(config, silent)
    mols = np.unique(data.shown)
    one = with_responses(base, data.dataset, mols, ("13C",))
    two = with_responses(one, data.dataset, mols, ("1H",))
    assert two.config.response_nuclei == ("13C", "1H")
    before, after = one.state_dict(), two.state_dict()
    assert all(torch.equal(after[name], before[name]) for name in before)
    assert after["responses.1H.sensitivity.weight"].any()


def test_observations_stand_beside_the_answer_for_no_solvent(
    config: TrainConfig, toy_model: Path
) -> None:
    base = load_artifact(toy_model).network
    data = prepare(config, silent)
    seen = observe(base, data.dataset, np.unique(data.shown), "13C")
    named = [s in {"cdcl3", "dmso-d6"} for s in data.dataset.condition_solvent.tolist()]
    known = np.array(named)[data.dataset.label_condition] & (data.dataset.label_nucleus == 0)
    mols = np.repeat(np.arange(data.dataset.n_mols), np.diff(data.dataset.first_label))
    wanted = known & np.isin(mols, data.shown)
    assert len(seen.weight) == wanted.sum() > 0
    rows = np.flatnonzero(wanted)
    atoms = data.dataset.graphs.first_atom[mols[rows]] + data.dataset.label_node[rows]
    assert np.array_equal(np.sort(atoms), np.sort(seen.atom))
    away = np.array([s == "dmso-d6" for s in data.dataset.condition_solvent.tolist()])
    n_away = away[data.dataset.label_condition[rows]].sum()
    assert (np.abs(seen.difference).max(1) > 0).sum() == n_away


def test_one_solvent_says_nothing() -> None:
    seen, _ = planted(np.random.default_rng(6))
    with pytest.raises(ConfigError, match="too few"):
        fit_response(SolventResponse(6, 20), seen.take(np.abs(seen.difference).max(1) == 0))


def test_training_ends_with_a_response(config: TrainConfig, tmp_path: Path) -> None:
    short = config.optimisation.model_copy(update={"epochs": 2})
    run = config.model_copy(update={"solvent_response": ("13C",), "optimisation": short})
    made = run_training(run, tmp_path / "run", resume=False, report=silent, quiet=True)
    predictor = Predictor.load(made.path)
    shifts = {
        solvent: [a.shift_ppm for a in predictor.predict("CCO", solvent=solvent).of("13C")]
        for solvent in ("CDCl3", None, "DMSO-d6", "D2O")
    }
    assert shifts["CDCl3"] == shifts[None]
    assert shifts["DMSO-d6"] != shifts["CDCl3"] != shifts["D2O"]
    with pytest.raises(ConfigError, match="15N"):
        run_training(
            config.model_copy(update={"solvent_response": ("15N",), "optimisation": short}),
            tmp_path / "other",
            resume=False,
            report=silent,
            quiet=True,
        )


def test_networks_without_a_response_are_as_they_were(toy_model: Path) -> None:
    network = load_artifact(toy_model).network
    assert network.config.response_nuclei == ()
    assert not [name for name in network.state_dict() if name.startswith("responses")]
    values = network.config.model_dump(mode="json") | {"response_nuclei": ["15N"]}
    with pytest.raises((ConfigError, ArtifactError)):
        NetworkConfig.from_json(values)
    old = {k: v for k, v in values.items() if k != "response_nuclei"}
    assert isinstance(ShiftNetwork(NetworkConfig.from_json(old)), ShiftNetwork)
