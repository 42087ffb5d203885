"""From the chosen weights to a model folder: evidence, intervals, card, verified files."""

import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nmrshift.adapt.answers import Answered, Judgement, answer
from nmrshift.adapt.laboratory import Laboratory
from nmrshift.adapt.new_head import Solved, few_factors
from nmrshift.adapt.report import BeforeAfter
from nmrshift.errors import FolderTakenError
from nmrshift.model.artifact import Artifact, DataSource, ModelCard, save_artifact
from nmrshift.model.evidence import EvidenceTable
from nmrshift.model.folder import SUMS
from nmrshift.model.network import ShiftNetwork
from nmrshift.predict.calibrate import LEVELS, Calibration, conformal_factors
from nmrshift.predict.judge import Judge
from nmrshift.predict.predictor import Predictor
from nmrshift.train.card import data_licences
from nmrshift.train.objective import dataset_conditions
from nmrshift.train.run import golden_molecules

_LEAST_SHIFTS: Final = 100
_LEAST_MOLECULES: Final = 20
"""Below a hundred shifts the 99 % interval would have no bound."""

_UNSURE: Final = 2.0
"""Error scales of a new nucleus beyond which its shifts are flagged as uncertain."""

LICENCE: Final = "the laboratory's own; ask it"


@dataclass(frozen=True, slots=True)
class Adapted:
    """A model that is ready to be written.

    Attributes:
        network: the chosen weights.
        evidence: the base's with the laboratory's, if the base has any.
        calibration: of its intervals.
        recalibrated: nuclei whose intervals are new.
        few: nuclei whose intervals rest on few molecules, with their number.
        answered: its answers on the held-out molecules.
    """

    network: ShiftNetwork
    evidence: EvidenceTable | None
    calibration: Calibration
    recalibrated: tuple[str, ...]
    few: Mapping[str, int]
    answered: Answered


def judgement_of(calibration: Calibration, evidence: EvidenceTable | None) -> Judgement | None:
    """Return what evidence makes of a model's answers, if it has any."""
    return None if evidence is None else Judgement(calibration.judges, evidence)


def known_calibration(base: Artifact, new: Sequence[str]) -> Calibration:
    """Return the base's calibration, with new nuclei that evidence says nothing of yet."""
    known = Calibration.from_dict(base.card.calibration)
    judges = {**known.judges, **{nucleus: Judge() for nucleus in new}}
    return replace(known, judges=judges)


def complete(
    base: Artifact,
    network: ShiftNetwork,
    evidence: EvidenceTable | None,
    laboratory: Laboratory,
    solved: Mapping[str, Solved],
    *,
    recalibrate: bool,
) -> Adapted:
    """Answer the held-out molecules with the whole model, and calibrate where they suffice.

    Listed peaks do not calibrate: pairing makes their errors too small. A new nucleus is calibrated
    whatever there is, on one error a molecule: held-out ones, and those left out of its head.

    Args:
        base: the model before it learned; its calibration stays where the new one would be poor.
        network: the chosen weights.
        evidence: extended by the laboratory's.
        laboratory: the spectra.
        solved: heads of new nuclei as they were solved for.
        recalibrate: whether intervals of the base's nuclei may change.
    """
    known = known_calibration(base, tuple(solved))
    table = dataset_conditions(laboratory.dataset, network.config)
    found = answer(
        network,
        laboratory.dataset,
        laboratory.held_out,
        table,
        judgement=judgement_of(known, evidence),
    )
    factors, counts, uncertain = (
        dict(known.factors),
        dict(known.n_atoms),
        dict(known.uncertain_ppm),
    )
    recalibrated, few = [], {}
    for number, nucleus in enumerate(network.config.nuclei):
        rows = (found.nucleus == number) & ~found.listed
        if nucleus in solved:
            scores = np.concatenate([solved[nucleus].scores, _molecule_scores(found, rows)])
            factors[nucleus] = few_factors(scores, LEVELS)
            counts[nucleus] = few[nucleus] = len(scores)
            uncertain[nucleus] = round(_UNSURE * solved[nucleus].mae_ppm, 5)
        elif not recalibrate:
            continue
        elif rows.sum() >= _LEAST_SHIFTS and len(np.unique(found.mol[rows])) >= _LEAST_MOLECULES:
            factors[nucleus] = conformal_factors(found.error_ppm[rows] / found.scale_ppm[rows])
            counts[nucleus] = int(rows.sum())
        else:
            continue
        recalibrated.append(nucleus)
    by_source = {
        nucleus: own for nucleus, own in known.source_factors.items() if nucleus not in recalibrated
    }
    calibration = Calibration(factors, counts, known.judges, uncertain, by_source)
    return Adapted(network, evidence, calibration, tuple(recalibrated), few, found)


