"""Conformal factors against another implementation and against what they promise."""

import math

import numpy as np
import pytest
from crepes import ConformalRegressor

from nmrshift.errors import ConfigError
from nmrshift.model.evidence import Support
from nmrshift.predict.calibrate import LEVELS, Calibration, calibrate, conformal_factors
from nmrshift.predict.judge import Answers

RNG = np.random.default_rng(3)


@pytest.mark.parametrize("n", [40, 200, 1001])
def test_factors_are_those_of_crepes(n: int) -> None:
    residuals, scales = RNG.normal(size=n), RNG.uniform(0.5, 2.0, n)
    oracle = ConformalRegressor()
    oracle.fit(residuals=residuals, sigmas=scales)
    factors = conformal_factors(np.abs(residuals) / scales)
    for level in (0.5, 0.8, 0.9, 0.95):
        ((low, high),) = oracle.predict_int(y_hat=np.zeros(1), sigmas=np.ones(1), confidence=level)
        assert high == pytest.approx(factors[LEVELS.index(level)], abs=1e-4)
        assert low == -high


def test_intervals_hold_what_they_promise_on_average() -> None:
    held = []
    for _ in range(400):
        scores = RNG.exponential(size=60)
        held.append(conformal_factors(scores[:59])[LEVELS.index(0.9)] >= scores[59])
    assert 0.86 < np.mean(held) < 0.95


def answers(n: int) -> Answers:
    sphere = RNG.integers(0, 6, n)
    zeros = np.zeros(n, dtype=np.int64)
    support = Support(sphere, zeros, sphere, np.zeros(n), np.zeros(n), np.zeros(n))
    observed = RNG.normal(size=n)
    return Answers(np.arange(n), observed, observed + RNG.laplace(size=n), np.ones(n), support)


def test_calibration_survives_storage() -> None:
    found = calibrate({"13C": answers(500), "19F": answers(30)})
    again = Calibration.from_dict(found.to_dict())
    assert again == found
    assert again.factor("13C", 0.95) > again.factor("13C", 0.5)
    assert again.n_atoms == {"13C": 500, "19F": 30}
    with pytest.raises(ConfigError, match="out of range"):
        again.factor("13C", 0.999)


def test_calibration_of_an_older_model_has_no_judge() -> None:
    factors = [1.0] * len(LEVELS)
    old = Calibration.from_dict({"13C": {"n_atoms": 5, "factors": factors}})
    assert old.judges["13C"].error_rule is None
    assert math.isinf(old.uncertain_ppm["13C"])
    with pytest.raises(ConfigError, match="do not match"):
        Calibration.from_dict({"13C": {"n_atoms": 5, "factors": factors[1:]}})


def test_nothing_to_calibrate_on_is_said() -> None:
    with pytest.raises(ConfigError, match="19F"):
        calibrate({"19F": answers(0)})
