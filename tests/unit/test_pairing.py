"""Unassigned peaks find their atoms: the cheapest pairing, and how sure it is."""

from itertools import permutations

import numpy as np
import pytest

from nmrshift.data.peak_groups import Carrier, PeakGroup, peak_groups
from nmrshift.data.peak_lists import ListBatch, MeasuredGroup, store_lists
from nmrshift.data.records import Peak
from nmrshift.train.pairing import PRICE, UNEVEN_CONFIDENCE, pair


def lists(*groups: tuple[int, list[float]], nucleus: tuple[int, ...] = ()) -> ListBatch:
    """A batch of groups given as (number of atoms, peaks)."""
    numbers = np.arange(len(groups))
    n_atoms = np.array([n for n, _ in groups])
    return ListBatch(
        atom=np.arange(n_atoms.sum()),
        atom_group=np.repeat(numbers, n_atoms),
        shift_ppm=np.array([s for _, peaks in groups for s in peaks], dtype=np.float32),
        peak_group=np.repeat(numbers, [len(peaks) for _, peaks in groups]),
        nucleus=np.array(nucleus or [0] * len(groups)),
        condition=np.zeros(len(groups), dtype=np.int64),
        weight=np.ones(len(groups), dtype=np.float32),
    )


def test_sorted_pairing_is_the_cheapest() -> None:
    random = np.random.default_rng(3)
    for _ in range(30):
        predicted, peaks = random.normal(size=5), np.sort(random.normal(size=5))
        found = pair(predicted, np.ones(5), peaks, lists((5, peaks.tolist())))
        costs = [np.abs(predicted - peaks[list(order)]).sum() for order in permutations(range(5))]
        assert np.abs(predicted - found.target).sum() == pytest.approx(min(costs))
        assert sorted(found.target) == pytest.approx(peaks)


def test_groups_keep_their_peaks() -> None:
    batch = lists((2, [1.0, 2.0]), (1, [9.0]), (2, [4.0, 5.0]))
    found = pair(np.array([2.1, 0.9, 0.0, 4.4, 4.2]), np.full(5, 0.1), batch.shift_ppm, batch)
    assert found.target.tolist() == [2.0, 1.0, 9.0, 5.0, 4.0]


def test_far_apart_is_sure_and_close_together_is_not() -> None:
    far = pair(np.array([0.0, 1.0]), np.full(2, 0.05), np.array([0.0, 1.0]), lists((2, [0, 1])))
    assert far.confidence == pytest.approx([1.0, 1.0], abs=1e-6)
    close = pair(np.array([0.0, 0.01]), np.full(2, 0.5), np.array([0.0, 1.0]), lists((2, [0, 1])))
    assert (close.confidence < 0.6).all()
    same = pair(np.array([0.0, 0.01]), np.full(2, 0.5), np.array([1.0, 1.0]), lists((2, [1, 1])))
    assert same.confidence == pytest.approx([1.0, 1.0])  # an exchange would change nothing


def test_missing_and_extra_peaks_have_a_price() -> None:
    missing = lists((3, [0.0, 1.0]))
    found = pair(np.array([0.02, 1.01, 5.0]), np.ones(3), missing.shift_ppm, missing)
    assert found.target.tolist() == [0.0, 1.0, 0.0]
    assert found.confidence.tolist() == [UNEVEN_CONFIDENCE, UNEVEN_CONFIDENCE, 0.0]
    extra = lists((1, [0.0, 3.0]))
    assert pair(np.array([2.9]), np.ones(1), extra.shift_ppm, extra).target.tolist() == [3.0]
    lost = lists((1, [0.0, 3.0 * PRICE]))
    alone = pair(np.array([-9.0]), np.ones(1), lost.shift_ppm, lost)
    assert alone.confidence.tolist() == [0.0]


def test_one_nucleus_is_cut_out_of_a_batch() -> None:
    batch = lists((2, [1.0, 2.0]), (1, [9.0]), (3, [4.0, 5.0]), nucleus=(0, 1, 0))
    part = batch.of(0)
    assert part.n_groups == 2
    assert part.atom.tolist() == [0, 1, 3, 4, 5]
    assert part.atom_group.tolist() == [0, 0, 1, 1, 1]
    assert part.shift_ppm.tolist() == [1.0, 2.0, 4.0, 5.0]
    assert part.peak_group.tolist() == [0, 0, 1, 1]
    assert batch.of(7).n_groups == 0


def test_letters_cut_a_list_and_equal_numbers_are_one_atom() -> None:
    carriers = [Carrier(0, 0, 3), Carrier(1, 1, 2), Carrier(3, 2, 0), Carrier(4, 2, 0)]
    peaks = [Peak(10.0, "Q", 1), Peak(30.0, "T", 2), Peak(32.0, "T", 2), Peak(150.0, "S", 5)]
    groups = peak_groups(carriers, peaks, "13C")
    assert groups == [
        PeakGroup((3,), (150.0,)),
        PeakGroup((1,), (31.0,)),
        PeakGroup((0,), (10.0,)),
    ]
    assert all(group.balanced for group in groups)
    whole = peak_groups(carriers, [Peak(10.0), Peak(30.0)], "13C")
    assert whole == [PeakGroup((0, 1, 3), (10.0, 30.0))]
    assert not whole[0].balanced


def test_flat_arrays_give_every_molecule_its_groups() -> None:
    first = MeasuredGroup(PeakGroup((1, 2), (5.0, 6.0)), 0, 3, 1.0)
    second = MeasuredGroup(PeakGroup((0,), (7.0, 8.0)), 1, 4, 0.5)
    stored = store_lists([[first], [], [second, first]])
    batch = stored.batch(np.array([2, 0]), np.array([0, 10, 20]))
    assert batch.atom.tolist() == [0, 1, 2, 11, 12]
    assert batch.atom_group.tolist() == [0, 1, 1, 2, 2]
    assert batch.shift_ppm.tolist() == [7.0, 8.0, 5.0, 6.0, 5.0, 6.0]
    assert batch.condition.tolist() == [4, 3, 3]
    empty = stored.batch(np.array([1]), np.array([0, 10]))
    assert empty.n_groups == 0
    assert len(empty.atom) == len(empty.shift_ppm) == 0
