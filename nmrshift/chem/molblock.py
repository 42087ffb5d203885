"""Molblock (V2000, V3000) to a molecule."""

from nmrshift.chem.policy import Limits, check_graph, check_no_query
from nmrshift.chem.toolkit import Chem
from nmrshift.errors import ParseError, TooLargeError


def mol_from_molblock(text: str, limits: Limits) -> tuple[Chem.Mol, bool]:
    """Read a molblock; return the molecule and whether it had 3D coordinates."""
    if len(text) > limits.max_molblock_chars:
        raise TooLargeError(f"{len(text)} characters; at most {limits.max_molblock_chars}")
    mol = Chem.MolFromMolBlock(text, sanitize=False, removeHs=False)
    if mol is None:
        raise ParseError("not a molblock that can be read")
    check_graph(mol, limits)
    check_no_query(mol, limits)
    mol = Chem.MolFromMolBlock(text, sanitize=True, removeHs=False)
    if mol is None:
        raise ParseError("a valence, charge or ring system that cannot be")
    is_3d = mol.GetNumConformers() > 0 and mol.GetConformer().Is3D()
    mol.RemoveAllConformers()
    return mol, is_3d
