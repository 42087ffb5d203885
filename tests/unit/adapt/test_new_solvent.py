"""A solvent that the base never saw is learned, apart from the laboratory's convention."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from laboratory import records_of, write_lines
from toy import SMILES, write_laboratory

from nmrshift import Predictor
from nmrshift.adapt import adapt
from nmrshift.adapt import run as adapt_run
from nmrshift.adapt.choice import Choice, Trial, choose
from nmrshift.adapt.grow import with_solvents, without_solvents
from nmrshift.adapt.settings import AdaptSettings
from nmrshift.adapt.ways import WAYS
from nmrshift.chem.solvents import normalise
from nmrshift.model.artifact import load_artifact
from nmrshift.model.tensors import conditions
from nmrshift.train.config import load_config
from nmrshift.train.run import run_training

LAB = AdaptSettings(name="lab", epochs=20)
NEW, CHANGE_PPM = "pyridine-d5", 9.0


@pytest.fixture(autouse=True)
def ways(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = tuple(way for way in WAYS if way.name in ("convention", "solvent", "heads"))
    monkeypatch.setattr(adapt_run, "WAYS", chosen)


def in_solvents(
    toy_model: Path, solvent_of: Callable[[int], str], change_ppm: Callable[[int], float]
) -> list[dict[str, Any]]:
    found = records_of(
        Predictor.load(toy_model),
        lambda number, shift_ppm: shift_ppm + change_ppm(number),
        smiles=SMILES[:50],
    )
    return [{**row, "solvent": solvent_of(int(row["id"][4:].split("/")[0]))} for row in found]


def carbon(model: Path, solvent: str, source: str | None = None) -> float:
    predictor = Predictor.load(model)
    atoms = predictor.predict("CCC(C)C(C)=O", solvent=solvent, nuclei=("13C",), source=source).atoms
    return sum(atom.shift_ppm for atom in atoms) / len(atoms)


def test_a_solvent_is_learned(
    toy_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[Trial] = []

    def kept(base: Trial, trials: Sequence[Trial]) -> Choice:
        compared.extend((base, *trials))
        return choose(base, trials)

    monkeypatch.setattr(adapt_run, "choose", kept)
    rows = in_solvents(
        toy_model, lambda n: NEW if n % 2 else "CDCl3", lambda n: CHANGE_PPM * (n % 2)
    )
    path = write_lines(tmp_path / "lab.jsonl", rows)
    report = adapt([path], tmp_path / "model", model=toy_model, settings=LAB)
    assert report.verdict == "better"
    assert [tried.way for tried in report.tried] == ["base", "convention", "solvent", "heads"]
    judged_by_all = [trial.way for trial in compared if trial.left_out is not None]
    assert judged_by_all == ["base", "convention"]  # the others have seen what they learned from
    assert any(notice.code == "solvent_added" for notice in report.notices)
    assert NEW in load_artifact(tmp_path / "model").network.config.solvents
    for solvent in ("CDCl3", "DMSO-d6"):
        assert carbon(tmp_path / "model", solvent) == pytest.approx(
            carbon(toy_model, solvent), abs=1.0
        )
    learned = carbon(tmp_path / "model", NEW, "lab") - carbon(tmp_path / "model", "CDCl3", "lab")
    assert learned == pytest.approx(CHANGE_PPM, abs=4.0)


def test_a_nucleus_with_a_response_needs_no_embedding(toy_model: Path, tmp_path: Path) -> None:
    """Its heads do not see the solvent; an embedding would learn nothing."""
    config = load_config(write_laboratory(tmp_path))
    still = config.optimisation.model_copy(update={"epochs": 0})
    run = config.model_copy(
        update={"start_from": toy_model, "optimisation": still, "solvent_response": ("13C",)}
    )
    base = run_training(run, tmp_path / "run", resume=False, report=lambda _: None, quiet=True)
    rows = in_solvents(toy_model, lambda n: NEW if n % 2 else "CDCl3", lambda _: CHANGE_PPM)
    carbons = [row for row in rows if row["nucleus"] == "13C"]
    path = write_lines(tmp_path / "lab.jsonl", carbons)
    report = adapt([path], tmp_path / "model", model=base.path, settings=LAB)
    assert [tried.way for tried in report.tried] == ["base", "convention", "heads"]
    assert NEW not in load_artifact(report.folder).network.config.solvents
    assert report.verdict == "better"
    for solvent in (NEW, "CDCl3", "DMSO-d6"):
        away = carbon(report.folder, solvent, "lab") - carbon(base.path, solvent)
        assert away == pytest.approx(CHANGE_PPM, abs=3.0)


def test_a_reference_is_not_taken_for_a_solvent(
    toy_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All spectra in one new solvent: what others are told of it stays as it was."""
    monkeypatch.setattr(adapt_run, "WAYS", adapt_run.WAYS[:2])
    rows = in_solvents(toy_model, lambda _: NEW, lambda _: CHANGE_PPM)
    path = write_lines(tmp_path / "lab.jsonl", rows)
    report = adapt([path], tmp_path / "model", model=toy_model, settings=LAB)
    assert report.verdict == "better"
    assert carbon(tmp_path / "model", NEW) == pytest.approx(carbon(toy_model, NEW), abs=1.0)


def test_a_network_grows_and_shrinks_without_a_change(toy_model: Path) -> None:
    network = load_artifact(toy_model).network
    grown = with_solvents(network, (NEW, "thf-d8"))
    again = without_solvents(grown, 2)
    assert again.config == network.config
    pairs = [(normalise(name), None) for name in (NEW, "cdcl3", None)]
    answers = [
        item.condition(conditions(pairs, item.config.solvents, item.config.sources))
        for item in (network, grown, again)
    ]
    assert torch.equal(answers[0], answers[1])
    assert torch.equal(answers[0], answers[2])
