"""Parts of molecules: connected, holding their object, cut out without a change."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from structures import LARGER
from toy import SMILES

from nmrshift.chem.parse import parse
from nmrshift.graph.batch import GraphBatch, batch_graphs
from nmrshift.graph.features import V1
from nmrshift.graph.molgraph import mol_graph
from nmrshift.pretrain.views import (
    Bonds,
    cut_out,
    fragments,
    object_part,
    propose,
    random_part,
    read_bonds,
)

TEXTS = [text for text in (*LARGER, *SMILES) if "." not in text]


def batch_of(texts: list[str]) -> tuple[GraphBatch, Bonds]:
    batch = batch_graphs([mol_graph(parse(text).mol, V1) for text in texts])
    return batch, read_bonds(batch, V1)


@pytest.fixture(scope="module")
def molecules() -> tuple[GraphBatch, Bonds]:
    return batch_of(TEXTS)


def n_pieces(batch: GraphBatch, bonds: Bonds, part: np.ndarray, mol: int) -> int:
    own = part & (batch.atom_to_mol == mol)
    kept = own[bonds.src] & own[bonds.dst]
    n = batch.n_atoms
    joined = csr_array((np.ones(kept.sum()), (bonds.src[kept], bonds.dst[kept])), shape=(n, n))
    labels = connected_components(joined, directed=False)[1]
    return len(set(labels[own].tolist()))


@pytest.mark.parametrize("seed", range(5))
def test_random_parts_are_connected_and_as_large_as_asked(
    molecules: tuple[GraphBatch, Bonds], seed: int
) -> None:
    batch, bonds = molecules
    part = random_part(batch, bonds, 0.5, np.random.default_rng(seed))
    for mol, size in enumerate(np.diff(batch.first_atom).tolist()):
        assert n_pieces(batch, bonds, part, mol) == 1
        chosen = part[batch.atom_to_mol == mol].sum()
        assert chosen == max(2, int(np.ceil(0.5 * size)))


def test_random_parts_differ_with_the_seed(molecules: tuple[GraphBatch, Bonds]) -> None:
    batch, bonds = molecules
    parts = {random_part(batch, bonds, 0.5, np.random.default_rng(s)).tobytes() for s in range(4)}
    assert len(parts) == 4


@pytest.mark.parametrize("seed", range(5))
def test_object_parts_are_connected_and_hold_an_object(
    molecules: tuple[GraphBatch, Bonds], seed: int
) -> None:
    batch, bonds = molecules
    objects = propose(batch, bonds)
    part = object_part(batch, bonds, objects, 2, np.random.default_rng(seed))
    whole = [
        (mol, bool(part[objects.atoms[first:last]].all()))
        for mol, first, last in zip(
            objects.mol.tolist(), objects.first[:-1], objects.first[1:], strict=True
        )
    ]
    for mol in range(batch.n_mols):
        assert n_pieces(batch, bonds, part, mol) == 1
        assert any(held for number, held in whole if number == mol)


def test_the_objects_of_aspirin() -> None:
    batch, bonds = batch_of(["CC(=O)Oc1ccccc1C(=O)O"])
    objects = propose(batch, bonds)
    found = {
        frozenset(objects.atoms[first:last].tolist())
        for first, last in zip(objects.first[:-1], objects.first[1:], strict=True)
    }
    ring, ester, acid = {4, 5, 6, 7, 8, 9}, {1, 2, 3}, {10, 11, 12}
    assert {frozenset(ring), frozenset(ester), frozenset(acid)} <= found


def test_fragments_part_at_the_bonds_of_retrosynthesis() -> None:
    batch, bonds = batch_of(["O=C(Nc1ccc(F)cc1)c1ccncc1", "CCCC"])
    labels = fragments(batch, bonds)
    pieces = {frozenset(np.flatnonzero(labels == label).tolist()) for label in set(labels.tolist())}
    ring = set(batch.first_atom[0] + np.array([3, 4, 5, 6, 7, 8, 9]))
    assert frozenset(int(atom) for atom in ring) in pieces  # fluorine stays on its ring
    assert frozenset(range(int(batch.first_atom[1]), batch.n_atoms)) in pieces  # butane stays whole


def test_a_part_that_is_all_is_the_molecule(molecules: tuple[GraphBatch, Bonds]) -> None:
    batch, _ = molecules
    same = cut_out(batch, np.ones(batch.n_atoms, dtype=bool))
    for name in ("V", "E", "edge_src", "edge_dst", "atom_to_mol", "first_atom"):
        assert np.array_equal(getattr(same, name), getattr(batch, name))


def test_a_part_keeps_its_bonds_and_no_other(molecules: tuple[GraphBatch, Bonds]) -> None:
    batch, bonds = molecules
    part = random_part(batch, bonds, 0.4, np.random.default_rng(0))
    small = cut_out(batch, part)
    old = np.flatnonzero(part)
    assert np.array_equal(small.V, batch.V[old])
    found = set(zip(old[small.edge_src].tolist(), old[small.edge_dst].tolist(), strict=True))
    every = zip(batch.edge_src.tolist(), batch.edge_dst.tolist(), strict=True)
    assert found == {(a, b) for a, b in every if part[a] and part[b]}
    assert np.array_equal(np.diff(small.first_atom), np.bincount(batch.atom_to_mol[part]))
