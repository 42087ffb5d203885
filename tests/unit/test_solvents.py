"""Solvent names as they are written, and the numbers behind them."""

import itertools
import math
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmrshift.chem import solvent_text, solvents
from nmrshift.chem.solvents import SOLVENT_DIM, SOLVENT_FIELDS, UNKNOWN, catalogue, normalise

LIQUIDS = tuple(entry for entry in catalogue() if entry.kind == "liquid")

WRITTEN = {
    "Chloroform-D1 (CDCl3)": "cdcl3",
    "CDCl₃": "cdcl3",
    "CDCL3,TMS": "cdcl3",
    "CHCl3": "cdcl3",
    "Chloroform-D1 (CDCl3)+ trace Methanol-D4 (CD3OD)": "cdcl3",
    "CDCl3 (0.03% TMS)": "cdcl3",
    "CDCl3 with a drop of D2O": "cdcl3",
    "CDCl3 (+ drop CD3OD)": "cdcl3",
    "CDCl3, 298 K": "cdcl3",
    "10 mg/mL in CDCl3": "cdcl3",
    "chloroform, 99.8 atom % D": "cdcl3",
    "solvent: deuterated chloroform": "cdcl3",
    "d-chloroform": "cdcl3",
    "Dimethylsulphoxide-D6 (DMSO-D6, C2D6SO)": "dmso-d6",
    "(CD3)2SO": "dmso-d6",
    "(CD₃)₂SO": "dmso-d6",
    "[D6]DMSO": "dmso-d6",
    "DMSO-d6 at 80 °C": "dmso-d6",
    "DMCO-d6": "dmso-d6",
    "METHANOL-D1 (CH3OD)": "cd3od",
    "Methanol-D3 (CD3OH)": "cd3od",
    "MeOD": "cd3od",
    "Acetone-D6 ((CD3)2CO)": "acetone-d6",
    "acetone-d6 + 1 drop D2O": "acetone-d6",
    "CD3COCD": "acetone-d6",
    "(CD₃)₂CO": "acetone-d6",
    "TETRACHLORO-METHANE (CCl4)": "ccl4",
    "Deuteriumoxide (D2O)": "d2o",
    "Water (D2O)": "d2o",
    "D2O+DCl": "d2o",
    "D2O, pH 7.4": "d2o",
    "90% H2O, 10% D2O": "d2o",
    "Benzene-D6 (C6D6)": "c6d6",
    "perdeuterobenzene": "c6d6",
    "Pyridin-D5 (C5D5N)": "pyridine-d5",
    "Acetonitrile-D3(CD3CN)": "cd3cn",
    "acetonitril": "cd3cn",
    "CDCN": "cd3cn",
    "Tetrahydrofuran-D8 (THF-D8, C4D4O)": "thf-d8",
    "Methylenchloride-D2 (CD2Cl2)": "cd2cl2",
    "toluene- d₈": "toluene-d8",
    "Toluol-d8": "toluene-d8",
    "C₆D₅Cl": "c6d5cl",
    "TFE-d₃": "tfe-d3",
    "Dimethylformamide-D7 (DMF-D7, CDON(CD3)2 )": "dmf-d7",
    "Trifluoroacetic Acid (TFA-D1, C2DF3O2)": "tfa-d",
    "Formic Acid-D2 (DCOOD)": "formic-acid-d2",
    "Tetrachloro-Ethanol (C2D2Cl4)": "c2d2cl4",
    "Diethylether ((CH3CH2)2O)": "et2o",
    "EtO": "et2o",
    "Dimethylether-D6 (CD3OCD3)": "dimethyl-ether",
    "CF2ClCFCl2": "cfc-113",
    "CF3CCl3": "cf3ccl3",
    "30% in C6F6": "c6f6",
    "PhNO2": "nitrobenzene-d5",
    "anhydrous HF": "hf",
    "Perfluorotributylamine; Perfluoro(dibutylmethylamine)": "perfluorotributylamine",
    "isopropanol-d7": "isopropanol-d8",
    "aqueous buffer": "aqueous-buffer",
    "50 mM HEPES buffer, pH 7.4, 10% D2O": "aqueous-buffer",
    "buffer (D2O)": "aqueous-buffer",
    "neat": "neat",
    "neat CFCl3": "neat",
    "gas phase": "gas",
    "solid phase": "solid",
    "mixture": "mixed",
    "CDCl3 or neat": "mixed",
}

