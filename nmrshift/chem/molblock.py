"""V2000 and V3000 molblocks: cut to one block, scanned by us, then read by RDKit.

RDKit drops property lines it does not understand, cuts numbers to their columns and wraps
charges and isotopes. The scan accepts only lines whose every number it has read itself.
"""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Final

from nmrshift.chem import v2000, v3000
from nmrshift.chem.policy import Limits, check_graph, check_no_query
from nmrshift.chem.toolkit import Chem
from nmrshift.errors import InvalidTextError, ParseError, TooLargeError
from nmrshift.types import Notice

_VERSION: Final = re.compile(r".{33,40} V([23]000)\s*")
_HEADER_LINES: Final[int] = 3
_LINES_SEARCHED: Final[int] = 12

HEADER: Final = Notice("header_repaired", "The molblock's three header lines were not all there.")
DATA: Final = Notice("data_ignored", "Data fields after the molblock were not read.")
COORDINATES: Final = Notice(
    "coordinates_ignored", "3D coordinates give the stereochemistry; nothing else is used of them."
)


@dataclass(frozen=True, slots=True)
class Block:
    """One connection table cut out of a text.

    Attributes:
        program: the second header line, which says 2D or 3D.
        version: ``2000`` or ``3000``.
        lines: counts line first, ``M  END`` last.
        notices: what was repaired or left out.
    """

    program: str
    version: str
    lines: tuple[str, ...]
    notices: tuple[Notice, ...]

    def text(self) -> str:
        """Return the block for RDKit, title and comment left blank."""
        return "\n".join(["", self.program, "", *self.lines, ""])


def mol_from_molblock(text: str, limits: Limits) -> tuple[Chem.Mol, tuple[Notice, ...]]:
    """Read one molblock.

    Args:
        text: the molblock; the data fields of an SDF record may follow.
        limits: limits in force.

    Returns:
        The molecule, stereo from wedges or 3D coordinates, without conformer; and notices.

    Raises:
        InvalidTextError: control characters, several records, numbers out of range.
        ParseError: the table breaks its format, or valence.
        TooLargeError: above the limits.
        UnsupportedElementError: elements outside the limits, query atoms, R groups, polymers.
        NoTargetAtomsError: no atom other than hydrogen.
    """
    if len(text) > limits.max_molblock_chars:
        raise TooLargeError(f"{len(text)} characters; at most {limits.max_molblock_chars}")
    block = cut(text)
    scan = v2000.scan if block.version == "2000" else v3000.scan
    n_atoms, bonds = scan(block.lines, limits)
    _check_size(n_atoms, bonds, limits)
    raw = _read(block, sanitize=False)
    if raw is None or (raw.GetNumAtoms(), raw.GetNumBonds()) != (n_atoms, len(bonds)):
        raise ParseError("the molblock cannot be read")
    check_graph(raw, limits)
    check_no_query(raw, limits)
    mol = _read(block, sanitize=True)
    if mol is None:
        raise ParseError(_why_not(raw))
    notices = block.notices
    if mol.GetNumConformers() and mol.GetConformer().Is3D():
        notices += (COORDINATES,)
    mol.RemoveAllConformers()
    forget_unknown_stereo(mol)
    return mol, notices


def cut(text: str) -> Block:
    """Cut the one connection table out of a text.

    Raises:
        InvalidTextError: more than one record, or characters that no molblock holds.
        ParseError: no counts line, or no ``M  END``.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    if "\r" in text.replace("\r\n", "\n"):
        raise ParseError("lines of the molblock end in CR alone")
    start, version = _find_counts(lines)
    end = next((i for i, line in enumerate(lines) if line.rstrip() == "M  END"), None)
    if end is None or end < start:
        raise ParseError("the molblock has no M  END")
    table = tuple(lines[start : end + 1])
    for number, line in enumerate(table, start + 1):
        if not (line.isascii() and line.replace("\t", " ").isprintable()):
            raise InvalidTextError(f"line {number} of the molblock is not printable ASCII")
    notices: tuple[Notice, ...] = () if start == _HEADER_LINES else (HEADER,)
    if _has_data(lines[end + 1 :]):
        notices += (DATA,)
    program = lines[start - 2] if start >= _HEADER_LINES - 1 else ""
    program = program if program.isascii() and program.isprintable() else ""
    return Block(program, version, table, notices)


def _find_counts(lines: list[str]) -> tuple[int, str]:
    """Return the position of the counts line and its version."""
    for index, line in enumerate(lines[:_LINES_SEARCHED]):
        match = _VERSION.fullmatch(line)
        if match:
            if any(extra.strip() for extra in lines[: max(0, index - _HEADER_LINES)]):
                break
            return index, match[1]
    raise ParseError("line 4 of the molblock is not a counts line that ends in V2000 or V3000")


def _has_data(tail: list[str]) -> bool:
    """Return whether data fields follow; refuse whatever else follows.

    Raises:
        InvalidTextError: a second record, or text that is neither.
    """
    rest = [line.rstrip() for line in tail if line.strip()]
    if "$$$$" in rest[:-1] or "M  END" in rest:
        raise InvalidTextError("more than one record", hint="Send one molblock at a time.")
    if rest and rest[-1] == "$$$$":
        rest.pop()
    if rest and not rest[0].startswith(">"):
        raise InvalidTextError("text after M  END is neither a data field nor the end of a record")
    return bool(rest)


def _check_size(n_atoms: int, bonds: list[tuple[int, int]], limits: Limits) -> None:
    """Apply the limits that keep RDKit's reader itself out of trouble."""
    if n_atoms > limits.max_atoms:
        raise TooLargeError(f"{n_atoms} atoms; at most {limits.max_atoms}")
    if len(bonds) > n_atoms + limits.max_rings:
        raise TooLargeError(f"{len(bonds)} bonds between {n_atoms} atoms: too many rings")
    degree = max(Counter(end for bond in bonds for end in bond).values(), default=0)
    if degree > limits.max_degree:
        raise TooLargeError(f"an atom has {degree} neighbours; at most {limits.max_degree}")


def _read(block: Block, *, sanitize: bool) -> Chem.Mol | None:
    try:
        mol = Chem.MolFromMolBlock(block.text(), sanitize=sanitize, removeHs=False)
    except (ValueError, RuntimeError):
        return None
    return mol


def forget_unknown_stereo(mol: Chem.Mol) -> None:
    """Turn crossed and wavy bonds of ``mol`` into plain ones: not specified, as SMILES says it."""
    for bond in mol.GetBonds():
        if bond.GetStereo() == Chem.BondStereo.STEREOANY:
            bond.SetStereo(Chem.BondStereo.STEREONONE)
        if bond.GetBondDir() in (Chem.BondDir.EITHERDOUBLE, Chem.BondDir.UNKNOWN):
            bond.SetBondDir(Chem.BondDir.NONE)


def _why_not(raw: Chem.Mol) -> str:
    try:
        Chem.SanitizeMol(raw)
    except (ValueError, RuntimeError) as error:
        return str(error).strip().splitlines()[0]
    return "the molblock cannot be read"
