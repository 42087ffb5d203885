"""Conformal factors against another implementation and against what they promise."""

import math
from dataclasses import replace

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


def test_weights_of_one_change_nothing_and_a_repeated_score_is_one_of_weight_two() -> None:
    scores = RNG.exponential(size=137)
    assert conformal_factors(scores, np.ones(137)) == conformal_factors(scores)
    double = np.where(np.arange(137) % 3 == 0, 2.0, 1.0)
    repeated = np.repeat(scores, double.astype(int))
    assert conformal_factors(scores, double) == conformal_factors(repeated)


def answers(n: int) -> Answers:
    sphere = RNG.integers(0, 6, n)
    zeros = np.zeros(n, dtype=np.int64)
    support = Support(sphere, zeros, sphere, np.zeros(n), np.zeros(n), np.zeros(n))
    observed = RNG.normal(size=n)
    predicted = observed + RNG.laplace(size=n)
    source = np.array(["one", "other"])[np.arange(n) % 2]
    return Answers(np.arange(n), observed, predicted, np.ones(n), support, source)


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
    assert old.factor("13C", 0.9, "anywhere") == 1.0
    assert math.isinf(old.uncertain_ppm["13C"])
    with pytest.raises(ConfigError, match="do not match"):
        Calibration.from_dict({"13C": {"n_atoms": 5, "factors": factors[1:]}})
    own = {"n_atoms": 5, "factors": factors, "source_factors": {"one": factors[1:]}}
    with pytest.raises(ConfigError, match="do not match"):
        Calibration.from_dict({"13C": own})


def test_nothing_to_calibrate_on_is_said() -> None:
    with pytest.raises(ConfigError, match="19F"):
        calibrate({"19F": answers(0)})


def test_sources_of_different_spread_have_factors_of_their_own() -> None:
    given = answers(600)
    narrow = given.source == "one"
    error = np.where(narrow, 1.0, 3.0) * RNG.laplace(size=600)
    none = np.zeros(600, dtype=np.int64)
    unsupported = replace(given.support, sphere=none, n_measured=none)
    spread = replace(given, shift_ppm=given.observed_ppm + error, support=unsupported)
    found = calibrate({"31P": spread})
    judge = found.judges["31P"]
    _, scale = judge(spread.shift_ppm, spread.scale_ppm, spread.support, spread.mol)
    ratio = np.abs(error) / scale
    for source, rows in (("one", narrow), ("other", ~narrow)):
        held = ratio[rows] <= found.factor("31P", 0.8, source)
        pooled = ratio[rows] <= found.factor("31P", 0.8)
        assert abs(held.mean() - 0.8) < abs(pooled.mean() - 0.8)
    assert found.factor("31P", 0.8, "a third") == found.factor("31P", 0.8, None)
    assert found.factor("31P", 0.8, "one") < found.factor("31P", 0.8)
    alone = replace(spread, source=np.full(600, "one"))
    assert calibrate({"31P": alone}).source_factors == {"31P": {}}
