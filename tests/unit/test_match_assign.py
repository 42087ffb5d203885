"""Sums over assignments against plain enumeration, and what a match says of a molecule."""

from itertools import combinations, permutations
from math import inf, log

import numpy as np
import pytest
from fakes import HALF_WIDTH_PPM, FakePredictor
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from nmrshift.errors import NoTargetAtomsError, PeakTextError, UnknownNucleusError
from nmrshift.match import Peak, PeakList, match_prediction, match_spectrum, rank
from nmrshift.match.assign import beliefs, best_assignment
from nmrshift.match.likelihood import prices
from nmrshift.match.matches import CandidateMatch
from nmrshift.match.signals import half_width_ppm, signals_of
from nmrshift.types import Failure, Query

PREDICTOR = FakePredictor()


def enumerate_matchings(log_w):
    """The slow twin: every matching, one by one; the log sum and the marginals of pairs."""
    n, m = log_w.shape
    total, pairs = 0.0, np.zeros((n, m))
    for size in range(min(n, m) + 1):
        for rows in combinations(range(n), size):
            for columns in permutations(range(m), size):
                weight = np.exp(sum(log_w[r, c] for r, c in zip(rows, columns, strict=True)))
                total += weight
                for row, column in zip(rows, columns, strict=True):
                    pairs[row, column] += weight
    return log(total), pairs / total


def heaviest(log_w):
    n, m = log_w.shape
    return max(
        sum(log_w[r, c] for r, c in zip(rows, columns, strict=True))
        for size in range(min(n, m) + 1)
        for rows in combinations(range(n), size)
        for columns in permutations(range(m), size)
    )


def random_weights(seed, n, m, scale=3.0):
    return np.random.default_rng(seed).normal(0.0, scale, (n, m))


class TestSums:
    @pytest.mark.parametrize(("n", "m"), [(1, 1), (1, 4), (4, 1)])
    def test_exact_on_trees(self, n, m):
        log_w = random_weights(n + m, n, m)
        log_sum, pairs = enumerate_matchings(log_w)
        found = beliefs(log_w)
        assert found.settled
        assert found.log_sum == pytest.approx(log_sum, abs=1e-6)
        np.testing.assert_allclose(found.pair, pairs, atol=1e-6)

    @pytest.mark.parametrize("seed", range(8))
    def test_close_on_small_random_cases(self, seed):
        log_w = random_weights(seed, 3, 4)
        log_sum, pairs = enumerate_matchings(log_w)
        found = beliefs(log_w)
        assert found.settled
        assert found.log_sum <= log_sum + 1e-6
        assert found.log_sum == pytest.approx(log_sum, abs=0.8)
        np.testing.assert_allclose(found.pair, pairs, atol=0.15)

    def test_close_where_shifts_differ(self):
        """Weights such as spectra give: each signal has one or two peaks in reach."""
        distance = np.subtract.outer([10.0, 14.0, 60.0, 128.0], [11.0, 13.0, 61.0, 127.0, 77.0])
        log_w = 6.0 - 2.5 * np.log1p(distance**2 / 4)
        log_sum, pairs = enumerate_matchings(log_w)
        found = beliefs(log_w)
        assert found.log_sum == pytest.approx(log_sum, abs=0.1)
        np.testing.assert_allclose(found.pair, pairs, atol=0.03)

    def test_probabilities_are_whole(self):
        found = beliefs(random_weights(5, 6, 7))
        np.testing.assert_allclose(found.pair.sum(axis=1) + found.row_alone, 1.0, atol=1e-5)
        np.testing.assert_allclose(found.pair.sum(axis=0) + found.column_alone, 1.0, atol=1e-5)

    def test_equal_claims_are_shared(self):
        found = beliefs(np.full((2, 2), 12.0))
        np.testing.assert_allclose(found.pair, 0.5, atol=1e-2)

    def test_impossible_pairs_and_extreme_weights(self):
        log_w = np.array([[-inf, 500.0], [-500.0, -inf]])
        found = beliefs(log_w)
        assert np.isfinite(found.log_sum)
        np.testing.assert_allclose(found.pair, [[0.0, 1.0], [0.0, 0.0]], atol=1e-9)
        assert best_assignment(log_w) == [(0, 1)]

    @pytest.mark.parametrize("seed", range(6))
    def test_the_best_assignment_is_the_heaviest(self, seed):
        log_w = random_weights(seed, 4, 3)
        total = sum(log_w[row, column] for row, column in best_assignment(log_w))
        assert total == pytest.approx(heaviest(log_w))


