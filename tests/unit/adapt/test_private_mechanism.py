"""Clipping, noise, sampling and accounting against independent calculation."""

import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from nmrshift.adapt.private.draws import SYSTEM, normal, uniform
from nmrshift.adapt.private.federated.messages import new_key, seal
from nmrshift.adapt.private.ledger import Budget, Spent, epsilon_of, noise_for, with_round
from nmrshift.adapt.private.mechanism import UNITS, clipped, is_clipped, noisy_sum, takes_part
from nmrshift.errors import BudgetError, ConfigError, MissingExtraError


def gaussian_delta(epsilon: float, mu: float) -> float:
    """Exact for a Gaussian mechanism (Balle & Wang, arXiv 1805.06530)."""
    near = stats.norm.cdf(mu / 2 - epsilon / mu)
    return float(near - np.exp(epsilon) * stats.norm.cdf(-mu / 2 - epsilon / mu))


def sampled_delta(epsilon: float, noise: float, rate: float) -> float:
    """One round, by integration: the larger of adding and of removing a contributor."""

    def without(x: float) -> float:
        return float(stats.norm.pdf(x, 0, noise))

    def mixed(x: float) -> float:
        return float((1 - rate) * without(x) + rate * stats.norm.pdf(x, 1, noise))

    def beyond(first: Any, second: Any) -> float:
        found, _ = integrate.quad(
            lambda x: max(first(x) - np.exp(epsilon) * second(x), 0.0), -12, 13, limit=400
        )
        return float(found)

    return max(beyond(mixed, without), beyond(without, mixed))


def losses_by_grid(noise: float, rate: float, n_rounds: int, n_bins: int) -> tuple[Any, Any]:
    """Privacy losses of some rounds and their chances, each rounded down: a lower bound.

    A grid of outputs, losses on a grid of their own, rounds by convolution.
    """
    edges = np.linspace(-14 * noise, 14 * noise + 1, n_bins + 1)
    plain = np.diff(stats.norm.cdf(edges, 0, noise))
    mixed = (1 - rate) * plain + rate * np.diff(stats.norm.cdf(edges, 1, noise))
    kept = (plain > 1e-290) & (mixed > 1e-290)
    step = 1e-3
    number = np.floor(np.log(mixed[kept] / plain[kept]) / step).astype(int)
    chances = np.zeros(number.max() - number.min() + 1)
    np.add.at(chances, number - number.min(), mixed[kept])
    total = np.ones(1)
    for _ in range(n_rounds):
        total = np.convolve(total, chances)
    return (np.arange(len(total)) + n_rounds * number.min()) * step, total


@pytest.mark.parametrize(("noise", "n_rounds"), [(1.0, 1), (3.0, 10), (8.0, 60)])
def test_loss_is_never_understated(noise: float, n_rounds: int) -> None:
    """Rounds in which all take part are one Gaussian mechanism, whose loss is known exactly."""
    mu = n_rounds**0.5 / noise
    exact = optimize.brentq(lambda e: gaussian_delta(e, mu) - 1e-5, 0.01, 100)
    stated = epsilon_of([Spent(noise, 1.0, n_rounds)], 1e-5)
    assert exact <= stated <= 1.3 * exact


@pytest.mark.parametrize(("noise", "rate"), [(1.0, 0.5), (0.8, 0.1), (2.0, 0.5)])
def test_loss_of_a_sampled_round_is_never_understated(noise: float, rate: float) -> None:
    stated = epsilon_of([Spent(noise, rate, 1)], 1e-4)
    assert sampled_delta(stated, noise, rate) <= 1e-4
    assert stated < epsilon_of([Spent(noise, 1.0, 1)], 1e-4)


@pytest.mark.parametrize(("noise", "rate", "n_rounds"), [(1.5, 0.5, 10), (1.0, 0.1, 20)])
def test_loss_of_sampled_rounds_is_never_understated(
    noise: float, rate: float, n_rounds: int
) -> None:
    """Against a distribution of losses that was convolved with itself."""
    loss, chance = losses_by_grid(noise, rate, n_rounds, 20_000)

    def delta(epsilon: float) -> float:
        above = loss > epsilon
        return float((chance[above] * -np.expm1(epsilon - loss[above])).sum())

    least = optimize.brentq(lambda e: delta(e) - 1e-5, 0.05, 50)
    stated = epsilon_of([Spent(noise, rate, n_rounds)], 1e-5)
    assert least <= stated <= 1.3 * least


def test_rounds_of_different_kinds_add_up() -> None:
    """Two Gaussian mechanisms are one whose precision is the sum."""
    both = [Spent(3.0, 1.0, 2), Spent(5.0, 1.0, 4)]
    one = Spent((2 / 9 + 4 / 25) ** -0.5, 1.0, 1)
    assert epsilon_of(both, 1e-5) == pytest.approx(epsilon_of([one], 1e-5), rel=1e-9)
    assert with_round(both, 5.0, 1.0) == (both[0], Spent(5.0, 1.0, 5))
    assert with_round(both, 5.0, 0.5) == (*both, Spent(5.0, 0.5, 1))


def test_noise_is_enough_and_not_much_more() -> None:
    for epsilon in (2.0, 8.0):
        noise = noise_for(Budget(epsilon, 1e-5), 0.5, 60)
        assert 0.97 * epsilon < epsilon_of([Spent(noise, 0.5, 60)], 1e-5) <= epsilon