MIXTURES = {
    "Chloroform-D1 (CDCl3) + Methanol-D4 (CD3OD)": "cdcl3+cd3od",
    "CD3OD/CDCl3 (1:1)": "cdcl3+cd3od",
    "Chloroform-D1 (CDCl3) + Methanol-D4 (CD3OD) (9:1)": "cdcl3+cd3od(9:1)",
    "CDCl3/CD3OD (9:1, v/v)": "cdcl3+cd3od(9:1)",
    "10% CD3OD in CDCl3": "cdcl3+cd3od(9:1)",
    "CDCl3 90% / CD3OD (10%)": "cdcl3+cd3od(9:1)",
    "CDCl3 CD3OD 9:1": "cdcl3+cd3od(9:1)",
    "CF3COOD-CD3OD (5:95)": "cd3od+tfa-d(19:1)",
    "CD3CN or CDCL3": "cdcl3+cd3cn",
    "Methanol-D4/D2O (CD3OD/D4)": "cd3od+d2o",
    "DMSO-d6, DMCO-d6, CD3OD, CDCl3": "cdcl3+dmso-d6+cd3od",
    "1,1,2,2-tetrachloroethane-d2 + CDCl3": "cdcl3+c2d2cl4",
    "Acetone-d6/DMSO-d6 mixture": "dmso-d6+acetone-d6",
    "CDCl3/CD3OD/D2O 4:3:0.5": "cdcl3+cd3od+d2o(8:6:1)",
    "CCl4/CDCl3 99.99:0.01": "ccl4+cdcl3(1000:1)",
    "CDCl3/120% CD3OD": "cdcl3+cd3od",
    "aqueous buffer + 5% DMSO-d6": "aqueous-buffer+dmso-d6(19:1)",
}

NOT_GIVEN = (None, "", "  ", "-", "?", "Unreported", "Unknown", "n/a", "None", "not specified")


@pytest.mark.parametrize(("text", "key"), [*WRITTEN.items(), *MIXTURES.items()])
def test_texts_as_people_write_them(text: str, key: str) -> None:
    assert normalise(text).key == key
    assert solvents.is_reported(text)
    assert solvents.unread(text) == ()


@pytest.mark.parametrize("text", NOT_GIVEN)
def test_not_given_is_unknown_and_not_reported(text: str | None) -> None:
    assert normalise(text) is UNKNOWN
    assert not solvents.is_reported(text)
    assert solvents.unread(text) == ()


@pytest.mark.parametrize("text", ["CDCI3", "xyz", "foo, bar, CDCl3", "((((a", "CDCl3 " * 60])
def test_not_understood_is_unknown_but_reported(text: str) -> None:
    assert normalise(text) is UNKNOWN
    assert solvents.is_reported(text)
    assert solvents.unread(text)


def test_a_part_not_understood_is_named() -> None:
    assert normalise("CDCl3, foo").key == "cdcl3"
    assert solvents.unread("CDCl3, foo") == ("foo",)


def test_catalogue_is_complete_and_keys_come_back() -> None:
    keys = [entry.key for entry in catalogue()]
    assert len(LIQUIDS) >= 45
    assert len(set(keys)) == len(keys)
    assert {"aqueous-buffer", "neat", "gas", "solid", "mixed", "unknown"} <= set(keys)
    assert [normalise(key).key for key in keys] == keys
    assert [normalise(normalise(text).key).key for text in MIXTURES] == list(MIXTURES.values())


def test_every_name_means_its_own_entry_and_no_other() -> None:
    owner: dict[str, str] = {}
    for entry in catalogue():
        for name in {solvent_text.squash(name) for name in (entry.key, *entry.names)}:
            assert owner.setdefault(name, entry.key) == entry.key
        assert {normalise(name).key for name in entry.names} <= {entry.key}


def test_protonated_and_deuterated_formulas_share_an_entry() -> None:
    for protonated, deuterated in [("CHCl3", "CDCl3"), ("CH3OH", "CD3OD"), ("H2O", "D2O")]:
        assert normalise(protonated) is normalise(deuterated)


def test_vectors_are_finite_of_unit_size_and_as_long_as_said() -> None:
    for entry in catalogue():
        vector = entry.vector()
        assert len(vector) == SOLVENT_DIM == len(SOLVENT_FIELDS)
        assert all(math.isfinite(value) and -1 < value < 2 for value in vector)
    assert UNKNOWN.vector() == (0.0,) * SOLVENT_DIM


