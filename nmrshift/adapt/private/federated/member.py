"""A laboratory's side: its update for a round, made where its spectra are; and the model."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from nmrshift.adapt.intake import read_laboratory
from nmrshift.adapt.private.card import SpentFigures, write_private
from nmrshift.adapt.private.federated.exchange import (
    FEDERATION,
    FINAL,
    Federation,
    last_round,
    place_of,
    round_path,
    update_body,
    update_path,
)
from nmrshift.adapt.private.federated.messages import Body, digest, read_key, receive, seal
from nmrshift.adapt.private.ground import Ground
from nmrshift.adapt.private.journal import Journal
from nmrshift.adapt.private.ledger import Budget, Spent, epsilon_of, spent_already, with_round
from nmrshift.adapt.private.mechanism import Units
from nmrshift.adapt.private.updates import localise
from nmrshift.data.dataset import as_dataset
from nmrshift.errors import BudgetError, ExchangeError
from nmrshift.model.artifact import Artifact
from nmrshift.predict.predictor import Predictor


@dataclass(frozen=True, slots=True)
class Member:
    """A laboratory of a federation.

    Attributes:
        exchange: folder of the files that go to and fro.
        name: of the laboratory.
        key_file: its key.
        base: the model that all begin with.
    """

    exchange: Path
    name: str
    key_file: Path
    base: Artifact

    def update(
        self,
        paths: Sequence[Path],
        journal: Journal,
        *,
        epsilon: float,
        solvent: str | None = None,
    ) -> tuple[int, float]:
        """Write the update for the present round.

        The laboratory keeps a ledger of its own: it answers a round once only, and no federation
        that would exceed its limit, whatever the coordinator asks for.

        Args:
            paths: files of its spectra; they are read and stay where they are.
            journal: of this laboratory, over all federations.
            epsilon: its limit.
            solvent: of spectra that name none.

        Returns:
            The number of the round, and what the laboratory has spent.

        Raises:
            ExchangeError: a file is missing, altered, or of another base, federation or round.
            BudgetError: the limit would be exceeded.
            LaboratoryError: the spectra cannot be learned from as they are.
        """
        key = read_key(self.key_file)
        federation = self._federation(key)
        asked = self._asked(federation, key)
        update = self._update(federation, asked, paths, solvent)
        body = update_body(federation, asked, self.name, update)
        path = update_path(self.exchange, asked["number"], self.name)
        with journal.opened():
            spent = _enter(journal, federation, asked, epsilon)
            seal(path, body, key)
        return asked["number"], epsilon_of(spent, federation.budget.delta)

    def finish(self, out: Path, *, force: bool = False) -> Predictor:
        """Write the model that a complete federation came to.

        Raises:
            ExchangeError: the end is missing, altered, or of another base or federation.
            FolderTakenError: something stands at ``out`` that must not be replaced.
        """
        key = read_key(self.key_file)
        federation = self._federation(key)
        body = receive(self.exchange / FINAL, "final", self.name, key)
        place = place_of(body, federation)
        ground = Ground(self.base, federation.name, federation.space)
        return write_private(out, ground, place, _figures(body), force=force)

    def _federation(self, key: bytes) -> Federation:
        body = receive(self.exchange / FEDERATION, "federation", self.name, key)
        federation = Federation.from_body(body)
        if federation.base_sha256 != self.base.sha256:
            raise ExchangeError(
                f"the federation begins with {federation.base}, not with {self.base.identity}",
                hint="Name the folder of that model with --model.",
            )
        if self.name not in federation.laboratories:
            raise ExchangeError(f"{self.name} is not on the list of this federation")
        return federation

    def _asked(self, federation: Federation, key: bytes) -> Body:
        if (self.exchange / FINAL).exists():
            raise ExchangeError(
                "the federation is complete", hint="`nmrshift federate finish` writes the model."
            )
        number = last_round(self.exchange)
        body = receive(round_path(self.exchange, number), "round", self.name, key)
        if body.get("number") != number or not 1 <= number <= federation.plan.n_rounds:
            raise ExchangeError(f"round {number} is none of this federation")
        return body

    def _update(
        self, federation: Federation, asked: Body, paths: Sequence[Path], solvent: str | None
    ) -> Units:
        ground = Ground(self.base, federation.name, federation.space)
        asker, config = ground.asker(federation.plan), self.base.network.config
        asker.set(place_of(asked, federation))
        intake = read_laboratory(paths, config.nuclei, federation.name, solvent, least=1)
        nuclei = federation.space.nuclei
        records = [record for record in intake.records if record.nucleus in nuclei]
        dataset = as_dataset(records, config.nuclei, config.features, lambda _: None)
        return asker.update(localise(asker.network, dataset))


def _enter(journal: Journal, federation: Federation, asked: Body, epsilon: float) -> list[Spent]:
    """Enter a round into the laboratory's ledger, unless it stands there."""
    answered: dict[str, dict[str, str]] = {**(journal.run() or {})}
    own = {**answered.get(federation.token, {})}
    spent, number, name = journal.spent(), str(asked["number"]), digest(asked)
    if own.get(number, name) != name:
        raise ExchangeError(
            f"round {number} was answered already, and is another one now",
            hint="Ask the coordinator why: a round is never asked for twice.",
        )
    if number in own:
        return list(spent)
    plan, limit = federation.plan, Budget(epsilon, federation.budget.delta)
    still = Spent(plan.noise_multiplier, plan.rate, plan.n_rounds - len(own))
    costs = epsilon_of((*spent, still), limit.delta)
    if costs > epsilon:
        if spent and not own:
            raise spent_already(limit, spent)
        raise BudgetError(
            f"the federation would cost epsilon {costs:.3f}, your limit is {epsilon:g}",
            hint="A larger --epsilon, or stay out of it.",
        )
    after = with_round(spent, plan.noise_multiplier, plan.rate)
    journal.enter(after)
    journal.keep_run({**answered, federation.token: {**own, number: name}})
    return list(after)


def _figures(body: Body) -> SpentFigures:
    """Return the figures of the card.

    Raises:
        ExchangeError: they are missing or no numbers.
    """
    spent = body.get("spent")
    if not isinstance(spent, dict) or set(spent) != SpentFigures.__required_keys__:
        raise ExchangeError(f"{FINAL} does not say what was spent")
    if not all(type(value) in (int, float) for value in spent.values()):
        raise ExchangeError(f"{FINAL} does not say what was spent")
    return cast("SpentFigures", dict(spent))
