"""The HOSE table: what it answers, from which sphere, and with which certainty."""

import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from nmrshift.baselines.hose_build import MIN_MOLECULES, build_hose_table
from nmrshift.baselines.hose_statistics import (
    LEVELS,
    Residuals,
    calibrate,
    collect_votes,
    shrunk_spread_ppm,
    width_factor,
)
from nmrshift.baselines.hose_table import HoseTable, environment_keys, target_atoms
from nmrshift.chem.hose import hose_codes_of_mol
from nmrshift.chem.toolkit import Chem
from nmrshift.errors import (
    ArtifactError,
    ConfigError,
    RecordError,
    UnknownNucleusError,
)
from nmrshift.types import Failure, Prediction, Query


@dataclass(frozen=True)
class Spectrum:
    smiles: str
    nucleus: str
    shifts: tuple[tuple[int, float], ...] | None


def alkyl_fluorides() -> list[Spectrum]:
    """Fluorides F-(CH2)n-CH3 and aryl fluorides with one substituent, shifts invented."""
    chains = [Spectrum("F" + "C" * n, "19F", ((0, -218.0 + 0.1 * n),)) for n in range(2, 14)]
    groups = ["C", "CC", "O", "N", "Cl", "Br", "C#N", "C=O", "OC", "SC", "I", "CCC"]
    rings = [
        Spectrum(f"Fc1ccc({group})cc1", "19F", ((0, -113.0 - 0.5 * n),))
        for n, group in enumerate(groups)
    ]
    return chains + rings


@pytest.fixture(scope="module")
def table() -> HoseTable:
    return build_hose_table(alkyl_fluorides())


def only(table: HoseTable, structure: str | Chem.Mol | Query, **options: object) -> Prediction:
    (answer,) = table.predict_many([structure], nuclei=("19F",), **options)
    assert isinstance(answer, Prediction)
    return answer


def test_a_known_molecule_is_answered_from_the_deepest_sphere(table: HoseTable) -> None:
    (atom,) = only(table, "Fc1ccc(Br)cc1").atoms
    assert (atom.atom_index, atom.element, atom.nucleus, atom.signal) == (0, "F", "19F", 0)
    assert atom.shift_ppm == pytest.approx(-115.5, abs=1e-4)
    assert atom.low_ppm < atom.shift_ppm < atom.high_ppm
    assert atom.flags == ("sphere_6",)


def test_a_new_molecule_falls_back_to_what_is_known(table: HoseTable) -> None:
    (atom,) = only(table, "Fc1ccc([Si](C)(C)C)cc1").atoms
    assert atom.flags == ("sphere_4",)
    assert atom.shift_ppm == pytest.approx(np.median(-113.0 - 0.5 * np.arange(12)), abs=1e-4)


def test_an_atom_without_any_environment_takes_the_nucleus(table: HoseTable) -> None:
    (atom,) = only(table, "FS(=O)(=O)C").atoms
    assert atom.flags == ("sphere_0", "no_environment")
    all_shifts = [spectrum.shifts[0][1] for spectrum in alkyl_fluorides()]
    assert atom.shift_ppm == pytest.approx(np.median(all_shifts), abs=1e-4)
    assert atom.low_ppm < np.quantile(all_shifts, 0.1) < np.quantile(all_shifts, 0.9)
    assert np.quantile(all_shifts, 0.9) < atom.high_ppm


def test_look_up_agrees_with_the_labels_taken_one_by_one() -> None:
    """The slow twin: plain dictionaries of lists."""
    spectra = alkyl_fluorides()
    table = build_hose_table(spectra, n_spheres=4)
    for query in ("Fc1ccc(F)cc1", "FCCCCO", "FC(C)C", "FC=C", "Fc1ccccc1Cl"):
        mol = Chem.MolFromSmiles(query)
        atoms = target_atoms(mol, "19F")
        codes = hose_codes_of_mol(mol, 4, atoms=atoms)
        found = table.look_up("19F", codes)
        for environment, code in zip(found, codes, strict=True):
            expected = [
                [s.shifts[0][1] for s in spectra if first_fluorine(s.smiles)[:n] == code[:n]]
                for n in range(5)
            ]
            deepest = max(n for n in range(5) if expected[n])
            assert environment.sphere == deepest
            assert environment.n_molecules == len(expected[deepest])
            assert environment.median_ppm == pytest.approx(np.median(expected[deepest]), abs=1e-4)


def first_fluorine(smiles: str) -> tuple[str, ...]:
    return hose_codes_of_mol(Chem.MolFromSmiles(smiles), 4, atoms=(0,))[0]


