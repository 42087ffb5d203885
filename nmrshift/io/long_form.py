"""Answers as rows of a typed table in long form, for Parquet and data frames."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from nmrshift.io.csv_writer import COLUMNS
from nmrshift.io.numbers import ppm_of
from nmrshift.types import Evidence, Failure, Prediction

LONG_COLUMNS: Final[tuple[str, ...]] = (*COLUMNS, "molblock")
"""The columns of the CSV file, and the molblock whose atom order is used where one is needed."""

INTEGER_COLUMNS: Final[frozenset[str]] = frozenset(
    ("index", "atom_index", "signal", "n_hydrogens", "evidence_sphere", "evidence_n")
)
FLOAT_COLUMNS: Final[frozenset[str]] = frozenset(
    (
        *("shift_ppm", "low_ppm", "high_ppm", "interval"),
        *("evidence_mean_ppm", "evidence_spread_ppm"),
    )
)

_N_ATOM_CELLS: Final[int] = COLUMNS.index("solvent") - COLUMNS.index("nucleus")

Row = tuple[Any, ...]


def long_rows(answer: Prediction | Failure) -> Iterator[Row]:
    """Yield one row an atom, ``None`` where there is nothing; other answers are one row.

    Numbers in ppm are rounded to 0.001.

    Raises:
        OutputError: a shift is not finite.
    """
    head = (answer.index, answer.name, answer.input)
    if isinstance(answer, Failure):
        error = (answer.code, answer.message, answer.hint)
        yield (*head, "error", *(None,) * (_N_ATOM_CELLS + 4), *error, None)
        return
    notices = " ".join(one.code for one in answer.notices)
    tail = (answer.solvent, answer.interval, answer.model, notices, None, None, None)
    if not answer.atoms:
        yield (*head, "ok", *(None,) * _N_ATOM_CELLS, *tail, answer.molblock)
    for atom in answer.atoms:
        yield (
            *head,
            "ok",
            atom.nucleus,
            atom.atom_index,
            atom.element,
            ppm_of(atom.shift_ppm),
            ppm_of(atom.low_ppm),
            ppm_of(atom.high_ppm),
            atom.signal,
            atom.n_hydrogens,
            " ".join(atom.flags),
            atom.domain,
            *_evidence(atom.evidence),
            *tail,
            answer.molblock,
        )


def long_columns(answers: Iterable[Prediction | Failure]) -> dict[str, list[Any]]:
    """Return the rows of answers by column; text that is no Unicode is escaped."""
    columns: dict[str, list[Any]] = {name: [] for name in LONG_COLUMNS}
    lists = list(columns.values())
    for answer in answers:
        for row in long_rows(answer):
            for cells, cell in zip(lists, row, strict=True):
                cells.append(_clean(cell) if isinstance(cell, str) else cell)
    return columns


def _evidence(evidence: Evidence | None) -> tuple[int | float | None, ...]:
    if evidence is None:
        return (None, None, None, None)
    ppm = (evidence.mean_ppm, evidence.spread_ppm)
    values = (None if value is None else ppm_of(value) for value in ppm)
    return (evidence.sphere, evidence.n_measured, *values)


def _clean(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")
