"""Reader of .parquet: columns named as in a table of text, rows in batches."""

from collections.abc import Iterator
from typing import Any, BinaryIO, Final

from nmrshift.errors import FileFormatError
from nmrshift.io.extras import load_extra
from nmrshift.io.fields import failed, mismatch
from nmrshift.io.separated import NAME_COLUMNS, STRUCTURE_COLUMNS
from nmrshift.types import Failure, Query

_BATCH_ROWS: Final[int] = 4096


def read_parquet(stream: BinaryIO) -> Iterator[Query | Failure]:
    """Yield one row a row; the columns of structures, names and solvents are those of a CSV file.

    Raises:
        FileFormatError: no Parquet file, one that breaks off, one without a column of structures,
            or a stream that cannot be searched, such as standard input.
        MissingExtraError: pyarrow is not installed.
    """
    arrow, parquet = load_extra("pyarrow", "parquet"), load_extra("pyarrow.parquet", "parquet")
    if not stream.seekable():
        raise FileFormatError("Parquet cannot be read from a pipe", hint="Name a file.")
    try:
        table = parquet.ParquetFile(stream)
        columns = pick_columns(table.schema_arrow.names)
        chosen = [column for column in columns if column is not None]
        index = 0
        for batch in table.iter_batches(_BATCH_ROWS, columns=chosen):
            for row in batch.to_pylist():
                yield row_query([row.get(column) for column in columns], columns[0], index)
                index += 1
    except (arrow.ArrowException, OSError) as error:
        reason = str(error).strip().splitlines() or ["unknown"]
        raise FileFormatError(f"not a whole Parquet file: {reason[0][:120]}") from None


def pick_columns(names: list[str]) -> tuple[str, str | None, str | None]:
    """Return the columns of structures, of names and of solvents, the latter two if there are any.

    Raises:
        FileFormatError: no column of structures, or two that differ in capitals alone.
    """
    found: dict[str, str] = {}
    for name in names:
        key = name.strip().lower()
        if key in found and key in (*STRUCTURE_COLUMNS, *NAME_COLUMNS, "solvent"):
            raise FileFormatError(f"column {key} stands twice")
        found[key] = name
    structure = next((found[key] for key in STRUCTURE_COLUMNS if key in found), None)
    if structure is None:
        hint = f"Name one of {', '.join(STRUCTURE_COLUMNS)}."
        raise FileFormatError("there is no column of structures", hint=hint)
    title = next((found[key] for key in NAME_COLUMNS if key in found), None)
    return structure, title, found.get("solvent")


def row_query(cells: list[Any], column: str, index: int) -> Query | Failure:
    """Return one row of a typed table.

    Args:
        cells: structure, name and solvent; ``None`` where there is none.
        column: name of the column of structures.
        index: position of the row.
    """
    structure, name, solvent = cells
    name = None if name is None else str(name)
    where = f"row {index + 1}"
    if not isinstance(structure, str) or not (solvent is None or isinstance(solvent, str)):
        return failed(index, "", f"{where}: structure and solvent must be text", name=name)
    if column.strip().lower() == "inchi" and (wrong := mismatch("inchi", structure)):
        return failed(index, structure, f"{where}: {wrong}", name=name)
    return Query(structure, solvent=solvent or None, name=name)