def predicted(smiles, nucleus="13C"):
    (answer,) = PREDICTOR.predict_many([smiles], nuclei=(nucleus,))
    return answer


def spectrum(*shifts, nucleus="13C", **fields):
    return PeakList(nucleus, tuple(Peak(float(one), **fields) for one in shifts))


class TestDensity:
    def test_the_interval_holds_its_share(self):
        (signal,) = signals_of(predicted("C"), "13C")
        assert half_width_ppm(signal, 0.9) == pytest.approx(HALF_WIDTH_PPM)

        def density(shift_ppm):
            problem = prices([signal], spectrum(shift_ppm))
            base = prices([signal], spectrum(signal.shift_ppm)).log_w[0, 0]
            return np.exp(problem.log_w[0, 0] - base)

        inside = quad(density, signal.low_ppm, signal.high_ppm)[0]
        everywhere = quad(density, signal.shift_ppm - 9, signal.shift_ppm + 200, limit=200)[0]
        assert inside / everywhere == pytest.approx(0.9, abs=0.01)

    def test_a_narrow_range_is_like_its_middle(self):
        signals = signals_of(predicted("C"), "13C")
        alone = prices(signals, spectrum(6.0)).log_w[0, 0]
        for width in (1e-4, 0.02):
            ranged = PeakList("13C", (Peak(6.0, (6.0 - width / 2, 6.0 + width / 2)),))
            assert prices(signals, ranged).log_w[0, 0] == pytest.approx(alone, abs=1e-3)

    def test_a_far_range_stays_finite(self):
        signals = signals_of(predicted("C"), "13C")
        ranged = PeakList("13C", (Peak(230.0, (229.0, 231.0)),))
        assert np.isfinite(prices(signals, ranged).log_w).all()


class TestMatch:
    """The predictor by rule gives the carbons of ethanol 13 and 22, of propan-1-ol 13, 22, 22."""

    def test_a_right_spectrum(self):
        found = match_prediction(predicted("CCO"), spectrum(22.5, 12.8))
        assert [one.peak for one in found.signals] == [1, 0]
        assert [one.atom_indices for one in found.signals] == [(0,), (1,)]
        assert [round(one.error_ppm, 3) for one in found.signals] == [-0.2, 0.5]
        assert all(one.probability > 0.95 and not one.flags for one in found.signals)
        assert (found.n_missing, found.n_extra) == (0, 0)
        assert found.mean_abs_error_ppm == pytest.approx(0.35)

    def test_extra_peak_and_missing_signal(self):
        found = match_prediction(predicted("CCO"), spectrum(22.5, 150.0))
        assert found.signals[0].flags == ("missing",)
        assert found.signals[0].probability > 0.9
        assert found.peaks[1].flags == ("extra",)
        assert found.peaks[1].extra_probability > 0.9
        assert (found.n_missing, found.n_extra) == (1, 1)

    def test_a_bad_fit_is_flagged(self):
        found = match_prediction(predicted("CCO"), spectrum(22.0, 7.0))
        assert "poor_fit" in found.signals[0].flags
        assert "poor_fit" in found.peaks[1].flags

    def test_equivalent_atoms_are_one_signal(self):
        found = match_prediction(predicted("CC(C)=O"), spectrum(13.0, 30.0))
        assert found.signals[0].atom_indices == (0, 2)
        assert found.n_missing == 0

    def test_hydrogens_restrict(self):
        peaks = PeakList("13C", (Peak(13.0, n_hydrogens=2), Peak(22.0, n_hydrogens=3)))
        found = match_prediction(predicted("CCO"), peaks)
        assert found.signals[0].peak in (1, None)
        assert found.signals[1].peak in (0, None)

    def test_a_stated_number_of_nuclei_makes_room(self):
        two = PeakList("13C", (Peak(13.0), Peak(22.0, n_nuclei=2)))
        found = match_prediction(predicted("CCCO"), two)
        assert found.peaks[1].flags == ("shared",)
        assert found.n_missing == 0
        one = PeakList("13C", (Peak(13.0), Peak(22.0, n_nuclei=1)))
        assert match_prediction(predicted("CCCO"), one).n_missing == 1

    def test_a_wrong_number_of_nuclei_is_flagged(self):
        peaks = PeakList("13C", (Peak(13.0, n_nuclei=6), Peak(22.0)))
        assert match_prediction(predicted("CCO"), peaks).peaks[0].flags == ("miscounted",)

    def test_the_order_of_peaks_does_not_matter(self):
        there = match_prediction(predicted("CCCO"), spectrum(13.1, 22.2, 21.7))
        back = match_prediction(predicted("CCCO"), spectrum(21.7, 22.2, 13.1))
        assert there.log_evidence == pytest.approx(back.log_evidence, abs=1e-5)

    def test_fluorine_and_hydrogen(self):
        fluorine = match_prediction(predicted("CF", "19F"), spectrum(-90.0, nucleus="19F"))
        assert fluorine.signals[0].peak == 0
        hydrogen = match_prediction(
            predicted("CO", "1H"), PeakList("1H", (Peak(13.0, n_nuclei=3),))
        )
        assert [one.peak for one in hydrogen.signals] == [0, None]
        assert hydrogen.peaks[0].flags == ()

    def test_a_prediction_without_the_nucleus(self):
        with pytest.raises(NoTargetAtomsError):
            match_prediction(predicted("C"), spectrum(-90.0, nucleus="19F"))

    def test_an_impossible_spectrum(self):
        with pytest.raises(PeakTextError):
            match_prediction(predicted("C"), spectrum(1000.0))
        with pytest.raises(PeakTextError):
            match_prediction(predicted("C"), PeakList("13C", ()))


