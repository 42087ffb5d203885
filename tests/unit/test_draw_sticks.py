"""Signals, certainty and numbers."""

import pytest
from pictures import predicted

from nmrshift.draw.certainty import STEPS, step_ends_ppm, step_names, step_of
from nmrshift.draw.numbers import half_width_text, shift_text, split_nucleus
from nmrshift.draw.sticks import nuclei_of, stick_title, sticks


def test_one_stick_a_signal():
    found = sticks(predicted("Cc1ccccc1"), "13C")
    assert sorted(stick.n_nuclei for stick in found) == [1, 1, 1, 2, 2]
    assert sorted(atom for stick in found for atom in stick.atoms) == list(range(7))
    assert [stick.shift_ppm for stick in found] == sorted(
        (stick.shift_ppm for stick in found), reverse=True
    )


def test_hydrogens_count_for_protons():
    (methyls,) = sticks(predicted("COC", "1H"), "1H")
    assert (methyls.atoms, methyls.n_nuclei) == ((0, 2), 6)


def test_written_hydrogens_are_no_signals_of_their_own():
    (methane,) = sticks(predicted("[H]C([H])([H])[H]", "1H"), "1H")
    assert (methane.atoms, methane.n_nuclei) == ((1,), 4)


def test_interval_and_words():
    (stick,) = sticks(predicted("FC(F)F", "19F"), "19F")
    assert stick.half_width_ppm == pytest.approx(2.5)
    assert stick_title(stick) == "19F −90.0 ppm ±2.5, 3 nuclei, atoms 0, 2, 3"


def test_nuclei_in_the_order_asked():
    assert nuclei_of(predicted("CF", "19F", "13C")) == ("19F", "13C")


@pytest.mark.parametrize("nucleus", ["1H", "13C", "19F", "31P", "11B"])
def test_steps_of_certainty(nucleus):
    ends = step_ends_ppm(nucleus)
    assert list(ends) == sorted(ends)
    assert [step_of(nucleus, end) for end in (*ends, ends[-1] + 1)] == list(STEPS)
    assert len(step_names(nucleus)) == len(STEPS)


def test_colours_differ_in_lightness_or_hue():
    assert len({step.line for step in STEPS}) == len({step.ground for step in STEPS}) == 4


def test_numbers():
    assert shift_text("13C", -0.04) == "0.0"
    assert shift_text("1H", 7.256) == "7.26"
    assert shift_text("19F", -62.04) == "−62.0"
    assert half_width_text("13C", 1.25) == "±1.2"
    assert split_nucleus("195Pt") == ("195", "Pt")
