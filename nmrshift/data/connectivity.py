"""What makes two structures the same molecule for a split: who is bonded to whom."""

import hashlib

from nmrshift.chem.toolkit import Chem, quiet, rdinchi


def connectivity(mol: Chem.Mol) -> str:
    """Return the first block of a molecule's InChIKey: 14 letters, blind to stereo and isotopes.

    The block does not tell protonated forms apart either. Where InChI cannot name the molecule, a
    hash of the canonical SMILES without stereo stands in, its first character ``~``.

    Args:
        mol: sanitised molecule.
    """
    with quiet():
        try:
            key = rdinchi.MolToInchiKey(mol)
        except (ValueError, RuntimeError):
            key = ""
    if key:
        return str(key).split("-", 1)[0]
    text = Chem.MolToSmiles(mol, isomericSmiles=False)
    return "~" + hashlib.blake2b(text.encode(), digest_size=7).hexdigest()[:13].upper()


def fragment_connectivities(mol: Chem.Mol) -> tuple[str, ...]:
    """Return the connectivity of each separate fragment, the largest (in heavy atoms) first.

    Fragments of equal size stand in alphabetical order, so the order of atoms has no influence.
    """
    fragments = Chem.GetMolFrags(mol, asMols=True)
    if len(fragments) == 1:
        return (connectivity(mol),)
    named = [(-fragment.GetNumHeavyAtoms(), connectivity(fragment)) for fragment in fragments]
    return tuple(name for _, name in sorted(named))
