"""Relative configuration as edges, unchanged by reflection and by the numbering of atoms.

Chiral tags depend on the order of neighbours and on the hand of the molecule; shifts depend on
neither. What they do depend on is which groups stand on the same side: of a double bond, of a ring.
"""

from collections.abc import Iterator
from itertools import combinations

from nmrshift.chem.toolkit import Chem

_CIS_BONDS = (Chem.BondStereo.STEREOZ, Chem.BondStereo.STEREOCIS)
_TRANS_BONDS = (Chem.BondStereo.STEREOE, Chem.BondStereo.STEREOTRANS)
_MAX_RING = 8
_MAX_RING_DISTANCE = 3

Pair = tuple[int, int]


def alkene_pairs(mol: Chem.Mol) -> Iterator[tuple[Pair, bool]]:
    """Yield pairs of heavy substituents across stereo double bonds and whether they are cis."""
    for number in range(mol.GetNumBonds()):
        bond = mol.GetBondWithIdx(number)
        stereo = bond.GetStereo()
        if stereo in _CIS_BONDS:
            reference_cis = True
        elif stereo in _TRANS_BONDS:
            reference_cis = False
        else:
            continue
        begin, end = bond.GetBeginAtom(), bond.GetEndAtom()
        references = tuple(bond.GetStereoAtoms())
        for x in _heavy_neighbours(begin, end.GetIdx()):
            for y in _heavy_neighbours(end, begin.GetIdx()):
                flips = (x not in references) + (y not in references)
                yield (x, y), reference_cis == (flips % 2 == 0)


def ring_pairs(mol: Chem.Mol, rings: tuple[tuple[int, ...], ...]) -> Iterator[tuple[Pair, bool]]:
    """Yield pairs of heavy substituents of a ring's stereocentres and whether they are cis."""
    for ring in rings:
        size = len(ring)
        if size > _MAX_RING:
            continue
        sides: list[tuple[int, int, bool]] = []
        for place, centre in enumerate(ring):
            atom = mol.GetAtomWithIdx(centre)
            sign = _tag_sign(atom)
            if sign:
                before, after = ring[place - 1], ring[(place + 1) % size]
                sides += [(place, x, up) for x, up in _substituent_sides(atom, before, after, sign)]
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


def _tag_sign(atom: Chem.Atom) -> int:
    tag = atom.GetChiralTag()
    if tag == Chem.ChiralType.CHI_TETRAHEDRAL_CCW:
        return 1
    return -1 if tag == Chem.ChiralType.CHI_TETRAHEDRAL_CW else 0


def _substituent_sides(
    atom: Chem.Atom, before: int, after: int, sign: int
) -> Iterator[tuple[int, bool]]:
    """Yield the heavy substituents outside the ring and whether each stands above it."""
    order = [bond.GetOtherAtomIdx(atom.GetIdx()) for bond in atom.GetBonds()]
    implicit = -1
    if len(order) == 3:
        order.append(implicit)  # RDKit counts an implicit hydrogen or lone pair last
    if len(order) != 4:
        return
    outside = [n for n in order if n not in (before, after)]
    for x, other in (outside, outside[::-1]):
        if x != implicit and atom.GetOwningMol().GetAtomWithIdx(x).GetAtomicNum() > 1:
            wanted = [order.index(n) for n in (before, after, x, other)]
            yield x, sign * _parity(wanted) > 0


def _parity(permutation: list[int]) -> int:
    swaps = sum(a > b for a, b in combinations(permutation, 2))
    return -1 if swaps % 2 else 1
