"""The coordinator's side: it starts a federation, and joins updates with noise.

It is trusted: it reads every clipped update as it is, draws in secret whose count, adds the noise
and keeps the ledger. Laboratories see noisy models only.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from nmrshift.adapt.private.card import spent_figures
from nmrshift.adapt.private.contributors import LEAST_CONTRIBUTORS
from nmrshift.adapt.private.draws import SYSTEM, Draw
from nmrshift.adapt.private.federated.exchange import (
    FEDERATION,
    FINAL,
    Federation,
    read_update,
    round_body,
    round_path,
    update_path,
)
from nmrshift.adapt.private.federated.messages import (
    Body,
    digest,
    new_key,
    read_key,
    receive,
    send,
    write_key,
)
from nmrshift.adapt.private.ground import Ground, plan_of
from nmrshift.adapt.private.journal import Journal
from nmrshift.adapt.private.mechanism import Units
from nmrshift.adapt.private.session import Session, begin
from nmrshift.adapt.private.settings import PrivacySettings
from nmrshift.adapt.settings import check_laboratory_name
from nmrshift.errors import ExchangeError, FolderTakenError, TooFewContributorsError
from nmrshift.model.artifact import Artifact

_KEYS: Final = "keys"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a federation stands.

    Attributes:
        number: of the round that waits for updates; of the last one if it is complete.
        n_rounds: rounds to be, at most.
        epsilon: what has been spent.
        delta: probability with which more may have been.
        is_complete: whether the last round is over.
    """

    number: int
    n_rounds: int
    epsilon: float
    delta: float
    is_complete: bool


def start(
    exchange: Path,
    coordinator: Path,
    laboratories: Sequence[str],
    name: str,
    base: Artifact,
    settings: PrivacySettings,
) -> Standing:
    """Begin a federation: settings, keys, and the first round.

    Args:
        exchange: folder of the files that go to and fro; made if need be.
        coordinator: folder that the coordinator keeps to itself: keys and ledger.
        laboratories: names of those who take part.
        name: of the convention.
        base: the model that all begin with.
        settings: public.

    Raises:
        ConfigError: a name or a setting is out of range.
        BudgetError: the budget is too small for so few laboratories.
        FolderTakenError: either folder holds a federation already.
        TooFewContributorsError: fewer than ten laboratories.
    """
    names = tuple(laboratories)
    for one in (name, *names):
        check_laboratory_name(one)
    if len({one.casefold() for one in names}) < max(LEAST_CONTRIBUTORS, len(names)):
        raise TooFewContributorsError(
            f"{len(set(names))} laboratories; {LEAST_CONTRIBUTORS} of different names are needed",
            hint="Fewer cannot be hidden among each other.",
        )
    for folder in (exchange / FEDERATION, coordinator / FEDERATION):
        if folder.exists():
            raise FolderTakenError(f"{folder} exists", hint="Name another folder.")
    ground = Ground.make(base, name, settings)
    plan = plan_of(settings, len(names))
    journal, token = Journal(coordinator), secrets.token_hex(16)
    with journal.opened():
        session = begin(journal, settings.budget, plan, ground.space.n_directions, token)
        federation = Federation(
            token,
            name,
            base.identity,
            base.sha256,
            names,
            ground.space.first(len(session.state.place)),
            session.plan,
            settings.budget,
        )
        keys = {one: new_key() for one in names}
        (coordinator / _KEYS).mkdir(mode=0o700, exist_ok=True)
        for one, key in keys.items():
            write_key(key_path(coordinator, one), key)
        exchange.mkdir(parents=True, exist_ok=True)
        for folder in (coordinator, exchange):
            send(folder / FEDERATION, federation.to_body(), keys)
        _publish(exchange, federation, session, keys)
    return _standing(session)


