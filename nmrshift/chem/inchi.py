"""InChI to a molecule, and the molblock that fixes an atom order for it.

An InChI reader may answer with another molecule than the one asked for; the library then says
"Problems/mismatches" and RDKit passes the molecule on. Such answers are refused here.
"""

import re
from typing import Final

from nmrshift.chem.policy import PERIODIC_TABLE, Limits, check_graph, check_no_query
from nmrshift.chem.toolkit import Chem, rdDepictor, rdinchi
from nmrshift.errors import (
    InvalidTextError,
    ParseError,
    TooLargeError,
    UnsupportedElementError,
)

_INCHI: Final = re.compile(r"InChI=1S?/[!-~]+")
_FORMULA_PART: Final = re.compile(r"([0-9]*)((?:[A-Z][a-z]?[0-9]*)+)")
_ELEMENT_COUNT: Final = re.compile(r"([A-Z][a-z]?)([0-9]*)")
_SHIFT: Final = re.compile(r"([+-])([0-9]+)")
_MAX_DIGITS: Final[int] = 6
_ISOTOPE_SHIFTS: Final = range(-6, 31)
"""Mass shifts taken, against the rounded atomic mass; InChI wraps what is far outside."""
_MAX_COMPONENT_CHARGE: Final[int] = 100
"""Charge or protons of one component; RDKit wraps single charges beyond 127."""
_MAX_LAYOUT_ATOMS: Final[int] = 150
"""Above this a molblock is written without coordinates: the 2D layout grows beyond 0.1 s."""


def mol_from_inchi(text: str, limits: Limits) -> Chem.Mol:
    """Read a standard or non-standard InChI, outer whitespace already stripped.

    Args:
        text: the InChI.
        limits: limits in force.

    Returns:
        A sanitised molecule; its atom order is RDKit's, for InChI has none.

    Raises:
        InvalidTextError: not printable ASCII, or numbers out of range.
        ParseError: not an InChI, or one that the library reads as something else.
        TooLargeError: above the limits.
        UnsupportedElementError: an element outside the limits.
        NoTargetAtomsError: no atom other than hydrogen.
    """
    _check_text(text, limits)
    mol: Chem.Mol | None
    try:
        mol, code, message, _ = rdinchi.InchiToMol(text, True, True)
    except (ValueError, RuntimeError) as error:
        raise ParseError(f"InChI cannot be read: {str(error).strip().splitlines()[0]}") from None
    if mol is None or code != 0:
        raise ParseError(f"InChI cannot be read: {message.strip() or 'syntax error'}")
    check_graph(mol, limits)
    check_no_query(mol, limits)
    return mol


def write_molblock(mol: Chem.Mol) -> str:
    """Return a V2000 molblock (V3000 above 999 atoms) in the atom order of ``mol``.

    It has a 2D layout, and with it the stereochemistry, up to 150 heavy atoms; larger molecules
    are written without coordinates.
    """
    copy = Chem.Mol(mol)
    with_layout = copy.GetNumHeavyAtoms() <= _MAX_LAYOUT_ATOMS
    if with_layout:
        rdDepictor.Compute2DCoords(copy)
    try:
        return Chem.MolToMolBlock(copy, includeStereo=with_layout)
    except (ValueError, RuntimeError):
        return Chem.MolToMolBlock(copy, includeStereo=with_layout, kekulize=False)


def _check_text(text: str, limits: Limits) -> None:
    if len(text) > limits.max_inchi_chars:
        raise TooLargeError(f"{len(text)} characters; at most {limits.max_inchi_chars}")
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise InvalidTextError("whitespace or characters other than printable ASCII in the InChI")
    if not _INCHI.fullmatch(text):
        raise ParseError("not an InChI: it starts with InChI=1S/ and a formula")
    layers = text.split("/")[1:]
    if layers[0][:1].isupper() or layers[0][:1].isdigit():
        _check_formula(layers.pop(0), limits)
    for layer in layers:
        _check_layer(layer)


def _check_formula(formula: str, limits: Limits) -> None:
    """Count heavy atoms and fragments before the library allocates them."""
    n_heavy = n_fragments = 0
    for part in formula.split("."):
        match = _FORMULA_PART.fullmatch(part)
        if match is None or any(len(run) > _MAX_DIGITS for run in re.findall("[0-9]+", part)):
            raise ParseError(f"InChI formula cannot be read: {part[:30]}")
        copies = int(match[1] or 1)
        n_fragments += copies
        for symbol, count in _ELEMENT_COUNT.findall(match[2]):
            if symbol not in PERIODIC_TABLE:
                raise UnsupportedElementError(f"{symbol} in the InChI formula is no element")
            n_heavy += copies * int(count or 1) * (symbol != "H")
    if n_heavy > limits.max_heavy_atoms:
        raise TooLargeError(f"{n_heavy} heavy atoms; at most {limits.max_heavy_atoms}")
    if n_fragments > limits.max_fragments:
        raise TooLargeError(f"{n_fragments} fragments; at most {limits.max_fragments}")


def _check_layer(layer: str) -> None:
    """Refuse isotope shifts, charges and proton counts that the library would wrap."""
    kind = layer[:1]
    if kind not in ("i", "q", "p"):
        return
    for sign, digits in _SHIFT.findall(layer):
        value = int(sign + digits[:_MAX_DIGITS])
        if kind == "i" and value not in _ISOTOPE_SHIFTS:
            raise InvalidTextError(f"isotope shift {value:+d} out of range in the InChI")
        if kind != "i" and abs(value) > _MAX_COMPONENT_CHARGE:
            raise InvalidTextError(f"charge {value:+d} out of range in the InChI")
