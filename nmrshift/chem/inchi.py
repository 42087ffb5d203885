"""InChI to a molecule, with the molblock that fixes an atom order."""

from nmrshift.chem.policy import Limits
from nmrshift.chem.toolkit import Chem
from nmrshift.errors import InvalidTextError, ParseError, TooLargeError


def mol_from_inchi(text: str, limits: Limits) -> tuple[Chem.Mol, str]:
    """Read an InChI."""
    if not text.isascii() or not text.isprintable() or " " in text or not text:
        raise InvalidTextError("not printable ASCII")
    if len(text) > limits.max_inchi_chars:
        raise TooLargeError(f"{len(text)} characters; at most {limits.max_inchi_chars}")
    mol = Chem.MolFromInchi(text, sanitize=True, removeHs=False)
    if mol is None:
        raise ParseError("not an InChI that can be read")
    return mol, Chem.MolToMolBlock(mol)
