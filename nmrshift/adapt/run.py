"""The whole adaptation: read, check, hold out, try, choose, write."""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nmrshift.adapt.card import adapted_card_text
from nmrshift.adapt.choice import Choice, Trial, choose, relative_error
from nmrshift.adapt.control import control_of
from nmrshift.adapt.evidence import extend
from nmrshift.adapt.finish import (
    Adapted,
    ToWrite,
    adapted_card,
    check_target,
    compare,
    complete,
    write,
)
from nmrshift.adapt.grow import without_solvents
from nmrshift.adapt.intake import Intake, read_laboratory
from nmrshift.adapt.laboratory import Laboratory, divide
from nmrshift.adapt.plan import Plan, make_plan, new_solvents, trials
from nmrshift.adapt.public import public_smiles
from nmrshift.adapt.refit import refit
from nmrshift.adapt.report import AdaptReport, Tried
from nmrshift.adapt.settings import AdaptSettings
from nmrshift.adapt.ways import WAYS, WayName
from nmrshift.data.dataset import as_dataset
from nmrshift.data.records import record_to_dict
from nmrshift.errors import ConfigError
from nmrshift.model.artifact import Artifact, load_artifact
from nmrshift.model.evidence import EvidenceTable
from nmrshift.model.network import ShiftNetwork
from nmrshift.model.shipped import shipped_model
from nmrshift.types import Notice

_BLIND_TO_SOLVENTS: Final[frozenset[WayName]] = frozenset({"base", "new-head", "convention"})
"""Ways that leave embeddings of new solvents empty; they are taken out again."""


def adapt(
    paths: Sequence[str | Path],
    out: str | Path,
    *,
    model: str | Path | Artifact | None = None,
    settings: AdaptSettings | None = None,
    control: Sequence[str | Path] = (),
    force: bool = False,
    report: Callable[[str], None] = lambda _: None,
) -> AdaptReport:
    """Learn from a laboratory's spectra and write a model folder.

    Args:
        paths: files of spectra, in any form that can be imported, assigned or bare peak lists.
        out: folder of the new model.
        model: the base, loaded or its folder; the shipped model if not given.
        settings: name of the laboratory and the like.
        control: files of public spectra on which the error may grow by at most 5 %.
        force: whether a model in that folder may be replaced.
        report: told in words how it goes.

    Raises:
        LaboratoryError: the spectra cannot be learned from as they are; its code says why.
        UnknownNucleusError: the base has none of their nuclei.
        FolderTakenError: something stands at ``out`` that must not be replaced.
        ConfigError: a setting is out of range.
        FileFormatError: a file cannot be opened or is of no known format.
        ArtifactError: the base cannot be loaded.
    """
    began = time.monotonic()
    settings = settings or AdaptSettings()
    base = base_of(model)
    check_target(Path(out), base.path, force=force)
    check_name(base, settings.name)
    config = base.network.config
    intake = read_laboratory(
        [Path(path) for path in paths], config.nuclei, settings.name, settings.solvent
    )
    nuclei = (*config.nuclei, *intake.new_nuclei)
    dataset = as_dataset(intake.records, nuclei, config.features, report)
    laboratory = divide(dataset, settings.validation, settings.seed)
    solvents = new_solvents(intake.records, config)
    plan = make_plan(base, laboratory, solvents, settings, public_smiles())
    watch = control_of(
        [Path(path) for path in control], base.network, dataset, plan.start.rehearsal, report
    )
    tried = list(trials(plan, WAYS, watch, report))
    choice = choose(plan.base, tried)
    measured = _measured(base, plan, choice)
    before_after = compare(plan.base.answered, measured.answered, nuclei)
    network = refit(plan, WAYS, tried, choice.trial, watch, report)
    adapted, added = _final(base, plan, choice, measured, network)
    told = _told(base, settings, intake, laboratory, choice)
    card = adapted_card(base, adapted, before_after, told)
    text = adapted_card_text(card, before_after, adapted.recalibrated)
    model_folder = ToWrite(adapted.network, adapted.evidence, card, text)
    written = write(Path(out), base, model_folder, force=force)
    return AdaptReport(
        folder=Path(out),
        identity=written.identity,
        base=base.identity,
        name=settings.name,
        n_spectra=len(intake.records),
        n_molecules=dataset.n_mols,
        n_held_out=len(laboratory.held_out),
        way=choice.trial.way,
        verdict=choice.verdict,
        reason=choice.reason,
        before_after=before_after,
        tried=tuple(_tried(trial, plan.base) for trial in (plan.base, *tried)),
        control="file" if control else "drift",
        public=watch(network or choice.trial.network),
        evidence_added=added,
        recalibrated=adapted.recalibrated,
        refitted=network is not None,
        notices=_notices(intake, plan, adapted, base),
        seconds=round(time.monotonic() - began, 1),
    )


