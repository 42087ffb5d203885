"""SD files out: one record a row, shifts as atom property lists that RDKit reads."""

from collections.abc import Iterator
from typing import Final, TextIO

from nmrshift.io.numbers import ppm_text
from nmrshift.io.sd_text import DELIMITER, atom_list, field, one_line, table_text
from nmrshift.io.structure import numbers_of
from nmrshift.types import Failure, Prediction

_ABSENT: Final[str] = "n/a"
"""RDKit's mark of an atom without the property."""


class SdfWriter:
    """Writes one record an answer.

    The numbers of each nucleus are lists over all atoms of the record, in its order, in fields
    such as ``atom.dprop.shift_13C_ppm``; a failure is a record without atoms.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, answer: Prediction | Failure) -> None:
        """Write one record.

        Raises:
            OutputError: the prediction does not fit its structure.
        """
        table, n_atoms = table_text(answer)
        fields = _error(answer) if isinstance(answer, Failure) else _fields(answer, n_atoms)
        self._stream.write(table + "".join(fields) + DELIMITER)

    def close(self) -> None:
        """Nothing ends an SD file."""


def _error(answer: Failure) -> Iterator[str]:
    yield field("nmrshift_index", [str(answer.index)])
    yield field("nmrshift_status", ["error"])
    for name, text in (
        ("input", answer.input),
        ("error_code", answer.code),
        ("error_message", answer.message),
        ("error_hint", answer.hint),
    ):
        if line := one_line(text):
            yield field(f"nmrshift_{name}", [line])


def _fields(answer: Prediction, n_atoms: int) -> Iterator[str]:
    yield field("nmrshift_index", [str(answer.index)])
    yield field("nmrshift_status", ["ok"])
    yield field("nmrshift_model", [one_line(answer.model)])
    yield field("nmrshift_solvent", [one_line(answer.solvent)])
    yield field("nmrshift_interval", [str(answer.interval)])
    if answer.notices:
        yield field("nmrshift_notices", [" ".join(one.code for one in answer.notices)])
    for name, values in _lists(answer, n_atoms).items():
        yield field(f"atom.{name}", atom_list(values))


def _lists(answer: Prediction, n_atoms: int) -> dict[str, list[str]]:
    """Return every list by its kind and name, ``[n_atoms]`` each."""
    lists: dict[str, list[str]] = {}

    def put(name: str, atom: int, value: str) -> None:
        lists.setdefault(name, [_ABSENT] * n_atoms)[atom] = value

    for shift in answer.atoms:
        for name, value in numbers_of(shift):
            put(f"dprop.{name}", shift.atom_index, ppm_text(value))
        put(f"iprop.signal_{shift.nucleus}", shift.atom_index, str(shift.signal))
        if shift.flags:
            put(f"prop.flags_{shift.nucleus}", shift.atom_index, ",".join(shift.flags))
    return lists
