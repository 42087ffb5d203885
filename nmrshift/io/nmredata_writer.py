r"""NMReDATA 1.1 out (doi 10.1002/mrc.4737): the assignment, marked as predicted.

Atoms are numbered from 1, ``H3`` is the hydrogens on atom 3, a backslash ends a line of a tag and
a semicolon begins a comment. There are no tags of spectra, for those must name a measurement.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import TextIO

from nmrshift.chem.solvents import UNKNOWN, normalise
from nmrshift.io.numbers import ppm_text
from nmrshift.io.sd_text import DELIMITER, field, one_line, table_text
from nmrshift.types import AtomShift, Failure, Prediction


class NmredataWriter:
    """Writes one record an answer; a failure is a record without atoms and without assignment."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, answer: Prediction | Failure) -> None:
        """Write one record.

        Raises:
            OutputError: the prediction does not fit its structure.
        """
        table, _ = table_text(answer)
        tags = _failed(answer) if isinstance(answer, Failure) else _tags(answer)
        text = "".join(field(f"NMREDATA_{name}", lines) for name, lines in tags)
        self._stream.write(table + text + DELIMITER)

    def close(self) -> None:
        """Nothing ends an SD file."""


def _failed(answer: Failure) -> Iterator[tuple[str, list[str]]]:
    yield "VERSION", ["1.1\\"]
    comment = _plain(f"row {answer.index}: {answer.code}: {answer.message}")
    yield "ID", [f"Comment=not predicted, {comment}\\"]


def _tags(answer: Prediction) -> Iterator[tuple[str, list[str]]]:
    model = _plain(answer.model)
    yield "VERSION", ["1.1\\"]
    yield "LEVEL", ["0\\"]
    yield "ID", [f"Source=predicted by {model}\\"]
    if answer.solvent != UNKNOWN.key:
        yield "SOLVENT", [f"{_plain(_solvent(answer.solvent))}\\"]
    share = f"{round(answer.interval * 100, 1):g}"
    head = f"; predicted by {model}, not measured, {share} % intervals behind each shift\\"
    yield "ASSIGNMENT", [head, *_assignment(answer)]


def _assignment(answer: Prediction) -> Iterator[str]:
    """Yield one line a signal; atoms of one signal whose numbers differ have lines of their own."""
    for key, group in groupby(sorted(answer.atoms, key=_key), key=_key):
        atoms = sorted(atom.atom_index + 1 for atom in group)
        mark = "H" if key[0] == "1H" else ""
        label = f"{key[0].lstrip('0123456789')}{atoms[0]}"
        places = ", ".join(f"{mark}{number}" for number in atoms)
        shift, low, high = key[2:]
        yield f"{label}, {shift}, {places} ; {low} to {high}\\"


def _key(atom: AtomShift) -> tuple[str, int, str, str, str]:
    numbers = (ppm_text(value) for value in (atom.shift_ppm, atom.low_ppm, atom.high_ppm))
    shift, low, high = numbers
    return atom.nucleus, atom.signal, shift, low, high


def _solvent(key: str) -> str:
    """Return the name of a solvent as laboratories write it."""
    return normalise(key).name


def _plain(text: str) -> str:
    """Return text without the two characters that mean something in a tag."""
    return one_line(text).replace("\\", "/").replace(";", ",").strip()
