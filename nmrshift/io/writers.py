"""The table of writers; each takes answers one by one and holds none."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from typing import BinaryIO, Final, Literal, Protocol, TextIO

from nmrshift.errors import InputError, OutputError
from nmrshift.io.csv_writer import CsvWriter
from nmrshift.io.packing import Packing, packed, packing_of
from nmrshift.io.table_writer import TableWriter
from nmrshift.io.wide_csv import WideCsvWriter
from nmrshift.io.wire import SCHEMA_VERSION, Answer, json_text, row_text
from nmrshift.types import Failure, Prediction

OutputFormat = Literal[
    "table", "json", "jsonl", "csv", "csv-wide", "sdf", "nmredata", "jcamp", "parquet"
]


class Writer(Protocol):
    """Writes answers to a stream, in the order given."""

    def write(self, answer: Prediction | Failure) -> None:
        """Write one answer."""
        ...

    def close(self) -> None:
        """Write what ends the document; the stream stays open."""
        ...


class JsonLinesWriter:
    """One line of JSON an answer, failures inline, ppm rounded to 0.001."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, answer: Answer) -> None:
        """Write one line."""
        self._stream.write(row_text(answer) + "\n")

    def close(self) -> None:
        """Nothing ends a file of lines."""


class JsonWriter:
    """One document: ``schema_version``, ``predictions``, ``counts`` and ``model``.

    ``counts`` and ``model`` come last, since they are known last; ``model`` is null where
    nothing was predicted.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._model: str | None = None
        self._counts = {"ok": 0, "error": 0}
        stream.write(f'{{"schema_version":{SCHEMA_VERSION},"predictions":[')

    def write(self, answer: Answer) -> None:
        """Write one element of ``predictions``."""
        first = not any(self._counts.values())
        self._stream.write(("\n" if first else ",\n") + row_text(answer))
        if isinstance(answer, Failure):
            self._counts["error"] += 1
        else:
            self._counts["ok"] += 1
            self._model = answer.model

    def close(self) -> None:
        """Write the counts, the model and the end of the document."""
        counts, model = json_text(self._counts), json_text(self._model)
        self._stream.write(f'\n],"counts":{counts},"model":{model}}}\n')


def _sdf(stream: TextIO) -> Writer:
    from nmrshift.io.sdf_writer import SdfWriter

    return SdfWriter(stream)


def _nmredata(stream: TextIO) -> Writer:
    from nmrshift.io.nmredata_writer import NmredataWriter

    return NmredataWriter(stream)


def _jcamp(stream: TextIO) -> Writer:
    from nmrshift.io.jcamp_writer import JcampWriter

    return JcampWriter(stream)


def _parquet(stream: BinaryIO) -> Writer:
    from nmrshift.io.parquet_writer import ParquetWriter

    return ParquetWriter(stream)


WRITERS: Final[dict[OutputFormat, Callable[[TextIO], Writer]]] = {
    "table": TableWriter,
    "json": JsonWriter,
    "jsonl": JsonLinesWriter,
    "csv": CsvWriter,
    "csv-wide": WideCsvWriter,
    "sdf": _sdf,
    "nmredata": _nmredata,
    "jcamp": _jcamp,
}

BINARY_WRITERS: Final[dict[OutputFormat, Callable[[BinaryIO], Writer]]] = {"parquet": _parquet}

OUTPUT_FORMATS: Final[tuple[OutputFormat, ...]] = (*WRITERS, *BINARY_WRITERS)

OUTPUT_SUFFIXES: Final[dict[str, OutputFormat]] = {
    ".txt": "table",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".wide.csv": "csv-wide",
    ".csv": "csv",
    ".nmredata.sdf": "nmredata",
    ".sdf": "sdf",
    ".sd": "sdf",
    ".jdx": "jcamp",
    ".dx": "jcamp",
    ".parquet": "parquet",
}
"""Ends of file names; of two that fit the one that stands first."""

PART_SUFFIX: Final[dict[OutputFormat, str]] = {
    kind: suffix for suffix, kind in reversed(OUTPUT_SUFFIXES.items())
}
"""The first end of a name that stands for a format."""


def output_format_of(name: str) -> OutputFormat | None:
    """Return the format that the end of a file name stands for, compression not counted."""
    bare = packing_of(name.lower())[0]
    return next((kind for end, kind in OUTPUT_SUFFIXES.items() if bare.endswith(end)), None)


def write_or_fail(writer: Writer, answer: Prediction | Failure) -> Prediction | Failure:
    """Write an answer, or, where its form cannot hold it, a failure that says so in its place.

    Returns:
        What was written.
    """
    try:
        writer.write(answer)
    except (InputError, OutputError) as error:
        if isinstance(answer, Failure):
            raise
        failure = Failure(
            answer.index, answer.input, answer.name, OutputError.code, error.message, error.hint
        )
        writer.write(failure)
        return failure
    return answer


@contextmanager
def open_writer(
    kind: OutputFormat, stream: BinaryIO, packing: Packing | None = None
) -> Iterator[Writer]:
    """Give a writer onto a stream of bytes, which stays open; text is UTF-8.

    The end of the document is written when the block ends without an error.

    Args:
        kind: one of ``OUTPUT_FORMATS``.
        stream: where the bytes go.
        packing: compression of the whole.

    Raises:
        MissingExtraError: the format or the compression takes a package that is not installed.
    """
    with packed(stream, packing) as out:
        if binary := BINARY_WRITERS.get(kind):
            writer = binary(out)
            yield writer
            writer.close()
            return
        text = TextIOWrapper(out, "utf-8", "backslashreplace", newline="")
        try:
            writer = WRITERS[kind](text)
            yield writer
            writer.close()
            text.flush()
        finally:
            with suppress(OSError, ValueError):
                text.detach()
