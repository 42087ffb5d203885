"""The text of NMReDATA tags: lines, comments, labels, assignments, signals."""

import math
import re
from dataclasses import dataclass, field
from typing import Final

_TOKEN: Final = re.compile(r'(?:<"[^"]*">|\([^()]*\)|[^,])+')
_ATOM: Final = re.compile(r"(H?)(\d{1,6})")
_NUMBER: Final = r"[-+]?(?:\d+\.?\d*|\.\d+)"
_SHIFT: Final = re.compile(rf"({_NUMBER})(?:\s*-\s*({_NUMBER}))?")
_ATTRIBUTE: Final = re.compile(r"([A-Za-z][A-Za-z0-9_]*)\s*=\s*(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Assignment:
    """One label.

    Attributes:
        label: its name.
        shift_ppm: its shift.
        atoms: (number from 1, whether the hydrogens on that atom are meant).
    """

    label: str
    shift_ppm: float
    atoms: tuple[tuple[int, bool], ...]


@dataclass(frozen=True, slots=True)
class Assignments:
    """The ``NMREDATA_ASSIGNMENT`` tag.

    Attributes:
        labels: assignments by label.
        interchangeable: labels whose assignment may be swapped.
    """

    labels: dict[str, Assignment]
    interchangeable: frozenset[str]


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal of a 1D spectrum; the middle, where a range is given."""

    shift_ppm: float
    labels: tuple[str, ...] = ()
    multiplicity: str | None = None


@dataclass(frozen=True, slots=True)
class Spectrum:
    """One ``NMREDATA_1D_*`` tag; ``broken`` holds lines that are no signals."""

    nucleus: str
    larmor_mhz: str | None = None
    signals: tuple[Signal, ...] = ()
    broken: tuple[str, ...] = field(default=())


def lines_of(text: str, version: str) -> list[str]:
    r"""Return the lines of a tag without comments.

    From version 1.1 a backslash ends a line, and ends of lines of the file mean nothing, not even
    within a number; before, both end it. Text without any backslash goes by its own lines.
    """
    if "\\" in text and version != "1.0":
        parts = text.replace("\n", "").split("\\")
    else:
        parts = [line.strip().removesuffix("\\") for line in text.split("\n")]
    lines = [part.split(";", 1)[0].strip() for part in parts]
    return [line for line in lines if line]


def first(text: str, version: str) -> str | None:
    """Return the first line of a tag, ``None`` if it has none."""
    lines = lines_of(text, version)
    return lines[0] if lines else None


def assignments(text: str, version: str) -> tuple[Assignments, list[str]]:
    """Read an assignment tag; return it and the lines that cannot be read."""
    labels: dict[str, Assignment] = {}
    swaps: set[str] = set()
    broken: list[str] = []
    for line in lines_of(text, version):
        attribute = _ATTRIBUTE.fullmatch(line)
        if attribute and attribute[1].lower() in ("interchangeable", "equivalent"):
            if attribute[1].lower() == "interchangeable":
                swaps.update(_label(token) for token in _tokens(attribute[2].replace("/", ",")))
            continue
        found = _assignment(line)
        if found is None or found.label in labels:
            broken.append(line)
        else:
            labels[found.label] = found
    return Assignments(labels, frozenset(swaps)), broken


def spectrum(nucleus: str, text: str, version: str) -> Spectrum:
    """Read the tag of a 1D spectrum."""
    larmor: str | None = None
    signals: list[Signal] = []
    broken: list[str] = []
    for line in lines_of(text, version):
        attribute = _ATTRIBUTE.match(line)
        if attribute:
            if attribute[1].lower() == "larmor":
                larmor = attribute[2].strip() or None
            continue
        found = _signal(line)
        if found is None:
            broken.append(line)
        else:
            signals.append(found)
    return Spectrum(nucleus, larmor, tuple(signals), tuple(broken))


def _assignment(line: str) -> Assignment | None:
    tokens = _tokens(line)
    if len(tokens) < 3:
        return None
    shift_ppm = _shift(tokens[1])
    atoms = []
    for token in tokens[2:]:
        for part in token.strip("()").split(","):
            found = _ATOM.fullmatch(part.strip())
            if found is None:
                return None
            atoms.append((int(found[2]), bool(found[1])))
    return None if shift_ppm is None else Assignment(_label(tokens[0]), shift_ppm, tuple(atoms))


def _signal(line: str) -> Signal | None:
    tokens = _tokens(line)
    shift_ppm = _shift(tokens[0]) if tokens else None
    if shift_ppm is None:
        return None
    labels: list[str] = []
    multiplicity: str | None = None
    key = ""
    for token in tokens[1:]:
        attribute = _ATTRIBUTE.fullmatch(token)
        key, value = (attribute[1], attribute[2]) if attribute else (key, token)
        if key == "L":
            labels += [name for part in value.split("&") if (name := _label(part))]
        elif key == "S" and attribute:
            multiplicity = value or None
    return Signal(shift_ppm, tuple(labels), multiplicity)


def _tokens(text: str) -> list[str]:
    return [token.strip() for token in _TOKEN.findall(text) if token.strip()]


def _label(text: str) -> str:
    text = text.strip()
    if text.startswith("<") and text.endswith(">"):
        text = text[1:-1].strip('"').strip()
    return text


def _shift(text: str) -> float | None:
    found = _SHIFT.fullmatch(text.strip())
    if found is None:
        return None
    low, high = float(found[1]), float(found[2] or found[1])
    middle = low if low == high else round((low + high) / 2, 6)
    return middle if math.isfinite(middle) else None
