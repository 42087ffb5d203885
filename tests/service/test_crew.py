"""Molecules that hang, crash or fail in an unforeseen way harm nothing but themselves."""

import os
import signal
import threading
import time
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal
from poison import READ
from processes import children_of, descendants_of, wait_for_end

from nmrshift import Predictor
from nmrshift.io.wire import WrittenPrediction, row_text
from nmrshift.types import Failure, Prediction, Query
from service.apart.crew import Crew
from service.apart.owner import BrokenNurseryError
from service.loaded import canary_shifts
from service.metrics import Metrics
from service.options import Options
from service.settings import Settings
from service.tickets import Item, Ticket

TESTS = Path(__file__).resolve().parents[1]
OPTIONS = Options(("13C", "19F"), None, None, 0.9)
DEADLINE_S = 2.5
WAIT_S = 60.0
BATCH = 8
GOOD = Query("CCO")


class Team:
    """A crew, and what it delivered."""

    def __init__(self, crew, metrics, portal):
        self.crew = crew
        self.metrics = metrics
        self.portal = portal

    def ask(self, queries, *, options=OPTIONS, **kwargs):
        ticket = Ticket(options, len(queries), **kwargs)
        items = [Item(ticket, n, query, 9, lambda _: None) for n, query in enumerate(queries)]
        self.crew.put(items)
        return ticket.future

    def answers(self, queries, **kwargs):
        return self.ask(queries, **kwargs).result(WAIT_S)

    def codes(self, queries, **kwargs):
        return codes_of(self.answers(queries, **kwargs))

    def replaced(self, reason):
        return int(self.metrics.workers_replaced.labels(reason)._value.get())


def codes_of(answers):
    return [one.code if isinstance(one, Failure) else "ok" for one in answers]


@contextmanager
def team_of(model, read=READ, **kwargs):
    metrics = Metrics()
    settings = Settings(model=model, molecule_timeout_s=DEADLINE_S, batch_molecules=BATCH, **kwargs)
    with start_blocking_portal() as portal:
        crew = portal.call(Crew.of, settings, metrics, read)
        try:
            yield Team(crew, metrics, portal)
        finally:
            portal.call(partial(crew.close, when_done=False))


