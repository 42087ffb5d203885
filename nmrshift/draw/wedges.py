"""Stereo bonds of a drawing, and the side from which a molecule is seen."""

import numpy as np
from rdkit.Chem.Draw import rdMolDraw2D

from nmrshift.chem.toolkit import Chem


def prepare(mol: Chem.Mol, *, hydrogens: bool = True) -> Chem.Mol:
    """Return a copy with wedges, Kekule bonds, and hydrogens on stereocentres of fused rings.

    Args:
        mol: molecule with a 2D conformer; not changed.
        hydrogens: whether hydrogens are added; they come after all atoms there were.
    """

    def attempt(*, kekulize: bool) -> Chem.Mol:
        return rdMolDraw2D.PrepareMolForDrawing(
            mol, kekulize=kekulize, addChiralHs=hydrogens, wedgeBonds=True
        )

    try:
        return attempt(kekulize=True)
    except ValueError:
        return attempt(kekulize=False)


def turned(mol: Chem.Mol) -> Chem.Mol:
    """Mirror a layout where that makes more wedges solid than broken, as chemists draw them.

    Args:
        mol: molecule with a 2D conformer; not changed.
    """
    wedged = prepare(mol, hydrogens=False)
    kinds = [bond.GetBondDir() for bond in wedged.GetBonds()]
    if kinds.count(Chem.BondDir.BEGINDASH) <= kinds.count(Chem.BondDir.BEGINWEDGE):
        return mol
    mirrored = Chem.Mol(mol)
    conformer = mirrored.GetConformer()
    conformer.SetPositions(conformer.GetPositions() * np.array([-1.0, 1.0, 1.0]))
    return mirrored
