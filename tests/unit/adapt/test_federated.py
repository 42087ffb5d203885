"""Private learning over a folder: the same as in one place, and no file is believed unseen."""

import base64
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from laboratory import records_of, shifts, write_lines

from nmrshift import Predictor
from nmrshift.adapt.private.federated import coordinator
from nmrshift.adapt.private.federated.coordinator import Standing, join, key_path, start
from nmrshift.adapt.private.federated.exchange import Federation, round_path, update_path
from nmrshift.adapt.private.federated.member import Member
from nmrshift.adapt.private.federated.messages import read_key, receive, seal, send, unseal
from nmrshift.adapt.private.ground import Ground
from nmrshift.adapt.private.journal import Journal
from nmrshift.adapt.private.ledger import Budget, epsilon_of
from nmrshift.adapt.private.mechanism import UNITS
from nmrshift.adapt.private.session import Session, begin
from nmrshift.adapt.private.settings import PrivacySettings
from nmrshift.adapt.private.updates import localise
from nmrshift.cli.app import main
from nmrshift.data.dataset import as_dataset
from nmrshift.data.records import record_from_dict
from nmrshift.errors import (
    BudgetError,
    ConfigError,
    ExchangeError,
    FolderTakenError,
    NmrshiftError,
    TooFewContributorsError,
)
from nmrshift.model.artifact import Artifact, load_artifact

OFFSET_PPM = 3.0
NAMES = tuple(f"Lab-{number}" for number in range(12))
SETTINGS = PrivacySettings(Budget(50.0, 1e-3), ("13C",), n_rounds=3)


def seeded(seed: int) -> Callable[[int], bytes]:
    return np.random.default_rng(seed).bytes


@pytest.fixture(scope="module")
def toy(toy_model: Path) -> Artifact:
    return load_artifact(toy_model)


@pytest.fixture(scope="module")
def rows(toy_model: Path) -> dict[str, list[dict[str, Any]]]:
    found = records_of(Predictor.load(toy_model), lambda _, shift: shift + OFFSET_PPM)
    return {name: found[number :: len(NAMES)] for number, name in enumerate(NAMES)}


