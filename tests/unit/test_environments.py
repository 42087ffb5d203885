"""Environment codes against a slow twin that writes environments out in full."""

from collections import defaultdict
from typing import Any

import numpy as np
import pytest

from nmrshift.chem.parse import parse
from nmrshift.chem.toolkit import Chem
from nmrshift.graph.batch import batch_graphs
from nmrshift.graph.environments import environment_codes
from nmrshift.graph.features import PRESETS, V2
from nmrshift.graph.molgraph import mol_graph
from nmrshift.model.evidence import atom_kinds

SMILES = [
    "CCO",
    "CC(C)(C)c1ccc(F)cc1",
    "OC(=O)/C=C/c1ccc(F)cc1",
    "C[N+](C)(C)CC(=O)[O-]",
    "FC(F)(F)c1ccc(OC)cc1",
    "C1CC2CCC1C2",
    "O=S(=O)(F)F",
    "[Na+].[Cl-]",
    "C",
]


def slow(mol: Chem.Mol, radius: int) -> list[Any]:
    """Return every atom's environment as nested tuples."""
    labels: list[Any] = [
        (a.GetAtomicNum(), a.GetTotalNumHs(), a.GetFormalCharge(), a.GetIsAromatic())
        for a in mol.GetAtoms()
    ]
    for _ in range(radius):
        labels = [
            (
                labels[a.GetIdx()],
                tuple(
                    sorted(
                        (str(b.GetBondType()), repr(labels[b.GetOtherAtomIdx(a.GetIdx())]))
                        for b in a.GetBonds()
                    )
                ),
            )
            for a in mol.GetAtoms()
        ]
    return labels


def codes_of(smiles: str, n_radii: int = 4) -> np.ndarray:
    return environment_codes(batch_graphs([mol_graph(parse(smiles).mol, V2)]), n_radii)


@pytest.mark.parametrize("radius", [1, 2, 3, 4])
def test_codes_are_equal_where_environments_are(radius: int) -> None:
    codes_by_environment: defaultdict[str, set[int]] = defaultdict(set)
    environments_by_code: defaultdict[int, set[str]] = defaultdict(set)
    for smiles in SMILES:
        codes = codes_of(smiles)[:, radius - 1].tolist()
        for code, environment in zip(codes, slow(parse(smiles).mol, radius), strict=True):
            codes_by_environment[repr(environment)].add(code)
            environments_by_code[code].add(repr(environment))
    assert len(codes_by_environment) > 20
    assert all(len(found) == 1 for found in codes_by_environment.values())
    assert all(len(found) == 1 for found in environments_by_code.values())


def test_codes_do_not_depend_on_the_batch_or_the_order_of_atoms() -> None:
    graphs = [mol_graph(parse(smiles).mol, V2) for smiles in SMILES]
    together = environment_codes(batch_graphs(graphs), 4)
    assert (together == np.concatenate([codes_of(smiles) for smiles in SMILES])).all()
    mol = parse(SMILES[2]).mol
    order = list(range(mol.GetNumAtoms()))[::-1]
    turned = mol_graph(Chem.RenumberAtoms(mol, order), V2)
    assert (environment_codes(batch_graphs([turned]), 4)[::-1] == codes_of(SMILES[2])).all()


def test_edges_between_unbonded_atoms_play_no_part() -> None:
    assert (codes_of("C/C=C/C") == codes_of("CC=CC")).all()


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_presets_keep_the_columns_that_codes_read(name: str) -> None:
    names = [feature.name for feature in PRESETS[name].atom]
    assert [names[column] for column in (0, 2, 3, 5)] == [
        *("element", "n_hydrogens", "formal_charge", "aromatic")
    ]


def test_atom_kinds_tell_elements_and_charges_apart() -> None:
    graph = mol_graph(parse("C[N+](C)(C)CC(=O)[O-].N.O").mol, V2)
    kinds = atom_kinds(graph.V).tolist()
    assert len(set(kinds)) == 5
    assert kinds[0] == kinds[2]