def _molecule_scores(found: Answered, rows: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the largest error of every molecule in units of its error scale ``[n_molecules]``."""
    mols, place = np.unique(found.mol[rows], return_inverse=True)
    largest = np.zeros(len(mols))
    np.maximum.at(largest, place, found.error_ppm[rows] / found.scale_ppm[rows])
    return largest


def compare(before: Answered, after: Answered, nuclei: tuple[str, ...]) -> tuple[BeforeAfter, ...]:
    """Set answers of the base and of the adapted model side by side, by nucleus."""
    rows = []
    for number, nucleus in enumerate(nuclei):
        old, new = (a.error_ppm[a.nucleus == number] for a in (before, after))
        if len(old) and len(new):
            n_listed = int(after.listed[after.nucleus == number].sum())
            figures = (old.mean(), new.mean(), np.median(old), np.median(new))
            rows.append(
                BeforeAfter(nucleus, len(new), n_listed, *(round(float(f), 4) for f in figures))
            )
    return tuple(rows)


def check_target(out: Path, base: Path, *, force: bool) -> None:
    """Check that a model folder may be written.

    Raises:
        FolderTakenError: something stands there that must not be replaced.
    """
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not force:
        raise FolderTakenError(f"{out} exists")
    if out.resolve() == base.resolve():
        hint = "Name another folder."
        raise FolderTakenError(f"{out} is the base model itself", hint=hint)
    sums = out / SUMS
    listed = {line[66:] for line in sums.read_text().splitlines()} if sums.is_file() else set()
    if not out.is_dir() or {path.name for path in out.iterdir()} - listed - {SUMS}:
        hint = "Name another folder; --force replaces nothing but models."
        raise FolderTakenError(f"{out} holds other things than a model", hint=hint)


def adapted_card(
    base: Artifact,
    adapted: Adapted,
    before_after: tuple[BeforeAfter, ...],
    adaptation: Mapping[str, Any],
) -> ModelCard:
    """Return the card of an adapted model, without golden molecules.

    Args:
        base: the model it came from.
        adapted: what is to be written.
        before_after: errors on held-out molecules.
        adaptation: what the card says of how it came about.
    """
    name = str(adaptation["name"])
    sources = [source for source in base.card.sources if source.name != name]
    ours = DataSource(name=name, licence=LICENCE, n_molecules=adaptation["n_molecules"])
    return base.card.model_copy(
        update={
            "name": own_name(base, name),
            "network": adapted.network.config.model_dump(mode="json"),
            "calibration": adapted.calibration.to_dict(),
            "training_data_sha256": adaptation["data_sha256"],
            "training": {"adaptation": dict(adaptation), "base": base.card.training},
            "sources": (*sources, ours),
            "metrics": {"held_out": _metrics(before_after), "base": base.card.metrics},
            "golden": (),
        }
    )


def own_name(base: Artifact, name: str) -> str:
    """Return the name of a base's adaptation to a laboratory."""
    return base.card.name.removesuffix(f"-{name}") + f"-{name}"


@dataclass(frozen=True, slots=True)
class ToWrite:
    """A model folder to be.

    Attributes:
        network: the weights.
        evidence: measured environments, if any.
        card: without golden molecules.
        card_text: the card in words.
    """

    network: ShiftNetwork
    evidence: EvidenceTable | None
    card: ModelCard
    card_text: str


def write(out: Path, base: Artifact, model: ToWrite, *, force: bool) -> Predictor:
    """Write a model folder, which takes its name once it is complete and verified.

    Args:
        out: the folder to be.
        base: the model it came from.
        model: what to write.
        force: whether a model there may be replaced.

    Raises:
        FolderTakenError: something stands there that must not be replaced.
    """
    golden = golden_molecules(model.card, model.network, model.evidence, out)
    card = model.card.model_copy(update={"golden": golden})
    texts = {"CARD.md": model.card_text, "LICENSE-DATA": data_licences(card)}
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(f".{out.name}.{secrets.token_hex(4)}.tmp")
    try:
        save_artifact(partial, model.network, card, texts, model.evidence)
        Predictor.load(partial)
        _take_place(partial, out, base.path, force=force)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return Predictor.load(out)


def _metrics(before_after: tuple[BeforeAfter, ...]) -> dict[str, dict[str, float]]:
    return {
        row.nucleus: {
            "mae_ppm": row.mae_after_ppm,
            "median_ppm": row.median_after_ppm,
            "n_atoms": row.n_shifts,
        }
        for row in before_after
    }


def _take_place(partial: Path, out: Path, base: Path, *, force: bool) -> None:
    check_target(out, base, force=force)
    old = out.with_name(f"{partial.name}.old")
    if out.exists():
        out.rename(old)
    partial.rename(out)
    shutil.rmtree(old, ignore_errors=True)