@pytest.fixture(scope="module")
def houses(
    rows: dict[str, list[dict[str, Any]]], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("houses")
    return {name: write_lines(folder / f"{name}.jsonl", rows[name]) for name in NAMES}


class Folders:
    """A federation in a folder, with every laboratory's own."""

    def __init__(self, folder: Path, toy: Artifact, houses: dict[str, Path]) -> None:
        self.exchange, self.coordinator = folder / "exchange", folder / "coordinator"
        self.folder, self.toy, self.houses = folder, toy, houses

    def start(self, settings: PrivacySettings = SETTINGS) -> Standing:
        return start(self.exchange, self.coordinator, NAMES, "club", self.toy, settings)

    def member(self, name: str) -> Member:
        return Member(self.exchange, name, key_path(self.coordinator, name), self.toy)

    def update(self, name: str, epsilon: float = 50.0) -> tuple[int, float]:
        journal = Journal(self.folder / f"{name}.journal")
        return self.member(name).update([self.houses[name]], journal, epsilon=epsilon)

    def all_update(self) -> None:
        for name in NAMES:
            self.update(name)

    def join(self, **options: Any) -> Standing:
        return join(self.exchange, self.coordinator, **options)

    def federation(self) -> Federation:
        body = receive(self.exchange / "federation.json", "federation", "Lab-0", self.key("Lab-0"))
        return Federation.from_body(body)

    def key(self, name: str) -> bytes:
        return read_key(key_path(self.coordinator, name))


@pytest.fixture
def folders(tmp_path: Path, toy: Artifact, houses: dict[str, Path]) -> Folders:
    return Folders(tmp_path, toy, houses)


@pytest.fixture(scope="module")
def asked(
    tmp_path_factory: pytest.TempPathFactory,
    toy: Artifact,
    houses: dict[str, Path],
    few_public: Callable[[], tuple[str, ...]],
) -> Path:
    """A federation whose first round everybody has answered."""
    folder = tmp_path_factory.mktemp("asked")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nmrshift.adapt.private.ground.public_smiles", few_public)
        made = Folders(folder, toy, houses)
        made.start()
        made.all_update()
    return folder


@pytest.fixture
def answered(asked: Path, tmp_path: Path, toy: Artifact, houses: dict[str, Path]) -> Folders:
    shutil.copytree(asked, tmp_path / "copy")
    return Folders(tmp_path / "copy", toy, houses)


def in_one_place(folders: Folders, rows: dict[str, list[dict[str, Any]]], journal: Path) -> Session:
    """The same rounds, all spectra at hand."""
    federation, toy = folders.federation(), folders.toy
    book = Journal(journal)
    book.folder.mkdir()
    n_directions = federation.space.n_directions
    session = begin(book, federation.budget, federation.plan, n_directions, "one place")
    asker = Ground(toy, "club", federation.space).asker(session.plan)
    config, local = toy.network.config, []
    for name in NAMES:
        records = [replace(record_from_dict(row), source="club") for row in rows[name]]
        dataset = as_dataset(records, config.nuclei, config.features, lambda _: None)
        local.append(localise(asker.network, dataset))
    for number in range(3):
        asker.set(np.array(session.state.place))
        session.round(lambda chosen: [asker.update(local[n]) for n in chosen], seeded(number))
    return session


def test_it_is_what_it_would_be_in_one_place(
    folders: Folders, rows: dict[str, list[dict[str, Any]]], toy_model: Path
) -> None:
    """Same updates, same draws: the same model, to the last bit."""
    assert folders.start() == Standing(1, 3, 0.0, 1e-3, is_complete=False)
    for number in range(3):
        folders.all_update()
        standing = folders.join(draw=seeded(number))
    assert standing.is_complete
    central = in_one_place(folders, rows, folders.folder / "central")
    assert standing.epsilon == central.epsilon <= 50.0
    final = receive(folders.exchange / "final.json", "final", "Lab-3", folders.key("Lab-3"))
    assert final["place"] == central.state.learned().tolist()
    one, other = (folders.folder / name for name in ("one", "other"))
    folders.member("Lab-1").finish(one)
    folders.member("Lab-2").finish(other)
    for path in one.iterdir():
        assert path.read_bytes() == (other / path.name).read_bytes()
    assert np.array(shifts(one)) == pytest.approx(np.array(shifts(toy_model)), abs=1e-3)
    assert load_artifact(one).card.training["adaptation"]["private"] == final["spent"]
    assert folders.join().is_complete
    with pytest.raises(ExchangeError, match="complete"):
        folders.update("Lab-1")


def test_an_update_is_for_the_coordinator_alone(answered: Folders) -> None:
    path = update_path(answered.exchange, 1, "Lab-0")
    body = unseal(path, "update", answered.key("Lab-0"))
    assert set(body) == {"kind", "federation", "laboratory", "number", "round", "update"}
    assert any(base64.b64decode(body["update"]))
    assert b"update" not in path.read_bytes()
    silent = {**body, "update": packed([], answered.federation().space.n_directions)}
    seal(answered.folder / "silent", silent, answered.key("Lab-0"))
    assert (answered.folder / "silent").stat().st_size == path.stat().st_size
    with pytest.raises(ExchangeError, match="another key"):
        unseal(path, "update", answered.key("Lab-1"))


def test_what_is_published_is_noisy_and_no_more(answered: Folders) -> None:
    answered.join()
    names = {path.name for path in answered.exchange.iterdir()}
    sealed = {path.name for path in answered.exchange.glob("*.sealed")}
    assert names - sealed == {"federation.json", "round-0001.json", "round-0002.json"}
    body = receive(answered.exchange / "round-0002.json", "round", "Lab-5", answered.key("Lab-5"))
    assert set(body) == {"kind", "federation", "number", "place"}


def packed(values: Any, n: int) -> str:
    """Numbers as an update holds them, filled up with zeros."""
    found = np.zeros(n, dtype="<i8")
    found[: min(n, len(values))] = values[:n]
    return base64.b64encode(found.tobytes()).decode()


def resend(folders: Folders, name: str, **changes: Any) -> None:
    """A laboratory's update, altered by who has its key."""
    path, key = update_path(folders.exchange, 1, name), folders.key(name)
    seal(path, {**unseal(path, "update", key), **changes}, key)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"update": packed([UNITS, UNITS], 8)}, "wrong length"),
        ({"update": packed([2**61] * 8, 8)}, "wrong length"),
        ({"update": packed([-(2**63)] + [0] * 7, 8)}, "wrong length"),
        ({"update": packed([1], 1)}, "wrong length"),
        ({"update": "AAA"}, "no update"),
        ({"update": "AAAA"}, "no update"),
        ({"update": [0.5] * 8}, "no update"),
        ({"update": None}, "no update"),
        ({"round": "0" * 64}, "another round"),
        ({"laboratory": "Lab-2"}, "another laboratory"),
        ({"federation": "0" * 64}, "another federation"),
        ({"kind": "round"}, "no update"),
    ],
)
def test_updates_that_are_not_what_they_should_be(
    answered: Folders, changes: dict[str, Any], words: str
) -> None:
    if len(changes.get("update") or "") > 20:
        n = answered.federation().space.n_directions
        changes = {"update": packed(np.frombuffer(base64.b64decode(changes["update"]), "<i8"), n)}
    resend(answered, "Lab-3", **changes)
    with pytest.raises(ExchangeError, match=words):
        answered.join()
    assert Journal(answered.coordinator).spent() == ()
    assert not round_path(answered.exchange, 2).exists()


