"""CSV in wide form: one row a molecule, the numbers of a nucleus in a few cells."""

import csv
from typing import Final, TextIO

from nmrshift.errors import OutputError
from nmrshift.io.csv_writer import guarded_ends
from nmrshift.io.long_form import HEAD_COLUMNS, TAIL_COLUMNS
from nmrshift.io.numbers import ppm_text
from nmrshift.types import NUCLEI, Failure, Prediction

_PARTS: Final[tuple[str, ...]] = ("atoms", "shift_ppm", "low_ppm", "high_ppm")

WIDE_COLUMNS: Final[tuple[str, ...]] = (
    *HEAD_COLUMNS,
    *(f"{nucleus}_{part}" for nucleus in NUCLEI for part in _PARTS),
    *TAIL_COLUMNS,
)
_EMPTY: Final = [""] * (len(NUCLEI) * len(_PARTS))


class WideCsvWriter:
    """Writes the table; the cells of a nucleus hold its atoms and their numbers, joined by ``;``.

    The columns are the same for every file: those of every nucleus there is.
    """

    def __init__(self, stream: TextIO) -> None:
        self._rows = csv.writer(stream, lineterminator="\n")
        self._rows.writerow(WIDE_COLUMNS)

    def write(self, answer: Prediction | Failure) -> None:
        """Write one row.

        Raises:
            OutputError: the prediction holds a nucleus without a column.
        """
        head, tail = guarded_ends(answer)
        cells = _EMPTY if isinstance(answer, Failure) else _cells(answer)
        self._rows.writerow([*head, *cells, *tail])

    def close(self) -> None:
        """Nothing ends a table."""


def _cells(answer: Prediction) -> list[str]:
    strange = {atom.nucleus for atom in answer.atoms}.difference(NUCLEI)
    if strange:
        raise OutputError(f"the wide table has no columns for {', '.join(sorted(strange))}")
    cells: list[str] = []
    for nucleus in NUCLEI:
        atoms = answer.of(nucleus)
        cells += [
            ";".join(str(atom.atom_index) for atom in atoms),
            ";".join(ppm_text(atom.shift_ppm) for atom in atoms),
            ";".join(ppm_text(atom.low_ppm) for atom in atoms),
            ";".join(ppm_text(atom.high_ppm) for atom in atoms),
        ]
    return cells
