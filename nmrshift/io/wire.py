"""The JSON form of answers, shared by files and service.

Numbers in ppm are rounded to 0.001. Text is ASCII; everything else is escaped.
"""

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final, TypeVar

from nmrshift.types import AtomShift, Evidence, Failure, Notice, Prediction, Reference

SCHEMA_VERSION: Final[int] = 1

_Value = TypeVar("_Value", AtomShift, Evidence, Failure, Notice, Prediction, Reference)

_ENCODE: Final = json.JSONEncoder(
    ensure_ascii=True, allow_nan=False, separators=(",", ":"), check_circular=False
).encode


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
                "shift_ppm": _ppm(atom.shift_ppm),
                "low_ppm": _ppm(atom.low_ppm),
                "high_ppm": _ppm(atom.high_ppm),
                "signal": atom.signal,
                "n_hydrogens": atom.n_hydrogens,
                "flags": atom.flags,
                "domain": atom.domain,
                "evidence": _evidence(atom.evidence),
            }
            for atom in answer.atoms
        ],
        "notices": [{"code": one.code, "message": one.message} for one in answer.notices],
        "molblock": answer.molblock,
        "domain": answer.domain,
    }


def _evidence(evidence: Evidence | None) -> dict[str, Any] | None:
    if evidence is None:
        return None
    return {
        "sphere": evidence.sphere,
        "n_measured": evidence.n_measured,
        "mean_ppm": _ppm(evidence.mean_ppm),
        "spread_ppm": _ppm(evidence.spread_ppm),
        "references": [
            {"record": one.record, "shift_ppm": one.shift_ppm} for one in evidence.references
        ],
    }


def _ppm(value: float | None) -> float | None:
    """Return a value in ppm rounded to 0.001, never as a negative zero."""
    return None if value is None else round(value, 3) + 0.0


def row_text(answer: Prediction | Failure) -> str:
    """Return one answer as one line of JSON, without a line end.

    Raises:
        ValueError: a shift is not finite.
    """
    return _ENCODE(row_of(answer))


def json_text(value: Any) -> str:
    """Return a plain value as compact ASCII JSON.

    Raises:
        ValueError: a number is not finite.
    """
    return _ENCODE(value)


def answer_from_row(row: Mapping[str, Any]) -> Prediction | Failure:
    """Return the answer that :func:`row_of` made a row of, numbers as rounded there.

    Args:
        row: plain values, as read from JSON; fields without a meaning here are ignored.

    Raises:
        KeyError: a field is missing.
        TypeError: a field is missing, or not of its kind.
    """
    if row["status"] == "error":
        return _made(Failure, row)
    atoms = tuple(
        _made(AtomShift, {**atom, "evidence": _evidence_from(atom["evidence"])})
        for atom in row["atoms"]
    )
    notices = tuple(_made(Notice, notice) for notice in row["notices"])
    return _made(Prediction, {**row, "atoms": atoms, "notices": notices})


def _evidence_from(row: Mapping[str, Any] | None) -> Evidence | None:
    if row is None:
        return None
    references = tuple(_made(Reference, one) for one in row["references"])
    return _made(Evidence, {**row, "references": references})


def _made(kind: type[_Value], row: Mapping[str, Any]) -> _Value:
    """Return a value from its fields; lists become tuples."""
    given = {one.name: row[one.name] for one in fields(kind) if one.name in row}
    frozen: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in given.items()
    }
    return kind(**frozen)
