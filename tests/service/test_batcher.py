"""Molecules of many requests in few batches, none waiting longer than it must."""

import threading
import time
from contextlib import contextmanager

import pytest

from nmrshift.errors import ConfigError
from nmrshift.types import Failure, Query
from service.batcher import Batcher, Item
from service.metrics import Metrics
from service.options import Options
from service.tickets import Ticket

OPTIONS = Options(("13C",), None, None, 0.9)
OTHER = Options(("13C",), None, None, 0.8)


class Model:
    """Answers with the text that it was given, and remembers its batches."""

    def __init__(self):
        self.batches = []
        self.may_go = threading.Event()
        self.may_go.set()

    def answer(self, ready, options):
        self.may_go.wait(10)
        texts = [query.structure for query in ready]
        self.batches.append((texts, options.interval))
        if "bug" in texts:
            raise ZeroDivisionError
        if "setting" in texts:
            raise ConfigError("no such setting")
        return [Failure(0, text, None, "echo", "", "") for text in texts]


@contextmanager
def running(n_coming=lambda: 0, max_molecules=8, max_wait_s=5.0):
    batcher = Batcher(
        n_threads=1,
        max_molecules=max_molecules,
        max_wait_s=max_wait_s,
        n_coming=n_coming,
        metrics=Metrics(),
    )
    batcher.start()
    yield batcher
    batcher.close()


def ask(batcher, model, *texts, options=OPTIONS, **kwargs):
    ticket = Ticket(model, options, len(texts), **kwargs)
    for position, text in enumerate(texts):
        batcher.put(Item(ticket, position, Query(text), lambda _: None))
    return ticket.future


def texts_of(future):
    answers = future.result(10)
    assert [answer.index for answer in answers] == list(range(len(answers)))
    return [answer.input for answer in answers]


def test_a_lone_molecule_does_not_wait():
    with running() as batcher:
        start = time.monotonic()
        assert texts_of(ask(batcher, Model(), "a")) == ["a"]
        assert time.monotonic() - start < 2.5  # half of the longest wait for more


def test_what_waits_goes_together_up_to_the_size():
    model = Model()
    model.may_go.clear()
    with running() as batcher:
        first = ask(batcher, model, "first")
        time.sleep(0.1)
        rest = [ask(batcher, model, f"a{number}", f"b{number}") for number in range(6)]
        model.may_go.set()
        assert texts_of(first) == ["first"]
        assert [texts_of(one) for one in rest] == [[f"a{n}", f"b{n}"] for n in range(6)]
    assert [len(texts) for texts, _ in model.batches] == [1, 8, 4]


def test_settings_are_not_mixed():
    model = Model()
    model.may_go.clear()
    with running() as batcher:
        ask(batcher, model, "first")
        time.sleep(0.1)
        futures = [ask(batcher, model, f"{n}", options=(OPTIONS, OTHER)[n % 2]) for n in range(4)]
        model.may_go.set()
        assert [texts_of(one) for one in futures] == [["0"], ["1"], ["2"], ["3"]]
    assert model.batches[1:] == [(["0", "2"], 0.9), (["1", "3"], 0.8)]


def test_it_waits_for_what_is_being_read_but_not_for_ever():
    model = Model()
    with running(n_coming=lambda: 1, max_molecules=2, max_wait_s=1.0) as batcher:
        futures = [ask(batcher, model, "a"), ask(batcher, model, "b")]
        assert [texts_of(one) for one in futures] == [["a"], ["b"]]
        assert texts_of(ask(batcher, model, "c")) == ["c"]
    assert [texts for texts, _ in model.batches] == [["a", "b"], ["c"]]


def test_background_goes_last():
    model = Model()
    model.may_go.clear()
    with running(max_molecules=2) as batcher:
        ask(batcher, model, "first")
        time.sleep(0.1)
        late = ask(batcher, model, "x", "y", is_background=True)
        early = ask(batcher, model, "a", "b")
        model.may_go.set()
        texts_of(late)
        texts_of(early)
    assert [texts for texts, _ in model.batches] == [["first"], ["a", "b"], ["x", "y"]]


def test_a_fault_fails_its_own_request_only():
    model = Model()
    model.may_go.clear()
    with running() as batcher:
        ask(batcher, model, "first")
        time.sleep(0.1)
        futures = [ask(batcher, model, *texts) for texts in (["a", "b"], ["c", "bug"], ["d"])]
        model.may_go.set()
        assert texts_of(futures[0]) == ["a", "b"]
        assert texts_of(futures[2]) == ["d"]
        with pytest.raises(ZeroDivisionError):
            futures[1].result(10)


def test_a_setting_that_is_refused_is_told():
    with running() as batcher, pytest.raises(ConfigError):
        ask(batcher, Model(), "setting", "a").result(10)


def test_what_was_given_up_is_not_computed():
    model = Model()
    model.may_go.clear()
    with running() as batcher:
        ask(batcher, model, "first")
        time.sleep(0.1)
        given_up = ask(batcher, model, "a")
        kept = ask(batcher, model, "b")
        assert given_up.cancel()
        model.may_go.set()
        assert texts_of(kept) == ["b"]
    assert [texts for texts, _ in model.batches] == [["first"], ["b"]]


def test_a_molecule_is_answered_once():
    ticket = Ticket(Model(), OPTIONS, 2)
    ticket.deliver(0, Failure(0, "a", None, "echo", "", ""))
    with pytest.raises(RuntimeError):
        ticket.deliver(0, Failure(0, "a", None, "echo", "", ""))
