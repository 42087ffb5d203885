"""The whole adaptation: read, check, hold out, try, choose, write."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nmrshift.adapt.answers import Judgement, answer, encode
from nmrshift.adapt.checks import Offset, check_against, offsets
from nmrshift.adapt.choice import Choice, Trial, base_trial, choose, relative_error
from nmrshift.adapt.control import Control, control_of
from nmrshift.adapt.evidence import extend
from nmrshift.adapt.finish import (
    Adapted,
    check_target,
    compare,
    complete,
    judgement_of,
    write,
)
from nmrshift.adapt.fit import Start, fit
from nmrshift.adapt.intake import Intake, read_laboratory
from nmrshift.adapt.laboratory import Laboratory, divide
from nmrshift.adapt.public import public_smiles
from nmrshift.adapt.rehearsal import rehearse
from nmrshift.adapt.report import AdaptReport, Tried
from nmrshift.adapt.settings import AdaptSettings
from nmrshift.adapt.ways import WAYS, with_source
from nmrshift.data.dataset import as_dataset
from nmrshift.data.records import record_to_dict
from nmrshift.errors import ConfigError
from nmrshift.model.artifact import Artifact, load_artifact
from nmrshift.predict.calibrate import Calibration
from nmrshift.predict.predictor import Predictor
from nmrshift.train.objective import dataset_conditions
from nmrshift.types import Notice


def adapt(
    paths: Sequence[str | Path],
    out: str | Path,
    *,
    model: str | Path | None = None,
    settings: AdaptSettings | None = None,
    control: Sequence[str | Path] = (),
    force: bool = False,
    report: Callable[[str], None] = lambda _: None,
) -> AdaptReport:
    """Learn from a laboratory's spectra and write a model folder.

    Args:
        paths: files of spectra, in any form that can be imported, assigned or bare peak lists.
        out: folder of the new model.
        model: folder of the base; the shipped model if not given.
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
    base = load_artifact(Path(model) if model else Predictor.default_path())
    check_target(Path(out), base.path, force=force)
    _check_name(base, settings.name)
    config = base.network.config
    intake = read_laboratory(
        [Path(path) for path in paths], config.nuclei, settings.name, settings.solvent
    )
    dataset = as_dataset(intake.records, config.nuclei, config.features, report)
    laboratory = divide(dataset, settings.validation, settings.seed)
    plan = _plan(base, laboratory, settings)
    watch = control_of(
        [Path(path) for path in control], base.network, dataset, plan.start.rehearsal, report
    )
    trials = list(_trials(plan, watch, report))
    choice = choose(plan.base, trials)
    adapted, added = _adapted(base, laboratory, choice, plan.offsets)
    before_after = compare(plan.base.answered, adapted.answered, config.nuclei)
    told = _told(base, settings, intake, laboratory, choice)
    written = write(Path(out), base, adapted, before_after, told, force=force)
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
        tried=tuple(_tried(trial, plan.base) for trial in (plan.base, *trials)),
        control="file" if control else "drift",
        public=watch(choice.trial.network),
        evidence_added=added,
        recalibrated=adapted.recalibrated,
        notices=_notices(intake, plan.offsets, base),
        seconds=round(time.monotonic() - began, 1),
    )


@dataclass(frozen=True, slots=True)
class _Plan:
    """What all ways begin with, and what they are compared to."""

    start: Start
    base: Trial
    judgement: Judgement | None
    offsets: tuple[Offset, ...]


def _check_name(base: Artifact, name: str) -> None:
    """Refuse a name that the base uses for something else than this laboratory."""
    own = base.card.training.get("adaptation", {}).get("name")
    if name in base.network.config.sources and name != own:
        raise ConfigError(
            f"the base model has a source {name!r} already", hint="Choose another --name."
        )


def _plan(base: Artifact, laboratory: Laboratory, settings: AdaptSettings) -> _Plan:
    """Compare all spectra with the base, and make what the ways begin with.

    Raises:
        LaboratoryError: the spectra contradict the base as a whole.
    """
    config = base.network.config
    network = with_source(base.network, settings.name)
    dataset = laboratory.dataset
    h = encode(network, dataset.graphs)
    table = dataset_conditions(dataset, network.config)
    judgement = judgement_of(Calibration.from_dict(base.card.calibration), base.evidence)
    everything = answer(network, dataset, np.arange(dataset.n_mols), table, h=h)
    check_against(everything, config.nuclei, config.shift_scale_ppm)
    held_out = answer(network, dataset, laboratory.held_out, table, h=h, judgement=judgement)
    nuclei = tuple(config.nuclei[number] for number in np.unique(everything.nucleus).tolist())
    rehearsal = rehearse(base.network, public_smiles(), settings.name)
    return _Plan(
        Start(network, laboratory, h, rehearsal, nuclei, settings),
        base_trial(network, held_out),
        judgement,
        offsets(everything, config.nuclei),
    )


def _trials(plan: _Plan, watch: Control, report: Callable[[str], None]) -> Iterator[Trial]:
    """Yield the ways, from cautious to free.

    The freer ones begin with the convention that the first one learned, so that a constant offset
    does not go into weights that the public shares.
    """
    start = plan.start
    dataset, held_out = start.laboratory.dataset, start.laboratory.held_out
    table = dataset_conditions(dataset, start.network.config)
    for way in WAYS:
        fitted = fit(start, way, report)
        if way.name == "convention":
            start = replace(start, network=fitted.network)
        growth = {public.nucleus: public.growth for public in watch(fitted.network)}
        answered = answer(fitted.network, dataset, held_out, table, judgement=plan.judgement)
        yield Trial(way.name, fitted.network, answered, growth, fitted.epochs, fitted.seconds)


def _adapted(
    base: Artifact, laboratory: Laboratory, choice: Choice, found: tuple[Offset, ...]
) -> tuple[Adapted, dict[str, int]]:
    """Add evidence to the chosen weights and calibrate; return how much evidence was added."""
    evidence = base.evidence
    added: dict[str, int] = {}
    if evidence is not None:
        evidence, added = extend(
            evidence,
            laboratory.dataset,
            laboratory.learned,
            base.network.config.nuclei,
            frozenset(offset.nucleus for offset in found if offset.is_clear),
        )
    changed = choice.verdict == "better"
    network = choice.trial.network
    return complete(base, network, evidence, laboratory, recalibrate=changed), added


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
        relative_error=round(relative_error(trial, base), 4),
        public_growth=round(max(trial.growth.values(), default=0.0), 4),
        refused=trial.harmful,
        seconds=round(trial.seconds, 1),
    )


def _notices(intake: Intake, found: tuple[Offset, ...], base: Artifact) -> tuple[Notice, ...]:
    notices = [*intake.notices, *(offset.notice for offset in found if offset.is_clear)]
    if base.evidence is None:
        notices.append(Notice("no_evidence", "The base keeps no evidence, so none is added."))
    return tuple(notices)
