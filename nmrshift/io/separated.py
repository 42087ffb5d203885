"""Reader of .csv and .tsv: column names first; one bad row fails alone."""

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final, Literal

from nmrshift.errors import FileFormatError
from nmrshift.io.fields import failed, mismatch, too_long
from nmrshift.io.source import Line, text_lines
from nmrshift.types import Failure, Query

DELIMITERS: Final[tuple[str, ...]] = (",", "\t", ";", "|")
STRUCTURE_COLUMNS: Final[tuple[str, ...]] = (
    "smiles",
    "structure",
    "isomeric_smiles",
    "canonical_smiles",
    "inchi",
)
NAME_COLUMNS: Final[tuple[str, ...]] = (
    "id",
    "name",
    "title",
    "compound_id",
    "compound",
    "identifier",
)
MAX_JOINED_LINES: Final[int] = 20
"""Most lines that one quoted cell may span; beyond, the quote counts as a slip of one row."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Where things stand in a row.

    Attributes:
        delimiter: character between cells.
        width: number of cells of a row.
        structure: cell of the structure.
        kind: name of that column, lower case.
        name: cell of the identifier, if any.
        solvent: cell of the solvent, if any.
    """

    delimiter: str
    width: int
    structure: int
    kind: str
    name: int | None
    solvent: int | None


@dataclass(frozen=True, slots=True)
class Record:
    """The cells of one row, or what kept them from being read."""

    line: Line
    cells: list[str]
    problem: str = ""


def read_separated(stream: BinaryIO) -> Iterator[Query | Failure]:
    """Yield one row a record; delimiter and columns are read off the first line.

    Structures stand in the first of ``smiles, structure, isomeric_smiles, canonical_smiles,
    inchi`` there is, names in the first of ``id, name, title, compound_id, compound,
    identifier``; a ``solvent`` column is honoured. A row with another number of cells than the
    header fails, since a comma too many would move the structure.

    Raises:
        FileFormatError: no column of structures, or a name that stands twice.
    """
    lines = text_lines(stream)
    header = next((line for line in lines if line.text.strip()), None)
    if header is None:
        return
    columns = find_columns(header)
    for index, record in enumerate(_records(lines, columns.delimiter)):
        yield _row(record, columns, index)


def find_columns(header: Line) -> Columns:
    """Read the header of a table.

    Raises:
        FileFormatError: no column of structures, or a name that stands twice.
    """
    for delimiter in DELIMITERS:
        cells = _cells([header.text], delimiter)
        names = [cell.strip().lower() for cell in cells] if isinstance(cells, list) else []
        kind = next((name for name in STRUCTURE_COLUMNS if name in names), None)
        if kind is None:
            continue
        name = next((name for name in NAME_COLUMNS if name in names), None)
        solvent = "solvent" if "solvent" in names else None
        for column in (kind, name, solvent):
            if column is not None and names.count(column) > 1:
                raise FileFormatError(f"column {column} stands twice")
        return Columns(
            delimiter,
            len(names),
            names.index(kind),
            kind,
            None if name is None else names.index(name),
            None if solvent is None else names.index(solvent),
        )
    raise FileFormatError(
        "the first line names no column of structures",
        hint=f"Name one of {', '.join(STRUCTURE_COLUMNS)}.",
    )


def _row(record: Record, columns: Columns, index: int) -> Query | Failure:
    where = f"line {record.line.number}"
    if record.line.too_long:
        return too_long(index, record.line.text, where)
    cells, text = record.cells, record.line.text
    while len(cells) > columns.width and not cells[-1].strip():
        cells = cells[:-1]
    problem = record.problem
    if not problem and len(cells) != columns.width:
        problem = f"{len(cells)} cells instead of {columns.width}"
    if problem:
        hint = "Quote cells that hold the delimiter or a line end."
        return failed(index, text, f"{where}: {problem}", error=FileFormatError, hint=hint)
    structure = cells[columns.structure].strip(" ")
    name = None if columns.name is None else cells[columns.name].strip(" ") or None
    solvent = None if columns.solvent is None else cells[columns.solvent].strip(" ") or None
    if columns.kind == "inchi" and (wrong := mismatch("inchi", structure)):
        return failed(index, structure, f"{where}: {wrong}", name=name)
    return Query(structure, solvent=solvent, name=name)


def _records(lines: Iterator[Line], delimiter: str) -> Iterator[Record]:
    """Cut lines into records; a quote that never closes costs its own line only."""
    ahead: deque[Line] = deque()
    while (line := ahead.popleft() if ahead else next(lines, None)) is not None:
        if not line.text.strip():
            continue
        taken = [line]
        cells = _cells([line.text], delimiter)
        while cells == "open" and len(taken) < MAX_JOINED_LINES:
            more = ahead.popleft() if ahead else next(lines, None)
            if more is None:
                break
            taken.append(more)
            cells = _cells([part.text for part in taken], delimiter)
        if isinstance(cells, list):
            yield Record(line, cells)
        else:
            ahead.extendleft(reversed(taken[1:]))
            yield Record(line, [], "a quote is open or stray, or a cell is too long")


def _cells(texts: list[str], delimiter: str) -> list[str] | Literal["open", "broken"]:
    reader = csv.reader((text + "\n" for text in texts), delimiter=delimiter, strict=True)
    try:
        return next(reader)
    except csv.Error as error:
        return "open" if "unexpected end" in str(error) else "broken"
