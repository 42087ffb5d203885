"""Where molecules are read: here, elsewhere, or first here and then elsewhere."""

from concurrent.futures import Future
from typing import Any

import pytest

from nmrshift.predict import stream
from nmrshift.predict.packing import pack
from nmrshift.predict.stream import CHUNK, automatic_workers, prepare_stream
from nmrshift.types import Query

SETTINGS = (("13C",), ("13C", "19F"), "v1")
QUERIES = [Query("C" * (1 + number % 5)) for number in range(4 * CHUNK + 10)]


class InstantPool:
    """Does the work at once, and says that it is up after some chunks."""

    calls: list[int]

    def __init__(self, workers: int, *_: Any) -> None:
        type(self).calls = []
        self.workers = workers

    def __enter__(self) -> "InstantPool":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def submit(self, function: Any, *arguments: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        if function is not stream.preset:
            type(self).calls.append(arguments[0])
        future.set_result(function(*arguments))
        return future


def indices(workers: int | None) -> list[list[int]]:
    return [[item.index for item in chunk] for chunk in prepare_stream(QUERIES, *SETTINGS, workers)]


@pytest.mark.parametrize(("cpus", "workers"), [(1, 0), (2, 1), (4, 1), (8, 2), (96, 3)])
def test_workers_that_suit_the_cpus(
    monkeypatch: pytest.MonkeyPatch, cpus: int, workers: int
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(cpus)))
    assert automatic_workers() == workers


@pytest.mark.parametrize(
    ("workers", "cpus", "read_elsewhere"),
    [
        (0, 2, None),
        (2, 2, [0, 512, 1024, 1536, 2048]),
        (None, 1, None),
        (None, 2, [1024, 1536, 2048]),
    ],
)
def test_order_is_kept_and_the_automatic_choice_starts_late(
    monkeypatch: pytest.MonkeyPatch,
    workers: int | None,
    cpus: int,
    read_elsewhere: list[int] | None,
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(cpus)))
    monkeypatch.setattr(stream, "AUTOMATIC_FROM", 2 * CHUNK)
    monkeypatch.setattr(stream, "ProcessPoolExecutor", InstantPool)
    InstantPool.calls = []
    chunks = indices(workers)
    assert [index for chunk in chunks for index in chunk] == list(range(len(QUERIES)))
    assert (InstantPool.calls or None) == read_elsewhere


def test_few_molecules_start_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(stream, "ProcessPoolExecutor", refuse)
    few = QUERIES[:CHUNK]
    assert sum(len(chunk) for chunk in prepare_stream(few, *SETTINGS, None)) == len(few)
    assert list(prepare_stream([], *SETTINGS, 2)) == []


def test_the_first_worker_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    class SlowPool(InstantPool):
        def submit(self, function: Any, *arguments: Any) -> "Future[Any]":
            return Future() if function is stream.preset else super().submit(function, *arguments)

    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    monkeypatch.setattr(stream, "ProcessPoolExecutor", SlowPool)
    monkeypatch.setattr(stream, "AUTOMATIC_FROM", CHUNK)
    assert sum(map(len, indices(None))) == len(QUERIES)
    assert SlowPool.calls == []


def test_what_a_worker_returns_is_packed() -> None:
    chunk = stream.prepare_chunk(0, QUERIES[:3], *SETTINGS)
    assert stream._read_packed(0, QUERIES[:3], SETTINGS).rows == pack(chunk).rows
