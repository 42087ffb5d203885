"""The whole private adaptation: contributors in, a model with a noisy convention out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nmrshift.adapt.answers import answer
from nmrshift.adapt.finish import (
    LICENCE,
    ToWrite,
    check_target,
    compare,
    judgement_of,
    own_name,
    write,
)
from nmrshift.adapt.grow import with_source
from nmrshift.adapt.intake import read_laboratory
from nmrshift.adapt.private.contributors import Contributors, divide_contributors
from nmrshift.adapt.private.ledger import Budget, Ledger, noise_for
from nmrshift.adapt.private.rounds import learn_convention, public_clip_norm
from nmrshift.adapt.public import public_smiles
from nmrshift.adapt.rehearsal import rehearse
from nmrshift.adapt.report import BeforeAfter
from nmrshift.adapt.run import base_of, check_name
from nmrshift.adapt.settings import AdaptSettings
from nmrshift.errors import ConfigError
from nmrshift.model.artifact import Artifact, DataSource, ModelCard
from nmrshift.model.network import ShiftNetwork
from nmrshift.predict.calibrate import Calibration
from nmrshift.train.objective import dataset_conditions
from nmrshift.types import Notice

_CARD = """\
# {name} {version}

`{base}` with a reference convention that was learned privately from several contributors. Ask for
it with `--source {source}`; without it the model answers as the base does. Evidence and intervals
are the base's.

The unit of protection is the contributor with all of its spectra: the model would have come out
the same, but for a factor of exp({epsilon:.3f}) in probability and with a chance of {delta:g} of
more, without any one of them. Sampled Gaussian mechanism: {n_rounds} rounds, each contributor with
a chance of {rate:g}, clip norm {clip_norm:.3g}, noise multiplier {noise_multiplier:.3f}; accounted
in Renyi divergences by dp-accounting.
"""


@dataclass(frozen=True, slots=True)
class PrivacySettings:
    """How private learning is carried out.

    Attributes:
        budget: what may be spent.
        n_rounds: how often contributors are asked.
        rate: chance of each to take part in a round.
    """

    budget: Budget
    n_rounds: int = 60
    rate: float = 0.5


@dataclass(frozen=True, slots=True)
class PrivateReport:
    """A private adaptation. Errors are on contributors that were not learned from.

    Attributes:
        folder: of the adapted model.
        identity: its name, version and short hash.
        base: identity of the model it began with.
        name: of the convention.
        n_contributors: contributors learned from.
        n_held_out: the others.
        epsilon: what was spent.
        delta: probability with which more may have been.
        noise_multiplier: standard deviation of the noise, in clip norms.
        rate: chance of a contributor to take part in a round.
        n_rounds: rounds.
        clip_norm: largest norm of a contributor's update.
        before_after: errors on held-out contributors, by nucleus; known to who runs this, and
            not in the model folder.
        notices: what was left out.
    """

    folder: Path
    identity: str
    base: str
    name: str
    n_contributors: int
    n_held_out: int
    epsilon: float
    delta: float
    noise_multiplier: float
    rate: float
    n_rounds: int
    clip_norm: float
    before_after: tuple[BeforeAfter, ...]
    notices: tuple[Notice, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts, lists and strings, ready for JSON."""
        return {"schema_version": 1, **asdict(self), "folder": str(self.folder)}

    def to_text(self) -> str:
        """Return the report for a terminal."""
        return "\n".join([*self._lines(), ""])

    def _lines(self) -> Iterator[str]:
        yield f"{self.name}: {self.n_contributors} contributors, {self.n_held_out} held out"
        for notice in self.notices:
            yield f"  note: {notice.message}"
        yield (
            f"spent: epsilon {self.epsilon:.3f}, delta {self.delta:g}; {self.n_rounds} rounds, "
            f"rate {self.rate:g}, noise {self.noise_multiplier:.2f} clip norms"
        )
        yield ""
        yield "held out      shifts    mean error, ppm       median error, ppm"
        for row in self.before_after:
            yield (
                f"  {row.nucleus:<10}{row.n_shifts:>8}    "
                f"{row.mae_before_ppm:>7.2f} -> {row.mae_after_ppm:<7.2f}   "
                f"{row.median_before_ppm:>7.2f} -> {row.median_after_ppm:<7.2f}"
            )
        yield ""
        yield "This report is not private, the model folder is: keep the one, share the other."
        yield f"Model: {self.identity} in {self.folder}; ask with `--source {self.name}`."


