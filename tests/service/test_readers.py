"""Molecules that hang, crash or fail in an unforeseen way harm nothing but themselves."""

import os
import signal
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from poison import READ
from processes import children_of, descendants_of, wait_for_end

from nmrshift.graph.features import PRESETS
from nmrshift.predict.prepare import Prepared
from nmrshift.types import Failure, Query
from service.metrics import Metrics
from service.reading.pool import CHUNK, ReaderPool
from service.reading.task import Reading

TESTS = Path(__file__).resolve().parents[1]
READING = Reading(("13C", "19F"), ("13C", "19F", "1H"), sorted(PRESETS)[-1])
DEADLINE_S = 1.5
WAIT_S = 60.0
GOOD = Query("CCO")


class Crew:
    """A pool, and what it delivered."""

    def __init__(self, pool, metrics):
        self.pool = pool
        self.metrics = metrics
        self.got = {}
        self._changed = threading.Condition()

    def read(self, queries, *, priority=0, is_wanted=lambda: True):
        offset = len(self.got)
        places = [(offset + place, query) for place, query in enumerate(queries)]
        self.pool.read(places, READING, self._deliver, is_wanted, priority=priority)

    def _deliver(self, position, outcome):
        with self._changed:
            assert position not in self.got
            self.got[position] = outcome
            self._changed.notify_all()

    def wait(self, n):
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.got) >= n, WAIT_S), self.codes()

    def codes(self):
        return [
            one.code if isinstance(one, Failure) else "ok" for _, one in sorted(self.got.items())
        ]

    def replaced(self, reason):
        value = self.metrics.readers_replaced.labels(reason)._value.get()
        return int(value)


@contextmanager
def crew_of(n_readers=2, read=READ):
    metrics = Metrics()
    pool = ReaderPool(
        read,
        n_readers=n_readers,
        deadline_s=DEADLINE_S,
        memory_bytes=3_000_000_000,
        metrics=metrics,
    )
    pool.start()
    try:
        yield Crew(pool, metrics)
    finally:
        pool.close()


@pytest.fixture
def crew(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    with crew_of() as crew:
        yield crew


def readers():
    """Processes forked from nurseries of this process."""
    return [one for child in nurseries() for one in descendants_of(child)]


def nurseries():
    """Those children of this process; others, as multiprocessing's tracker, are let be."""
    return [
        pid
        for pid in children_of(os.getpid())
        if b"service.reading.nursery" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]


def kill(pid):
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def test_molecules_are_read_as_in_this_process(crew):
    smiles = ["CCO", "C1CC", "FC(F)(F)c1ccccc1", "N"]
    crew.read([Query(text, name=str(place)) for place, text in enumerate(smiles)])
    crew.wait(4)
    assert crew.codes() == ["ok", "parse_error", "ok", "no_target_atoms"]
    assert isinstance(crew.got[0], Prepared)
    assert [crew.got[place].name for place in range(4)] == list("0123")
    assert crew.pool.n_waiting == 0


@pytest.mark.parametrize(
    ("name", "code", "reason"),
    [("hang", "timeout", "timeout"), ("crash", "crashed", "crashed"), ("bug", "crashed", None)],
)
def test_one_bad_molecule_fails_alone(crew, name, code, reason):
    n = 2 * CHUNK
    bad = Query("CCCCCCCCCC", name=name)
    crew.read([bad if place == 5 else GOOD for place in range(n)])
    crew.wait(n)
    assert crew.codes() == [code if place == 5 else "ok" for place in range(n)]
    assert crew.got[5].input == "CCCCCCCCCC"
    if reason is not None:
        assert crew.replaced(reason) >= 1
    crew.read([GOOD])
    crew.wait(n + 1)


def test_a_molecule_that_asks_for_all_memory_fails(crew, caplog):
    crew.read([GOOD, Query("CCCCCCCCCC", name="memory"), GOOD])
    crew.wait(3)
    assert crew.codes() == ["ok", "crashed", "ok"]
    assert "MemoryError" in caplog.text
    assert "CCCC" not in caplog.text


def test_a_fault_is_logged_by_its_place_only(crew, caplog):
    crew.read([Query("CCCCCCCCCC", name="bug")])
    crew.wait(1)
    assert "ZeroDivisionError" in caplog.text
    assert "poison.py" in caplog.text
    assert "CCCC" not in caplog.text


def test_a_molecule_whose_reader_was_killed_by_others_is_read_again(crew, tmp_path):
    crew.read([GOOD, Query("CC", name=f"crash-once {tmp_path / 'flag'}"), GOOD])
    crew.wait(3)
    assert crew.codes() == ["ok"] * 3
    assert crew.replaced("crashed") == 1


def test_good_molecules_do_not_wait_for_hanging_ones(crew):
    crew.read([GOOD])
    crew.wait(1)
    crew.read([Query("CC", name="hang")] * 3)
    start = time.monotonic()
    crew.pool.read(
        [(100 + place, GOOD) for place in range(3 * CHUNK)],
        READING,
        crew._deliver,
        lambda: True,
        priority=0,
    )
    crew.wait(1 + 3 * CHUNK)
    assert "timeout" not in crew.codes(), f"waited {time.monotonic() - start:.1f} s"
    crew.wait(4 + 3 * CHUNK)
    assert crew.codes().count("timeout") == 3


def test_a_slow_molecule_within_its_time_is_read(crew):
    crew.read([Query("CC", name="slow 0.4"), *[GOOD] * 3])
    crew.wait(4)
    assert crew.codes() == ["ok"] * 4


def test_what_nobody_waits_for_is_not_read(crew):
    crew.read([Query("CC", name="hang")] * CHUNK, is_wanted=lambda: False)
    crew.read([GOOD])
    crew.wait(1)
    assert crew.replaced("timeout") == 0
    assert crew.pool.n_waiting == 0


def test_the_nursery_is_replaced_when_it_dies(crew):
    crew.read([GOOD])
    crew.wait(1)
    for pid in [*readers(), *nurseries()]:
        kill(pid)
    crew.read([Query("CC", name="crash")] + [GOOD] * 40)
    crew.wait(42)
    assert crew.codes().count("ok") == 41


def test_a_storm_of_kills_loses_nothing(crew):
    n = 600
    stop = threading.Event()

    def storm():
        while not stop.is_set():
            for pid in readers()[:1]:
                kill(pid)
            time.sleep(0.1)

    crew.read([GOOD])
    crew.wait(1)
    thread = threading.Thread(target=storm)
    thread.start()
    crew.pool.read(
        [(1 + place, Query("C" * (1 + place % 9))) for place in range(n)],
        READING,
        crew._deliver,
        lambda: True,
        priority=0,
    )
    crew.wait(1 + n)
    stop.set()
    thread.join()
    assert crew.codes() == ["ok"] * (1 + n)
    for place in range(n):
        assert crew.got[1 + place].text == "C" * (1 + place % 9)


def test_nothing_is_left_running(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    before = set(descendants_of(os.getpid()))
    with crew_of(n_readers=1) as crew:
        crew.read([GOOD, Query("CC", name="hang")])
        crew.wait(1)
    end = time.monotonic() + DEADLINE_S + 10
    while set(descendants_of(os.getpid())) - before:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_reader_whose_owner_is_dead_ends_itself(monkeypatch):
    from service.reading.reader import Nursery
    from service.reading.task import Task

    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    nursery = Nursery(READ, 3_000_000_000)
    reader = nursery.fork()
    reader.send(Task((Query("C", name="hang"),), READING, 0.2))
    reader._connection.close()
    nursery.close()
    wait_for_end([reader.pid])
