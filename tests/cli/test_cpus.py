"""Threads make room for the processes that read."""

import pytest
import torch

from nmrshift.cli.cpus import share_cpus
from nmrshift.predict.stream import AUTOMATIC_FROM


@pytest.fixture
def threads(monkeypatch):
    """The calls to torch's setting, on a machine of eight CPUs with eight threads."""
    calls = []
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)))
    monkeypatch.setattr(torch, "get_num_threads", lambda: 8)
    monkeypatch.setattr(torch, "set_num_threads", calls.append)
    return calls


@pytest.mark.parametrize(("workers", "expected"), [(0, 8), (3, 5), (8, 1), (20, 1)])
def test_an_explicit_number_is_made_room_for_at_once(threads, workers, expected):
    assert list(share_cpus(["a", "b"], workers)) == ["a", "b"]
    assert threads == [expected]


def test_the_automatic_choice_waits_for_the_first_thousand(threads):
    rows = list(range(AUTOMATIC_FROM + 2))
    passed = share_cpus(rows, None)
    assert [next(passed) for _ in range(AUTOMATIC_FROM)] == rows[:-2]
    assert threads == []
    assert list(passed) == rows[-2:]
    assert threads == [6]


def test_threads_are_never_raised(threads, monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    list(share_cpus(["a"], 1))
    assert threads == [2]
