"""Answers as documents in any written format."""

from collections.abc import Iterable, Iterator
from io import StringIO
from typing import Final

from nmrshift.io.wire import Answer, WrittenPrediction
from nmrshift.io.writers import WRITERS, JsonLinesWriter, JsonWriter, OutputFormat
from nmrshift.types import Failure, Prediction

_PART_CHARS: Final[int] = 1 << 16
_OF_ROWS: Final[dict[str, type[JsonWriter | JsonLinesWriter]]] = {
    "json": JsonWriter,
    "jsonl": JsonLinesWriter,
}
"""Formats that are made of the rows in which predictions may have been written already."""


def is_of_rows(name: OutputFormat) -> bool:
    """Return whether a document of this format can be made of written predictions."""
    return name in _OF_ROWS


def document(answers: Iterable[Answer], name: OutputFormat) -> str:
    """Return answers as one document.

    Raises:
        TypeError: a prediction has been written already, and not for this format.
    """
    if name in _OF_ROWS:
        text = StringIO()
        writer = _OF_ROWS[name](text)
        for answer in answers:
            writer.write(answer)
        writer.close()
        return text.getvalue()
    return "".join(document_parts(map(_unwritten, answers), name))


def document_parts(answers: Iterable[Prediction | Failure], name: OutputFormat) -> Iterator[str]:
    """Yield a document in parts of some size, for answers that do not fit into memory."""
    text = StringIO()
    writer = WRITERS[name](text)
    for answer in answers:
        writer.write(answer)
        if text.tell() >= _PART_CHARS:
            yield text.getvalue()
            text.seek(0)
            text.truncate()
    writer.close()
    yield text.getvalue()


def _unwritten(answer: Answer) -> Prediction | Failure:
    if isinstance(answer, WrittenPrediction):
        raise TypeError("a prediction has been written in another format")
    return answer
