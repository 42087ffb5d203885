"""CSV in long form: one row an atom, one row a failure."""

import csv
from typing import Final, TextIO

from nmrshift.io.numbers import ppm_text
from nmrshift.types import Evidence, Failure, Prediction

COLUMNS: Final[tuple[str, ...]] = (
    "index",
    "name",
    "input",
    "status",
    "nucleus",
    "atom_index",
    "element",
    "shift_ppm",
    "low_ppm",
    "high_ppm",
    "signal",
    "n_hydrogens",
    "flags",
    "domain",
    "evidence_sphere",
    "evidence_n",
    "evidence_mean_ppm",
    "evidence_spread_ppm",
    "solvent",
    "interval",
    "model",
    "notices",
    "error_code",
    "error_message",
    "error_hint",
)

_N_OF_ATOM: Final = COLUMNS.index("solvent") - COLUMNS.index("nucleus")
_N_PREDICTED: Final = COLUMNS.index("error_code") - COLUMNS.index("nucleus")

_FORMULA: Final[tuple[str, ...]] = ("=", "+", "-", "@", "\t", "\r")


def guarded(text: str) -> str:
    """Return text that no spreadsheet takes for a formula: an apostrophe goes first if it would.

    Line ends become spaces, so that each row of the table is one line of the file.
    """
    text = " ".join(text.splitlines()) if "\n" in text or "\r" in text else text
    return f"'{text}" if text.startswith(_FORMULA) else text


class CsvWriter:
    """Writes the table; numbers stay numbers, texts from users are guarded.

    A molblock is not repeated in the ``input`` column: name and index tell the row.
    """

    def __init__(self, stream: TextIO) -> None:
        self._rows = csv.writer(stream, lineterminator="\n")
        self._rows.writerow(COLUMNS)

    def write(self, answer: Prediction | Failure) -> None:
        """Write the rows of one answer; a prediction without atoms still has one."""
        text = "" if "\n" in answer.input or "\r" in answer.input else guarded(answer.input)
        head = [answer.index, guarded(answer.name or ""), text]
        if isinstance(answer, Failure):
            error = [answer.code, guarded(answer.message), guarded(answer.hint)]
            self._rows.writerow([*head, "error", *[""] * _N_PREDICTED, *error])
            return
        notices = " ".join(one.code for one in answer.notices)
        tail = [answer.solvent, answer.interval, answer.model, notices, "", "", ""]
        if not answer.atoms:
            self._rows.writerow([*head, "ok", *[""] * _N_OF_ATOM, *tail])
        self._rows.writerows(
            [
                *head,
                "ok",
                atom.nucleus,
                atom.atom_index,
                atom.element,
                ppm_text(atom.shift_ppm),
                ppm_text(atom.low_ppm),
                ppm_text(atom.high_ppm),
                atom.signal,
                atom.n_hydrogens,
                " ".join(atom.flags),
                atom.domain,
                *_evidence(atom.evidence),
                *tail,
            ]
            for atom in answer.atoms
        )

    def close(self) -> None:
        """Nothing ends a table."""


def _evidence(evidence: Evidence | None) -> list[str | int]:
    if evidence is None:
        return ["", "", "", ""]
    ppm = (evidence.mean_ppm, evidence.spread_ppm)
    texts = ("" if value is None else ppm_text(value) for value in ppm)
    return [evidence.sphere, evidence.n_measured, *texts]
