"""A stream worked on in threads: in order, bounded, with one of torch's threads each."""

import threading
from collections.abc import Iterator

import pytest
import torch

from nmrshift.predict.threads import map_in_order


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("two_threads")
def test_results_are_in_order_whoever_is_first() -> None:
    second_done = threading.Event()

    def work(number: int) -> int:
        if number == 0:
            assert second_done.wait(10)
        if number == 1:
            second_done.set()
        return number * number

    assert list(map_in_order(work, range(20))) == [n * n for n in range(20)]


@pytest.mark.usefixtures("two_threads")
def test_each_computes_on_one_thread_and_the_caller_keeps_its_own() -> None:
    seen = list(map_in_order(lambda _: (torch.get_num_threads(), threading.get_ident()), range(8)))
    assert {n_threads for n_threads, _ in seen} == {1}
    assert threading.get_ident() not in {thread for _, thread in seen}
    assert torch.get_num_threads() == 2
    later: list[int] = []
    new = threading.Thread(target=lambda: later.append(torch.get_num_threads()))
    new.start()
    new.join()
    assert later == [2]


@pytest.mark.usefixtures("two_threads")
def test_a_lone_item_is_computed_by_the_caller_with_all_threads() -> None:
    me = threading.get_ident()
    found = list(map_in_order(lambda _: (torch.get_num_threads(), threading.get_ident()), [0]))
    assert found == [(2, me)]
    assert list(map_in_order(str, [])) == []


@pytest.mark.usefixtures("two_threads")
def test_no_more_is_read_than_is_needed_ahead() -> None:
    read: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            read.append(number)
            yield number

    results = map_in_order(str, items())
    assert next(results) == "0"
    assert len(read) <= 4
    results.close()


@pytest.mark.usefixtures("two_threads")
def test_an_error_reaches_the_caller_in_its_place() -> None:
    def work(number: int) -> int:
        if number == 3:
            raise ValueError("three")
        return number

    results = map_in_order(work, range(10))
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="three"):
        next(results)
    assert not [t for t in threading.enumerate() if t.name.startswith("nmrshift-compute")]