def join(
    exchange: Path, coordinator: Path, *, without_missing: bool = False, draw: Draw = SYSTEM
) -> Standing:
    """Join the updates of the present round, with noise, and publish the next one or the end.

    A kill in between loses nothing but budget: the same command goes on.

    Args:
        exchange: folder of the files that go to and fro.
        coordinator: folder that the coordinator keeps to itself.
        without_missing: count laboratories that sent nothing as if they had nothing to say.
        draw: gives random bytes; for tests.

    Raises:
        ExchangeError: an update is missing, altered, of another round, or too long; nothing is
            spent then.
        ConfigError: the ledger cannot be read.
    """
    journal = Journal(coordinator)
    with journal.opened():
        keys = _keys(coordinator)
        federation = _federation(coordinator, keys)
        if (journal.run() or {}).get("fingerprint") != federation.token:
            raise ExchangeError(f"{coordinator} does not know where the federation stands")
        session = begin(
            journal,
            federation.budget,
            federation.plan,
            federation.space.n_directions,
            federation.token,
        )
        if session.goes_on and _publish(exchange, federation, session, keys):
            updates = _updates(exchange, federation, session, keys, without_missing=without_missing)
            session.round(lambda chosen: [updates[number] for number in chosen], draw)
        _publish(exchange, federation, session, keys)
        return _standing(session)


def key_path(coordinator: Path, laboratory: str) -> Path:
    """Return the file of a laboratory's key."""
    return coordinator / _KEYS / f"{laboratory}.key"


def _updates(
    exchange: Path,
    federation: Federation,
    session: Session,
    keys: dict[str, bytes],
    *,
    without_missing: bool,
) -> list[Units]:
    """Read the updates of all laboratories, before it is drawn whose count."""
    asked = _round(federation, session)
    paths = {name: update_path(exchange, asked["number"], name) for name in federation.laboratories}
    missing = [name for name, path in paths.items() if not path.exists()]
    if missing and not without_missing:
        raise ExchangeError(
            f"round {asked['number']}: nothing yet from {', '.join(missing)}",
            hint="Wait for them, or join without them: --without-missing.",
        )
    nothing = np.zeros(federation.space.n_directions, dtype=np.int64)
    return [
        nothing if name in missing else read_update(path, federation, asked, name, keys[name])
        for name, path in paths.items()
    ]


def _publish(
    exchange: Path, federation: Federation, session: Session, keys: dict[str, bytes]
) -> bool:
    """Write the present round, or the end, if it is not there; return whether it was.

    Raises:
        ExchangeError: another file stands there.
    """
    if session.goes_on:
        body = _round(federation, session)
        path = round_path(exchange, body["number"])
    else:
        spent = spent_figures(session.plan, session.state, session.epsilon, federation.budget.delta)
        place = session.state.learned().tolist()
        body = {"kind": "final", "federation": federation.digest, "place": place, "spent": spent}
        path = exchange / FINAL
    if not path.exists():
        send(path, body, keys)
        return False
    first = federation.laboratories[0]
    if digest(receive(path, body["kind"], first, keys[first])) != digest(body):
        raise ExchangeError(f"{path.name} is not what this coordinator wrote")
    return True


def _round(federation: Federation, session: Session) -> Body:
    return round_body(federation, session.state.n_rounds + 1, np.array(session.state.place))


def _keys(coordinator: Path) -> dict[str, bytes]:
    paths = sorted((coordinator / _KEYS).glob("*.key"))
    if not paths:
        raise ExchangeError(f"{coordinator} holds no federation", hint="`federate start` makes it.")
    return {path.stem: read_key(path) for path in paths}


def _federation(coordinator: Path, keys: dict[str, bytes]) -> Federation:
    name = next(iter(keys))
    federation = Federation.from_body(
        receive(coordinator / FEDERATION, "federation", name, keys[name])
    )
    if set(federation.laboratories) != set(keys):
        raise ExchangeError(f"{coordinator / _KEYS}: keys are missing, or too many")
    return federation


def _standing(session: Session) -> Standing:
    number = session.state.n_rounds + (1 if session.goes_on else 0)
    return Standing(
        number,
        session.plan.n_rounds,
        session.epsilon,
        session.budget.delta,
        not session.goes_on,
    )
