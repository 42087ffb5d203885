"""Tables of pandas, polars and Arrow: queries out of them, answers into them in long form."""

from collections.abc import Iterable, Iterator
from typing import Any, Final, Literal

from nmrshift.errors import FileFormatError
from nmrshift.io.extras import load_extra
from nmrshift.io.long_form import FLOAT_COLUMNS, INTEGER_COLUMNS, long_columns
from nmrshift.io.parquet_queries import pick_columns, row_query
from nmrshift.io.parquet_writer import arrow_schema
from nmrshift.types import Failure, Prediction, Query

FrameKind = Literal["pandas", "polars", "arrow"]

_KINDS: Final[dict[tuple[str, str], FrameKind]] = {
    ("pandas", "DataFrame"): "pandas",
    ("polars", "DataFrame"): "polars",
    ("pyarrow", "Table"): "arrow",
}


def frame_kind(frame: Any) -> FrameKind:
    """Return whose data frame a value is.

    Raises:
        FileFormatError: it is none that is known here.
    """
    cls = type(frame)
    kind = _KINDS.get((cls.__module__.split(".", 1)[0], cls.__name__))
    if kind is None:
        what = "a DataFrame of pandas or polars, or an Arrow table"
        raise FileFormatError(f"{what} expected, not {cls.__name__}")
    return kind


def frame_rows(frame: Any, structure: str | None = None) -> Iterator[Query | Failure]:
    """Yield one query a row of a data frame; an empty cell is a failure in its place.

    Args:
        frame: of pandas or polars, with columns named as those of a CSV file.
        structure: the column of structures, whatever its name.

    Raises:
        FileFormatError: no data frame, or no column of structures.
    """
    is_arrow = frame_kind(frame) == "arrow"
    names = frame.column_names if is_arrow else [str(name) for name in frame.columns]
    columns = _columns(names, structure)
    taken = [None if name is None else _cells(frame[name]) for name in columns]
    for index in range(len(frame)):
        cells = [None if cells is None else _present(cells[index]) for cells in taken]
        yield row_query(cells, columns[0], index)


def to_frame(answers: Iterable[Prediction | Failure], kind: FrameKind) -> Any:
    """Return answers as a data frame in long form, one row an atom, failures as rows.

    Args:
        answers: what was predicted.
        kind: ``pandas``, ``polars`` or ``arrow``.

    Raises:
        MissingExtraError: that package is not installed.
        OutputError: a shift is not finite.
    """
    columns = long_columns(answers)
    if kind == "arrow":
        return load_extra("pyarrow", "parquet").Table.from_pydict(columns, arrow_schema())
    if kind == "polars":
        polars = load_extra("polars", kind)
        types = {True: polars.Int64, False: polars.String}
        schema = {
            name: polars.Float64 if name in FLOAT_COLUMNS else types[name in INTEGER_COLUMNS]
            for name in columns
        }
        return polars.DataFrame(columns, schema=schema)
    pandas = load_extra("pandas", kind)
    return pandas.DataFrame(
        {name: pandas.Series(cells, dtype=_pandas_type(name)) for name, cells in columns.items()}
    )


def _cells(column: Any) -> list[Any]:
    cells: list[Any] = column.to_pylist() if hasattr(column, "to_pylist") else column.to_list()
    return cells


def _pandas_type(name: str) -> str:
    if name in INTEGER_COLUMNS:
        return "Int64"
    return "float64" if name in FLOAT_COLUMNS else "object"


def _columns(names: list[str], structure: str | None) -> tuple[str, str | None, str | None]:
    if structure is None:
        return pick_columns(names)
    if structure not in names:
        raise FileFormatError(f"there is no column {structure!r}")
    _, name, solvent = pick_columns(["smiles", *(one for one in names if one.lower() != "smiles")])
    return structure, None if name == structure else name, solvent


def _present(cell: Any) -> Any:
    """Return a cell, ``None`` where it is one of the many ways to say that it is empty."""
    if cell is None or type(cell).__name__ in ("NAType", "NaTType"):
        return None
    return None if isinstance(cell, float) and cell != cell else cell  # noqa: PLR0124 - NaN
