"""What is carried over to atoms alike, what is led back, and what is learned once more."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from laboratory import ASKED, records_of, shifts, write_lines
from toy import SMILES

from nmrshift import Predictor
from nmrshift.adapt import AdaptReport, adapt
from nmrshift.adapt import run as adapt_run
from nmrshift.adapt.answers import encode
from nmrshift.adapt.control import Public
from nmrshift.adapt.grow import with_neighbours, with_nuclei, with_offset, with_source
from nmrshift.adapt.lead_back import between, lead_back
from nmrshift.adapt.neighbours import Residuals, neighbours_of, solve_neighbours
from nmrshift.adapt.new_head import answer_middle, labels_of
from nmrshift.adapt.settings import AdaptSettings
from nmrshift.adapt.ways import WAYS
from nmrshift.data.dataset import ShiftDataset, as_dataset
from nmrshift.data.importing import read_spectra
from nmrshift.errors import ConfigError
from nmrshift.model.artifact import load_artifact
from nmrshift.model.network import NetworkConfig, ShiftNetwork
from nmrshift.model.tensors import conditions


@pytest.fixture(scope="module")
def network(toy_model: Path) -> ShiftNetwork:
    return with_source(load_artifact(toy_model).network, "lab")


@pytest.fixture(scope="module")
def dataset(toy_model: Path, tmp_path_factory: pytest.TempPathFactory) -> ShiftDataset:
    """Molecules whose carbons next to oxygen lie 8 ppm off, and all others 1 ppm."""
    rows = records_of(Predictor.load(toy_model))
    for row in rows:
        off = 8.0 if "O" in row["smiles"] else 1.0
        row["shifts"] = [[atom, shift + off] for atom, shift in row["shifts"]]
        row["source"] = "lab"
    path = write_lines(tmp_path_factory.mktemp("kinds") / "lab.jsonl", rows)
    config = load_artifact(toy_model).network.config
    return as_dataset(list(read_spectra(path)), config.nuclei, config.features, lambda _: None)


def answers(network: ShiftNetwork, h: torch.Tensor, source: str | None) -> np.ndarray:
    config = network.config
    table = conditions([_unknown(source)], config.solvents, config.sources)
    with torch.no_grad():
        mean, _ = network.read_out("13C", h, network.condition(table))
    return network.to_ppm("13C", mean).numpy()


def _unknown(source: str | None) -> Any:
    from nmrshift.chem.solvents import UNKNOWN

    return UNKNOWN, source


def test_an_offset_moves_one_convention(network: ShiftNetwork, dataset: ShiftDataset) -> None:
    h = encode(network, dataset.graphs)
    moved = with_offset(with_offset(network, "lab", {"13C": 70.0}), "lab", {"13C": 6.5})
    assert answers(moved, h, "lab") - answers(network, h, "lab") == pytest.approx(76.5, abs=1e-3)
    assert answers(moved, h, None).tolist() == answers(network, h, None).tolist()
    first = network.config.sources[0]
    assert answers(moved, h, first).tolist() == answers(network, h, first).tolist()


def test_an_offset_stays_when_a_nucleus_is_added(
    network: ShiftNetwork, dataset: ShiftDataset
) -> None:
    h = encode(network, dataset.graphs)
    number = network.config.nuclei.index("13C")
    head = answer_middle(labels_of(dataset, h, np.arange(dataset.n_mols), number), 1).new
    grown = with_nuclei(with_offset(network, "lab", {"13C": 5.0}), {"29Si": head})
    assert answers(grown, h, "lab") - answers(network, h, "lab") == pytest.approx(5.0, abs=1e-3)
    assert grown.offsets.shape == (1, len(network.config.nuclei) + 1)


def test_evidence_is_moved_by_the_offset(toy_model: Path, moved: AdaptReport) -> None:
    """Where only the reference is another, every answer is the general one and the offset."""
    predictor, base = Predictor.load(moved.folder), Predictor.load(toy_model)
    known = [text for text in ASKED if text in SMILES]
    assert known
    for text in known:
        own = predictor.predict(text, nuclei=("13C",), source="lab").atoms
        general = base.predict(text, nuclei=("13C",)).atoms
        for mine, theirs in zip(own, general, strict=True):
            assert mine.shift_ppm - theirs.shift_ppm == pytest.approx(12.0, abs=1.5)


def test_what_is_off_is_carried_over_to_atoms_alike(
    network: ShiftNetwork, dataset: ShiftDataset
) -> None:
    rng = np.random.default_rng(1)
    order = rng.permutation(dataset.n_mols)
    learned, asked = order[: dataset.n_mols // 2], order[dataset.n_mols // 2 :]
    plain = with_offset(network, "lab", {})
    found = neighbours_of(plain, dataset, np.sort(learned), 1)
    grown = with_neighbours(plain, "lab", found.neighbours)
    h = encode(network, dataset.graphs)
    labels = labels_of(dataset, h, np.sort(asked), network.config.nuclei.index("13C"))
    own = torch.from_numpy(labels.h).float()
    before = np.abs(answers(plain, own, "lab") - labels.shift_ppm).mean()
    after = np.abs(answers(grown, own, "lab") - labels.shift_ppm).mean()
    assert after < 0.8 * before
    assert answers(grown, h, None).tolist() == answers(network, h, None).tolist()
    assert found.left_out.error_ppm.mean() == pytest.approx(after, rel=0.6)
    without = with_neighbours(grown, "lab", {})
    assert answers(without, h, "lab").tolist() == answers(plain, h, "lab").tolist()


def test_left_out_molecules_are_left_out() -> None:
    """Against solving anew without each molecule, where no label is far off."""
    rng = np.random.default_rng(3)
    h = rng.normal(size=(30, 4))
    group = np.repeat(np.arange(10), 3)
    off = np.tanh(h[:, 0])
    correction, left = solve_neighbours(Residuals(h, off, group))
    assert correction is not None
    width = float(correction.width)
    alike = np.exp(-np.linalg.norm(h[:, None] - h[None], axis=-1) / width)
    assert np.abs(left).mean() < np.abs(off).mean()
    smooth = [
        alike[np.ix_(group == g, group != g)]
        @ np.linalg.solve(
            alike[np.ix_(group != g, group != g)] + 0.03 * np.eye(27), off[group != g]
        )
        for g in range(10)
    ]
    anew = off - np.concatenate(smooth)
    assert np.corrcoef(anew, left)[0, 1] > 0.95


def test_chance_is_not_carried_over() -> None:
    rng = np.random.default_rng(4)
    noise = Residuals(rng.normal(size=(60, 4)), rng.normal(size=60), np.repeat(np.arange(20), 3))
    correction, left = solve_neighbours(noise)
    assert correction is None
    assert left.tolist() == noise.off.tolist()


def test_learning_is_led_back_as_far_as_need_be(network: ShiftNetwork) -> None:
    torch.manual_seed(1)
    end = between(network, network, 1.0)
    with torch.no_grad():
        for parameter in end.parameters():
            parameter.add_(torch.randn_like(parameter))
    name = "heads.13C.mean.weight"
    start_value, end_value = network.state_dict()[name], end.state_dict()[name]

    def growth(most: float) -> Any:
        def watch(tried: ShiftNetwork) -> tuple[Public, ...]:
            part = (tried.state_dict()[name] - start_value).norm() / (
                end_value - start_value
            ).norm()
            return (Public("13C", 1.0, 1.0 + most * float(part)),)

        return watch

    cheap = lead_back(network, end, growth(0.03))
    assert (cheap.share, cheap.network) == (1.0, end)
    dear = lead_back(network, end, growth(0.1))
    assert dear.share == pytest.approx(0.4, abs=1 / 16)
    assert dear.growth["13C"] <= 0.04
    hopeless = lead_back(network, end, growth(5.0))
    assert hopeless.share == 1.0
    assert hopeless.growth["13C"] > 0.05


def test_the_model_written_has_learned_from_all_molecules(
    toy_model: Path,
    offset_records: list[dict[str, Any]],
    moved: AdaptReport,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert moved.refitted
    assert "all molecules" in moved.to_text()
    monkeypatch.setattr(adapt_run, "WAYS", WAYS[:1])
    monkeypatch.setattr(adapt_run, "refit", lambda *_: None)
    path = write_lines(tmp_path / "lab.jsonl", offset_records)
    once = adapt(
        [path], tmp_path / "m", model=toy_model, settings=AdaptSettings(name="lab", epochs=2)
    )
    assert not once.refitted
    assert "all molecules" not in once.to_text()
    assert shifts(once.folder, "lab") != shifts(moved.folder, "lab")


def test_corrections_are_of_known_conventions(network: ShiftNetwork) -> None:
    values = network.config.model_dump(mode="json")
    for change in (
        {"offset_sources": ["nobody"]},
        {"neighbours": {"lab": {"13C": 3}}},
        {"offset_sources": ["lab"], "neighbours": {"lab": {"99Xx": 3}}},
    ):
        with pytest.raises(ConfigError):
            NetworkConfig.from_json({**values, **change})
