"""Reader of .smi and .txt: one SMILES or InChI a line, then optionally a name."""

from collections.abc import Iterator
from typing import BinaryIO

from nmrshift.io.fields import too_long
from nmrshift.io.source import text_lines
from nmrshift.types import Failure, Query


def read_smiles_lines(stream: BinaryIO) -> Iterator[Query | Failure]:
    """Yield one row a line; blank lines, and a first line beginning with ``SMILES``, are no rows.

    What follows the first whitespace is the name. A CXSMILES extension is no name: such a line
    stays whole, to be refused.
    """
    index = 0
    for line in text_lines(stream):
        words = line.text.split(maxsplit=1)
        if not words or (line.number == 1 and words[0].lower() == "smiles"):
            continue
        if line.too_long:
            yield too_long(index, line.text, f"line {line.number}")
        elif len(words) == 2 and words[1].startswith("|"):
            yield Query(line.text.strip())
        else:
            yield Query(words[0], name=words[1].strip() if len(words) == 2 else None)
        index += 1
