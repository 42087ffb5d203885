"""CSV in long form: one row an atom, one row a failure."""

import csv
from typing import TextIO

from nmrshift.io.long_form import ATOM_COLUMNS, COLUMNS, PPM_COLUMNS, Cells, atom_cells, ends_of
from nmrshift.io.numbers import ppm_text
from nmrshift.types import Failure, Prediction

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def guarded(text: str) -> str:
    """Return text that no spreadsheet takes for a formula: an apostrophe goes first if it would.

    Line ends become spaces, so that each row of the table is one line of the file.
    """
    text = " ".join(text.splitlines()) if "\n" in text or "\r" in text else text
    return f"'{text}" if text.startswith(_FORMULA) else text


def guarded_ends(answer: Prediction | Failure) -> tuple[Cells, Cells]:
    """Return the cells before and behind the atoms, texts from users guarded.

    A molblock is not repeated in the ``input`` column: name and index tell the row.
    """
    (index, name, text, status), tail = ends_of(answer)
    text = "" if "\n" in text or "\r" in text else guarded(text)
    if isinstance(answer, Failure):
        tail[-2:] = map(guarded, tail[-2:])
    return [index, guarded(name or ""), text, status], tail


class CsvWriter:
    """Writes the table; numbers stay numbers, texts from users are guarded."""

    def __init__(self, stream: TextIO) -> None:
        self._rows = csv.writer(stream, lineterminator="\n")
        self._rows.writerow(COLUMNS)

    def write(self, answer: Prediction | Failure) -> None:
        """Write the rows of one answer; a prediction without atoms still has one.

        Raises:
            OutputError: a shift is not finite.
        """
        head, tail = guarded_ends(answer)
        cells = [
            [None if cell is None else ppm_text(cell) for cell in column]
            if name in PPM_COLUMNS
            else column
            for name, column in zip(ATOM_COLUMNS, atom_cells(answer), strict=True)
        ]
        self._rows.writerows([*head, *row, *tail] for row in zip(*cells, strict=True))

    def close(self) -> None:
        """Nothing ends a table."""
