"""Which molecules go together, in which order, and how large they are taken to be."""

import pytest
from rdkit import Chem

from nmrshift.types import Query
from service.apart.line import Line
from service.estimate import estimated_atoms
from service.options import Options
from service.tickets import Item, Ticket

OPTIONS = Options(("13C",), None, None, 0.9)


def items(n, *, n_atoms=10, **kwargs):
    ticket = Ticket(OPTIONS, n, **kwargs)
    return [Item(ticket, place, Query("C"), n_atoms, lambda _: None) for place in range(n)]


def line_of(*groups, max_molecules=8):
    line = Line(max_molecules)
    for group in groups:
        line.put(group)
    return line


def test_a_batch_has_a_size():
    line = line_of(items(20))
    assert [len(line.take(1)[0]) for _ in range(4)] == [8, 8, 4, 0]


def test_those_that_have_nothing_to_do_share():
    line = line_of(items(9))
    assert [len(line.take(n)[0]) for n in (3, 2, 1)] == [3, 3, 3]


def test_a_batch_has_a_bound_of_atoms_and_a_giant_goes_alone():
    small, giant = items(3, n_atoms=900), items(1, n_atoms=50_000)
    line = line_of(small, giant, small[:1])
    assert [line.take(1)[0] for _ in range(4)] == [small[:2], small[2:], giant, small[:1]]


def test_requests_go_first_and_jobs_in_half_batches():
    job, request = items(10, is_background=True), items(2)
    line = line_of(job, request)
    assert line.take(1)[0] == request
    assert [len(line.take(1)[0]) for _ in range(3)] == [4, 4, 2]


def test_what_is_put_back_is_where_it_was():
    group = items(6)
    line = line_of(group, max_molecules=4)
    batch, _ = line.take(1)
    line.put_back(batch[1:])
    assert line.take(1)[0] == group[1:5]


def test_what_nobody_waits_for_is_dropped_and_counted():
    given_up, wanted = items(5), items(2)
    line = line_of(given_up, wanted)
    given_up[0].ticket.future.cancel()
    assert line.take(1) == (wanted, 5)
    assert len(line) == 0


@pytest.mark.parametrize("smiles", ["C", "CCO", "c1ccc(F)cc1C(=O)O", "[Na+].[Cl-]", "C" * 300])
def test_sizes_are_about_right_whatever_the_notation(smiles):
    mol = Chem.MolFromSmiles(smiles)
    n_atoms = mol.GetNumAtoms()
    for structure in (smiles, Chem.MolToMolBlock(mol), mol):
        found = estimated_atoms(Query(structure)) - 10
        assert n_atoms <= found <= 2 * n_atoms + 6, structure


def test_nothing_is_too_odd_to_have_a_size():
    assert estimated_atoms(Query("")) == 10
    assert estimated_atoms(Query("\n" * 5)) == 10
