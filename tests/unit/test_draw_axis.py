"""The ppm axis and the places of labels along it."""

from itertools import pairwise

import pytest

from nmrshift.draw.axis import fit_axis, nice_step, spread


@pytest.mark.parametrize(
    ("least", "step"), [(0.011, 0.02), (0.1, 0.1), (0.3, 0.5), (1.0, 1.0), (1.2, 2.0), (9.9, 10.0)]
)
def test_steps_are_one_two_or_five(least, step):
    assert nice_step(least)[0] == pytest.approx(step)


def test_high_shifts_are_left():
    axis = fit_axis([20.0, 170.0], "13C", left=50, right=850)
    assert axis.high_ppm > 170.0 > 20.0 > axis.low_ppm
    assert axis.x(axis.high_ppm) == 50
    assert axis.x(axis.low_ppm) == 850
    assert axis.x(170.0) < axis.x(20.0)
    assert list(axis.major) == sorted(axis.major, reverse=True)


@pytest.mark.parametrize(
    ("values", "nucleus"),
    [
        ([77.0], "13C"),
        ([1.0, 1.0], "1H"),
        ([-0.3, 12.1], "1H"),
        ([-62.0, -61.9], "19F"),
        ([-370.0, 890.0], "19F"),
    ],
)
def test_ticks_are_few_round_and_inside(values, nucleus):
    axis = fit_axis(values, nucleus, left=0, right=800)
    assert 3 <= len(axis.major) <= 12
    assert not set(axis.major) & set(axis.minor)
    for tick in (*axis.major, *axis.minor):
        assert axis.low_ppm - 1e-6 <= tick <= axis.high_ppm + 1e-6
    for tick in axis.major:
        assert float(f"{tick:.{axis.decimals}f}") == pytest.approx(tick, abs=1e-9)
    assert all(0 < axis.x(value) < 800 for value in values)


def test_one_value_gets_a_sensible_width():
    assert fit_axis([77.0], "13C", left=0, right=1).high_ppm - 77.0 >= 10.0
    axis = fit_axis([7.0], "1H", left=0, right=1)
    assert 1.0 <= axis.high_ppm - 7.0 <= 2.0


class TestSpread:
    def test_what_fits_stays(self):
        assert spread([10.0, 50.0, 90.0], 15, 0, 100) == [10.0, 50.0, 90.0]

    def test_crowds_open_around_their_middle(self):
        assert spread([50.0, 50.0, 50.0], 10, 0, 100) == pytest.approx([40.0, 50.0, 60.0])

    def test_order_gap_and_ends_are_kept(self):
        places = spread([1.0, 2.0, 2.5, 40.0, 99.0, 99.5], 12, 0, 100)
        gaps = [b - a for a, b in pairwise(places)]
        assert min(gaps) >= 12 - 1e-9
        assert places[0] >= 0
        assert places[-1] <= 100

    def test_too_many_stand_evenly(self):
        places = spread([5.0] * 11, 30, 0, 100)
        assert places == pytest.approx([10.0 * rank for rank in range(11)])

    def test_nothing(self):
        assert spread([], 10, 0, 100) == []
