"""Graphs: order, folded hydrogens, and stereo that reflection and renumbering leave alone."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmrshift.chem.parse import parse
from nmrshift.errors import ConfigError
from nmrshift.graph.batch import batch_graphs, store_graphs, take_ranges
from nmrshift.graph.features import BOND_KINDS, PRESETS, V1, Feature, FeaturePreset, preset
from nmrshift.graph.molgraph import MolGraph, mol_graph

STEREO = [
    "C[C@H]1CC[C@@H](O)CC1",
    "C[C@H]1CC[C@H](O)CC1",
    "F/C=C/Cl",
    "C/C(F)=C(\\C)C(F)(F)F",
    "C[C@@H](N)[C@H](O)c1ccccc1",
    "OC[C@H]1O[C@@H](O)[C@H](O)[C@@H](O)[C@@H]1O",
    "C[C@]12CC[C@H]3[C@@H](CCC4=CC(=O)CC[C@]34C)[C@@H]1CC[C@@H]2O",
]


def graph(text: str) -> MolGraph:
    return mol_graph(parse(text).mol, V1)


def edge_bag(g: MolGraph) -> list[tuple[object, ...]]:
    rows = zip(g.E.tolist(), g.edge_src.tolist(), g.edge_dst.tolist(), strict=True)
    return sorted((tuple(e), tuple(g.V[s].tolist()), tuple(g.V[d].tolist())) for e, s, d in rows)


def kinds(g: MolGraph) -> set[str]:
    names = list(BOND_KINDS)
    return {names[code] for code in g.E[:, 0].tolist() if code < len(names)}


@pytest.mark.parametrize("smiles", STEREO)
def test_renumbering_and_reflection_change_nothing(smiles: str) -> None:
    mol = parse(smiles).mol
    order = list(range(mol.GetNumAtoms()))
    random.Random(4).shuffle(order)
    from nmrshift.chem.toolkit import Chem

    mirror = Chem.Mol(mol)
    for atom in mirror.GetAtoms():
        atom.InvertChirality()
    expected = edge_bag(mol_graph(mol, V1))
    assert edge_bag(mol_graph(parse(Chem.RenumberAtoms(mol, order)).mol, V1)) == expected
    assert edge_bag(mol_graph(parse(mirror).mol, V1)) == expected


def test_diastereomers_differ() -> None:
    assert edge_bag(graph(STEREO[0])) != edge_bag(graph(STEREO[1]))
    assert edge_bag(graph("F/C=C/Cl")) != edge_bag(graph("F/C=C\\Cl"))
    erythro, threo = "C[C@@H](N)[C@H](O)c1ccccc1", "C[C@@H](N)[C@@H](O)c1ccccc1"
    assert edge_bag(graph(erythro)) != edge_bag(graph(threo))


def test_sides_are_the_right_ones() -> None:
    assert "alkene_trans" in kinds(graph("F/C=C/Cl"))
    assert "alkene_cis" in kinds(graph("F/C=C\\Cl"))
    assert "ring_cis" in kinds(graph("F[C@H]1C[C@@H](Cl)C1"))
    assert "ring_trans" in kinds(graph("F[C@H]1C[C@H](Cl)C1"))


def test_hydrogens_fold_and_indices_stay() -> None:
    plain, written = graph("CO"), graph("[H]C([H])([H])O[H]")
    assert written.atom_index.tolist() == [1, 4]
    assert np.array_equal(plain.V, written.V)
    assert written.n_hydrogens.tolist() == [3, 1]


def test_unknown_values_take_the_last_slot() -> None:
    toy = FeaturePreset("toy", (Feature("a", (1, 2)), Feature("b", (0,))), (Feature("c", (5,)),))
    codes = toy.encode_atoms([[1, 2, 9, 4000], [0, 1, 0, -90]])
    assert codes.tolist() == [[0, 3], [1, 4], [2, 3], [2, 4]]
    assert toy.atom_slots == 5
    assert toy.to_dict()["bond"] == [["c", [5]]]
    with pytest.raises(ConfigError, match="no feature preset"):
        preset("v0")


@given(st.data(), st.sampled_from(sorted(PRESETS)), st.integers(0, 5))
def test_codes_are_those_of_a_loop(data, name, n_atoms):
    features = PRESETS[name].atom
    value = st.one_of(st.integers(-20, 20), st.integers(-400, 4000), st.booleans())
    columns = [
        data.draw(st.lists(value, min_size=n_atoms, max_size=n_atoms), label=feature.name)
        for feature in features
    ]
    expected, start = [], 0
    for feature, column in zip(features, columns, strict=True):
        slots = {choice: start + slot for slot, choice in enumerate(feature.choices)}
        expected.append([slots.get(one, start + len(feature.choices)) for one in column])
        start += feature.width
    codes = PRESETS[name].encode_atoms(columns)
    assert codes.T.tolist() == expected
    assert codes.dtype == np.int16
    assert codes.flags.c_contiguous


def test_single_atom_and_fragments() -> None:
    batch = batch_graphs([graph("C"), graph("CC.O"), graph("c1ccccc1")])
    assert batch.n_mols == 3
    assert batch.atom_to_mol.tolist() == [0, 1, 1, 1, 2, 2, 2, 2, 2, 2]
    assert batch.first_atom.tolist() == [0, 1, 4, 10]
    inside = batch.atom_to_mol[batch.edge_src] == batch.atom_to_mol[batch.edge_dst]
    assert inside.all()


def test_store_cuts_any_order() -> None:
    graphs = [graph(text) for text in ("CCO", "C", "FC(F)F", "CC.O")]
    store = store_graphs(graphs)
    for picks in ([2, 0], [1], [3, 3, 1], []):
        cut = store.batch(np.array(picks, dtype=np.int64))
        assert cut.n_mols == len(picks)
        if picks:
            expected = batch_graphs([graphs[number] for number in picks])
            for name in ("V", "E", "edge_src", "edge_dst", "atom_to_mol", "first_atom"):
                assert np.array_equal(getattr(cut, name), getattr(expected, name))
    with pytest.raises(ValueError, match="no graphs"):
        store_graphs([])


def test_take_ranges_against_a_loop() -> None:
    starts = np.array([0, 3, 3, 7])
    rows, lengths = take_ranges(starts, np.array([2, 1, 0, 2]))
    assert rows.tolist() == [3, 4, 5, 6, 0, 1, 2, 3, 4, 5, 6]
    assert lengths.tolist() == [4, 0, 3, 4]