def flip(path: Path, where: int) -> None:
    data = bytearray(path.read_bytes())
    data[where] ^= 1
    path.write_bytes(bytes(data))


def test_altered_and_exchanged_updates(answered: Folders) -> None:
    mine, others = (update_path(answered.exchange, 1, name) for name in ("Lab-3", "Lab-4"))
    kept = mine.read_bytes()
    for where in (0, 40, len(kept) - 3):
        flip(mine, where)
        with pytest.raises(ExchangeError, match="altered"):
            answered.join()
        mine.write_bytes(kept)
    mine.write_bytes(others.read_bytes())
    with pytest.raises(ExchangeError, match="another key"):
        answered.join()
    mine.write_bytes(b"")
    with pytest.raises(ExchangeError, match="altered"):
        answered.join()
    assert Journal(answered.coordinator).spent() == ()


def test_missing_updates(answered: Folders) -> None:
    update_path(answered.exchange, 1, "Lab-3").unlink()
    with pytest.raises(ExchangeError, match=r"nothing yet from Lab-3"):
        answered.join()
    assert answered.join(without_missing=True).number == 2


@pytest.mark.parametrize("name", ["federation.json", "round-0001.json"])
def test_altered_words_of_the_coordinator(answered: Folders, name: str) -> None:
    path = answered.exchange / name
    found = json.loads(path.read_text())
    body = found["body"]
    body = (
        {**body, "place": [9.0] * len(body["place"])} if "place" in body else {**body, "name": "x"}
    )
    for text in (json.dumps({**found, "body": body}), "{", "[]", "{}", '{"body": {"x": NaN}}'):
        path.write_text(text)
        with pytest.raises(ExchangeError):
            answered.update("Lab-1")
    if name != "federation.json":
        with pytest.raises(ExchangeError):
            answered.join()


def test_a_round_is_answered_once(answered: Folders) -> None:
    """Who has all keys cannot ask twice with different models."""
    before = Journal(answered.folder / "Lab-1.journal").spent()
    answered.update("Lab-1")
    assert Journal(answered.folder / "Lab-1.journal").spent() == before
    path = round_path(answered.exchange, 1)
    body = receive(path, "round", "Lab-1", answered.key("Lab-1"))
    path.unlink()
    send(path, {**body, "place": [0.1] * len(body["place"])}, {"Lab-1": answered.key("Lab-1")})
    with pytest.raises(ExchangeError, match="answered already"):
        answered.update("Lab-1")
    path.rename(round_path(answered.exchange, 4))
    with pytest.raises(ExchangeError, match="round 4 is none"):
        answered.update("Lab-1")


def test_a_laboratory_has_a_limit_of_its_own(folders: Folders, toy: Artifact) -> None:
    folders.start()
    with pytest.raises(BudgetError, match="your limit is 8"):
        folders.update("Lab-1", epsilon=8.0)
    number, spent = folders.update("Lab-1", epsilon=50.0)
    (entered,) = Journal(folders.folder / "Lab-1.journal").spent()
    assert (number, entered.n_rounds) == (1, 1)
    assert spent == epsilon_of([entered], 1e-3) < 50.0
    second = Folders(folders.folder / "second", toy, folders.houses)
    second.start()
    member = replace(second.member("Lab-1"))
    with pytest.raises(BudgetError, match="is spent"):
        member.update(
            [folders.houses["Lab-1"]], Journal(folders.folder / "Lab-1.journal"), epsilon=49.9
        )


class Killed(BaseException):
    """As a kill would end it."""