def base_of(model: str | Path | Artifact | None) -> Artifact:
    """Return the base: as it is if it is loaded, else from its folder, or the shipped one.

    Raises:
        ArtifactError: it cannot be loaded.
        ConfigError: it is an ensemble.
    """
    if isinstance(model, Artifact):
        base = model
    else:
        base = load_artifact(Path(model) if model else shipped_model())
    if base.network.config.architecture == "ensemble":
        raise ConfigError(
            f"{base.identity} is an ensemble, which is not adapted",
            hint="Adapt one of its members, or the shipped model.",
        )
    return base


def check_name(base: Artifact, name: str) -> None:
    """Refuse a name that the base uses for something else than this laboratory.

    Raises:
        ConfigError: it does.
    """
    own = base.card.training.get("adaptation", {}).get("name")
    if name in base.network.config.sources and name != own:
        raise ConfigError(
            f"the base model has a source {name!r} already", hint="Choose another --name."
        )


def _measured(base: Artifact, plan: Plan, choice: Choice) -> Adapted:
    """Answer the held-out molecules with the chosen weights and evidence of all others."""
    evidence, _ = _evidence(base, plan, plan.start.laboratory.learned)
    solved = choice.trial.solved or (plan.solved.solved if plan.solved else {})
    changed = choice.verdict == "better"
    network = choice.trial.network
    laboratory = plan.start.laboratory
    return complete(base, network, evidence, laboratory, solved, recalibrate=changed)


def _final(
    base: Artifact, plan: Plan, choice: Choice, measured: Adapted, refitted: ShiftNetwork | None
) -> tuple[Adapted, dict[str, int]]:
    """Put in what was learned from all molecules; return how much evidence was added."""
    network = refitted or choice.trial.network
    if choice.trial.way in _BLIND_TO_SOLVENTS:
        network = without_solvents(network, plan.start.n_solvents)
    evidence, added = _evidence(base, plan, plan.start.laboratory.whole.learned)
    return replace(measured, network=network, evidence=evidence), added


def _evidence(
    base: Artifact, plan: Plan, mols: NDArray[np.int64]
) -> tuple[EvidenceTable | None, dict[str, int]]:
    """Add evidence of molecules to the base's; return how much."""
    if base.evidence is None:
        return None, {}
    dataset = plan.start.laboratory.dataset
    apart = frozenset(offset.nucleus for offset in plan.offsets if offset.is_clear)
    return extend(base.evidence, dataset, mols, tuple(dataset.nuclei.tolist()), apart)


def _told(
    base: Artifact,
    settings: AdaptSettings,
    intake: Intake,
    laboratory: Laboratory,
    choice: Choice,
) -> dict[str, Any]:
    """Return what the card keeps of how the model came about."""
    lines = [json.dumps(record_to_dict(record), sort_keys=True) for record in intake.records]
    return {
        "name": settings.name,
        "base": base.identity,
        "base_sha256": base.sha256,
        "settings": asdict(settings),
        "data_sha256": hashlib.sha256("\n".join(lines).encode()).hexdigest(),
        "way": choice.trial.way,
        "verdict": choice.verdict,
        "reason": choice.reason,
        "n_spectra": len(intake.records),
        "n_molecules": laboratory.dataset.n_mols,
        "n_held_out": len(laboratory.held_out),
    }


def _tried(trial: Trial, base: Trial) -> Tried:
    return Tried(
        way=trial.way,
        epochs=trial.epochs,
        share=trial.share,
        relative_error=round(relative_error(trial, base), 4),
        public_growth=round(max(trial.growth.values(), default=0.0), 4),
        refused=trial.harmful,
        seconds=round(trial.seconds, 1),
    )


def _notices(intake: Intake, plan: Plan, adapted: Adapted, base: Artifact) -> tuple[Notice, ...]:
    notices = [*intake.notices, *(offset.notice for offset in plan.offsets if offset.is_clear)]
    for nucleus, n_molecules in adapted.few.items():
        text = (
            f"{nucleus} is new to the base: `before` is the middle of your own shifts. Its "
            f"intervals rest on {n_molecules} molecules; beyond "
            f"{n_molecules / (n_molecules + 1):.0%} nothing is guaranteed."
        )
        notices.append(Notice("nucleus_added", text))
    known = {*base.network.config.solvents}
    learned = [key for key in adapted.network.config.solvents if key not in known]
    if learned:
        notices.append(Notice("solvent_added", f"Learned as new solvents: {', '.join(learned)}."))
    if base.evidence is None:
        notices.append(Notice("no_evidence", "The base keeps no evidence, so none is added."))
    return tuple(notices)
