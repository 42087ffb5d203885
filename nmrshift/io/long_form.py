"""Answers as a table in long form: a row an atom, a row a failure; for CSV, Parquet and frames."""

from collections.abc import Iterable, Iterator, Sequence
from math import isfinite
from typing import Any, Final

from nmrshift.io.numbers import ppm_column
from nmrshift.types import Evidence, Failure, Prediction

HEAD_COLUMNS: Final[tuple[str, ...]] = ("index", "name", "input", "status")
ATOM_COLUMNS: Final[tuple[str, ...]] = (
    *("nucleus", "atom_index", "element", "shift_ppm", "low_ppm", "high_ppm"),
    *("signal", "n_hydrogens", "flags", "domain"),
    *("evidence_sphere", "evidence_n", "evidence_mean_ppm", "evidence_spread_ppm"),
)
TAIL_COLUMNS: Final[tuple[str, ...]] = (
    *("solvent", "interval", "model", "notices"),
    *("error_code", "error_message", "error_hint"),
)
COLUMNS: Final[tuple[str, ...]] = (*HEAD_COLUMNS, *ATOM_COLUMNS, *TAIL_COLUMNS)
"""The columns of the CSV file."""

LONG_COLUMNS: Final[tuple[str, ...]] = (*COLUMNS, "molblock")
"""The same, and the molblock whose atom order is used where one is needed."""

INTEGER_COLUMNS: Final[frozenset[str]] = frozenset(
    ("index", "atom_index", "signal", "n_hydrogens", "evidence_sphere", "evidence_n")
)
PPM_COLUMNS: Final[frozenset[str]] = frozenset(
    name for name in ATOM_COLUMNS if name.endswith("_ppm")
)
FLOAT_COLUMNS: Final[frozenset[str]] = PPM_COLUMNS | {"interval"}

_PPM_PLACES: Final = [ATOM_COLUMNS.index(name) for name in sorted(PPM_COLUMNS)]

Cells = list[Any]


def ends_of(answer: Prediction | Failure) -> tuple[Cells, Cells]:
    """Return what stands before and behind the atoms, the same in every row of an answer.

    Returns:
        The cells of ``HEAD_COLUMNS`` and those of ``TAIL_COLUMNS``; ``None`` is an empty one.
    """
    head = [answer.index, answer.name, answer.input]
    if isinstance(answer, Failure):
        return [*head, "error"], [*(None,) * 4, answer.code, answer.message, answer.hint]
    notices = " ".join([one.code for one in answer.notices])
    return [*head, "ok"], [answer.solvent, answer.interval, answer.model, notices, *(None,) * 3]


def atom_cells(answer: Prediction | Failure) -> list[Cells]:
    """Return the columns of ``ATOM_COLUMNS``, a cell an atom; one empty cell without any atom.

    Numbers in ppm are not rounded yet.
    """
    atoms = () if isinstance(answer, Failure) else answer.atoms
    if not atoms:
        return [[None] for _ in ATOM_COLUMNS]
    return [
        [atom.nucleus for atom in atoms],
        [atom.atom_index for atom in atoms],
        [atom.element for atom in atoms],
        [atom.shift_ppm for atom in atoms],
        [atom.low_ppm for atom in atoms],
        [atom.high_ppm for atom in atoms],
        [atom.signal for atom in atoms],
        [atom.n_hydrogens for atom in atoms],
        [" ".join(atom.flags) for atom in atoms],
        [atom.domain for atom in atoms],
        *_evidence_cells([atom.evidence for atom in atoms]),
    ]


def _evidence_cells(evidence: Sequence[Evidence | None]) -> Iterator[Cells]:
    yield [one and one.sphere for one in evidence]
    yield [one and one.n_measured for one in evidence]
    yield [one and one.mean_ppm for one in evidence]
    yield [one and one.spread_ppm for one in evidence]


class LongTable:
    """Collects the rows of answers by column."""

    def __init__(self) -> None:
        self._columns: dict[str, Cells] = {name: [] for name in LONG_COLUMNS}
        names = (*HEAD_COLUMNS, *TAIL_COLUMNS, "molblock")
        self._of_answer = [self._columns[name] for name in names]
        self._of_atoms = [self._columns[name] for name in ATOM_COLUMNS]
        self.n_answers = 0

    def add(self, answer: Prediction | Failure) -> None:
        """Add the rows of one answer.

        Raises:
            OutputError: a number in ppm is not finite; nothing is added.
        """
        cells = atom_cells(answer)
        for place in _PPM_PLACES:
            if not isfinite(sum(filter(None, cells[place]))):  # one of them is not, or all are huge
                ppm_column(cells[place])
        head, tail = ends_of(answer)
        molblock = None if isinstance(answer, Failure) else answer.molblock
        n_rows = len(cells[0])
        for column, cell in zip(self._of_answer, (*head, *tail, molblock), strict=True):
            column.extend([_clean(cell) if isinstance(cell, str) else cell] * n_rows)
        for column, more in zip(self._of_atoms, cells, strict=True):
            column.extend(more)
        self.n_answers += 1

    def columns(self) -> dict[str, Cells]:
        """Return a cell a row, ``None`` where there is nothing, ppm rounded to 0.001.

        Text that is no Unicode is escaped.
        """
        return self._columns | {name: ppm_column(self._columns[name]) for name in PPM_COLUMNS}


def long_columns(answers: Iterable[Prediction | Failure]) -> dict[str, Cells]:
    """Return the rows of answers by column; see :meth:`LongTable.columns`.

    Raises:
        OutputError: a number in ppm is not finite.
    """
    table = LongTable()
    for answer in answers:
        table.add(answer)
    return table.columns()


def _clean(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")
