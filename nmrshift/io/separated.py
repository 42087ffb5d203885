"""Reader of .csv and .tsv: column names first; one bad row fails alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from nmrshift.errors import FileFormatError
from nmrshift.io.csv_records import Record, cut_records, split_cells
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
    for index, record in enumerate(cut_records(lines, columns.delimiter, columns.width)):
        yield _row(record, columns, index)


def find_columns(header: Line) -> Columns:
    """Read the header of a table.

    Raises:
        FileFormatError: no column of structures, or a name that stands twice.
    """
    for delimiter in DELIMITERS:
        cells = split_cells([header.text], delimiter)
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
