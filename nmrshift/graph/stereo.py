"""Relative configuration as edges, unchanged by reflection and by the numbering of atoms.

Chiral tags depend on the order of neighbours and on the hand of the molecule; shifts depend on
neither. What they do depend on is which groups stand on the same side: of a double bond, of a ring.
"""

from collections.abc import Iterator
from itertools import combinations

from nmrshift.chem.table import DOUBLE, MolTable
from nmrshift.chem.toolkit import Chem

_CIS_BONDS = (Chem.BondStereo.STEREOZ, Chem.BondStereo.STEREOCIS)
_TRANS_BONDS = (Chem.BondStereo.STEREOE, Chem.BondStereo.STEREOTRANS)
_MAX_RING = 8
_MAX_RING_DISTANCE = 3

Pair = tuple[int, int]


def alkene_pairs(table: MolTable) -> Iterator[tuple[Pair, bool]]:
    """Yield pairs of heavy substituents across stereo double bonds and whether they are cis."""
    if DOUBLE not in table.types:
        return
    for number, kind in enumerate(table.types):
        begin, end = table.begins[number], table.ends[number]
        if kind != DOUBLE or table.degrees[begin] == 1 or table.degrees[end] == 1:
            continue
        bond = table.bonds[number]
        stereo = bond.GetStereo()
        if stereo in _CIS_BONDS:
            reference_cis = True
        elif stereo in _TRANS_BONDS:
            reference_cis = False
        else:
            continue
        references = tuple(bond.GetStereoAtoms())
        for x in _heavy_neighbours(table.atoms[begin], end):
            for y in _heavy_neighbours(table.atoms[end], begin):
                flips = (x not in references) + (y not in references)
                yield (x, y), reference_cis == (flips % 2 == 0)


def ring_pairs(table: MolTable) -> Iterator[tuple[Pair, bool]]:
    """Yield pairs of heavy substituents of a ring's stereocentres and whether they are cis."""
    signs = table.signs
    if len(signs) < 2:
        return
    for ring in table.mol.GetRingInfo().AtomRings():
        size = len(ring)
        if size > _MAX_RING:
            continue
        sides: list[tuple[int, int, bool]] = []
        for place, centre in enumerate(ring):
            if centre in signs:
                before, after = ring[place - 1], ring[(place + 1) % size]
                found = _substituent_sides(table, centre, before, after)
                sides += [(place, x, up) for x, up in found]
        for (place_a, x, up_x), (place_b, y, up_y) in combinations(sides, 2):
            apart = abs(place_a - place_b)
            if x != y and 0 < min(apart, size - apart) <= _MAX_RING_DISTANCE:
                yield (x, y), up_x == up_y


def stereo_pair(begin: Chem.Atom, end: Chem.Atom) -> int:
    """Return 1 for bonded stereocentres with like descriptors, 2 for unlike, 0 for others."""
    if not (begin.HasProp("_CIPCode") and end.HasProp("_CIPCode")):
        return 0
    return 1 if begin.GetProp("_CIPCode") == end.GetProp("_CIPCode") else 2


def _heavy_neighbours(atom: Chem.Atom, other_than: int) -> list[int]:
    return [
        n.GetIdx() for n in atom.GetNeighbors() if n.GetIdx() != other_than and n.GetAtomicNum() > 1
    ]


def _substituent_sides(
    table: MolTable, centre: int, before: int, after: int
) -> Iterator[tuple[int, bool]]:
    """Yield the heavy substituents outside the ring and whether each stands above it."""
    order = [bond.GetOtherAtomIdx(centre) for bond in table.atoms[centre].GetBonds()]
    implicit = -1
    if len(order) == 3:
        order.append(implicit)  # RDKit counts an implicit hydrogen or lone pair last
    if len(order) != 4:
        return
    outside = [n for n in order if n not in (before, after)]
    for x, other in (outside, outside[::-1]):
        if x != implicit and table.numbers[x] > 1:
            wanted = [order.index(n) for n in (before, after, x, other)]
            yield x, table.signs[centre] * _parity(wanted) > 0


def _parity(permutation: list[int]) -> int:
    swaps = sum(a > b for a, b in combinations(permutation, 2))
    return -1 if swaps % 2 else 1
