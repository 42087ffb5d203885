"""The molecule that a drawn prediction speaks of, its atoms in the order of the prediction."""

from nmrshift.chem.toolkit import Chem
from nmrshift.errors import DrawingError, OutputError
from nmrshift.io import structure
from nmrshift.types import Prediction


def structure_of(prediction: Prediction) -> Chem.Mol:
    """Read the structure again, as :func:`nmrshift.io.structure.structure_of` does.

    Raises:
        InputError: the text of the prediction is no molecule.
        DrawingError: it is another molecule than the one predicted.
    """
    try:
        return structure.structure_of(prediction)
    except OutputError as error:
        raise DrawingError(error.message) from None
