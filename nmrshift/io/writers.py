"""The table of writers; each takes answers one by one and holds none."""

from collections.abc import Callable
from typing import Final, Literal, Protocol, TextIO

from nmrshift.io.csv_writer import CsvWriter
from nmrshift.io.table_writer import TableWriter
from nmrshift.io.wire import SCHEMA_VERSION, json_text, row_text
from nmrshift.types import Failure, Prediction

OutputFormat = Literal["table", "json", "jsonl", "csv"]


class Writer(Protocol):
    """Writes answers to a text stream, in the order given."""

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

    def write(self, answer: Prediction | Failure) -> None:
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

    def write(self, answer: Prediction | Failure) -> None:
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


WRITERS: Final[dict[OutputFormat, Callable[[TextIO], Writer]]] = {
    "table": TableWriter,
    "json": JsonWriter,
    "jsonl": JsonLinesWriter,
    "csv": CsvWriter,
}

OUTPUT_SUFFIXES: Final[dict[str, OutputFormat]] = {
    ".txt": "table",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
}