def adapt_private(
    paths: Sequence[str | Path],
    out: str | Path,
    privacy: PrivacySettings,
    *,
    model: str | Path | Artifact | None = None,
    settings: AdaptSettings | None = None,
    contributor_column: str | None = None,
    force: bool = False,
    report: Callable[[str], None] = lambda _: None,
    rng: np.random.Generator | None = None,
) -> PrivateReport:
    """Learn a convention from contributors, none of which the model gives away.

    Nothing but the convention changes, and nothing is chosen by spectra that are learned from:
    no way, no number of rounds, no evidence, no intervals.

    Args:
        paths: files of spectra; whose they are says their source.
        out: folder of the new model.
        privacy: the budget and how it is spent.
        model: the base, loaded or its folder; the shipped model if not given.
        settings: name of the convention and the like; its seed chooses who is held out only.
        contributor_column: column of a table that says whose a spectrum is, if not ``source``.
        force: whether a model in that folder may be replaced.
        report: told in words how it goes.
        rng: draws noise and who takes part; for tests, by default seeded by the system.

    Raises:
        LaboratoryError: the spectra cannot be learned from as they are; its code says why.
        TooFewContributorsError: fewer than ten contributors to learn from.
        ConfigError: a setting is out of range.
        MissingExtraError: ``dp-accounting`` is not installed.
        FolderTakenError: something stands at ``out`` that must not be replaced.
    """
    settings = settings or AdaptSettings()
    base = base_of(model)
    check_target(Path(out), base.path, force=force)
    check_name(base, settings.name)
    config = base.network.config
    files = [Path(path) for path in paths]
    intake = read_laboratory(
        files, config.nuclei, settings.name, settings.solvent, contributor_column
    )
    contributors = divide_contributors(
        intake, config.nuclei, config.features, settings.validation, settings.seed
    )
    n_learning = len(contributors.learning)
    if privacy.budget.delta >= 1 / n_learning:
        raise ConfigError(
            f"--delta {privacy.budget.delta:g} lets one in {n_learning} contributors be given away",
            hint=f"Choose less than {0.1 / n_learning:.1g}.",
        )
    noise = noise_for(privacy.budget, privacy.rate, privacy.n_rounds)
    ledger = Ledger(privacy.budget, noise, privacy.rate)
    start = with_source(base.network, settings.name)
    row = 1 + start.config.sources.index(settings.name)
    rehearsal = rehearse(base.network, public_smiles(), settings.name)
    clip_norm = public_clip_norm(start, row, rehearsal, config.nuclei)
    network = learn_convention(
        start,
        row,
        contributors.learning,
        ledger,
        privacy.n_rounds,
        clip_norm,
        rng or np.random.default_rng(),
        report,
    )
    spent: dict[str, Any] = {
        "epsilon": ledger.epsilon,
        "delta": privacy.budget.delta,
        "noise_multiplier": noise,
        "rate": privacy.rate,
        "n_rounds": ledger.n_rounds,
        "clip_norm": clip_norm,
    }
    card = _card(base, network, settings.name, spent)
    text = _CARD.format(
        name=card.name, version=card.version, base=base.identity, source=settings.name, **spent
    )
    written = write(Path(out), base, ToWrite(network, base.evidence, card, text), force=force)
    return PrivateReport(
        folder=Path(out),
        identity=written.identity,
        base=base.identity,
        name=settings.name,
        n_contributors=n_learning,
        n_held_out=contributors.n_held_out,
        before_after=_before_after(base, start, network, contributors),
        notices=intake.notices,
        **spent,
    )


def _card(base: Artifact, network: ShiftNetwork, name: str, spent: dict[str, Any]) -> ModelCard:
    """Return a card that holds nothing of the spectra, not even how many there were."""
    told = {"name": name, "base": base.identity, "base_sha256": base.sha256, "way": "private"}
    ours = DataSource(name=name, licence=LICENCE, n_molecules=0)
    sources = [source for source in base.card.sources if source.name != name]
    return base.card.model_copy(
        update={
            "name": own_name(base, name),
            "network": network.config.model_dump(mode="json"),
            "training": {"adaptation": {**told, "private": spent}, "base": base.card.training},
            "sources": (*sources, ours),
            "golden": (),
        }
    )


def _before_after(
    base: Artifact, start: ShiftNetwork, network: ShiftNetwork, contributors: Contributors
) -> tuple[BeforeAfter, ...]:
    dataset = contributors.held_out
    judgement = judgement_of(Calibration.from_dict(base.card.calibration), base.evidence)
    table = dataset_conditions(dataset, network.config)
    mols = np.arange(dataset.n_mols)
    before, after = (
        answer(asked, dataset, mols, table, judgement=judgement) for asked in (start, network)
    )
    return compare(before, after, network.config.nuclei)