def test_a_join_that_was_cut_off_counts(answered: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut off in the noise, the round counts twice; cut off before it is told, once."""

    def dying(_: int) -> bytes:
        raise Killed

    with pytest.raises(Killed):
        answered.join(draw=dying)
    (spent,) = Journal(answered.coordinator).spent()
    assert spent.n_rounds == 1
    with monkeypatch.context() as patch:
        patch.setattr(coordinator, "_publish", publish_then_die(coordinator._publish))
        with pytest.raises(Killed):
            answered.join(draw=seeded(1))
    (spent,) = Journal(answered.coordinator).spent()
    assert spent.n_rounds == 2
    assert not round_path(answered.exchange, 2).exists()
    standing = answered.join()
    assert standing.number == 2
    assert Journal(answered.coordinator).spent() == (spent,)
    answered.all_update()
    last = answered.join()
    assert last.is_complete
    assert last.number == 2
    assert last.epsilon == epsilon_of([replace(spent, n_rounds=3)], 1e-3) <= 50.0


def publish_then_die(publish: Callable[..., bool]) -> Callable[..., bool]:
    calls = 0

    def once(*arguments: Any) -> bool:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise Killed
        return publish(*arguments)

    return once


def test_who_may_take_part(folders: Folders, toy: Artifact) -> None:
    def begin_with(names: list[str]) -> None:
        start(folders.exchange, folders.coordinator, names, "club", toy, SETTINGS)

    with pytest.raises(TooFewContributorsError, match="9 laboratories"):
        begin_with(list(NAMES[:9]))
    with pytest.raises(TooFewContributorsError, match="different names"):
        begin_with([*NAMES, NAMES[0].upper()])
    with pytest.raises(ConfigError, match="cannot be the name"):
        begin_with([*NAMES, "../x"])
    with pytest.raises(BudgetError, match="noise would be"):
        folders.start(replace(SETTINGS, budget=Budget(0.1, 1e-5)))
    folders.start()
    with pytest.raises(FolderTakenError):
        folders.start()


def test_who_is_not_on_the_list_or_has_another_base(answered: Folders, tmp_path: Path) -> None:
    mine = key_path(answered.coordinator, "Lab-1")
    for name, key in (("Lab-2", mine), ("Nobody", mine)):
        with pytest.raises(ExchangeError):
            Member(answered.exchange, name, key, answered.toy).update(
                [answered.houses["Lab-1"]], Journal(tmp_path / "j"), epsilon=50.0
            )
    other = replace(answered.toy, sha256="0" * 64)
    with pytest.raises(ExchangeError, match="begins with"):
        Member(answered.exchange, "Lab-1", mine, other).finish(tmp_path / "m")
    (tmp_path / "bad.key").write_text("00")
    with pytest.raises(ExchangeError, match="no key"):
        Member(answered.exchange, "Lab-1", tmp_path / "bad.key", answered.toy).finish(
            tmp_path / "m"
        )


def test_a_coordinator_without_its_folder(answered: Folders) -> None:
    (answered.coordinator / "run.json").unlink()
    with pytest.raises(ExchangeError, match="where the federation stands"):
        answered.join()
    shutil.rmtree(answered.coordinator / "keys")
    with pytest.raises(NmrshiftError, match="no federation"):
        answered.join()


def test_the_commands(
    tmp_path: Path, toy_model: Path, houses: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange, keeper = str(tmp_path / "exchange"), str(tmp_path / "keeper")
    base = ["--model", str(toy_model)]

    def run(*line: str) -> str:
        done = CliRunner().invoke(main, ["federate", *line])
        assert done.exit_code == 0, done.output
        return done.stderr

    listed = [word for name in NAMES for word in ("--laboratory", name)]
    settings = ["--nucleus", "13C", "--rounds", "1", "--epsilon", "8"]
    said = run("start", exchange, "--coordinator", keeper, *listed, *base, *settings)
    assert "round 1 of 1 waits" in said
    for name in NAMES:
        mine = ["--laboratory", name, "--key", f"{keeper}/keys/{name}.key", *base]
        said = run("update", exchange, str(houses[name]), *mine)
        assert "round 1 answered" in said
    assert "complete after 1 rounds" in run("join", exchange, "--coordinator", keeper)
    out = tmp_path / "model"
    run("finish", exchange, *mine, "--out", str(out))
    assert "club" not in Predictor.load(out).identity
    assert Predictor.load(out).predict("CCO", source="consortium").of("13C")
