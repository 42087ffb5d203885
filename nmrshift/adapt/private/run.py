"""The whole private adaptation: contributors in, a model with a noisy convention out."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from nmrshift.adapt.answers import answer
from nmrshift.adapt.finish import check_target, compare, judgement_of
from nmrshift.adapt.intake import Intake, read_laboratory
from nmrshift.adapt.private.card import spent_figures, write_private
from nmrshift.adapt.private.contributors import Contributors, divide_contributors
from nmrshift.adapt.private.draws import SYSTEM, Draw
from nmrshift.adapt.private.ground import Ground, plan_of
from nmrshift.adapt.private.journal import Journal
from nmrshift.adapt.private.mechanism import Floats, Units
from nmrshift.adapt.private.report import PrivateReport
from nmrshift.adapt.private.session import Session, begin
from nmrshift.adapt.private.settings import PrivacySettings
from nmrshift.adapt.private.updates import localise
from nmrshift.adapt.report import BeforeAfter
from nmrshift.adapt.run import base_of, check_name
from nmrshift.adapt.settings import AdaptSettings
from nmrshift.data.records import record_to_dict
from nmrshift.model.artifact import Artifact
from nmrshift.predict.calibrate import Calibration
from nmrshift.train.objective import dataset_conditions


def adapt_private(
    paths: Sequence[str | Path],
    out: str | Path,
    privacy: PrivacySettings,
    *,
    model: str | Path | Artifact | None = None,
    settings: AdaptSettings | None = None,
    contributor_column: str | None = None,
    journal: str | Path | None = None,
    force: bool = False,
    report: Callable[[str], None] = lambda _: None,
    draw: Draw = SYSTEM,
) -> PrivateReport:
    """Learn a convention from contributors, none of which the model gives away.

    Nothing but the convention changes, and nothing is chosen by spectra that are learned from:
    no way, no number of rounds, no evidence, no intervals. A run that was cut off is gone on with
    if it is given again as it was.

    Args:
        paths: files of spectra.
        out: folder of the new model.
        privacy: the budget and how it is spent.
        model: the base, loaded or its folder; the shipped model if not given.
        settings: name of the convention and the like; its seed chooses who is held out only.
        contributor_column: column of tables, or field of records, that says whose a spectrum is;
            without it every file is of one contributor.
        journal: folder in which the owner keeps what was spent; ``<out>.journal`` if not given.
        force: whether a model in that folder may be replaced.
        report: told in words how it goes.
        draw: gives random bytes for noise and for who takes part; for tests.

    Raises:
        LaboratoryError: the spectra cannot be learned from as they are; its code says why.
        BudgetError: the budget is spent, or too small for so few contributors.
        ConfigError: a setting is out of range, or the journal cannot be read.
        MissingExtraError: ``dp-accounting`` is not installed.
        FolderTakenError: something stands at ``out`` that must not be replaced.
    """
    settings, out = settings or AdaptSettings(), Path(out)
    base = base_of(model)
    check_target(out, base.path, force=force)
    check_name(base, settings.name)
    intake, contributors = _read(paths, base, settings, privacy, contributor_column)
    plan = plan_of(privacy, len(contributors.names))
    ground = Ground.make(base, settings.name, privacy)
    book = Journal(Path(journal) if journal else out.with_name(f"{out.name}.journal"))
    with book.opened():
        name = _fingerprint(base, intake, settings, privacy)
        session = begin(book, privacy.budget, plan, ground.space.n_directions, name)
        ground = ground.first(len(session.state.place))
        _learn(session, ground, contributors, report, draw)
        spent = spent_figures(session.plan, session.state, session.epsilon, privacy.budget.delta)
        place = session.state.learned()
        written = write_private(out, ground, place, spent, force=force)
        book.end_run()
    return PrivateReport(
        folder=out,
        identity=written.identity,
        base=base.identity,
        name=settings.name,
        n_held_out=contributors.n_held_out,
        before_after=_before_after(ground, place, contributors),
        notices=intake.notices,
        **spent,
    )


def _read(
    paths: Sequence[str | Path],
    base: Artifact,
    settings: AdaptSettings,
    privacy: PrivacySettings,
    column: str | None,
) -> tuple[Intake, Contributors]:
    config = base.network.config
    learned = privacy.learned(config.nuclei)
    files = [Path(path) for path in paths]
    intake = read_laboratory(files, config.nuclei, settings.name, settings.solvent, column)
    return intake, divide_contributors(
        intake, config.nuclei, config.features, learned, settings.validation, settings.seed
    )


def _learn(
    session: Session,
    ground: Ground,
    contributors: Contributors,
    report: Callable[[str], None],
    draw: Draw,
) -> None:
    asker = ground.asker(session.plan)
    local = [
        None if dataset is None else localise(asker.network, dataset)
        for dataset in contributors.learning
    ]

    def updates(chosen: Sequence[int]) -> list[Units]:
        asker.set(np.array(session.state.place))
        return [asker.update(local[number]) for number in chosen]

    while session.goes_on:
        session.round(updates, draw)
    report(f"{session.state.n_rounds} rounds, epsilon {session.epsilon:.3f} spent")


def _fingerprint(
    base: Artifact, intake: Intake, settings: AdaptSettings, privacy: PrivacySettings
) -> str:
    """Return a hash of all that a run depends on; it stays in the journal."""
    told: list[Any] = [base.sha256, asdict(settings), asdict(privacy), intake.contributors]
    told += [record_to_dict(record) for record in intake.records]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _before_after(
    ground: Ground, place: Floats, contributors: Contributors
) -> tuple[BeforeAfter, ...]:
    dataset, base = contributors.held_out, ground.base
    if dataset is None:
        return ()
    judgement = judgement_of(Calibration.from_dict(base.card.calibration), base.evidence)
    start, network = ground.learned(np.zeros(ground.space.n_directions)), ground.learned(place)
    table = dataset_conditions(dataset, network.config)
    mols = np.arange(dataset.n_mols)
    before, after = (
        answer(asked, dataset, mols, table, judgement=judgement) for asked in (start, network)
    )
    return compare(before, after, network.config.nuclei)