def test_the_layout_is_frozen() -> None:
    assert (
        *("known", "permittivity", "refraction", "alpha", "beta", "pi_star"),
        *("no_permittivity", "no_refraction", "no_alpha", "no_beta", "no_pi_star"),
        *("aromatic", "halogenated", "protic", "aqueous", "buffer"),
        *("neat", "gas", "solid", "mixture"),
    ) == SOLVENT_FIELDS


def test_vector_of_one_solvent_by_hand() -> None:
    vector = dict(zip(SOLVENT_FIELDS, normalise("benzene").vector(), strict=True))
    assert vector["permittivity"] == pytest.approx(2 * 1.27 / 5.54)
    assert vector["refraction"] == pytest.approx(4 * 1.25330121 / 5.50660242)
    assert (vector["alpha"], vector["beta"], vector["pi_star"]) == (0.0, 0.10, 0.59)
    assert (vector["aromatic"], vector["protic"], vector["no_alpha"]) == (1.0, 0.0, 0.0)


def test_a_missing_value_is_zero_with_its_flag_up() -> None:
    vector = dict(zip(SOLVENT_FIELDS, normalise("SF6").vector(), strict=True))
    assert normalise("SF6").n is None
    assert (vector["refraction"], vector["no_refraction"]) == (0.0, 1.0)
    assert (vector["pi_star"], vector["no_pi_star"]) == (0.0, 1.0)
    assert (vector["known"], vector["no_permittivity"]) == (1.0, 0.0)


def test_common_solvents_and_classes_differ() -> None:
    complete = [entry for entry in LIQUIDS if entry.eps is not None and entry.n is not None]
    classes = [entry for entry in catalogue() if entry.kind != "liquid"]
    assert len(complete) >= 45
    for one, other in itertools.combinations([*complete, *classes], 2):
        assert math.dist(one.vector(), other.vector()) > 0.004, (one.key, other.key)


def test_permittivity_and_refraction_agree_with_an_independent_table() -> None:
    """Minnesota Solvent Descriptor Database: n at 20 C, permittivity at 25 C."""
    for name, n, eps in [
        ("chloroform", 1.4459, 4.7113),
        ("dichloromethane", 1.4242, 8.93),
        ("carbon tetrachloride", 1.4601, 2.2280),
        ("dimethylsulfoxide", 1.4783, 46.826),
        ("methanol", 1.3288, 32.613),
        ("acetone", 1.3588, 20.493),
        ("water", 1.3328, 78.355),
        ("benzene", 1.5011, 2.2706),
        ("toluene", 1.4961, 2.3741),
        ("chlorobenzene", 1.5241, 5.6968),
        ("bromobenzene", 1.5597, 5.3954),
        ("fluorobenzene", 1.4684, 5.42),
        ("perfluorobenzene", 1.3777, 2.029),
        ("o-dichlorobenzene", 1.5515, 9.9949),
        ("nitrobenzene", 1.5562, 34.809),
        ("nitromethane", 1.3817, 36.562),
        ("pyridine", 1.5095, 12.978),
        ("acetonitrile", 1.3442, 35.688),
        ("tetrahydrofuran", 1.4050, 7.4257),
        ("2,2,2-trifluoroethanol", 1.2907, 26.726),
        ("N,N-dimethylformamide", 1.4305, 37.219),
        ("N,N-dimethylacetamide", 1.4380, 37.781),
        ("formic acid", 1.3714, 51.1),
        ("acetic acid", 1.3720, 6.2528),
        ("1,4-dioxane", 1.4224, 2.2099),
        ("carbon disulfide", 1.6319, 2.6105),
        ("cyclohexane", 1.4266, 2.0165),
        ("n-hexane", 1.3749, 1.8819),
        ("n-pentane", 1.3575, 1.8371),
        ("cyclopentane", 1.4065, 1.9608),
        ("diethylether", 1.3526, 4.2400),
        ("2-propanol", 1.3776, 19.264),
        ("ethanol", 1.3611, 24.852),
        ("2-methyl-2-propanol", 1.3878, 12.47),
        ("ethyl acetate", 1.3723, 5.9867),
        ("butanone", 1.3788, 18.246),
        ("1,2-dichloroethane", 1.4448, 10.125),
        ("triethylamine", 1.4010, 2.3832),
        ("benzonitrile", 1.5289, 25.592),
        ("sulfolane", 1.4833, 43.962),
    ]:
        entry = normalise(name)
        assert entry.n == pytest.approx(n, abs=0.005), name
        assert entry.eps == pytest.approx(eps, rel=0.04), name


