"""Peak lists as they are pasted: what is understood, and that nothing else is guessed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmrshift.errors import PeakTextError
from nmrshift.match import Peak, PeakList, read_peaks
from nmrshift.match.plain import MAX_CHARS, plain

PAPER = (
    "13C NMR (101 MHz, CDCl3) δ 170.1, 137.2 (d, J = 245.0 Hz), 128.5 (2C), 55.2–55.6 (m), 21.0."
)


def shifts(text, nucleus="13C"):
    return [peak.shift_ppm for peak in read_peaks(text, nucleus).peaks]


def only(text, nucleus="13C"):
    (peak,) = read_peaks(text, nucleus).peaks
    return peak


class TestPapers:
    def test_a_whole_line(self):
        assert read_peaks(PAPER) == PeakList(
            "13C",
            (
                Peak(170.1),
                Peak(137.2, multiplicity="d", couplings_hz=(245.0,)),
                Peak(128.5, n_nuclei=2),
                Peak(55.4, range_ppm=(55.2, 55.6), multiplicity="m"),
                Peak(21.0),
            ),
            frequency_mhz=101.0,
            solvent="CDCl3",
        )

    @pytest.mark.parametrize(
        "header",
        [
            "13C NMR (101 MHz, CDCl3) δ ",
            "¹³C NMR (101 MHz, CDCl₃): δ = ",
            "13C{1H} NMR (CDCl3, 101 MHz, 298 K) δ (ppm): ",
            "13C-NMR (101 MHz; Chloroform-d; TMS) ",
            "C-13 NMR (CDCl3 / 101 MHz) delta ",
            "13C APT NMR (101 MHz, CDCl3, ppm) d ",
            "13C nmr, CDCl3, 101 MHz: ",
            "δC (101 MHz, CDCl3) ",
            "δ_C (CDCl3, 101 MHz): ",
            "13C: δ (101 MHz, CDCl3) ",
            "White solid, mp 120–122 °C. 13C NMR spectrum (101 MHz, CDCl3), ppm: ",
        ],
    )
    def test_headers(self, header):
        found = read_peaks(header + "170.1, 21.0.")
        assert (found.nucleus, found.frequency_mhz) == ("13C", 101.0)
        assert "CDCl3" in found.solvent or found.solvent == "Chloroform-d"
        assert [peak.shift_ppm for peak in found.peaks] == [170.1, 21.0]
        assert found.ignored == ()

    def test_a_solvent_with_brackets(self):
        assert read_peaks("13C NMR (101 MHz, (CD3)2SO) δ 170.1").solvent == "(CD3)2SO"

    def test_two_solvents_are_not_guessed_at(self):
        found = read_peaks("13C NMR (CDCl3, CD3OD, 101 MHz) δ 170.1")
        assert found.solvent is None
        assert found.ignored == ("CDCl3", "CD3OD")

    def test_what_was_passed_over_is_said(self):
        found = read_peaks("13C NMR (CDCl3, mixture of rotamers) δ 20.0. HRMS calcd 123.4")
        assert found.ignored == ("mixture of rotamers", "HRMS calcd 123.4")

    @pytest.mark.parametrize("end", ["; HRMS (ESI) 123.4", ". IR (film) 1700", ", MS 55", "\n"])
    def test_the_list_ends_where_other_data_begin(self, end):
        assert shifts("13C NMR δ 170.1, 21.0" + end) == [170.1, 21.0]

    def test_several_spectra(self):
        text = (
            "1H NMR (400 MHz, CDCl3) δ 7.26–7.20 (m, 5H), 3.80 (s, 3H), 1.20 (br s, 1H). "
            + PAPER
            + " ¹⁹F NMR (376 MHz, DMSO-d6) δ −113.2 (tt, J = 8.6, 5.3 Hz, 1F)."
        )
        assert read_peaks(text, "13C") == read_peaks(PAPER)
        fluorine = read_peaks(text, "19F")
        assert fluorine.solvent == "DMSO-d6"
        assert fluorine.peaks == (
            Peak(-113.2, n_nuclei=1, multiplicity="tt", couplings_hz=(8.6, 5.3)),
        )
        proton = read_peaks(text, "1H").peaks
        assert [peak.n_nuclei for peak in proton] == [5, 3, 1]
        assert proton[0].range_ppm == (7.20, 7.26)
        assert proton[2].multiplicity == "s"

    def test_an_unreadable_spectrum_of_another_nucleus_does_not_matter(self):
        assert shifts("1H NMR δ see above?! " + PAPER) == [170.1, 137.2, 128.5, 55.4, 21.0]


class TestBareLists:
    @pytest.mark.parametrize(
        "text",
        [
            "170.1 137.2; 128.5",
            "170.1,137.2,128.5",
            "δ 170.1 ppm\n137.2 ppm\n128.5 ppm\n",
            "170.1*, 137.2* and 128.5",
            "170·1, 137·2, 128·5",
            "170.1 | 137.2\t|\u00a0128.5.",
        ],
    )
    def test_numbers(self, text):
        assert shifts(text) == [170.1, 137.2, 128.5]

    def test_negative_numbers(self):
        assert shifts("-113.2 −62.8\n–70.1", "19F") == [-113.2, -62.8, -70.1]

    @pytest.mark.parametrize("text", ["-113.2--114.0", "−113.2–−114.0", "-113.2 ~ -114.0"])
    def test_negative_ranges(self, text):
        assert only(text, "19F").range_ppm == (-114.0, -113.2)

    def test_letters_tell_hydrogens(self):
        peaks = read_peaks("170.1S, 137.2 D 128.5 (T)\n21.0 Q", "13C").peaks
        assert [peak.n_hydrogens for peak in peaks] == [0, 1, 2, 3]
        assert [peak.multiplicity for peak in peaks] == ["s", "d", "t", "q"]

    @pytest.mark.parametrize(
        "text", ["170.1 S, 137.2", "170.1 s, 137.2 d", "1.0 S, 2.0 D, J = 9 Hz"]
    )
    def test_letters_that_may_be_couplings_to_fluorine_do_not(self, text):
        assert {peak.n_hydrogens for peak in read_peaks(text, "13C").peaks} == {None}

    def test_groups_tell_hydrogens(self):
        peaks = read_peaks("137 C, 128 CH, 60.4CH2, 55.1 (OCH3), 21 (CH3), 99 Cq", "13C").peaks
        assert [peak.n_hydrogens for peak in peaks] == [0, 1, 2, 3, 3, 0]


class TestNotes:
    @pytest.mark.parametrize(
        ("note", "values"),
        [
            ("d, J = 245.0 Hz", (245.0,)),
            ("d, 1JCF = 245 Hz", (245.0,)),
            ("d, ¹J(C,F) = 245.0 Hz", (245.0,)),
            ("d, 1J_{C-F} 245 Hz", (245.0,)),
            ("dd, J = 12.0 and 3.0 Hz", (12.0, 3.0)),
            ("dd, J=12.0,3.0", (12.0, 3.0)),
            ("qd, 2J = 33.0, 3J = 3.9 Hz, 2C", (33.0, 3.9)),
            ("𝐽 = 5 Hz", (5.0,)),
        ],
    )
    def test_couplings(self, note, values):
        assert only(f"100.0 ({note})").couplings_hz == values

    @pytest.mark.parametrize(
        ("note", "kind"),
        [("s", "s"), ("br s", "s"), ("brs", "s"), ("s br", "s"), ("app. td", "td"),
         ("sept", "sept"), ("doublet of triplets", "dt"), ("d of t", "dt"), ("multiplet", "m"),
         ("ddt", "ddt")],
    )  # fmt: skip
    def test_multiplicities(self, note, kind):
        assert only(f"100.0 ({note})").multiplicity == kind

    @pytest.mark.parametrize(
        ("note", "count"),
        [("2C", 2), ("2 C", 2), ("2 × C", 2), ("2 x CH3", 2), ("CH3 x 2", 2), ("×2", 2),
         ("12C", 12), ("2 × OMe", 2), ("3F", None), ("C-2, 6", None), ("C=O", None)],
    )  # fmt: skip
    def test_counts(self, note, count):
        assert only(f"100.0 ({note})").n_nuclei == count

    def test_counts_are_of_the_nucleus(self):
        assert only("-62.8 (s, 3F, CF3)", "19F").n_nuclei == 3
        assert only("3.80 (s, 6H, 2 × CH3)", "1H").n_nuclei == 6

    def test_counts_and_couplings_without_brackets(self):
        peaks = read_peaks("137.2, d, J = 245.0 Hz; 128.5, 2C, 21.0", "13C").peaks
        assert [peak.couplings_hz for peak in peaks] == [(245.0,), (), ()]
        assert [peak.n_nuclei for peak in peaks] == [None, 2, None]

    def test_other_words_are_kept_and_not_used(self):
        assert only("170.1 (C=O, ester)").label == "C=O, ester"


class TestRefusals:
    @pytest.mark.parametrize(
        "text",
        [
            "",
            "  \n",
            "hello",
            "170,1 137,2",
            "170.1, 137,2",
            "20.1 (d, J = 8,5 Hz)",
            "20.1 (d, J = many Hz)",
            "170.1a",
            "128.5²",
            "170.1, (d",
            "170.1 )",
            "(s) 170.1 (d) 128.5",
            "13C NMR (CDCl3) δ (CH3) 21.0 (CH2) 60.4",
            "170.1-21.0",
            "128.5\n-127.9",
            "- 128.5\n- 127.9",
            "1 170.1\n2 137.2\n3 128.5",
            "128.5 (127.9)",
            "128.5 (2)",
            "128.5, 2 C, 127.0",
            "128.5, 12C",
            "128.5 (2C) (3C)",
            "128.5 (0C)",
            "170.1. 137.2",
            "1700",
            "12345",
            "1.2.3",
            "1e2",
            "170.1 ?",
            "13C NMR δ",
            "13C NMR δ 20.0. 13C NMR δ 30.0",
            "19F NMR δ -113.2",
            "1 " * 501,
        ],
    )
    def test_a_typed_error(self, text):
        with pytest.raises(PeakTextError) as caught:
            read_peaks(text, "13C")
        assert caught.value.code == "peak_text"
        assert caught.value.message
        assert caught.value.hint

    def test_the_nucleus_must_be_known(self):
        with pytest.raises(PeakTextError, match="what nucleus"):
            read_peaks("170.1")
        with pytest.raises(PeakTextError, match="1H, 13C"):
            read_peaks("1H NMR δ 1.0. 13C NMR δ 20.0")

    def test_a_text_too_long(self):
        with pytest.raises(PeakTextError, match="characters"):
            read_peaks("1" * (MAX_CHARS + 1), "13C")

    def test_the_place_is_told(self):
        with pytest.raises(PeakTextError) as caught:
            read_peaks("170.1, what", "13C")
        assert caught.value.position == 7

    def test_another_isotope_is_its_own_spectrum(self):
        assert shifts("2H NMR δ 7.26. 13C NMR δ 20.0") == [20.0]


PIECES = st.sampled_from(
    ["13C NMR", "19F NMR", "δ", "(101 MHz, CDCl3)", "170.1", "-113.2", "–", "−", "(2C)", "(", ")",
     "J = 8.6, 5.3 Hz", "J", "=", "d", "tt", "CH3", "2C", "x", ",", ";", ".", " ", "\n", "and", "~",
     "ppm", "HRMS", "[", "]", "{", "1", "12", "²", "·", "to", "of"]
)  # fmt: skip
NUCLEUS = st.sampled_from([None, "13C", "19F", "1H"])


def either_peaks_or_the_typed_error(text, nucleus):
    try:
        found = read_peaks(text, nucleus)
    except PeakTextError:
        return
    assert found.peaks
    assert found.checked() is found


@given(st.text(max_size=80), NUCLEUS)
@settings(max_examples=150, deadline=None)
def test_any_text(text, nucleus):
    either_peaks_or_the_typed_error(text, nucleus)


@given(st.lists(PIECES, max_size=14).map("".join), NUCLEUS)
@settings(max_examples=400, deadline=None)
def test_text_that_is_nearly_right(text, nucleus):
    either_peaks_or_the_typed_error(text, nucleus)


@given(st.lists(st.integers(-99, 2399).map(lambda n: n / 10), min_size=1, max_size=20))
@settings(max_examples=50, deadline=None)
def test_numbers_come_back(values):
    text = "13C NMR (126 MHz, C6D6) δ " + ", ".join(f"{one:.1f}" for one in values) + "."
    assert shifts(text) == values


@given(st.text(max_size=60))
@settings(max_examples=50, deadline=None)
def test_plain_text_keeps_its_length(text):
    assert len(plain(text)) == len(text)
