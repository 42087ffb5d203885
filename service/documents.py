"""Answers as documents in any written format."""

from collections.abc import Iterable, Iterator
from io import StringIO
from typing import Final

from nmrshift.io.writers import WRITERS, OutputFormat
from nmrshift.types import Failure, Prediction

_PART_CHARS: Final[int] = 1 << 16


def document(answers: Iterable[Prediction | Failure], name: OutputFormat) -> str:
    """Return answers as one document."""
    return "".join(document_parts(answers, name))


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
