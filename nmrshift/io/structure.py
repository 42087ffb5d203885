"""The molecule that a prediction speaks of, its atoms in the order of the prediction."""

from collections.abc import Iterator

from nmrshift.chem.inchi import write_molblock
from nmrshift.chem.molblock import cut
from nmrshift.chem.parse import parse, sniff
from nmrshift.chem.toolkit import Chem
from nmrshift.errors import OutputError
from nmrshift.types import AtomShift, Prediction


def structure_of(prediction: Prediction) -> Chem.Mol:
    """Read the structure again.

    Args:
        prediction: its molblock is read where it has one, else its input.

    Returns:
        A sanitised molecule without coordinates; atom ``i`` is atom ``i`` of the prediction.

    Raises:
        InputError: the text of the prediction is no molecule.
        OutputError: it is another molecule than the one predicted.
    """
    mol = parse(prediction.molblock or prediction.input).mol
    for atom in prediction.atoms:
        here = atom.atom_index < mol.GetNumAtoms() and mol.GetAtomWithIdx(atom.atom_index)
        if not here or here.GetSymbol() != atom.element:
            raise OutputError(
                f"atom {atom.atom_index} of the prediction is no {atom.element} in its structure"
            )
    return mol


def table_of(prediction: Prediction) -> tuple[tuple[str, ...], str, int]:
    """Return the connection table of a prediction, its atoms in the order of the prediction.

    A table given by the user is kept line by line, coordinates included; for a SMILES one is
    made, with a 2D layout up to 150 heavy atoms, V3000 above 999 atoms.

    Returns:
        The lines from the counts line to ``M  END``, the second header line, and the number of
        atoms.

    Raises:
        InputError: the text of the prediction is no molecule.
        OutputError: it is another molecule than the one predicted.
    """
    mol = structure_of(prediction)
    text = prediction.molblock or prediction.input
    try:
        block = cut(text if sniff(text) == "molblock" else write_molblock(mol))
    except (ValueError, RuntimeError) as error:
        raise OutputError(f"no molblock can be written of it: {error}") from None
    return block.lines, block.program, int(mol.GetNumAtoms())


def annotated_mol(prediction: Prediction) -> Chem.Mol:
    """Return the molecule with the shifts as properties of its atoms.

    Every predicted atom has the numbers ``shift_13C_ppm``, ``low_13C_ppm``, ``high_13C_ppm`` and
    ``signal_13C`` (here for 13C), the shifts as predicted, not rounded.

    Raises:
        InputError: the text of the prediction is no molecule.
        OutputError: it is another molecule than the one predicted.
    """
    mol = structure_of(prediction)
    for shift in prediction.atoms:
        atom = mol.GetAtomWithIdx(shift.atom_index)
        for name, value in numbers_of(shift):
            atom.SetDoubleProp(name, value)
        atom.SetIntProp(f"signal_{shift.nucleus}", shift.signal)
    if prediction.name is not None:
        mol.SetProp("_Name", prediction.name)
    return mol


def numbers_of(shift: AtomShift) -> Iterator[tuple[str, float]]:
    """Yield the properties in ppm of one atom by the names that files and molecules give them."""
    yield f"shift_{shift.nucleus}_ppm", shift.shift_ppm
    yield f"low_{shift.nucleus}_ppm", shift.low_ppm
    yield f"high_{shift.nucleus}_ppm", shift.high_ppm
