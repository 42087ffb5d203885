"""Parquet in long form: one row an atom, one row a failure, typed columns."""

from typing import Any, BinaryIO, Final

from nmrshift.io.extras import load_extra
from nmrshift.io.long_form import (
    FLOAT_COLUMNS,
    INTEGER_COLUMNS,
    LONG_COLUMNS,
    PPM_COLUMNS,
    LongTable,
)
from nmrshift.types import Failure, Prediction

_ANSWERS_HELD: Final[int] = 4096
_FEW_VALUES: Final[list[str]] = [name for name in LONG_COLUMNS if name not in PPM_COLUMNS]
"""Columns whose values repeat; a dictionary of shifts would be as long as the column."""


class ParquetWriter:
    """Writes a row group every few thousand answers; the columns are those of the CSV file.

    The same answers give the same bytes under the same version of pyarrow.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._arrow: Any = load_extra("pyarrow", "parquet")
        parquet = load_extra("pyarrow.parquet", "parquet")
        self._schema = arrow_schema()
        self._file = parquet.ParquetWriter(
            stream, self._schema, compression="zstd", use_dictionary=_FEW_VALUES
        )
        self._held = LongTable()

    def write(self, answer: Prediction | Failure) -> None:
        """Take one answer.

        Raises:
            OutputError: a number in ppm is not finite.
        """
        self._held.add(answer)
        if self._held.n_answers >= _ANSWERS_HELD:
            self._flush()

    def close(self) -> None:
        """Write what is held and the end of the file; the stream stays open."""
        self._flush()
        self._file.close()

    def _flush(self) -> None:
        if self._held.n_answers:
            columns = self._held.columns()
            self._held = LongTable()
            self._file.write_table(self._arrow.Table.from_pydict(columns, self._schema))


def arrow_schema() -> Any:
    """Return the Arrow schema of the long form.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    arrow: Any = load_extra("pyarrow", "parquet")

    def kind(name: str) -> Any:
        if name in INTEGER_COLUMNS:
            return arrow.int64() if name == "index" else arrow.int32()
        return arrow.float64() if name in FLOAT_COLUMNS else arrow.string()

    return arrow.schema([(name, kind(name)) for name in LONG_COLUMNS])