def test_a_mixture_is_the_weighted_mean_of_its_components() -> None:
    mixture = normalise("CDCl3/CD3OD 3:1")
    assert mixture.kind == "mixture"
    assert mixture.components == (("cdcl3", 0.75), ("cd3od", 0.25))
    one, other = normalise("CDCl3").vector(), normalise("CD3OD").vector()
    expected = [0.75 * a + 0.25 * b for a, b in zip(one, other, strict=True)]
    expected[SOLVENT_FIELDS.index("mixture")] = 1.0
    assert mixture.vector() == pytest.approx(expected)
    assert mixture.name == "chloroform-d + methanol-d4 (3:1)"


@pytest.mark.parametrize(
    ("text", "key"),
    [("CDCI3", "cdcl3"), ("chlorofrom", "cdcl3"), ("tolune", "toluene-d8"), ("DMS0-d6", "dmso-d6")],
)
def test_misspellings_get_a_hint(text: str, key: str) -> None:
    hints = solvents.suggest(text)
    assert hints[0] == key
    assert len(hints) <= 3


def test_nothing_close_gives_no_hint() -> None:
    assert solvents.suggest("qqqqqqqqqq") == ()
    assert solvents.suggest("unknown") == ()


def test_the_page_shows_the_numbers_of_the_catalogue() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "solvents.md").read_text("utf-8")
    table = page[page.index("## The numbers") : page.index("## What the data say")]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]
    written = {row[0]: row[3:8] for row in rows if len(row) == 9}
    for entry in LIQUIDS:
        values = (entry.eps, entry.n, entry.alpha, entry.beta, entry.pi_star)
        shown = [cell.split(" (")[0] for cell in written[entry.key]]
        assert shown == ["–" if value is None else f"{value:g}" for value in values], entry.key


def test_the_examples_of_the_page_are_true() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "solvents.md").read_text("utf-8")
    lines = page.split("```python")[1].split("```")[0].strip().splitlines()
    names = {"normalise": normalise, "suggest": solvents.suggest}
    examples = [line.split("#") for line in lines if "#" in line]
    assert len(examples) == 4
    for code, result in examples:
        assert repr(eval(code, names)) == result.strip()


KEYS = [entry.key for entry in LIQUIDS]


@given(st.lists(st.tuples(st.sampled_from(KEYS), st.integers(1, 99)), min_size=2, max_size=6))
def test_keys_of_mixtures_come_back(parts: list[tuple[str, int]]) -> None:
    text = "+".join(key for key, _ in parts) + f" ({':'.join(str(part) for _, part in parts)})"
    mixture = normalise(text)
    assert dict(mixture.components).keys() == (
        {key for key, _ in parts} if mixture.kind == "mixture" else set()
    )
    assert normalise(mixture.key) == mixture
    assert all(math.isfinite(value) for value in mixture.vector())


@given(st.one_of(st.none(), st.text(max_size=300), st.text("CDl3O()[]:/+-,%d6 91in.", max_size=80)))
def test_any_text_gives_a_solvent(text: str | None) -> None:
    found = normalise(text)
    assert len(found.vector()) == SOLVENT_DIM
    assert normalise(found.key).key == found.key
    assert isinstance(solvents.is_reported(text), bool)
    assert isinstance(solvents.unread(text), tuple)
    assert len(solvents.suggest(text or "")) <= 3


@given(st.sampled_from(sorted(WRITTEN)), st.sampled_from([str.upper, str.lower, str.swapcase]))
def test_case_and_space_around_do_not_matter(text: str, change: object) -> None:
    assert callable(change)
    assert normalise(f"  {change(text)}\n").key == WRITTEN[text]


@pytest.mark.parametrize(
    "text",
    [
        "(" * 200,
        "- " * 100,
        "1:" * 100,
        "1/1 " * 50,
        "%" * 200,
        "a(" * 100,
        "9" * 10**6,
        "\ud800\x00",
    ],
)
def test_hostile_texts_are_cheap(text: str) -> None:
    start = time.perf_counter()
    assert normalise(text) is UNKNOWN
    assert time.perf_counter() - start < 1.0
