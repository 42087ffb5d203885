"""What is refused: limits on text and graph, supported elements, and the checks that apply them.

Every check runs on text or on an unsanitised molecule, before any ring is searched, so that no
input inside the limits can hang or crash RDKit.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from nmrshift.chem.toolkit import Chem, atoms_of
from nmrshift.errors import (
    InvalidTextError,
    NoTargetAtomsError,
    ParseError,
    TooLargeError,
    UnsupportedElementError,
)

_ELEMENTS = "H Li B C N O F Na Mg Al Si P S Cl K Ca Ge As Se Br Rb Sn Sb Te I Xe Cs Pt"
SUPPORTED_ELEMENTS: Final[frozenset[str]] = frozenset(_ELEMENTS.split())
"""Elements that a molecule may hold."""

PERIODIC_TABLE: Final[tuple[str, ...]] = tuple(
    Chem.GetPeriodicTable().GetElementSymbol(number) for number in range(1, 119)
)
"""Element symbols by atomic number, hydrogen first."""

_POLYMERS = "SRU MON MER COP CRO MOD GRA ANY MIX FOR COM"
POLYMER_GROUPS: Final[frozenset[str]] = frozenset(_POLYMERS.split())
"""Sgroup types under which a molfile stands for something other than the molecule drawn."""

BOND_TYPES: Final[frozenset[Chem.BondType]] = frozenset(
    (
        Chem.BondType.SINGLE,
        Chem.BondType.DOUBLE,
        Chem.BondType.TRIPLE,
        Chem.BondType.QUADRUPLE,
        Chem.BondType.AROMATIC,
        Chem.BondType.DATIVE,
    )
)
"""Bonds that mean one thing; every other type is a query or a guess."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Published limits on one molecule; what lies above is refused with a code.

    Attributes:
        max_text_chars: characters of a SMILES, outer whitespace not counted.
        max_inchi_chars: characters of an InChI.
        max_molblock_chars: characters of a molblock, data fields after it included.
        max_heavy_atoms: atoms other than hydrogen.
        max_atoms: atoms in all, written hydrogens included.
        max_degree: neighbours of one atom.
        max_fragments: separate molecules in one input, counted on the graph.
        max_rings: independent rings (bonds - atoms + fragments).
        max_abs_charge: formal charge of one atom, either sign.
        max_isotope: mass number of one atom.
        elements: symbols allowed; ``None`` allows the whole periodic table (never a dummy).
    """

    max_text_chars: int = 1000
    max_inchi_chars: int = 5000
    max_molblock_chars: int = 200_000
    max_heavy_atoms: int = 300
    max_atoms: int = 1000
    max_degree: int = 8
    max_fragments: int = 20
    max_rings: int = 120
    max_abs_charge: int = 8
    max_isotope: int = 400
    elements: frozenset[str] | None = SUPPORTED_ELEMENTS


DEFAULT_LIMITS: Final[Limits] = Limits()
"""Limits of predictions."""

RECORD_LIMITS: Final[Limits] = replace(
    DEFAULT_LIMITS,
    max_text_chars=20_000,
    max_inchi_chars=20_000,
    max_molblock_chars=2_000_000,
    max_heavy_atoms=1000,
    max_atoms=3000,
    max_degree=16,
    max_fragments=60,
    max_rings=250,
    elements=None,
)
"""Limits for records of data files: every element and longer texts, still no dummy atoms."""


def check_charge_and_isotope(charge: int, isotope: int, where: str, limits: Limits) -> None:
    """Refuse a charge or mass number that RDKit would wrap, or that no atom has.

    Args:
        charge: formal charge as written.
        isotope: mass number as written, 0 for none.
        where: the place, for the message.
        limits: limits in force.

    Raises:
        InvalidTextError: a number is out of range.
    """
    if abs(charge) > limits.max_abs_charge:
        raise InvalidTextError(f"charge out of range at {where}: at most {limits.max_abs_charge}")
    if not 0 <= isotope <= limits.max_isotope:
        raise InvalidTextError(f"isotope out of range at {where}: at most {limits.max_isotope}")


@dataclass(frozen=True, slots=True)
class Graph:
    """A molecule that passed the check, and what was counted on the way.

    Attributes:
        mol: the molecule.
        n_fragments: separate molecules.
    """

    mol: Chem.Mol
    n_fragments: int

    @property
    def numbers(self) -> tuple[int, ...]:
        """Atomic number of each atom, in input order."""
        return _numbers(self.mol)


def check_graph(mol: Chem.Mol, limits: Limits, *, connected: bool = False) -> Graph:
    """Check an unsanitised molecule against limits and elements, without any ring search.

    Args:
        mol: the molecule.
        limits: limits in force.
        connected: whether it is known to be in one piece.

    Raises:
        UnsupportedElementError: a dummy atom or an element outside ``limits.elements``.
        TooLargeError: more atoms, neighbours, rings or fragments than the limits allow.
        NoTargetAtomsError: no atom other than hydrogen.
    """
    outside = mol.HasSubstructMatch(_outside(limits))
    if outside:
        check_elements(_numbers(mol), limits)
    n_atoms, n_heavy = mol.GetNumAtoms(), mol.GetNumHeavyAtoms()
    if n_atoms > limits.max_atoms or n_heavy > limits.max_heavy_atoms:
        raise TooLargeError(
            f"{n_heavy} heavy atoms of {n_atoms}; at most {limits.max_heavy_atoms} heavy atoms, "
            f"{limits.max_atoms} in all"
        )
    if n_heavy == 0:
        raise NoTargetAtomsError("the molecule has no atom other than hydrogen")
    if outside:
        degree = max([atom.GetDegree() for atom in atoms_of(mol)])
        raise TooLargeError(f"an atom has {degree} neighbours; at most {limits.max_degree}")
    n_fragments = 1 if connected else len(Chem.GetMolFrags(mol))
    if n_fragments > limits.max_fragments:
        raise TooLargeError(f"{n_fragments} fragments; at most {limits.max_fragments}")
    n_rings = mol.GetNumBonds() - n_atoms + n_fragments
    if n_rings > limits.max_rings:
        raise TooLargeError(f"{n_rings} independent rings; at most {limits.max_rings}")
    return Graph(mol, n_fragments)


def _numbers(mol: Chem.Mol) -> tuple[int, ...]:
    return tuple([atom.GetAtomicNum() for atom in atoms_of(mol)])


@lru_cache(maxsize=32)
def _outside(limits: Limits) -> Chem.Mol:
    """Return a query for an atom whose element or number of neighbours is not allowed."""
    known = range(1, len(PERIODIC_TABLE) + 1)
    allowed = "".join(f"!#{number}" for number in known if is_allowed(number, limits))
    return Chem.MolFromSmarts(f"[{allowed or '*'},D{{{limits.max_degree + 1}-}}]")


def check_elements(numbers: tuple[int, ...], limits: Limits) -> None:
    """Check atomic numbers against the elements allowed.

    Args:
        numbers: atomic number of each atom, in input order; 0 is a dummy.
        limits: limits in force.

    Raises:
        UnsupportedElementError: names the offending atoms by index, from 0.
    """
    bad = {number for number in set(numbers) if not is_allowed(number, limits)}
    if not bad:
        return
    where = [index for index, number in enumerate(numbers) if number in bad]
    names = sorted("dummy atom" if number == 0 else PERIODIC_TABLE[number - 1] for number in bad)
    raise UnsupportedElementError(f"{', '.join(names)} at {name_atoms(where)}")


def is_allowed(number: int, limits: Limits) -> bool:
    """Return whether an atomic number is a real element inside the limits."""
    if not 1 <= number <= len(PERIODIC_TABLE):
        return False
    return limits.elements is None or PERIODIC_TABLE[number - 1] in limits.elements


def name_atoms(indices: list[int], most: int = 10) -> str:
    """Return ``atom 3`` or ``atoms 0, 4, 7`` for a message, cut after ``most`` of them."""
    shown = ", ".join(map(str, indices[:most])) + (", ..." if len(indices) > most else "")
    return f"atom {shown}" if len(indices) == 1 else f"atoms {shown}"


def check_no_query(mol: Chem.Mol, limits: Limits) -> None:
    """Refuse atoms, bonds and groups that match many molecules instead of naming one.

    Raises:
        UnsupportedElementError: a query atom or a polymer.
        ParseError: a query bond.
        InvalidTextError: a charge or isotope out of range.
    """
    queries = [atom.GetIdx() for atom in atoms_of(mol) if atom.HasQuery()]
    if queries:
        raise UnsupportedElementError(f"query at {name_atoms(queries)}")
    for bond in mol.GetBonds():
        if bond.HasQuery() or bond.GetBondType() not in BOND_TYPES:
            ends = [bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()]
            raise ParseError(f"query bond or unknown bond type between {name_atoms(ends)}")
    for group in Chem.GetMolSubstanceGroups(mol):
        if group.HasProp("TYPE") and group.GetProp("TYPE") in POLYMER_GROUPS:
            raise UnsupportedElementError(f"polymer or mixture group at {_members(group)}")
    for atom in atoms_of(mol):
        where = f"atom {atom.GetIdx()}"
        check_charge_and_isotope(atom.GetFormalCharge(), atom.GetIsotope(), where, limits)


def _members(group: Chem.SubstanceGroup) -> str:
    return name_atoms(list(group.GetAtoms()))
