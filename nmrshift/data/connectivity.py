"""What makes two structures the same molecule for a split: who is bonded to whom."""

import hashlib

from nmrshift.chem.toolkit import Chem, quiet, rdinchi


def structure_key(mol: Chem.Mol) -> str:
    """Return the InChIKey of a molecule, which tells stereoisomers and isotopomers apart.

    Where InChI cannot name the molecule, hashes of its canonical SMILES stand in: without stereo
    (first character ``~``), then as it is.

    Args:
        mol: sanitised molecule.
    """
    with quiet():
        try:
            key = str(rdinchi.MolToInchiKey(mol))
        except (ValueError, RuntimeError):
            key = ""
    if key:
        return key
    plain, full = Chem.MolToSmiles(mol, isomericSmiles=False), Chem.MolToSmiles(mol)
    return f"~{_digest(plain)}-{_digest(full)}"


def connectivity(mol: Chem.Mol) -> str:
    """Return the first block of a molecule's key: 14 characters, blind to stereo and isotopes.

    The block does not tell protonated forms apart either.

    Args:
        mol: sanitised molecule.
    """
    return structure_key(mol).split("-", 1)[0]


def fragment_connectivities(mol: Chem.Mol) -> tuple[str, ...]:
    """Return the connectivity of each separate fragment, the largest (in heavy atoms) first.

    Fragments of equal size stand in alphabetical order, so the order of atoms has no influence.
    """
    fragments = Chem.GetMolFrags(mol, asMols=True)
    if len(fragments) == 1:
        return (connectivity(mol),)
    named = [(-fragment.GetNumHeavyAtoms(), connectivity(fragment)) for fragment in fragments]
    return tuple(name for _, name in sorted(named))


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=7).hexdigest()[:13].upper()
