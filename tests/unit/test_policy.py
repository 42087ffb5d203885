"""Limits and the checks that apply them."""

import dataclasses

import pytest

from nmrshift.chem import policy
from nmrshift.chem.parse import parse
from nmrshift.chem.policy import DEFAULT_LIMITS, RECORD_LIMITS, SUPPORTED_ELEMENTS
from nmrshift.chem.toolkit import Chem
from nmrshift.errors import (
    InvalidTextError,
    NoTargetAtomsError,
    ParseError,
    TooLargeError,
    UnsupportedElementError,
)


def unsanitised(smiles):
    return Chem.MolFromSmiles(smiles, sanitize=False)


def test_published_limits():
    assert DEFAULT_LIMITS.max_text_chars == 1000
    assert DEFAULT_LIMITS.max_heavy_atoms == 300
    assert len(SUPPORTED_ELEMENTS) == 28
    assert len(policy.PERIODIC_TABLE) == 118
    assert policy.PERIODIC_TABLE[5] == "C"


def test_limits_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        DEFAULT_LIMITS.max_rings = 1  # type: ignore[misc]


def test_graph_counts():
    graph = policy.check_graph(unsanitised("[H]C.O"), DEFAULT_LIMITS)
    assert graph.numbers == (1, 6, 8)
    assert graph.n_fragments == 2


@pytest.mark.parametrize(
    ("smiles", "limit"),
    [
        ("CCCC", {"max_heavy_atoms": 3}),
        ("[H]C([H])[H]", {"max_atoms": 3}),
        ("CC(C)(C)C", {"max_degree": 3}),
        ("C.C.C", {"max_fragments": 2}),
        ("C1CC1C1CC1", {"max_rings": 1}),
    ],
)
def test_each_size_limit(smiles, limit):
    mol = unsanitised(smiles)
    policy.check_graph(mol, DEFAULT_LIMITS)
    with pytest.raises(TooLargeError, match="at most"):
        policy.check_graph(mol, dataclasses.replace(DEFAULT_LIMITS, **limit))


@pytest.mark.parametrize("smiles", ["[H][H]", "[H+]", "[2H][2H]"])
def test_only_hydrogen(smiles):
    with pytest.raises(NoTargetAtomsError):
        policy.check_graph(unsanitised(smiles), DEFAULT_LIMITS)


def test_unsupported_elements_are_named_with_their_atoms():
    with pytest.raises(UnsupportedElementError, match=r"^Hg at atom 1$"):
        parse("C[Hg]C")
    with pytest.raises(UnsupportedElementError, match=r"^Fe, Hg at atoms 0, 2$"):
        parse("[Fe].[Hg]".replace(".", ".C."))
    with pytest.raises(UnsupportedElementError, match=r"^dummy atom at atom 0$"):
        parse("*C")
    with pytest.raises(UnsupportedElementError, match=r"0, 1, 2, 3, 4, 5, 6, 7, 8, 9, \.\.\.$"):
        parse(".".join(["[Fe]"] * 12))


def test_record_limits_take_every_element_but_no_dummy():
    assert parse("C[Hg]C", limits=RECORD_LIMITS).mol.GetNumAtoms() == 3
    assert parse("C" * 900, limits=RECORD_LIMITS).mol.GetNumAtoms() == 900
    with pytest.raises(UnsupportedElementError, match="dummy"):
        parse("*C", limits=RECORD_LIMITS)
    with pytest.raises(InvalidTextError):
        parse("[C+257]", limits=RECORD_LIMITS)


@pytest.mark.parametrize(("charge", "isotope"), [(9, 0), (-9, 0), (0, 401), (0, -1)])
def test_charge_and_isotope_out_of_range(charge, isotope):
    with pytest.raises(InvalidTextError, match="out of range at atom 3"):
        policy.check_charge_and_isotope(charge, isotope, "atom 3", DEFAULT_LIMITS)
    policy.check_charge_and_isotope(8, 400, "atom 3", DEFAULT_LIMITS)


def test_queries_in_a_mol():
    with pytest.raises(UnsupportedElementError, match="query at atoms 0, 1"):
        policy.check_no_query(Chem.MolFromSmarts("[C,N]C"), DEFAULT_LIMITS)
    with pytest.raises(ParseError, match="atoms 0, 1"):
        policy.check_no_query(Chem.MolFromSmiles("C~C"), DEFAULT_LIMITS)


def test_wrong_numbers_in_a_mol():
    mol = Chem.MolFromSmiles("CC")
    mol.GetAtomWithIdx(1).SetIsotope(500)
    with pytest.raises(InvalidTextError, match="isotope out of range at atom 1"):
        policy.check_no_query(mol, DEFAULT_LIMITS)


def test_polymer_group_in_a_mol():
    mol = Chem.MolFromSmiles("CCCC")
    group = Chem.CreateMolSubstanceGroup(mol, "SRU")
    group.SetAtoms([1, 2])
    with pytest.raises(UnsupportedElementError, match="polymer or mixture group at atoms 1, 2"):
        policy.check_no_query(mol, DEFAULT_LIMITS)
