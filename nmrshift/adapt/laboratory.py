"""A laboratory's spectra as a data set, with the molecules that are held out of it."""

import hashlib
import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nmrshift.data.dataset import ShiftDataset
from nmrshift.errors import TooFewSpectraError

LEAST_MOLECULES: Final = 8

_LEAST_HELD_OUT: Final = 4


@dataclass(frozen=True, slots=True)
class Laboratory:
    """Molecules of a laboratory, each in one part; no connectivity is in two.

    Attributes:
        dataset: all of them.
        learned: molecules whose spectra are learned from.
        held_out: molecules that choose and measure.
    """

    dataset: ShiftDataset
    learned: NDArray[np.int64]
    held_out: NDArray[np.int64]

    @property
    def whole(self) -> "Laboratory":
        """The same with all molecules to learn from."""
        nobody = np.zeros(0, dtype=np.int64)
        return Laboratory(self.dataset, np.arange(self.dataset.n_mols), nobody)


def divide(dataset: ShiftDataset, validation: float, seed: int) -> Laboratory:
    """Hold molecules out, by the connectivity of their largest fragment and the seed.

    Stereoisomers and salts of a molecule go together.

    Raises:
        TooFewSpectraError: too few different molecules.
    """
    keys = dataset.parent.tolist()
    order = sorted(set(keys), key=lambda key: _place(key, seed))
    if len(order) < LEAST_MOLECULES:
        raise TooFewSpectraError(
            f"the spectra are of {len(order)} molecules; {LEAST_MOLECULES} are needed",
            hint="Stereoisomers and salts count as one molecule. Add spectra of others.",
        )
    n_held = max(_LEAST_HELD_OUT, math.ceil(validation * len(order)))
    held = set(order[:n_held])
    is_held = np.array([key in held for key in keys])
    return Laboratory(dataset, np.flatnonzero(~is_held), np.flatnonzero(is_held))


def _place(key: str, seed: int) -> bytes:
    return hashlib.blake2b(f"{seed}:{key}".encode(), digest_size=8, person=b"adapt").digest()
