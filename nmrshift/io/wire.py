"""The JSON form of answers, shared by files and service.

Numbers in ppm are rounded to 0.001. Text is ASCII; everything else is escaped.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from json.encoder import encode_basestring_ascii as _quoted
from typing import Any, Final, TypeVar

from nmrshift.io.numbers import ppm_json
from nmrshift.types import AtomShift, Evidence, Failure, Notice, Prediction, Reference

SCHEMA_VERSION: Final[int] = 1

_Value = TypeVar("_Value", AtomShift, Evidence, Failure, Notice, Prediction, Reference)

_ENCODE: Final = json.JSONEncoder(
    ensure_ascii=True, allow_nan=False, separators=(",", ":"), check_circular=False
).encode

_TEXTS_KEPT: Final[int] = 2**14


@dataclass(frozen=True, slots=True)
class WrittenPrediction:
    """A prediction in JSON but for its place: cheap to hand on, to keep, and to put elsewhere.

    Attributes:
        index: as in ``Prediction``.
        input: as in ``Prediction``.
        name: as in ``Prediction``.
        model: as in ``Prediction``.
        n_atoms: number of its shifts.
        rest: all that stands behind index, name and input.
    """

    index: int
    input: str
    name: str | None
    model: str
    n_atoms: int
    rest: str


Answer = Prediction | WrittenPrediction | Failure


def row_text(answer: Answer) -> str:
    """Return one answer as one line of JSON, without a line end.

    ``status`` is ``ok`` or ``error``; the other fields are those of ``Prediction`` or ``Failure``
    by their names, so that the whole meaning is documented there.

    Raises:
        OutputError: a shift is not finite.
    """
    place = (
        f'"index":{answer.index},"name":{_optional(answer.name)},"input":{_quoted(answer.input)}'
    )
    if isinstance(answer, Failure):
        return (
            f'{{"status":"error",{place},"code":{_quoted(answer.code)},'
            f'"message":{_quoted(answer.message)},"hint":{_quoted(answer.hint)}}}'
        )
    rest = answer.rest if isinstance(answer, WrittenPrediction) else _rest(answer)
    return f'{{"status":"ok",{place},{rest}'


def written(answer: Prediction) -> WrittenPrediction:
    """Return a prediction in JSON.

    Raises:
        OutputError: a shift is not finite.
    """
    return WrittenPrediction(
        answer.index, answer.input, answer.name, answer.model, len(answer.atoms), _rest(answer)
    )


def _rest(answer: Prediction) -> str:
    """Return what stands behind the place of a prediction, to the end of the line."""
    notices = [{"code": one.code, "message": one.message} for one in answer.notices]
    return (
        f'"solvent":{_quoted(answer.solvent)},'
        f'"interval":{json_text(answer.interval)},"model":{_quoted(answer.model)},'
        f'"atoms":[{",".join(map(_atom, answer.atoms))}],"notices":{json_text(notices)},'
        f'"molblock":{_optional(answer.molblock)},"domain":{_quoted(answer.domain)}}}'
    )


def _atom(atom: AtomShift) -> str:
    """Return one atom; texts that many atoms share are made once."""
    evidence = atom.evidence
    return (
        f'{{"atom_index":{atom.atom_index},{_kind(atom.element, atom.nucleus)}'
        f'"shift_ppm":{ppm_json(atom.shift_ppm)},"low_ppm":{ppm_json(atom.low_ppm)},'
        f'"high_ppm":{ppm_json(atom.high_ppm)},"signal":{atom.signal},'
        f"{_verdict(atom.n_hydrogens, atom.flags, atom.domain)}"
        f'"evidence":{"null" if evidence is None else _evidence(evidence)}}}'
    )


@lru_cache(maxsize=_TEXTS_KEPT)
def _kind(element: str, nucleus: str) -> str:
    return f'"element":{_quoted(element)},"nucleus":{_quoted(nucleus)},'


@lru_cache(maxsize=_TEXTS_KEPT)
def _verdict(n_hydrogens: int, flags: tuple[str, ...], domain: str) -> str:
    return f'"n_hydrogens":{n_hydrogens},"flags":{json_text(flags)},"domain":{_quoted(domain)},'


def _evidence(evidence: Evidence) -> str:
    numbers = _measured(
        evidence.sphere, evidence.n_measured, evidence.mean_ppm, evidence.spread_ppm
    )
    if not evidence.references:
        return numbers + '"references":[]}'
    named = [{"record": one.record, "shift_ppm": one.shift_ppm} for one in evidence.references]
    return f'{numbers}"references":{json_text(named)}}}'


@lru_cache(maxsize=_TEXTS_KEPT)
def _measured(
    sphere: int, n_measured: int, mean_ppm: float | None, spread_ppm: float | None
) -> str:
    """Return the beginning of an evidence; many atoms share one."""
    mean, spread = ("null" if ppm is None else ppm_json(ppm) for ppm in (mean_ppm, spread_ppm))
    return f'{{"sphere":{sphere},"n_measured":{n_measured},"mean_ppm":{mean},"spread_ppm":{spread},'


def _optional(text: str | None) -> str:
    return "null" if text is None else _quoted(text)


def json_text(value: Any) -> str:
    """Return a plain value as compact ASCII JSON.

    Raises:
        ValueError: a number is not finite.
    """
    return _ENCODE(value)


def answer_from_row(row: Mapping[str, Any]) -> Prediction | Failure:
    """Return the answer that :func:`row_text` wrote, numbers as rounded there.

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