def test_what_was_spent_before_counts() -> None:
    budget, before = Budget(8.0, 1e-5), (Spent(6.0, 0.5, 60),)
    noise = noise_for(budget, 0.5, 60, before)
    assert noise > noise_for(budget, 0.5, 60)
    assert 7.7 < epsilon_of([*before, Spent(noise, 0.5, 60)], 1e-5) <= 8.0
    with pytest.raises(BudgetError, match="is spent"):
        noise_for(Budget(2.0, 1e-5), 0.5, 60, before)
    with pytest.raises(BudgetError, match="no noise"):
        noise_for(Budget(0.01, 1e-9), 1.0, 1000)


@pytest.mark.parametrize(
    ("epsilon", "delta"), [(0.0, 1e-5), (np.nan, 1e-5), (8.0, 0.0), (8.0, 0.5)]
)
def test_budgets_out_of_range(epsilon: float, delta: float) -> None:
    with pytest.raises(ConfigError, match="out of range"):
        Budget(epsilon, delta)


@pytest.mark.parametrize("spent", [(0.0, 0.5, 1), (np.inf, 0.5, 1), (1.0, 0.0, 1), (1.0, 0.5, -1)])
def test_impossible_rounds(spent: tuple[float, float, int]) -> None:
    with pytest.raises(ConfigError, match="no mechanism"):
        Spent(*spent)


def test_updates_are_clipped() -> None:
    rng = np.random.default_rng(1)
    for update in rng.normal(size=(50, 8)) * np.logspace(-3, 3, 50)[:, None]:
        found = clipped(update, 0.7)
        length = math.sqrt(math.fsum(float(value) ** 2 for value in update))
        expected = update * (1 if length <= 0.7 else 0.7 / length)
        assert found * (0.7 / UNITS) == pytest.approx(expected, abs=0.7 / UNITS)
        assert sum(int(value) ** 2 for value in found) <= UNITS**2
        assert is_clipped(found)
    for odd in ([np.inf, 1.0], [np.nan, 1.0], [0.0, 0.0]):
        assert clipped(np.array(odd), 1.0).tolist() == [0, 0]
    huge = clipped(np.array([1e200, 0.0]), 1.0)
    assert is_clipped(huge)


def test_longer_updates_are_refused() -> None:
    long = np.array([UNITS, 1], dtype=np.int64)
    assert not is_clipped(long)
    assert not is_clipped(np.array([2**62, 2**62], dtype=np.int64))
    assert not is_clipped(np.array([-(2**63), 0], dtype=np.int64))
    with pytest.raises(ValueError, match="longer"):
        noisy_sum([long], 2, 1.0)


@pytest.mark.parametrize("n_updates", [0, 3])
def test_noise_is_gaussian_and_as_wide_as_said(n_updates: int) -> None:
    """Standard deviation: noise multiplier times clip norm; and the sum is right."""
    n = 20_000
    update = clipped(np.full(n, 1.0), 0.5)
    draw = np.random.default_rng(2).bytes
    found = noisy_sum([update] * n_updates, n, 3.0, draw) * (0.5 / UNITS)
    middle = n_updates * 0.5 / n**0.5
    assert stats.kstest((found - middle) / (3.0 * 0.5), "norm").pvalue > 0.01


def test_a_sum_tells_nothing_in_its_last_bits() -> None:
    """With the same noise, sums differ by what went in, to the last unit, and are whole."""
    updates = [clipped(np.random.default_rng(n).normal(size=5), 1.0) for n in range(4)]
    with_all, without_last = (
        noisy_sum(some, 5, 2.0, np.random.default_rng(9).bytes) for some in (updates, updates[:3])
    )
    assert (with_all - without_last).tolist() == updates[3].tolist()
    assert with_all.dtype == np.int64


def test_numbers_are_made_of_the_system_s_randomness() -> None:
    found = normal(20_000)
    assert stats.kstest(found, "norm").pvalue > 1e-4
    assert abs(np.corrcoef(found[:-1], found[1:])[0, 1]) < 0.04
    assert stats.kstest(uniform(20_000), "uniform").pvalue > 1e-4
    assert uniform(8, SYSTEM).tolist() != uniform(8, SYSTEM).tolist()
    assert uniform(2, lambda n: b"\x00" * n).min() > 0
    assert uniform(2, lambda n: b"\xff" * n).max() < 1
    assert np.isfinite(normal(2, lambda n: b"\xff" * n)).all()


def test_everyone_takes_part_with_the_same_chance() -> None:
    draw = np.random.default_rng(3).bytes
    draws = [takes_part(40, 0.3, draw) for _ in range(2000)]
    counts = np.bincount([number for found in draws for number in found], minlength=40)
    assert stats.chisquare(counts).pvalue > 0.01
    assert np.mean([len(found) for found in draws]) == pytest.approx(12.0, abs=0.3)
    assert np.var([len(found) for found in draws]) == pytest.approx(8.4, rel=0.15)
    assert takes_part(7, 1.0) == list(range(7))


@pytest.mark.parametrize(
    ("module", "use"),
    [
        ("dp_accounting", lambda _: epsilon_of([Spent(1.2345, 0.5, 7)], 1e-5)),
        ("cryptography.fernet", lambda folder: seal(folder / "x", {}, new_key())),
    ],
)
def test_what_only_some_need(
    module: str, use: Callable[[Path], Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError) as caught:
        use(tmp_path)
    assert "nmrshift[private]" in caught.value.hint
    assert not list(tmp_path.iterdir())
