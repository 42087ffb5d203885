"""A table to read: one line a signal, 80 columns."""

import textwrap
from collections.abc import Iterator
from itertools import groupby
from typing import Final, TextIO

from nmrshift.types import AtomShift, Evidence, Failure, Prediction

WIDTH: Final[int] = 80
"""Columns of the table."""

_ATOMS: Final[int] = 12
_SEEN: Final[int] = 7
_FLAGS: Final[int] = WIDTH - 2 - _ATOMS - 39

_DECIMALS: Final[dict[str, int]] = {"1H": 2}
"""Digits after the point; one for every other nucleus, whose errors are larger."""


def printable(text: str) -> str:
    """Return text on one line, in printable ASCII: no control character reaches a terminal."""
    text = " ".join(text.split())
    if text.isascii() and text.isprintable():
        return text
    return "".join(one if " " <= one <= "~" else ascii(one)[1:-1] for one in text)


class TableWriter:
    """Writes each answer as a small table, signals from high to low shift."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._started = False

    def write(self, answer: Prediction | Failure) -> None:
        """Write one table, or the failure with its hint."""
        lines = _failure(answer) if isinstance(answer, Failure) else _prediction(answer)
        self._stream.write(("\n" if self._started else "") + "\n".join(lines) + "\n")
        self._started = True

    def close(self) -> None:
        """Nothing ends a table."""


def _title(answer: Prediction | Failure) -> str:
    is_block = "\n" in answer.input or "\r" in answer.input
    structure = "" if is_block and answer.name else printable(answer.input)
    parts = [part for part in (printable(answer.name or ""), structure) if part]
    title = f"[{answer.index}] " + "  ".join(parts)
    return title if len(title) <= WIDTH else title[: WIDTH - 3] + "..."


def _failure(answer: Failure) -> Iterator[str]:
    yield _title(answer)
    yield from _wrapped(f"error {answer.code}: {printable(answer.message)}")
    if answer.hint:
        yield from _wrapped(f"hint: {printable(answer.hint)}")


def _prediction(answer: Prediction) -> Iterator[str]:
    yield _title(answer)
    yield f"  solvent {answer.solvent}, model {printable(answer.model)}, atoms counted from 0"
    if any(atom.evidence for atom in answer.atoms):
        yield "  seen n@s: n measured shifts of atoms with the same environment to s bonds"
    if answer.domain == "outside":
        yield "  !! OUTSIDE: training has nothing like parts of it; do not rely on the shifts"
    for nucleus, atoms in groupby(answer.atoms, key=lambda atom: atom.nucleus):
        yield from _nucleus(nucleus, tuple(atoms), answer.interval)
    if answer.notices:
        yield ""
    for notice in answer.notices:
        yield from _wrapped(f"note {notice.code}: {printable(notice.message)}")


def _nucleus(nucleus: str, atoms: tuple[AtomShift, ...], interval: float) -> Iterator[str]:
    signals: dict[int, list[AtomShift]] = {}
    for atom in atoms:
        signals.setdefault(atom.signal, []).append(atom)
    ordered = sorted(signals.values(), key=lambda group: -group[0].shift_ppm)
    range_title = f"{round(interval * 100, 1):g} % interval"
    yield ""
    title = f"  {nucleus:<{_ATOMS}}{'shift/ppm':>10}  {range_title:^20}  {'H':>3}  "
    known = any(atom.evidence for atom in atoms)
    yield title + (f"{'seen':>{_SEEN}}  " if known else "") + "flags"
    for group in ordered:
        yield from _signal(group, _DECIMALS.get(nucleus, 1), _SEEN + 2 if known else 0)


def _signal(group: list[AtomShift], decimals: int, seen_width: int) -> Iterator[str]:
    first = group[0]
    names = textwrap.wrap(", ".join(str(atom.atom_index) for atom in group), _ATOMS - 1)
    low, high = _ppm(first.low_ppm, decimals), _ppm(first.high_ppm, decimals)
    numbers = f"{_ppm(first.shift_ppm, decimals):>10}  {low:>8} to {high:>8}"
    flags = sorted({flag for atom in group for flag in atom.flags})
    marks = textwrap.wrap(" ".join(flags), _FLAGS - seen_width, break_long_words=False) or [""]
    seen = f"{_seen(first.evidence):>{_SEEN}}  " if seen_width else ""
    head = f"  {names[0]:<{_ATOMS}}{numbers}  {first.n_hydrogens:>3}  {seen}{marks[0]}"
    yield head.rstrip()
    for line in range(1, max(len(names), len(marks))):
        atoms = names[line] if line < len(names) else ""
        flag = marks[line] if line < len(marks) else ""
        yield f"  {atoms:<{_ATOMS}}{'':>{39 + seen_width}}{flag}".rstrip()


def _seen(evidence: Evidence | None) -> str:
    return f"{evidence.n_measured}@{evidence.sphere}" if evidence else ""


def _ppm(value: float, decimals: int) -> str:
    return f"{round(value, decimals) + 0.0:.{decimals}f}"


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="    ")
