"""Molecules of many requests in few batches, for a predictor that lives in this process."""

import threading
import time
from contextlib import contextmanager

import pytest

from nmrshift.errors import ConfigError
from nmrshift.types import Failure, Query
from service.batcher import Batcher
from service.metrics import Metrics
from service.options import Options
from service.tickets import Item, Ticket

OPTIONS = Options(("13C",), None, None, 0.9)
OTHER = Options(("13C",), None, None, 0.8)


class Model:
    """Answers with the text that it was given, and remembers its batches."""

    def __init__(self):
        self.batches = []
        self.may_go = threading.Event()
        self.may_go.set()

    def predict(self, queries, options):
        self.may_go.wait(10)
        texts = [query.structure for query in queries]
        self.batches.append((texts, options.interval))
        if "bug" in texts:
            raise ZeroDivisionError
        if "setting" in texts:
            raise ConfigError("no such setting")
        return [Failure(0, text, None, "echo", "", "") for text in texts if text != "lost"]


@contextmanager
def running(model, max_molecules=8):
    batcher = Batcher(model.predict, max_molecules=max_molecules, metrics=Metrics())
    yield batcher
    model.may_go.set()
    batcher.close()


@contextmanager
def held(model, max_molecules=8):
    """A batcher that is busy with a first molecule until the model may go."""
    model.may_go.clear()
    with running(model, max_molecules) as batcher:
        first = ask(batcher, "first")
        time.sleep(0.1)
        yield batcher
        assert texts_of(first) == ["first"]


def ask(batcher, *texts, options=OPTIONS, **kwargs):
    ticket = Ticket(options, len(texts), **kwargs)
    items = [
        Item(ticket, position, Query(text), 1, lambda _: None)
        for position, text in enumerate(texts)
    ]
    batcher.put(items)
    return ticket.future


def texts_of(future):
    answers = future.result(10)
    assert [answer.index for answer in answers] == list(range(len(answers)))
    return [answer.input for answer in answers]


def test_what_waits_goes_together_up_to_the_size():
    model = Model()
    with held(model) as batcher:
        rest = [ask(batcher, f"a{number}", f"b{number}") for number in range(6)]
        model.may_go.set()
        assert [texts_of(one) for one in rest] == [[f"a{n}", f"b{n}"] for n in range(6)]
    assert [len(texts) for texts, _ in model.batches] == [1, 8, 4]


def test_settings_are_not_mixed():
    model = Model()
    with held(model) as batcher:
        futures = [ask(batcher, f"{n}", options=(OPTIONS, OTHER)[n % 2]) for n in range(4)]
        model.may_go.set()
        assert [texts_of(one) for one in futures] == [["0"], ["1"], ["2"], ["3"]]
    assert model.batches[1:] == [(["0", "2"], 0.9), (["1", "3"], 0.8)]


def test_background_goes_last():
    model = Model()
    with held(model, max_molecules=4) as batcher:
        late = ask(batcher, "x", "y", "z", is_background=True)
        early = ask(batcher, "a", "b")
        model.may_go.set()
        texts_of(late)
        texts_of(early)
    assert [texts for texts, _ in model.batches] == [["first"], ["a", "b"], ["x", "y"], ["z"]]


@pytest.mark.parametrize(("bad", "error"), [("bug", ZeroDivisionError), ("lost", ValueError)])
def test_a_fault_fails_its_own_request_only(bad, error):
    model = Model()
    with held(model) as batcher:
        futures = [ask(batcher, *texts) for texts in (["a", "b"], ["c", bad], ["d"])]
        model.may_go.set()
        assert texts_of(futures[0]) == ["a", "b"]
        assert texts_of(futures[2]) == ["d"]
        with pytest.raises(error):
            futures[1].result(10)


def test_a_setting_that_is_refused_is_told():
    with running(Model()) as batcher, pytest.raises(ConfigError):
        ask(batcher, "setting", "a").result(10)


def test_what_was_given_up_is_not_computed():
    model = Model()
    with held(model) as batcher:
        given_up = ask(batcher, "a")
        kept = ask(batcher, "b")
        assert given_up.cancel()
        model.may_go.set()
        assert texts_of(kept) == ["b"]
    assert [texts for texts, _ in model.batches] == [["first"], ["b"]]


def test_what_is_in_line_is_answered_before_the_end():
    model = Model()
    with running(model) as batcher:
        futures = [ask(batcher, f"{n}") for n in range(20)]
    assert all(one.done() for one in futures)


def test_a_molecule_is_answered_once():
    ticket = Ticket(OPTIONS, 2)
    ticket.deliver(0, Failure(0, "a", None, "echo", "", ""))
    with pytest.raises(RuntimeError):
        ticket.deliver(0, Failure(0, "a", None, "echo", "", ""))