@pytest.fixture(scope="module")
def team(toy_model):
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("PYTHONPATH", f"{TESTS}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
        with team_of(toy_model) as team:
            yield team


@pytest.fixture(scope="module")
def predictor(toy_model):
    return Predictor.load(toy_model)


def nurseries():
    """Those children of this process; others, as multiprocessing's tracker, are let be."""
    return [
        pid
        for pid in children_of(os.getpid())
        if b"service.apart.nursery" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]


def workers():
    """Processes forked from nurseries of this process."""
    return [one for child in nurseries() for one in descendants_of(child)]


def idle_only():
    """Those of them that run when no other process wants to."""
    found = []
    for pid in workers():
        with suppress(ProcessLookupError):
            if os.sched_getscheduler(pid) == os.SCHED_IDLE:
                found.append(pid)
    return found


def kill(pid):
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def test_answers_are_those_of_this_process(team, predictor):
    smiles = ["CCO", "C1CC", "FC(F)(F)c1ccccc1", "N"]
    queries = [Query(text, name=str(place)) for place, text in enumerate(smiles)]
    found = team.answers(queries, first=7)
    assert codes_of(found) == ["ok", "parse_error", "ok", "no_target_atoms"]
    assert [(one.index, one.name) for one in found] == [(7 + n, str(n)) for n in range(4)]
    assert isinstance(found[0], Prediction)
    for one in found[::2]:
        expected = [atom.shift_ppm for atom in predictor.predict(one.input).atoms]
        assert [atom.shift_ppm for atom in one.atoms] == pytest.approx(expected, abs=1e-4)


def test_as_text_they_are_the_same_rows(team):
    queries = [Query("CC(=O)Oc1ccccc1C(=O)O", name="ä"), Query("C1CC")]
    as_text = Options(OPTIONS.nuclei, None, None, 0.9, references=2, as_text=True)
    as_values = Options(OPTIONS.nuclei, None, None, 0.9, references=2)
    written, values = (
        team.answers(queries, options=as_text),
        team.answers(queries, options=as_values),
    )
    assert isinstance(written[0], WrittenPrediction)
    assert written[0].n_atoms == len(values[0].atoms)
    assert [row_text(one) for one in written] == [row_text(one) for one in values]


def test_requests_with_other_options_share_a_batch_and_get_their_own(team):
    others = [Options(("13C",), None, None, level) for level in (0.5, 0.8)]
    futures = [(options, team.ask([GOOD] * 3, options=options)) for options in others * 10]
    for options, future in futures:
        assert {one.interval for one in future.result(WAIT_S)} == {options.interval}


def test_the_canary_comes_out_as_in_this_process(team, predictor):
    expected = canary_shifts(predictor)
    assert team.portal.call(team.crew.canary_ppm) == pytest.approx(expected, abs=1e-4)
    assert team.crew.about.canary_ppm == pytest.approx(expected, abs=1e-4)
    assert team.crew.about.identity == predictor.identity
    assert team.crew.about.nuclei == predictor.nuclei


@pytest.mark.parametrize(
    ("name", "code", "reason"),
    [("hang", "timeout", "timeout"), ("crash", "crashed", "crashed"), ("bug", "crashed", None)],
)
def test_one_bad_molecule_fails_alone(team, name, code, reason):
    n = 4 * BATCH
    before = 0 if reason is None else team.replaced(reason)
    bad = Query("CCCCCCCCCC", name=name)
    found = team.answers([bad if place == 5 else GOOD for place in range(n)])
    assert codes_of(found) == [code if place == 5 else "ok" for place in range(n)]
    assert found[5].input == "CCCCCCCCCC"
    if reason is not None:
        assert team.replaced(reason) > before
    assert team.codes([GOOD]) == ["ok"]


def test_a_molecule_that_asks_for_all_memory_fails(team, caplog):
    found = team.codes([GOOD, Query("CCCCCCCCCC", name="memory"), GOOD])
    assert found == ["ok", "crashed", "ok"]
    assert "MemoryError" in caplog.text
    assert "CCCC" not in caplog.text


def test_a_fault_is_logged_by_its_place_only(team, caplog):
    team.answers([Query("CCCCCCCCCC", name="bug")])
    assert "ZeroDivisionError" in caplog.text
    assert "poison.py" in caplog.text
    assert "CCCC" not in caplog.text


def test_a_molecule_whose_process_was_killed_by_others_is_tried_again(team, tmp_path):
    before = team.replaced("crashed")
    queries = [GOOD, Query("CC", name=f"crash-once {tmp_path / 'flag'}"), GOOD]
    assert team.codes(queries) == ["ok"] * 3
    assert team.replaced("crashed") == before + 1


def test_good_molecules_do_not_wait_for_hanging_ones(team):
    hanging = team.ask([Query("CC", name="hang")] * 3)
    good = team.ask([GOOD] * 6 * BATCH)
    assert codes_of(good.result(WAIT_S)) == ["ok"] * 6 * BATCH
    assert not hanging.done()
    assert codes_of(hanging.result(WAIT_S)) == ["timeout"] * 3


def test_a_hanging_molecule_has_only_what_no_other_process_wants(team):
    wait_for_end(idle_only())
    hanging = team.ask([Query("CC", name="hang")])
    while not (last := idle_only()) and not hanging.done():
        time.sleep(0.01)
    assert [len(os.sched_getaffinity(pid)) for pid in last] == [1]
    assert team.codes([GOOD] * 2) == ["ok"] * 2
    assert codes_of(hanging.result(WAIT_S)) == ["timeout"]


def test_more_slow_molecules_than_there_may_be_at_a_time_all_get_their_turn(team, monkeypatch):
    monkeypatch.setattr(team.crew._breeder, "_most_aside", 1)
    before = team.replaced("slow")
    assert team.codes([Query("CC", name="slow 0.5")] * 4) == ["ok"] * 4
    assert team.replaced("slow") >= before + 4


def test_a_slow_molecule_within_its_time_is_answered(team):
    assert team.codes([Query("CC", name="slow 0.4"), *[GOOD] * 3]) == ["ok"] * 4


def test_what_nobody_waits_for_is_not_answered(team):
    before = team.replaced("timeout")
    blocking = team.ask([GOOD] * 20 * BATCH)
    given_up = team.ask([Query("CC", name="hang")] * BATCH)
    assert given_up.cancel()
    assert team.codes([GOOD]) == ["ok"]
    blocking.result(WAIT_S)
    assert team.replaced("timeout") == before


def test_requests_go_before_jobs(team):
    job = team.ask([GOOD] * 40 * BATCH, is_background=True)
    assert team.codes([GOOD] * BATCH) == ["ok"] * BATCH
    assert not job.done()
    assert codes_of(job.result(WAIT_S)) == ["ok"] * 40 * BATCH


def test_a_process_that_dies_of_a_task_it_never_began_is_not_forked_for_ever(team, monkeypatch):
    monkeypatch.setattr("service.apart.crew.Task", lambda *_: "no task")
    future = team.ask([GOOD])
    assert codes_of(future.result(WAIT_S)) == ["crashed"]


def test_when_all_processes_die_nothing_is_lost(team):
    before = team.replaced("nursery")
    for pid in [*workers(), *nurseries()]:
        kill(pid)
    queries = [Query("CC", name="crash")] + [GOOD] * 40
    assert team.codes(queries) == ["crashed"] + ["ok"] * 40
    assert team.replaced("nursery") == before + 1


def test_a_storm_of_kills_loses_nothing(team):
    n = 600
    stop = threading.Event()

    def storm():
        # a molecule takes the blame when three processes die over it: few kills, far apart
        for victim in range(8):
            if stop.wait(0.3):
                return
            for pid in workers()[victim % 2 :][:1]:
                kill(pid)

    thread = threading.Thread(target=storm)
    thread.start()
    try:
        found = team.answers([Query("C" * (1 + place % 9)) for place in range(n)])
    finally:
        stop.set()
        thread.join()
    assert codes_of(found) == ["ok"] * n
    assert [one.input for one in found] == ["C" * (1 + place % 9) for place in range(n)]


def test_nothing_is_left_running(toy_model):
    with team_of(toy_model, read="service.apart.task:read_query", processes=1) as team:
        assert team.codes([GOOD]) == ["ok"]
        nursery = team.crew._breeder._nursery._process.pid
        # of this team alone: the one that other tests share replaces what they have killed
        started = [nursery, *descendants_of(nursery)]
        assert len(started) >= 2
    wait_for_end(started)


def test_a_model_that_cannot_be_loaded_is_told_in_words(tmp_path):
    with pytest.raises(BrokenNurseryError, match="absent"), team_of(tmp_path / "absent"):
        pass


def test_what_has_lost_its_owner_ends_itself(team):
    from service.apart.frames import Channel
    from service.apart.task import Task

    connection, page = team.crew._breeder._nursery.fork()
    channel = Channel(connection)
    pid = channel.receive()
    channel.send(Task(((Query("C", name="hang"), 0),), (OPTIONS,), 0.2))
    channel.close()
    page.close()
    wait_for_end([pid])
