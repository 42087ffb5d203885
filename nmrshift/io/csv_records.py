"""Lines cut into the cells of records; a stray quote costs its own line only."""

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from nmrshift.io.source import Line

MAX_JOINED_LINES: Final[int] = 20
"""Most lines that one quoted cell may span; beyond, the quote counts as a slip of one row."""


@dataclass(frozen=True, slots=True)
class Record:
    """The cells of one row, or what kept them from being read."""

    line: Line
    cells: list[str]
    problem: str = ""


def cut_records(lines: Iterator[Line], delimiter: str, width: int) -> Iterator[Record]:
    """Cut lines into records; blank lines are none.

    A quoted cell may hold line ends, but lines are joined only to a record of the right width:
    a quote that is a slip costs its own line and no other.

    Args:
        lines: lines after the header.
        delimiter: character between cells.
        width: number of cells of the header.
    """
    ahead: deque[Line] = deque()
    while (line := ahead.popleft() if ahead else next(lines, None)) is not None:
        if not line.text.strip():
            continue
        taken = [line]
        cells = split_cells([line.text], delimiter)
        while cells == "open" and len(taken) < MAX_JOINED_LINES:
            more = ahead.popleft() if ahead else next(lines, None)
            if more is None:
                break
            taken.append(more)
            cells = split_cells([part.text for part in taken], delimiter)
        if isinstance(cells, list) and (len(taken) == 1 or len(cells) == width):
            yield Record(line, cells)
        else:
            ahead.extendleft(reversed(taken[1:]))
            yield Record(line, [], "a quote is open or stray, or a cell is too long")


def split_cells(texts: list[str], delimiter: str) -> list[str] | Literal["open", "broken"]:
    """Return the cells of one record, or whether a quote in it is open or the text broken."""
    reader = csv.reader((text + "\n" for text in texts), delimiter=delimiter, strict=True)
    try:
        return next(reader)
    except csv.Error as error:
        return "open" if "unexpected end" in str(error) else "broken"
