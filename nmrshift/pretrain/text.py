"""What goes with a molecule as text: its SMILES from a random atom, or the peaks of a spectrum."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from nmrshift.chem.toolkit import Chem
from nmrshift.data.records import ShiftRecord

PAD: Final = 0
BEGIN_SMILES: Final = 1
BEGIN_PEAKS: Final = 2
END: Final = 3
OTHER: Final = 4
_ALPHABET: Final = " #%()+-./0123456789:=@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]abcdefghijklmnopqrstuvwxyz"
N_TOKENS: Final = OTHER + 1 + len(_ALPHABET)
_TOKEN: Final = {character: OTHER + 1 + place for place, character in enumerate(_ALPHABET)}


def tokens(text: str, begin: int, longest: int) -> NDArray[np.uint8]:
    """Return a text as tokens between a begin and an end ``[n]``; what is too long is cut.

    Args:
        text: what to write.
        begin: which kind of text it is.
        longest: most characters.
    """
    body = [_TOKEN.get(character, OTHER) for character in text[:longest]]
    return np.array([begin, *body, END], dtype=np.uint8)


def random_smiles(mol: Chem.Mol, seed: int) -> str:
    """Write a molecule from a random atom along random branches."""
    (text,) = Chem.MolToRandomSmilesVect(mol, 1, randomSeed=seed)
    return str(text)


def peak_text(record: ShiftRecord) -> str:
    """Write a spectrum: element, then peaks from the highest shift down, whole ppm, multiplicity.

    ``C171S138S129D`` is a 13C spectrum of three peaks, ``F-62`` one of a trifluoromethyl group.
    """
    peaks = [(peak.shift_ppm, (peak.label or "")[:1]) for peak in record.peaks or ()]
    peaks += [(shift_ppm, "") for _, shift_ppm in record.shifts or ()]
    words = [
        f"{round(shift_ppm)}{label or ' '}" for shift_ppm, label in sorted(peaks, reverse=True)
    ]
    return (record.nucleus.lstrip("0123456789") + "".join(words)).rstrip()
