"""Rounds with a ledger: entered before they are carried out, and gone on with after a kill."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nmrshift.adapt.private.draws import SYSTEM, Draw
from nmrshift.adapt.private.journal import Journal
from nmrshift.adapt.private.learner import Plan, State, after_round
from nmrshift.adapt.private.ledger import (
    Budget,
    Spent,
    epsilon_of,
    noise_for,
    spent_already,
    with_round,
)
from nmrshift.adapt.private.mechanism import Units, noisy_sum, takes_part
from nmrshift.errors import BudgetError, ConfigError


@dataclass(slots=True)
class Session:
    """One private run.

    Attributes:
        journal: where the ledger is, and where this run is kept.
        budget: the limit, for everything in the ledger together.
        plan: what was settled beforehand.
        fingerprint: of everything that this run depends on.
        state: where it stands.
        spent: everything in the ledger.
    """

    journal: Journal
    budget: Budget
    plan: Plan
    fingerprint: str
    state: State
    spent: tuple[Spent, ...]

    @property
    def epsilon(self) -> float:
        """What has been spent by all runs of the ledger, at the budget's delta."""
        return epsilon_of(self.spent, self.budget.delta)

    @property
    def goes_on(self) -> bool:
        """Whether there is a round to come, and budget for it."""
        after = with_round(self.spent, self.plan.noise_multiplier, self.plan.rate)
        is_left = epsilon_of(after, self.budget.delta) <= self.budget.epsilon
        return self.state.n_rounds < self.plan.n_rounds and is_left

    def round(
        self, updates: Callable[[Sequence[int]], Sequence[Units]], draw: Draw = SYSTEM
    ) -> None:
        """Carry out one round.

        It is in the ledger before noise is drawn, so a kill can only make the ledger say too much.

        Args:
            updates: gives the clipped updates of the contributors of these numbers.
            draw: gives random bytes.

        Raises:
            BudgetError: the budget is spent.
        """
        if not self.goes_on:
            raise BudgetError("the privacy budget is spent")
        spent = with_round(self.spent, self.plan.noise_multiplier, self.plan.rate)
        self.journal.enter(spent)
        self.spent = spent
        chosen = takes_part(self.plan.n_contributors, self.plan.rate, draw)
        total = noisy_sum(updates(chosen), len(self.state.place), self.plan.noise_multiplier, draw)
        self.state = after_round(self.state, total, self.plan)
        self.keep()

    def keep(self) -> None:
        """Put the state on disk."""
        self.journal.keep_run(
            {
                "schema_version": 1,
                "fingerprint": self.fingerprint,
                "plan": self.plan.to_dict(),
                "state": self.state.to_dict(),
            }
        )


def begin(
    journal: Journal, budget: Budget, plan: Plan, n_directions: int, fingerprint: str
) -> Session:
    """Go on with the run that the journal holds, if it is this one; else begin it.

    Args:
        journal: opened.
        budget: the limit.
        plan: its noise multiplier is replaced by the least one that keeps within the budget.
        n_directions: length of an update, at most: the louder the noise, the fewer are left.
        fingerprint: of everything that the run depends on.

    Raises:
        BudgetError: the budget is spent, or too small for so few contributors.
        ConfigError: the journal cannot be read.
    """
    spent, kept = journal.spent(), journal.run()
    if kept is not None and kept.get("fingerprint") == fingerprint:
        return _resumed(journal, budget, kept, spent)
    noise = noise_for(budget, plan.rate, plan.n_rounds, spent)
    plan = replace(plan, noise_multiplier=noise)
    n_heard = plan.n_heard(n_directions)
    if not n_heard:
        raise spent_already(budget, spent) if spent else _too_small(budget, plan)
    session = Session(journal, budget, plan, fingerprint, State.begin(n_heard), spent)
    session.keep()
    return session


def _too_small(budget: Budget, plan: Plan) -> BudgetError:
    return BudgetError(
        f"epsilon {budget.epsilon:g} is too small for {plan.n_contributors} contributors: "
        f"noise would be {plan.noise_share:.1f} times what they can say together",
        hint="More contributors, a larger --epsilon, or no model at all.",
    )


def _resumed(
    journal: Journal, budget: Budget, kept: dict[str, Any], spent: tuple[Spent, ...]
) -> Session:
    try:
        plan, state = Plan(**kept["plan"]), State.from_dict(kept["state"])
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"{journal.folder}: the run cannot be read: {error}") from None
    n_entered = sum(
        item.n_rounds
        for item in spent
        if (item.noise_multiplier, item.rate) == (plan.noise_multiplier, plan.rate)
    )
    if n_entered < state.n_rounds:
        raise ConfigError(f"{journal.folder}: the ledger knows less than the run was through")
    return Session(journal, budget, plan, kept["fingerprint"], state, spent)
