"""From the chosen weights to a model folder: evidence, intervals, card, verified files."""

import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from nmrshift.adapt.answers import Answered, Judgement, answer
from nmrshift.adapt.card import adapted_card_text
from nmrshift.adapt.laboratory import Laboratory
from nmrshift.adapt.report import BeforeAfter
from nmrshift.errors import FolderTakenError
from nmrshift.model.artifact import SUMS, Artifact, DataSource, save_artifact
from nmrshift.model.evidence import EvidenceTable
from nmrshift.model.network import ShiftNetwork
from nmrshift.predict.calibrate import Calibration, conformal_factors
from nmrshift.predict.predictor import Predictor
from nmrshift.train.card import data_licences
from nmrshift.train.objective import dataset_conditions
from nmrshift.train.run import golden_molecules

_LEAST_SHIFTS: Final = 100
_LEAST_MOLECULES: Final = 20
"""Below a hundred shifts the 99 % interval would have no bound."""

_LICENCE: Final = "the laboratory's own; ask it"


@dataclass(frozen=True, slots=True)
class Adapted:
    """A model that is ready to be written.

    Attributes:
        network: the chosen weights.
        evidence: the base's with the laboratory's, if the base has any.
        calibration: of its intervals.
        recalibrated: nuclei whose intervals are new.
        answered: its answers on the held-out molecules.
    """

    network: ShiftNetwork
    evidence: EvidenceTable | None
    calibration: Calibration
    recalibrated: tuple[str, ...]
    answered: Answered


def judgement_of(calibration: Calibration, evidence: EvidenceTable | None) -> Judgement | None:
    """Return what evidence makes of a model's answers, if it has any."""
    return None if evidence is None else Judgement(calibration.judges, evidence)


def complete(
    base: Artifact,
    network: ShiftNetwork,
    evidence: EvidenceTable | None,
    laboratory: Laboratory,
    *,
    recalibrate: bool,
) -> Adapted:
    """Answer the held-out molecules with the whole model, and calibrate where they suffice.

    Listed peaks do not calibrate: pairing makes their errors too small.

    Args:
        base: the model before it learned; its calibration stays where the new one would be poor.
        network: the chosen weights.
        evidence: extended by the laboratory's.
        laboratory: the spectra.
        recalibrate: whether intervals may change.
    """
    known = Calibration.from_dict(base.card.calibration)
    table = dataset_conditions(laboratory.dataset, network.config)
    found = answer(
        network,
        laboratory.dataset,
        laboratory.held_out,
        table,
        judgement=judgement_of(known, evidence),
    )
    factors, counts = dict(known.factors), dict(known.n_atoms)
    new = []
    for number, nucleus in enumerate(network.config.nuclei if recalibrate else ()):
        rows = (found.nucleus == number) & ~found.listed
        if rows.sum() >= _LEAST_SHIFTS and len(np.unique(found.mol[rows])) >= _LEAST_MOLECULES:
            factors[nucleus] = conformal_factors(found.error_ppm[rows] / found.scale_ppm[rows])
            counts[nucleus] = int(rows.sum())
            new.append(nucleus)
    by_source = {
        nucleus: own for nucleus, own in known.source_factors.items() if nucleus not in new
    }
    calibration = Calibration(factors, counts, known.judges, known.uncertain_ppm, by_source)
    return Adapted(network, evidence, calibration, tuple(new), found)


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


def write(
    out: Path,
    base: Artifact,
    adapted: Adapted,
    before_after: tuple[BeforeAfter, ...],
    adaptation: Mapping[str, Any],
    *,
    force: bool,
) -> Predictor:
    """Write a model folder, which takes its name once it is complete and verified.

    Args:
        out: the folder to be.
        base: the model it came from.
        adapted: what to write.
        before_after: errors on held-out molecules.
        adaptation: what the card says of how it came about.
        force: whether a model there may be replaced.

    Raises:
        FolderTakenError: something stands there that must not be replaced.
    """
    name = str(adaptation["name"])
    own = base.card.name.removesuffix(f"-{name}") + f"-{name}"
    sources = [source for source in base.card.sources if source.name != name]
    ours = DataSource(name=name, licence=_LICENCE, n_molecules=adaptation["n_molecules"])
    card = base.card.model_copy(
        update={
            "name": own,
            "network": adapted.network.config.model_dump(mode="json"),
            "calibration": adapted.calibration.to_dict(),
            "training_data_sha256": adaptation["data_sha256"],
            "training": {"adaptation": dict(adaptation), "base": base.card.training},
            "sources": (*sources, ours),
            "metrics": {"held_out": _metrics(before_after), "base": base.card.metrics},
            "golden": (),
        }
    )
    golden = golden_molecules(card, adapted.network, adapted.evidence, out)
    card = card.model_copy(update={"golden": golden})
    texts = {
        "CARD.md": adapted_card_text(card, before_after, adapted.recalibrated),
        "LICENSE-DATA": data_licences(card),
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(f".{out.name}.{secrets.token_hex(4)}.tmp")
    try:
        save_artifact(partial, adapted.network, card, texts, adapted.evidence)
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
