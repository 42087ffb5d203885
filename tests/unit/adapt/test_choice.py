"""Which way is taken, and what is an offset."""

from dataclasses import replace

import numpy as np
import pytest

from nmrshift.adapt.answers import Answered
from nmrshift.adapt.checks import offsets
from nmrshift.adapt.choice import Trial, choose, is_clear


def trial(way: str, factor: float, growth: float = 0.01, *, chance: float = 0.0) -> Trial:
    """Errors of twelve molecules with three shifts each, all times a factor."""
    rng = np.random.default_rng(1)
    mol = np.repeat(np.arange(12), 3)
    error = rng.uniform(1.0, 3.0, 36)
    draws = rng.normal(size=12)
    changed = error * factor + chance * np.repeat(draws - draws.mean(), 3)
    zeros = np.zeros(36)
    answered = Answered(mol, np.zeros(36, int), zeros, np.abs(changed), zeros + 1, zeros > 0, mol)
    return Trial(way, None, answered, {"13C": growth}, epochs=3)  # type: ignore[arg-type]


def test_an_offset_is_a_constant() -> None:
    """The same for every kind of atom: what some of them have is chemistry."""
    rng = np.random.default_rng(2)
    mol, zeros = np.repeat(np.arange(30), 6), np.zeros(180)
    noise = rng.normal(0, 1.0, 180)

    def found(apart: np.ndarray) -> tuple[bool, float]:
        answered = Answered(
            mol, np.zeros(180, int), apart + noise, zeros, zeros + 1, zeros > 0, mol
        )
        (offset,) = offsets(answered, ("13C",))
        return offset.is_clear, offset.offset_ppm

    assert found(zeros)[0] is False
    clear, offset_ppm = found(zeros + 2.0)
    assert clear
    assert offset_ppm == pytest.approx(2.0, abs=0.3)
    assert found(np.tile([4.0, 4.0, 4.0, 0.0, 0.0, 0.0], 30))[0] is False
    assert found(rng.choice([-3.0, 3.0], 30)[mol])[0] is False


def test_a_freer_way_needs_a_clear_gain() -> None:
    base, some = trial("base", 1.0), trial("convention", 0.6)
    assert choose(base, [some, trial("heads", 0.3)]).trial.way == "heads"
    assert choose(base, [some, trial("heads", 0.598)]).trial.way == "convention"
    assert choose(base, [some, trial("heads", 0.3, growth=0.06)]).trial.way == "convention"
    by_chance = trial("convention", 0.95, chance=0.8)
    assert choose(base, [by_chance]).verdict == "no difference"
    likely = trial("convention", 0.85, chance=1.2)
    assert choose(base, [likely]).verdict == "no difference"
    assert choose(base, [replace(likely, growth={"13C": 0.0})]).verdict == "better"
    assert choose(base, [trial("heads", 0.3, growth=0.06)]).verdict == "no difference"
    worse = choose(base, [trial("convention", 1.2), trial("heads", 1.4)])
    assert (worse.trial.way, worse.verdict) == ("base", "worse")
    assert choose(base, [trial("convention", 1.02)]).verdict == "no difference"
    assert choose(base, [trial("convention", 1.2), trial("heads", 1.0)]).verdict == "no difference"


@pytest.mark.parametrize(("error", "verdict"), [(1.0, "better"), (1e-4, "no difference")])
def test_what_no_spectrum_is_read_to_is_no_gain(error: float, verdict: str) -> None:
    assert choose(trial("base", error), [trial("convention", 0.3 * error)]).verdict == verdict


def test_the_standard_error_is_that_of_molecules() -> None:
    """Against the plain formula of a mean, however many shifts a molecule has."""
    rng = np.random.default_rng(7)
    counts = rng.integers(1, 9, 40).astype(float)
    old, new = rng.uniform(0.5, 1.5, 40), rng.uniform(0.2, 1.4, 40)
    before, after = (np.stack([counts, counts * error], axis=1) for error in (old, new))
    gain = [(b - a) / (b + a + 1) for b, a in zip(old, new, strict=True)]
    ratio = np.mean(gain) / (np.std(gain, ddof=1) / 40**0.5)
    assert 1 < ratio < 10
    assert is_clear(before, after, ratio * 0.999, 0.0)
    assert not is_clear(before, after, ratio * 1.001, 0.0)
    assert not is_clear(before[:1], after[:1], 0.0, 0.0)
    assert not is_clear(before, after, 0.0, 0.5)


def test_molecules_far_off_may_be_the_ones_that_gain() -> None:
    """They are a third: the others get a little worse, which the relative gain counts as much."""
    old, new = np.tile([9.0, 0.3, 0.3], 10), np.tile([6.0, 0.5, 0.5], 10)
    before, after = (np.stack([np.ones(30), error], axis=1) for error in (old, new))
    assert np.mean((old - new) / (old + new + 1)) < 0
    assert is_clear(before, after, 2.0, 0.01, far_off=True)
    assert not is_clear(before, after, 2.0, 0.01)
    assert not is_clear(after, before, 0.0, 0.01, far_off=True)


def test_left_out_molecules_have_a_say() -> None:
    """What six held-out molecules cannot tell, thirty more can."""
    base, solved = trial("base", 1.0), trial("convention", 0.85, growth=0.0, chance=2.0)
    assert choose(base, [solved]).verdict == "no difference"

    def more(error: float) -> Answered:
        mol, zeros = np.arange(100, 130), np.zeros(30)
        return Answered(mol, np.zeros(30, int), zeros, zeros + error, zeros + 1, zeros > 0, mol)

    with_more = [replace(one, left_out=more(e)) for one, e in ((base, 2.0), (solved, 1.2))]
    assert choose(with_more[0], with_more[1:]).verdict == "better"
    assert choose(base, with_more[1:]).verdict == "no difference"
