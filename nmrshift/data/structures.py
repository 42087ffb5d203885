"""Structures of data files: from a file's atom order to the positions of a SMILES."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from nmrshift.chem.parse import parse
from nmrshift.chem.policy import RECORD_LIMITS
from nmrshift.chem.toolkit import Chem, quiet
from nmrshift.constants import ELEMENT_OF_NUCLEUS
from nmrshift.data.records import FaultError
from nmrshift.errors import InputError
from nmrshift.types import StructureKind

_NUMBER: Final = re.compile(r"\d+")
_FILE_INDEX: Final = "_file_index"


@dataclass(frozen=True, slots=True)
class FileStructure:
    """A structure with the way from its file's atoms to those of the record.

    Attributes:
        smiles: the structure of the record, hydrogens implicit.
        elements: element of each atom in the file, ``[n_file_atoms]``.
        position: position in ``smiles`` of each atom in the file; of a hydrogen that of the atom
            that carries it, ``[n_file_atoms]``.
        n_hydrogens: hydrogens on each atom of ``smiles``.
    """

    smiles: str
    elements: tuple[str, ...]
    position: tuple[int, ...]
    n_hydrogens: tuple[int, ...]

    def place(self, file_index: int, nucleus: str) -> int:
        """Return the position in ``smiles`` of a signal's atom.

        Args:
            file_index: atom in the file, from 0.
            nucleus: for 1H the atom is a hydrogen, or carries one.

        Raises:
            RecordError: no such atom, or one that cannot have this nucleus.
        """
        if not 0 <= file_index < len(self.elements):
            n_atoms = len(self.elements)
            raise FaultError("index_out_of_range", f"atom {file_index} of {n_atoms}, from 0")
        element = self.elements[file_index]
        position = self.position[file_index]
        wanted = ELEMENT_OF_NUCLEUS.get(nucleus, nucleus.lstrip("0123456789"))
        if wanted == "H" and element != "H":
            if not self.n_hydrogens[position]:
                raise FaultError("wrong_element", f"atom {file_index} ({element}) has no hydrogen")
        elif wanted != element:
            raise FaultError("wrong_element", f"{nucleus} on atom {file_index}, which is {element}")
        return position


def read_structure(text: str, kind: StructureKind) -> FileStructure:
    """Read a structure and write the SMILES of its record, verified atom by atom.

    A SMILES without written hydrogens is kept as it is: its order is the file's.

    Raises:
        InputError: the structure cannot be read.
        RecordError: no SMILES of it reads back as the same molecule.
    """
    mol = parse(text, kind=kind, limits=RECORD_LIMITS).mol
    elements = tuple(atom.GetSymbol() for atom in mol.GetAtoms())
    if kind == "smiles" and "H" not in elements:
        hydrogens = tuple(atom.GetTotalNumHs() for atom in mol.GetAtoms())
        return FileStructure(text.strip(), elements, tuple(range(len(elements))), hydrogens)
    carriers = _carriers(mol)
    for atom in mol.GetAtoms():
        atom.SetIntProp(_FILE_INDEX, atom.GetIdx())
    with quiet():
        bare = Chem.RemoveHs(mol)
    for smiles, order in _writings(bare):
        copy = _read_back(smiles, bare, order)
        if copy is None:
            continue
        position = {
            bare.GetAtomWithIdx(index).GetIntProp(_FILE_INDEX): place
            for place, index in enumerate(order)
        }
        placed = tuple(
            position.get(index, position.get(carriers[index], -1)) for index in range(len(elements))
        )
        if -1 not in placed:
            hydrogens = tuple(atom.GetTotalNumHs(includeNeighbors=True) for atom in copy.GetAtoms())
            return FileStructure(smiles, elements, placed, hydrogens)
    raise FaultError("smiles_not_readable", "no SMILES of the structure reads back as it")


def _carriers(mol: Chem.Mol) -> tuple[int, ...]:
    """Return for each hydrogen the atom that carries it, for every other atom itself."""
    return tuple(
        atom.GetNeighbors()[0].GetIdx()
        if atom.GetAtomicNum() == 1 and atom.GetDegree()
        else atom.GetIdx()
        for atom in mol.GetAtoms()
    )


def _writings(mol: Chem.Mol) -> Iterator[tuple[str, list[int]]]:
    """Yield SMILES, the best first, each with the atom that stands at each position."""
    for options in ({}, {"canonical": False}, {"kekuleSmiles": True}):
        copy = Chem.Mol(mol)
        if "kekuleSmiles" in options:
            Chem.Kekulize(copy, clearAromaticFlags=True)
        smiles = Chem.MolToSmiles(copy, **options)
        written = copy.GetPropsAsDict(True, True)["_smilesAtomOutputOrder"]
        yield smiles, [int(number) for number in _NUMBER.findall(str(list(written)))]


def _read_back(smiles: str, mol: Chem.Mol, order: list[int]) -> Chem.Mol | None:
    """Return the molecule of a SMILES if it is the given one, atom by atom and bond by bond."""
    try:
        copy = parse(smiles, kind="smiles", limits=RECORD_LIMITS).mol
    except InputError:
        return None
    if copy.GetNumAtoms() != len(order) or copy.GetNumBonds() != mol.GetNumBonds():
        return None
    for place, index in enumerate(order):
        if _mark(copy.GetAtomWithIdx(place)) != _mark(mol.GetAtomWithIdx(index)):
            return None
    for bond in copy.GetBonds():
        ends = order[bond.GetBeginAtomIdx()], order[bond.GetEndAtomIdx()]
        if mol.GetBondBetweenAtoms(*ends) is None:
            return None
    return copy


def _mark(atom: Chem.Atom) -> tuple[int, int, int, int]:
    return (
        atom.GetAtomicNum(),
        atom.GetFormalCharge(),
        atom.GetIsotope(),
        atom.GetTotalNumHs(includeNeighbors=True),
    )
