"""Where the spectra of a text begin, of what nucleus they are, and how they were measured."""

import re
from dataclasses import dataclass
from typing import Final

from nmrshift.chem.solvents import is_reported, normalise, unread
from nmrshift.constants import ELEMENT_OF_NUCLEUS
from nmrshift.errors import UnknownNucleusError
from nmrshift.io.options import parse_nucleus
from nmrshift.match.notes import is_statement
from nmrshift.match.plain import closing, items

_HEADER: Final = re.compile(
    r"(?<![A-Za-z0-9.])"
    r"(?:(?P<named>\d{1,3}-?[A-Za-z]{1,2}|[A-Za-z]{1,2}-?\d{1,3})"
    r" ?(?:[{(\[][^{}()\[\]\n]{1,12}[})\]])?"
    r"[ -]{0,3}(?:(?:APT|DEPTQ?(?:-?\d{2,3})?|UDEFT|CPD)[ -]{1,3})?"
    r"(?i:NMR)(?![A-Za-z])"
    r"|(?m:^) *(?P<line>\d{1,3}[A-Z][a-z]?) ?(?=:)"
    r"|δ ?_?(?P<greek>[CHFPB])(?![A-Za-z]))"
)
_SKIP: Final = re.compile(
    r"[\s,:;=/]+|δ ?_?[CHFPB]?(?![A-Za-z])|d(?=[ :=]+[+-]?\d)|(?i:delta|ppm|spectr(?:um|al|a)"
    r"|chemical|shifts?|data|in|at)(?![A-Za-z0-9])"
)
_MHZ: Final = re.compile(r"(\d{1,4}(?:\.\d{1,6})?) ?MHz(?![A-Za-z])", re.IGNORECASE)
_WORD: Final = re.compile(r"[A-Za-z\[(][\w()\[\]/-]*")
_NO_SOLVENT: Final = re.compile(r"δ.{0,8}|ppm|Me4Si|r\.?t\.?|\d{1,3} ?(?:K|°C|C)", re.IGNORECASE)
_NUCLEUS_OF: Final[dict[str, str]] = {"C": "13C", "H": "1H", "F": "19F", "P": "31P", "B": "11B"}
_ISOTOPE: Final = re.compile(r"\d{1,3}-?[A-Z][a-z]?")
_MAX_NOTE_CHARS: Final[int] = 60


@dataclass(frozen=True, slots=True)
class Section:
    """One spectrum of a text.

    Attributes:
        nucleus: its nucleus; ``None`` in a bare list.
        start: index where its peaks begin.
        end: index where the next spectrum begins.
        frequency_mhz: spectrometer frequency, MHz.
        solvent: solvent as written, if one is understood.
        ignored: conditions that were not understood.
    """

    nucleus: str | None
    start: int
    end: int
    frequency_mhz: float | None = None
    solvent: str | None = None
    ignored: tuple[str, ...] = ()


def sections(text: str) -> list[Section]:
    """Return the spectra of a plain text, in its order; a text without headers is one.

    Raises:
        PeakTextError: a bracket of a header is not closed.
    """
    found: list[tuple[str, int, Section]] = []
    place = 0
    while header := _HEADER.search(text, place):
        nucleus = _nucleus(header)
        place = header.end()
        if nucleus is not None:
            section = _conditions(text, place, nucleus)
            found.append((nucleus, header.start(), section))
            place = section.start
    if not found:
        return [_conditions(text, 0, None)]
    ends = [begin for _, begin, _ in found[1:]] + [len(text)]
    return [
        Section(nucleus, one.start, end, one.frequency_mhz, one.solvent, one.ignored)
        for (nucleus, _, one), end in zip(found, ends, strict=True)
    ]


def _nucleus(header: re.Match[str]) -> str | None:
    """Return the nucleus of a header; an isotope that is not known here by its own name."""
    if header["greek"]:
        return _NUCLEUS_OF[header["greek"]]
    named = header["named"] or header["line"]
    try:
        return parse_nucleus(named)
    except UnknownNucleusError:
        return named if _ISOTOPE.fullmatch(named) else None


def _conditions(text: str, start: int, nucleus: str | None) -> Section:
    """Read what stands between a header and the first peak."""
    written: list[str] = []
    place = start
    while place < len(text):
        if skipped := _SKIP.match(text, place):
            place = skipped.end()
        elif text[place] in "([" and not text[closing(text, place) + 1 :][:1].isalnum():
            end = closing(text, place)
            inside = items(text[place + 1 : end])
            if any(is_statement(item, nucleus or "13C") for item in inside):
                break  # a remark on a peak that does not stand before it
            written.extend(inside)
            place = end + 1
        elif frequency := _MHZ.match(text, place):
            written.append(frequency[0])
            place = frequency.end()
        elif word := _solvent_word(text, place):
            written.append(word)
            place += len(word)
        else:
            break
    frequency_mhz, solvent, ignored = _read(written)
    return Section(nucleus, place, len(text), frequency_mhz, solvent, ignored)


def _solvent_word(text: str, place: int) -> str:
    """Return the solvent that stands here as one word, or nothing."""
    word = _WORD.match(text, place)
    known = word and len(word[0]) > 1 and normalise(word[0]).key != "unknown"
    return word[0] if word and known and not unread(word[0]) else ""


def _read(written: list[str]) -> tuple[float | None, str | None, tuple[str, ...]]:
    """Sort conditions into frequency, solvent and the rest; two solvents are not guessed at."""
    frequencies, solvents, ignored = [], [], []
    for item in written:
        if found := _MHZ.search(item):
            frequencies.append(float(found[1]))
        rest = _MHZ.sub(" ", item).strip(" /@")
        if not rest or _NO_SOLVENT.fullmatch(rest) or rest in ELEMENT_OF_NUCLEUS:
            continue
        if normalise(rest).key != "unknown":
            solvents.append(rest)
        elif is_reported(rest) and unread(rest):
            ignored.append(rest[:_MAX_NOTE_CHARS])
    frequency_mhz = frequencies[0] if len(set(frequencies)) == 1 else None
    if len({normalise(one).key for one in solvents}) > 1:
        return frequency_mhz, None, (*ignored, *solvents)
    return frequency_mhz, (solvents[0] if solvents else None), tuple(ignored)