def test_a_molecule_has_one_vote_however_often_it_is_listed() -> None:
    spectra = [*alkyl_fluorides(), *[Spectrum("FCC", "19F", ((0, -100.0),))] * 50]
    table = build_hose_table(spectra)
    (environment,) = table.look_up("19F", [hose_codes_of_mol(Chem.MolFromSmiles("FCC"))[0]])
    assert environment.n_molecules == 1
    assert environment.median_ppm == pytest.approx(-100.0)
    (shallow,) = build_hose_table(spectra, n_spheres=1).look_up(
        "19F", [hose_codes_of_mol(Chem.MolFromSmiles("FCC"), 1)[0]]
    )
    assert shallow.n_molecules == len(alkyl_fluorides())


def test_answers_keep_order_and_failures_are_values(table: HoseTable) -> None:
    queries = [
        "FCC",
        "not a molecule",
        Query("CCF", solvent="CDCl3", name="mine"),
        "CCO",
        Query("CCF", nuclei=("77Se",)),
        Chem.MolFromSmiles("CCO"),
    ]
    answers = list(table.predict_many(queries, nuclei=("19F",), solvent="DMSO-d6"))
    assert [answer.index for answer in answers] == [0, 1, 2, 3, 4, 5]
    assert [a.code for a in answers if isinstance(a, Failure)] == [
        "invalid_text",
        "no_target_atoms",
        "unknown_nucleus",
        "no_target_atoms",
    ]
    assert answers[0].solvent == "dmso-d6"
    assert (answers[2].solvent, answers[2].name) == ("cdcl3", "mine")
    assert answers[5].input == "CCO"


def test_wrong_calls_are_refused_at_once(table: HoseTable) -> None:
    with pytest.raises(UnknownNucleusError):
        table.predict_many(["FCC"], nuclei=("13C",))
    with pytest.raises(UnknownNucleusError):
        table.look_up("13C", [("C-4;",)])
    for interval in (0.0, 0.4, 1.0, float("nan")):
        with pytest.raises(ConfigError):
            table.predict_many(["FCC"], nuclei=("19F",), interval=interval)


def test_wider_coverage_is_wider(table: HoseTable) -> None:
    widths = []
    for interval in (0.5, 0.55, 0.75, 0.9, 0.99):
        atom = only(table, "Fc1ccc([Si](C)(C)C)cc1", interval=interval).atoms[0]
        widths.append(atom.high_ppm - atom.low_ppm)
    assert widths == sorted(widths)
    assert widths[0] < widths[-1]


def test_atom_order_does_not_matter(table: HoseTable) -> None:
    mol = Chem.MolFromSmiles("Fc1ccc(CF)cc1")
    expected = {a.atom_index: a.shift_ppm for a in only(table, mol).atoms}
    order = list(range(mol.GetNumAtoms()))
    random.Random(1).shuffle(order)
    for atom in only(table, Chem.RenumberAtoms(mol, order)).atoms:
        assert atom.shift_ppm == expected[order[atom.atom_index]]


def test_intervals_hold_on_molecules_left_out() -> None:
    """Shifts that scatter about their environment are covered as often as promised."""
    scatter = np.random.default_rng(7)
    tails = [f"{'C' * n}{end}" for n in range(3, 43) for end in ("", "O", "N", "Cl", "S")]
    spectra = [Spectrum(f"FC{t}", "19F", ((0, -218 + scatter.normal()),)) for t in tails]
    table = build_hose_table(spectra, n_spheres=3)
    new = scatter.normal(size=2000) - 218
    atom = only(table, "FCCCCCC", interval=0.8).atoms[0]
    inside = np.mean((atom.low_ppm <= new) & (new <= atom.high_ppm))
    assert inside == pytest.approx(0.8, abs=0.06)


def test_hydrogen_shifts_are_filed_under_the_carrier() -> None:
    spectra = [Spectrum("C" * n + "O", "1H", ((0, 0.9), (n, 2.0))) for n in range(2, 15)]
    table = build_hose_table(spectra)
    answers = table.predict_many(["[H]OCCCC", "CC(C)(C)O", "[H+]"], nuclei=("1H",))
    first, second, third = answers
    assert [(a.atom_index, a.n_hydrogens) for a in first.atoms] == [
        (1, 1),
        (2, 2),
        (3, 2),
        (4, 2),
        (5, 3),
    ]
    assert first.atoms[0].shift_ppm == pytest.approx(2.0)
    assert len({atom.signal for atom in second.atoms}) == 2
    assert isinstance(third, Failure) or third.atoms[0].flags[-1] == "no_environment"


