"""Slow, obviously right twins of what the writers do fast."""

from collections.abc import Iterator
from typing import Any

from nmrshift.io.long_form import ATOM_COLUMNS
from nmrshift.io.numbers import ppm_of
from nmrshift.types import Evidence, Failure, Prediction

Row = tuple[Any, ...]


def row_of(answer: Prediction | Failure) -> dict[str, Any]:
    """Return one answer as plain values; ``status`` is ``ok`` or ``error``.

    The fields are those of ``Prediction`` or ``Failure`` by their names, so that the whole
    meaning is documented there.
    """
    if isinstance(answer, Failure):
        return {
            "status": "error",
            "index": answer.index,
            "name": answer.name,
            "input": answer.input,
            "code": answer.code,
            "message": answer.message,
            "hint": answer.hint,
        }
    return {
        "status": "ok",
        "index": answer.index,
        "name": answer.name,
        "input": answer.input,
        "solvent": answer.solvent,
        "interval": answer.interval,
        "model": answer.model,
        "atoms": [
            {
                "atom_index": atom.atom_index,
                "element": atom.element,
                "nucleus": atom.nucleus,
                "shift_ppm": ppm_of(atom.shift_ppm),
                "low_ppm": ppm_of(atom.low_ppm),
                "high_ppm": ppm_of(atom.high_ppm),
                "signal": atom.signal,
                "n_hydrogens": atom.n_hydrogens,
                "flags": atom.flags,
                "domain": atom.domain,
                "evidence": _evidence_values(atom.evidence),
            }
            for atom in answer.atoms
        ],
        "notices": [{"code": one.code, "message": one.message} for one in answer.notices],
        "molblock": answer.molblock,
        "domain": answer.domain,
    }


def _evidence_values(evidence: Evidence | None) -> dict[str, Any] | None:
    if evidence is None:
        return None
    return {
        "sphere": evidence.sphere,
        "n_measured": evidence.n_measured,
        "mean_ppm": _ppm_or_none(evidence.mean_ppm),
        "spread_ppm": _ppm_or_none(evidence.spread_ppm),
        "references": [
            {"record": one.record, "shift_ppm": one.shift_ppm} for one in evidence.references
        ],
    }


def _ppm_or_none(value: float | None) -> float | None:
    return None if value is None else ppm_of(value)


def long_rows(answer: Prediction | Failure) -> Iterator[Row]:
    """Yield one row an atom, ``None`` where there is nothing; other answers are one row.

    Numbers in ppm are rounded to 0.001.

    Raises:
        OutputError: a shift is not finite.
    """
    head = (answer.index, answer.name, answer.input)
    if isinstance(answer, Failure):
        error = (answer.code, answer.message, answer.hint)
        yield (*head, "error", *(None,) * (len(ATOM_COLUMNS) + 4), *error, None)
        return
    notices = " ".join(one.code for one in answer.notices)
    tail = (answer.solvent, answer.interval, answer.model, notices, None, None, None)
    if not answer.atoms:
        yield (*head, "ok", *(None,) * len(ATOM_COLUMNS), *tail, answer.molblock)
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
            *_evidence_cells(atom.evidence),
            *tail,
            answer.molblock,
        )


def _evidence_cells(evidence: Evidence | None) -> tuple[int | float | None, ...]:
    if evidence is None:
        return (None, None, None, None)
    ppm = (evidence.mean_ppm, evidence.spread_ppm)
    values = (None if value is None else ppm_of(value) for value in ppm)
    return (evidence.sphere, evidence.n_measured, *values)
