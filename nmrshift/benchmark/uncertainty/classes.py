"""Environment classes that are left out of training, to see whether the edge is noticed."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from nmrshift.chem.parse import parse
from nmrshift.chem.policy import RECORD_LIMITS
from nmrshift.chem.toolkit import Chem
from nmrshift.constants import ELEMENT_OF_NUCLEUS
from nmrshift.data.records import ShiftRecord
from nmrshift.errors import InputError

LEFT_OUT: Final = {
    "13C": {
        "nitrile": "[CX2]#[NX1]",
        "alkyne": "[CX2]#[CX2]",
        "cumulene": "[CX2](=*)=*",
        "epoxide": "[#6;r3]1~[#8]~[#6]~1",
        "thiocarbonyl": "[#6]=[#16]",
        "boron": "[#6][#5]",
        "silicon": "[#6][#14]",
        "iodide": "[#6]I",
        "phosphorus": "[#6][#15]",
        "sulfone": "[#6]S(=O)(=O)[#6]",
        "N-oxide": "[#6]~[n+][O-]",
        "acyl halide": "[CX3](=O)[Cl,Br]",
        "azo": "[#6]N=N",
        "oxime": "[CX3]=N[OX2]",
        "peroxide": "[#6]OO",
        "cyclobutane": "[CX4;r4]",
        "furan": "c1ccoc1",
    },
    "19F": {
        "F on sulfur": "FS",
        "F on nitrogen": "FN",
        "F on phosphorus": "FP",
        "F on boron": "FB",
        "F on carbon on silicon": "FC[Si]",
        "trifluoromethoxy": "FC(F)(F)[OX2]",
        "trifluoromethylthio": "FC(F)(F)[SX2]",
        "fluoroalkene": "F[C]=[C]",
        "2-fluoropyridine": "Fc~n",
        "acyl fluoride": "FC=O",
    },
}
"""SMARTS of each class; its atoms of the nucleus' element are judged."""


@dataclass(frozen=True, slots=True)
class Marked:
    """A spectrum whose molecule has a class that is left out.

    Attributes:
        inside: its lines of atoms of such a class, one record a class.
        beside: its other lines.
    """

    inside: tuple[ShiftRecord, ...]
    beside: ShiftRecord | None


def has_class(record: ShiftRecord) -> bool:
    """Say whether the molecule has an environment that is left out, of whatever nucleus."""
    return bool(_found(record.smiles))


def mark(record: ShiftRecord) -> Marked:
    """Divide the assigned lines of a spectrum by class; record names begin with the class."""
    element = ELEMENT_OF_NUCLEUS[record.nucleus]
    known = LEFT_OUT[record.nucleus]
    found = {name: atoms[element] for name, atoms in _found(record.smiles).items()}
    inside = tuple(_parts(record, {name: atoms for name, atoms in found.items() if name in known}))
    taken = set[int]().union(*found.values())
    rest = tuple(line for line in record.shifts or () if line[0] not in taken)
    return Marked(inside, replace(record, shifts=rest) if rest else None)


def _parts(record: ShiftRecord, found: dict[str, set[int]]) -> Iterator[ShiftRecord]:
    for name, atoms in found.items():
        lines = tuple(line for line in record.shifts or () if line[0] in atoms)
        if lines:
            yield replace(record, id=f"{name}:{record.id}", shifts=lines)


@cache
def _patterns() -> dict[str, Chem.Mol]:
    return {
        name: Chem.MolFromSmarts(smarts)
        for classes in LEFT_OUT.values()
        for name, smarts in classes.items()
    }


def _found(smiles: str) -> dict[str, dict[str, set[int]]]:
    """Return the atoms of every class that a molecule has, by element."""
    try:
        mol = parse(smiles, kind="smiles", limits=RECORD_LIMITS).mol
    except InputError:
        return {}
    found: dict[str, dict[str, set[int]]] = {}
    for name, pattern in _patterns().items():
        for match in mol.GetSubstructMatches(pattern):
            by_element = found.setdefault(name, defaultdict(set))
            for atom in match:
                by_element[mol.GetAtomWithIdx(atom).GetSymbol()].add(atom)
    return found