def test_save_and_load(table: HoseTable, tmp_path: Path) -> None:
    path = tmp_path / "table.npz"
    table.save(path)
    loaded = HoseTable.load(path)
    assert loaded.nuclei == ("19F",)
    assert loaded.n_spheres == 6
    for structure in ("FCCCC", "Fc1ccccc1", "FS(=O)(=O)C"):
        assert only(loaded, structure) == only(table, structure)


def test_damaged_tables_are_refused(table: HoseTable, tmp_path: Path) -> None:
    path = tmp_path / "table.npz"
    with pytest.raises(ArtifactError):
        HoseTable.load(path)
    path.write_text("no table")
    with pytest.raises(ArtifactError):
        HoseTable.load(path)
    np.savez(path, format=np.array(1))
    with pytest.raises(ArtifactError):
        HoseTable.load(path)
    np.savez(path, format=np.array(99))
    with pytest.raises(ArtifactError, match="another version"):
        HoseTable.load(path)
    np.savez(path, format=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ArtifactError):
        HoseTable.load(path)
    table.save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ArtifactError):
        HoseTable.load(path)


def test_unusable_spectra_are_left_out() -> None:
    good = alkyl_fluorides()
    bad = [
        Spectrum("FCC", "19F", None),
        Spectrum("FCC", "19F", ()),
        Spectrum("F(C", "19F", ((0, -1.0),)),
        Spectrum("FCC", "19F", ((17, -1.0), (-1, -1.0), (0, -9999.0), (0, float("nan")))),
        Spectrum("[Xe]", "129Xe", ((0, 1.0),)),
        Spectrum("C", "13C", ((0, -2.3),)),
    ]
    table = build_hose_table(good + bad)
    assert table.nuclei == ("19F",)
    assert np.array_equal(table.key, build_hose_table(good).key)
    assert np.array_equal(table.median_ppm, build_hose_table(good).median_ppm)


def test_excluded_molecules_and_other_nuclei_stay_out() -> None:
    spectra = alkyl_fluorides()
    table = build_hose_table(spectra, exclude=lambda mol: mol.GetRingInfo().NumRings() > 0)
    assert only(table, "Fc1ccc(Br)cc1").atoms[0].flags == ("sphere_1",)
    with pytest.raises(RecordError):
        build_hose_table(spectra, nuclei=("13C",))
    with pytest.raises(RecordError):
        build_hose_table(spectra[: MIN_MOLECULES - 1])


def test_votes_against_plain_python() -> None:
    rng = np.random.default_rng(3)
    key = rng.integers(0, 12, 300).astype(np.uint64)
    mol = rng.integers(0, 9, 300)
    shift = rng.normal(size=300).round(2)
    votes = collect_votes(key, mol, shift)
    others = votes.others_median_ppm()
    for group, first in enumerate(votes.start):
        here = {
            m: float(np.median(shift[(key == votes.key[first]) & (mol == m)]))
            for m in set(mol[key == votes.key[first]].tolist())
        }
        values = list(here.values())
        assert votes.count[group] == len(values)
        assert votes.median_ppm()[group] == pytest.approx(np.median(values))
        deviation = np.abs(np.array(values) - np.median(values))
        assert votes.spread_ppm()[group] == pytest.approx(deviation.mean())
        for row in range(first, first + len(values)):
            rest = [value for m, value in here.items() if m != votes.mol[row]]
            if rest:
                assert others[row] == pytest.approx(np.median(rest))
            else:
                assert np.isnan(others[row])


def test_spread_of_few_votes_is_drawn_to_the_typical() -> None:
    spread = shrunk_spread_ppm(np.array([0.0, 0.0, 4.0]), np.array([1, 3, 10_001]), 2.0)
    assert spread == pytest.approx([2.0, 1.0, 4.0], abs=1e-3)


def test_a_sphere_with_few_residuals_takes_the_one_before() -> None:
    many = Residuals(np.linspace(0, 2, 101), np.ones(101), np.full(101, 5))
    few = Residuals(np.array([50.0]), np.ones(1), np.ones(1, dtype=np.int64))
    typical, widths = calibrate([many, few])
    assert typical.tolist() == [1.0, 1.0]
    assert widths[0].tolist() == widths[1].tolist()
    assert widths[0] == pytest.approx(np.array(LEVELS) * 2.0)
    assert width_factor(widths, 0.75) == pytest.approx([1.5, 1.5])


def test_keys_tell_nucleus_and_sphere_apart() -> None:
    keys = environment_keys("13C", ("C-4;", "C-4;")) + environment_keys("1H", ("C-4;",))
    assert len(set(keys)) == 5
    assert all(0 <= key < 2**64 for key in keys)
