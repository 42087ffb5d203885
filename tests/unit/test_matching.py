"""Peaks and atoms: sorted where numbers agree, the cheapest assignment where not."""

from itertools import permutations

import numpy as np
import pytest

from nmrshift.data.records import Peak
from nmrshift.evaluate.matching import PRICE_PPM, Matching, match_peaks
from nmrshift.types import AtomShift


def atom(index: int, shift: float, signal: int | None = None, hydrogens: int = 0) -> AtomShift:
    return AtomShift(
        atom_index=index,
        element="C",
        nucleus="13C",
        shift_ppm=shift,
        low_ppm=shift - 1,
        high_ppm=shift + 1,
        signal=index if signal is None else signal,
        n_hydrogens=hydrogens,
    )


def as_numbers(matching: Matching) -> list[tuple[float, int]]:
    return [(pair.peak.shift_ppm, pair.atom.atom_index) for pair in matching.pairs]


def test_equal_numbers_are_sorted() -> None:
    atoms = [atom(0, 100), atom(1, 50), atom(2, 75)]
    peaks = [Peak(52.0), Peak(99.0), Peak(98.0)]
    matching = match_peaks(atoms, peaks, "19F")
    assert as_numbers(matching) == [(52.0, 1), (98.0, 2), (99.0, 0)]
    assert (matching.n_extra_peaks, matching.n_missing_signals) == (0, 0)


def test_sorting_is_the_cheapest_assignment() -> None:
    random = np.random.default_rng(5)
    for _ in range(20):
        predicted, observed = random.normal(0, 40, 5), random.normal(0, 40, 5)
        atoms = [atom(index, shift) for index, shift in enumerate(predicted)]
        matching = match_peaks(atoms, [Peak(shift) for shift in observed], "19F")
        found = sum(abs(pair.peak.shift_ppm - pair.atom.shift_ppm) for pair in matching.pairs)
        best = min(np.abs(np.array(order) - predicted).sum() for order in permutations(observed))
        assert found == pytest.approx(best)


def test_letters_keep_classes_apart() -> None:
    atoms = [atom(0, 30, hydrogens=3), atom(1, 31, hydrogens=0), atom(2, 80, hydrogens=1)]
    peaks = [Peak(31.0, "Q"), Peak(30.0, "S"), Peak(79.0, "D")]
    assert as_numbers(match_peaks(atoms, peaks, "13C")) == [(30.0, 1), (31.0, 0), (79.0, 2)]
    assert as_numbers(match_peaks(atoms, peaks, "19F")) == [(30.0, 0), (31.0, 1), (79.0, 2)]


def test_an_unknown_letter_gives_the_classes_up() -> None:
    atoms = [atom(0, 30, hydrogens=3), atom(1, 31, hydrogens=0)]
    peaks = [Peak(31.0, "Q"), Peak(30.0, "CO")]
    assert as_numbers(match_peaks(atoms, peaks, "13C")) == [(30.0, 0), (31.0, 1)]


def test_methane_counts_as_a_quartet() -> None:
    matching = match_peaks([atom(0, -2, hydrogens=4)], [Peak(-2.3, "Q")], "13C")
    assert as_numbers(matching) == [(-2.3, 0)]


def test_equivalent_atoms_may_be_listed_once_or_each() -> None:
    atoms = [atom(0, 128, signal=0), atom(1, 128, signal=0), atom(2, 140, signal=1)]
    each = match_peaks(atoms, [Peak(127.0), Peak(127.0), Peak(141.0)], "13C")
    assert as_numbers(each) == [(127.0, 0), (127.0, 1), (141.0, 2)]
    once = match_peaks(atoms, [Peak(141.0), Peak(127.0)], "13C")
    assert as_numbers(once) == [(127.0, 0), (141.0, 2)]
    assert once.n_missing_signals == 0


def test_some_listed_once_and_some_each() -> None:
    atoms = [atom(n, 100.0 + 10 * (n // 2), signal=n // 2) for n in range(6)]
    peaks = [Peak(99.0), Peak(101.0), Peak(111.0), Peak(121.0)]
    matching = match_peaks(atoms, peaks, "13C")
    assert [pair.atom.signal for pair in matching.pairs] == [0, 0, 1, 2]
    assert (matching.n_extra_peaks, matching.n_missing_signals) == (0, 0)


def test_a_missing_peak_leaves_its_signal_alone() -> None:
    atoms = [atom(0, 20), atom(1, 60), atom(2, 170)]
    matching = match_peaks(atoms, [Peak(61.0), Peak(168.0)], "13C")
    assert as_numbers(matching) == [(61.0, 1), (168.0, 2)]
    assert (matching.n_extra_peaks, matching.n_missing_signals) == (0, 1)


def test_an_impurity_is_left_out() -> None:
    atoms = [atom(0, 20), atom(1, 60)]
    matching = match_peaks(atoms, [Peak(21.0), Peak(58.0), Peak(77.0)], "13C")
    assert as_numbers(matching) == [(21.0, 0), (58.0, 1)]
    assert (matching.n_extra_peaks, matching.n_missing_signals) == (1, 0)


def test_a_pair_beyond_twice_the_price_is_not_made() -> None:
    price = PRICE_PPM["13C"]
    atoms = [atom(0, 0.0), atom(1, 1000.0)]
    for distance, n_pairs in ((2 * price - 1, 1), (2 * price + 1, 0)):
        matching = match_peaks(atoms, [Peak(distance)], "13C")
        assert len(matching.pairs) == n_pairs
        assert matching.n_extra_peaks == 1 - n_pairs
        assert matching.n_missing_signals == 2 - n_pairs


def test_peaks_of_one_atom_are_averaged() -> None:
    atoms = [atom(0, 20), atom(1, 60)]
    peaks = [Peak(21.0, None, 7), Peak(23.0, None, 7), Peak(61.0, None, 8)]
    assert as_numbers(match_peaks(atoms, peaks, "13C")) == [(22.0, 0), (61.0, 1)]
    named = [Peak(21.0, None, "CH3"), Peak(61.0, None, "CH3")]
    assert as_numbers(match_peaks(atoms, named, "13C")) == [(21.0, 0), (61.0, 1)]


def test_nothing_to_match() -> None:
    assert match_peaks([], [Peak(1.0)], "13C") == Matching((), 1, 0)
    assert match_peaks([atom(0, 1.0)], [], "13C") == Matching((), 0, 1)
    assert match_peaks([], [Peak(1.0, "S")], "11B") == Matching((), 1, 0)
