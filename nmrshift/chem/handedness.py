"""The parts of a molecule that a reflection or a swap of two equal groups can turn over.

A permutation of atoms is a symmetry of the time-averaged molecule when it keeps the handedness
of every tetrahedral centre (a rotation) or turns over every one (a reflection), and leaves the
two sides of every double bond as they are (Mislow and Siegel, doi 10.1021/ja00323a043).
"""

from dataclasses import dataclass
from typing import Final

from nmrshift.chem.table import DOUBLE, MULTIPLE, MolTable
from nmrshift.chem.toolkit import Chem

_LONE_PAIR_CENTRES: Final[frozenset[int]] = frozenset((15, 16, 33, 34, 51, 52))
"""P, S, As, Se, Sb, Te with three neighbours keep their pyramid at room temperature."""
_TETRAHEDRAL: Final[frozenset[int]] = frozenset((5, 6, 7, 13, 14, 15, 16, 32, 33, 50))
"""B C N Al Si P S Ge As Sn: tetrahedral with four neighbours; Pt is flat, Se(IV) a see-saw."""
_PLANAR_ENDS: Final[frozenset[int]] = frozenset((6, 7))
_CARBON: Final[int] = 6
_NITROGEN: Final[int] = 7
_OXYGEN: Final[int] = 8
_SAME_SIDE: Final[dict[Chem.BondStereo, int]] = {
    Chem.BondStereo.STEREOZ: 1,
    Chem.BondStereo.STEREOCIS: 1,
    Chem.BondStereo.STEREOE: -1,
    Chem.BondStereo.STEREOTRANS: -1,
}


Part = int | tuple[int, int]
"""A handed part: a centre by its atom, a double bond by its two atoms, lower index first."""


@dataclass(frozen=True, slots=True)
class Centre:
    """A tetrahedral or pyramidal atom.

    Attributes:
        around: its neighbours, hydrogens left out, in the order that ``sign`` refers to.
        sign: +1 or -1 as specified, 0 where the input does not say.
        tied: two of the neighbours are constitutionally equal.
    """

    around: tuple[int, ...]
    sign: int
    tied: bool


@dataclass(frozen=True, slots=True)
class DoubleBond:
    """A double bond whose two ends can each tell their sides apart.

    Attributes:
        first: other neighbours of the atom of lower index; the first of them is its mark.
        second: the same for the atom of higher index.
        sign: +1 marks on one side, -1 on opposite sides, 0 where the input does not say.
        tied: the two neighbours at one of the ends are constitutionally equal.
    """

    first: tuple[int, ...]
    second: tuple[int, ...]
    sign: int
    tied: bool


@dataclass(frozen=True, slots=True)
class Handedness:
    """All handed parts of a molecule: by atom, and by pair of atoms (lower index first)."""

    centres: dict[int, Centre]
    bonds: dict[tuple[int, int], DoubleBond]

    def atoms(self, part: Part) -> tuple[int, ...]:
        """Return the atoms of a part, its own first."""
        if isinstance(part, tuple):
            bond = self.bonds[part]
            return (*part, *bond.first, *bond.second)
        return (part, *self.centres[part].around)


def find_handedness(table: MolTable, ranks: list[int]) -> Handedness:
    """Collect the centres and double bonds of a molecule.

    Args:
        table: a molecule without plain hydrogen atoms.
        ranks: constitutional class of each atom.

    Returns:
        The handed parts. CF3 and C(CH3)3 are left out, for they turn freely; sulfonyl and
        phosphonic acid groups, whose oxygens are equal or exchange; amine nitrogens, which
        invert; and amide bonds, which rotate.
    """
    centres: dict[int, Centre] = {}
    aromatic, numbers, hydrogens = table.aromatic, table.numbers, table.hydrogens
    for index, degree in enumerate(table.degrees):
        if degree < 3 or aromatic[index]:
            continue
        total = degree + hydrogens[index]
        number = numbers[index]
        if total == 4:
            if number not in _TETRAHEDRAL or (number == _NITROGEN and degree == 3):
                continue
        elif total != 3 or number not in _LONE_PAIR_CENTRES:
            continue
        centre = _read_centre(table, index, ranks)
        if centre is not None:
            centres[index] = centre
    return Handedness(centres, _find_bonds(table, ranks))


def _read_centre(table: MolTable, index: int, ranks: list[int]) -> Centre | None:
    """Return the centre, or ``None`` where equal end groups can turn it over at no cost."""
    around = tuple([atom.GetIdx() for atom in table.atoms[index].GetNeighbors()])
    kinds = [ranks[neighbour] for neighbour in around]
    tied = len(set(kinds)) < len(kinds)
    ends = [neighbour for neighbour in around if table.degrees[neighbour] == 1]
    if len(ends) > 1:
        kinds_of_ends = [ranks[neighbour] for neighbour in ends]
        oxygens = sum(table.numbers[neighbour] == _OXYGEN for neighbour in ends)
        if oxygens > 1 and table.numbers[index] != _CARBON:
            return None
        if any(kinds_of_ends.count(kind) > 2 for kind in kinds_of_ends):
            return None
    return Centre(around, table.signs.get(index, 0), tied)


def _find_bonds(table: MolTable, ranks: list[int]) -> dict[tuple[int, int], DoubleBond]:
    bonds: dict[tuple[int, int], DoubleBond] = {}
    for number, kind in enumerate(table.types):
        if kind != DOUBLE:
            continue
        low, high = sorted((table.begins[number], table.ends[number]))
        if not (_can_be_planar(table, low) and _can_be_planar(table, high)):
            continue
        first, second = _read_end(table, low, high), _read_end(table, high, low)
        if first and second:
            pairs = [end for end in (first, second) if len(end) == 2]
            tied = any(ranks[a] == ranks[b] for a, b in pairs)
            sign = _relation(table.bonds[number], first[0], second[0])
            bonds[low, high] = DoubleBond(first, second, sign, tied)
    return bonds


def _can_be_planar(table: MolTable, end: int) -> bool:
    number = table.numbers[end]
    if number not in _PLANAR_ENDS or not 2 <= table.degrees[end] <= 3:
        return False
    return not (number == _NITROGEN and table.hydrogens[end])


def _read_end(table: MolTable, end: int, other: int) -> tuple[int, ...]:
    """Return the other neighbours of a double-bonded atom; empty where its sides are alike."""
    rest = []
    for bond in table.atoms[end].GetBonds():
        neighbour = bond.GetOtherAtomIdx(end)
        if neighbour == other:
            continue
        if table.types[bond.GetIdx()] in MULTIPLE:
            return ()
        rest.append(neighbour)
    if table.numbers[other] == _NITROGEN and any(table.numbers[i] == _NITROGEN for i in rest):
        return ()
    return tuple(rest)


def _relation(bond: Chem.Bond, first: int, second: int) -> int:
    """Return +1 where the marks of both ends lie on one side, -1 opposite, 0 unknown."""
    sign = _SAME_SIDE.get(bond.GetStereo(), 0)
    if sign:
        for named in bond.GetStereoAtoms():
            if named not in (first, second):
                sign = -sign
    return sign
