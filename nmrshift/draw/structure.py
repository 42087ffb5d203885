"""The molecule that a prediction speaks of, its atoms in the order of the prediction."""

from nmrshift.chem.parse import parse
from nmrshift.chem.toolkit import Chem
from nmrshift.errors import DrawingError
from nmrshift.types import Prediction


def structure_of(prediction: Prediction) -> Chem.Mol:
    """Read the structure again.

    Args:
        prediction: its molblock is read where it has one, else its input.

    Returns:
        A sanitised molecule without coordinates; atom ``i`` is atom ``i`` of the prediction.

    Raises:
        InputError: the text of the prediction is no molecule.
        DrawingError: it is another molecule than the one predicted.
    """
    mol = parse(prediction.molblock or prediction.input).mol
    for atom in prediction.atoms:
        here = atom.atom_index < mol.GetNumAtoms() and mol.GetAtomWithIdx(atom.atom_index)
        if not here or here.GetSymbol() != atom.element:
            raise DrawingError(
                f"atom {atom.atom_index} of the prediction is no {atom.element} in its structure"
            )
    return mol