class TestRanking:
    def test_the_right_candidate_wins(self):
        report = match_spectrum(PREDICTOR, ["CC(C)=O", "CCO", "C1CC"], "22.4, 13.3", nucleus="c13")
        assert report.ranking == (1, 0)
        assert report.best is report.candidates[1]
        assert isinstance(report.candidates[2], Failure)
        shares = [one.probability for one in report.candidates if isinstance(one, CandidateMatch)]
        assert sum(shares) == pytest.approx(1.0)
        assert shares[1] > 0.7

    def test_a_higher_temperature_is_less_sure(self):
        structures = ["CC(C)=O", "CCO"]
        sharp, soft = (
            match_spectrum(PREDICTOR, structures, spectrum(22.4, 13.3), temperature=t).best
            for t in (1.0, 10.0)
        )
        assert sharp.probability > soft.probability > 0.5

    def test_candidates_alike_are_equally_probable(self):
        report = match_spectrum(PREDICTOR, ["CCO", "OCC"], spectrum(22.4, 13.3))
        assert report.ranking == (0, 1)
        assert report.best.probability == pytest.approx(0.5)

    def test_settings_reach_the_prediction(self):
        text = "13C NMR (101 MHz, DMSO-d6) δ 13.0"
        assert match_spectrum(PREDICTOR, ["C"], text).best.solvent == "DMSO-d6"
        best = match_spectrum(
            PREDICTOR, [Query("C", name="a")], text, solvent="CDCl3", source="s"
        ).best
        assert (best.solvent, best.name) == ("CDCl3", "a")
        assert best.notices[-1].message == "s"

    def test_refusals(self):
        with pytest.raises(UnknownNucleusError):
            match_spectrum(PREDICTOR, ["C"], "13.0", nucleus="31P")
        with pytest.raises(ValueError, match="temperature"):
            rank([], spectrum(13.0), temperature=0.5)

    def test_nothing_to_rank(self):
        report = match_spectrum(PREDICTOR, ["x", "N"], spectrum(13.0))
        assert report.ranking == ()
        assert report.best is None

    def test_plain_form(self):
        document = match_spectrum(PREDICTOR, ["CCO", "x"], spectrum(22.4, 13.3)).to_dict()
        assert [row["status"] for row in document["candidates"]] == ["ok", "error"]
        assert document["candidates"][0]["signals"][0]["atom_indices"] == [0]
        assert document["spectrum"]["peaks"][0]["shift_ppm"] == 22.4


@given(
    st.lists(st.floats(-9.0, 239.0), min_size=1, max_size=8),
    st.sampled_from(["CCO", "CC(C)=O", "c1ccccc1C", "CCCCCC(F)C"]),
)
@settings(max_examples=40, deadline=None)
def test_any_spectrum_gives_whole_probabilities(shifts, smiles):
    found = match_prediction(predicted(smiles), spectrum(*shifts))
    assert np.isfinite(found.log_evidence)
    for one in found.signals:
        assert 0.0 <= one.probability <= 1.0 + 1e-6
        assert sum(other.probability for other in one.alternatives) <= 1.0 + 1e-3
    for peak in found.peaks:
        assert 0.0 <= peak.extra_probability <= 1.0
