"""Results are kept within bounds, and never handed to the wrong question."""

import pytest
from client import serving
from fakes import FakePredictor

from nmrshift.types import AtomShift, Prediction
from service.cache import Key, ResultCache
from service.settings import Settings

ATOM = AtomShift(0, "C", "13C", 1.0, 0.0, 2.0, 0, 3)


def key(text="C", **kwargs):
    fields = {"model": "m", "solvent": None, "source": None, "nuclei": ("13C",), "interval": 0.9}
    fields |= {"references": 0, "as_text": False}
    return Key(text=text, **{**fields, **kwargs})


def prediction(n_atoms=9):
    return Prediction(0, "C", None, "unknown", 0.9, (ATOM,) * n_atoms, "m")


def test_the_oldest_make_room():
    cache = ResultCache(30)
    for text in "abc":
        cache.put(key(text), prediction())
    assert cache.get(key("a")) is not None
    cache.put(key("d"), prediction())
    assert [cache.get(key(text)) is not None for text in "abcd"] == [True, False, True, True]
    assert cache.n_atoms == 30


def test_size_is_counted_right_whatever_comes():
    cache = ResultCache(100)
    for number in range(500):
        text = "C" * (number * 37 % 4000)
        cache.put(key(text), prediction(number % 23))
        assert 0 <= cache.n_atoms <= 100
    cache.put(key("big"), prediction(200))
    assert cache.get(key("big")) is None


@pytest.mark.parametrize(
    "other",
    [
        {"model": "n"},
        {"solvent": "CDCl3"},
        {"source": "spectra"},
        {"nuclei": ("13C", "1H")},
        {"interval": 0.8},
        {"references": 2},
        {"as_text": True},
        {"text": "CC"},
    ],
)
def test_every_part_of_the_key_counts(other):
    cache = ResultCache(100)
    cache.put(key(), prediction())
    assert cache.get(key()) is not None
    assert cache.get(key(**other)) is None


class Counting(FakePredictor):
    n_asked = 0

    def _answer(self, index, query, *rest):
        self.n_asked += 1
        return super()._answer(index, query, *rest)


def test_a_result_is_computed_once_and_named_anew():
    predictor = Counting()
    with serving(predictor) as client:

        def ask(*names, **settings):
            molecules = [{"smiles": "CCO", "name": name} for name in names]
            body = {"molecules": molecules, **settings}
            return client.post("/v1/predict", json=body).json()["predictions"]

        ask("a")
        before = predictor.n_asked
        rows = ask("b", "c")
        assert predictor.n_asked == before
        assert [(row["index"], row["name"]) for row in rows] == [(0, "b"), (1, "c")]
        for settings in ({"solvent": "DMSO"}, {"interval": 0.8}, {"nuclei": ["1H"]}):
            ask("d", **settings)
            before += 1
            assert predictor.n_asked == before
        assert ask("e", solvent="DMSO")[0]["solvent"] == "DMSO"


def test_without_a_cache_everything_is_computed():
    predictor = Counting()
    with serving(predictor, Settings(cache_atoms=0)) as client:
        for _ in range(2):
            before = predictor.n_asked
            client.post("/v1/predict", json={"smiles": "CCO"})
            assert predictor.n_asked == before + 1
