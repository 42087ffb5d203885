"""A whole training run: data, network, calibration, model folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from nmrshift.errors import ConfigError
from nmrshift.model.artifact import (
    Artifact,
    DataSource,
    GoldenMolecule,
    ModelCard,
    load_artifact,
    save_artifact,
)
from nmrshift.model.encoder_artifact import is_encoder, load_encoder
from nmrshift.model.evidence import EvidenceTable
from nmrshift.model.network import ShiftNetwork
from nmrshift.predict.calibrate import calibrate
from nmrshift.predict.predictor import Predictor
from nmrshift.train.card import card_text, data_licences
from nmrshift.train.checkpoint import write_whole
from nmrshift.train.config import TrainConfig
from nmrshift.train.data import TrainingData, prepare
from nmrshift.train.evidence import build_evidence, held_out_answers
from nmrshift.train.loop import fit, fresh_folder, run_hash
from nmrshift.train.objective import Scored, dataset_conditions, score
from nmrshift.train.solvent_response import with_responses

MODEL_FOLDER = "model"

# Small, plain molecules; only their shifts as predicted are stored, to prove a model's identity.
_GOLDEN = (
    ("FC(F)(F)c1ccc(OC)cc1", "CDCl3", "13C"),
    ("FC(F)(F)c1ccc(OC)cc1", "CDCl3", "19F"),
    ("C/C=C/C(=O)N[C@@H](C)C(=O)O", None, "13C"),
    ("CC(C)(C)[C@H]1CC[C@@H](O)CC1", "DMSO-d6", "1H"),
    ("CCOP(=O)(OCC)Cc1ccccc1", "CDCl3", "31P"),
    ("OB(O)c1ccc(F)cc1", "CD3OD", "11B"),
    ("CC(=O)[O-].[Na+]", "D2O", "13C"),
    ("C[Si](C)(C)c1ccccc1", "CDCl3", "29Si"),
    ("N[Pt](N)(Cl)Cl", "D2O", "195Pt"),
    ("CCN(C)C(C)=O", "CDCl3", "15N"),
    ("CCOC(C)=O", "CDCl3", "17O"),
    ("CCSCC", "CDCl3", "33S"),
    ("CC[Ge](C)(C)C", "CDCl3", "73Ge"),
)


def run_training(
    config: TrainConfig,
    folder: Path,
    *,
    resume: bool,
    report: Callable[[str], None],
    quiet: bool = False,
) -> Artifact:
    """Train, calibrate and write a model folder.

    Args:
        config: the run's settings.
        folder: run folder; the model goes to its sub-folder ``model``.
        resume: go on with the run that the folder holds.
        report: told in words how it goes.
        quiet: show no progress bar.

    Raises:
        ConfigError: the settings, the data and the folder do not go together.
    """
    fresh_folder(folder, resume=resume)
    write_whole(folder / "config.json", config.model_dump_json(indent=1).encode())
    data = prepare(config, report)
    _check_calibrating(config, data)
    network = fit(config, data, folder, resume=resume, report=report, quiet=quiet)
    if config.solvent_response:
        mols = np.unique(data.shown)
        network = with_responses(network, data.dataset, mols, config.solvent_response)
    artifact = finish(config, data, network, folder / MODEL_FOLDER)
    report(f"model {artifact.identity} in {folder / MODEL_FOLDER}")
    return artifact


def _check_calibrating(config: TrainConfig, data: TrainingData) -> None:
    """Refuse data that can calibrate no interval of a nucleus, before anything is learned."""
    dataset = data.dataset
    asked = np.zeros(dataset.n_mols, dtype=bool)
    asked[data.held_out] = True
    usable = np.repeat(asked & data.calibrates, np.diff(dataset.first_label))
    usable &= ~dataset.condition_computed[dataset.label_condition]
    counts = np.bincount(dataset.label_nucleus[usable], minlength=len(config.nuclei))
    for nucleus, count in zip(config.nuclei, counts.tolist(), strict=True):
        if not count:
            raise ConfigError(
                f"{nucleus}: no measured label is held out to calibrate intervals by",
                hint="Hold out more (validation_fraction), or add a file of measured spectra "
                "with validation = true.",
            )


def finish(
    config: TrainConfig, data: TrainingData, network: ShiftNetwork, folder: Path
) -> Artifact:
    """Calibrate a trained network and write its model folder."""
    table = dataset_conditions(data.dataset, network.config)
    scored = score(network, data.dataset, data.held_out, table)
    evidence = build_evidence(config.nuclei, data)
    calibration = calibrate(held_out_answers(config.nuclei, data, scored, evidence))
    measured = data.calibrates[scored.mol] & scored.measured
    card = ModelCard(
        name=config.name,
        version=config.version,
        network=network.config.model_dump(mode="json"),
        feature_slots=network.feature_slots,
        calibration=calibration.to_dict(),
        training_data_sha256=data.fingerprint,
        training={
            "run_hash": run_hash(config, data),
            "settings": config.optimisation.model_dump(mode="json"),
            "seed": config.seed,
            "n_molecules": len(np.unique(data.shown)),
            "n_labels": _labels_by_nucleus(config, data),
            "n_listed_peaks": _peaks_by_nucleus(config, data),
        },
        sources=_sources(config, data),
        metrics={"held_out": _metrics(config, scored, measured)},
    )
    golden = golden_molecules(card, network, evidence, folder)
    card = card.model_copy(update={"golden": golden})
    texts = {"CARD.md": card_text(card), "LICENSE-DATA": data_licences(card)}
    save_artifact(folder, network, card, texts, evidence)
    return load_artifact(folder)


def golden_molecules(
    card: ModelCard, network: ShiftNetwork, evidence: EvidenceTable | None, folder: Path
) -> tuple[GoldenMolecule, ...]:
    """Predict some plain molecules, so that the model can be told by its answers.

    Args:
        card: the model's card, without golden molecules.
        network: its network.
        evidence: its measured environments.
        folder: where it will stand.
    """
    predictor = Predictor(Artifact(folder, card, network.eval(), evidence, "0" * 64))
    stored = []
    for smiles, solvent, nucleus in _GOLDEN:
        if nucleus in predictor.nuclei:
            atoms = predictor.predict(smiles, solvent=solvent, nuclei=(nucleus,)).atoms
            stored.append(
                GoldenMolecule(
                    smiles=smiles,
                    solvent=solvent,
                    nucleus=nucleus,
                    atoms=tuple(atom.atom_index for atom in atoms),
                    shifts_ppm=tuple(round(atom.shift_ppm, 6) for atom in atoms),
                )
            )
    return tuple(stored)


def _labels_by_nucleus(config: TrainConfig, data: TrainingData) -> dict[str, int]:
    dataset = data.dataset
    trained = np.zeros(dataset.n_mols, dtype=bool)
    trained[data.shown] = True
    chosen = np.repeat(trained, np.diff(dataset.first_label))
    counts = np.bincount(dataset.label_nucleus[chosen], minlength=len(config.nuclei))
    return dict(zip(config.nuclei, counts.tolist(), strict=True))


def _peaks_by_nucleus(config: TrainConfig, data: TrainingData) -> dict[str, int]:
    """Count the unassigned peaks of molecules that are trained on."""
    lists = data.dataset.lists
    group_mol = np.repeat(np.arange(data.dataset.n_mols), np.diff(lists.first_group))
    shown = np.isin(group_mol, data.shown)
    n_peaks = np.diff(lists.first_peak)
    counts = np.bincount(lists.nucleus[shown], n_peaks[shown], minlength=len(config.nuclei))
    return dict(zip(config.nuclei, counts.astype(int).tolist(), strict=True))


def _sources(config: TrainConfig, data: TrainingData) -> tuple[DataSource, ...]:
    """Name what the run read, and what else the models or the encoder it began with had read."""
    counts = np.bincount(data.dataset.part, minlength=len(config.data))
    merged: dict[tuple[str, str], int] = {}
    for item, count in zip(config.data, counts.tolist(), strict=True):
        key = (item.source_name, item.licence)
        merged[key] = merged.get(key, 0) + count
    for folder in (config.start_from, *config.members):
        if folder is not None:
            begun = load_encoder(folder) if is_encoder(folder) else load_artifact(folder)
            for source in begun.card.sources:
                merged.setdefault((source.name, source.licence), source.n_molecules)
    return tuple(
        DataSource(name=name, licence=licence, n_molecules=count)
        for (name, licence), count in merged.items()
    )


def _metrics(config: TrainConfig, scored: Scored, measured: np.ndarray) -> dict[str, Any]:
    error_ppm = np.abs(scored.predicted_ppm - scored.shift_ppm)
    metrics = {}
    for number, nucleus in enumerate(config.nuclei):
        chosen = error_ppm[measured & (scored.nucleus == number)]
        if len(chosen):
            metrics[nucleus] = {
                "mae_ppm": round(float(chosen.mean()), 4),
                "median_ppm": round(float(np.median(chosen)), 4),
                "n_atoms": len(chosen),
            }
    return metrics
