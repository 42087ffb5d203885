"""Text of SD records: titles, data fields and atom property lists that cannot break a file."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from nmrshift.io.structure import table_of
from nmrshift.types import Failure, Prediction

_LINE: Final[int] = 190
_NO_ATOMS: Final[tuple[str, ...]] = ("  0  0  0  0  0  0  0  0  0  0999 V2000", "M  END")

DELIMITER: Final[str] = "$$$$\n"


def one_line(text: str) -> str:
    """Return text on one line that no reader of SD files takes for a mark of the format.

    White space becomes single blanks, other unprintable characters their escape, and a line that
    would begin with ``$$$$`` or ``>`` is indented by a blank.
    """
    text = " ".join(text.split())
    if not text.isprintable():
        text = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
    return f" {text}" if text.startswith(("$$$$", ">")) else text


def table_text(answer: Prediction | Failure) -> tuple[str, int]:
    """Return the molblock of an answer under the name of its row, and its number of atoms.

    A failure has a molblock without atoms, so that the file has one record a row.

    Raises:
        InputError: the text of the prediction is no molecule.
        OutputError: it is another molecule than the one predicted.
    """
    if isinstance(answer, Failure):
        lines, program, n_atoms = _NO_ATOMS, "", 0
    else:
        lines, program, n_atoms = table_of(answer)
    return "\n".join([one_line(answer.name or ""), program, "", *lines, ""]), n_atoms


def field(name: str, lines: Iterable[str]) -> str:
    """Return one data field; no line of it may be blank."""
    return f">  <{name}>\n" + "".join(f"{line}\n" for line in lines) + "\n"


def atom_list(values: Sequence[str]) -> Iterator[str]:
    """Yield the lines of an atom property list, as RDKit reads them."""
    yield from textwrap.wrap(" ".join(values), _LINE, break_on_hyphens=False)
