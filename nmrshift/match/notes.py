"""What stands beside a peak: multiplicity, couplings, numbers of nuclei and of hydrogens."""

import re
from dataclasses import replace
from typing import Final

from nmrshift.constants import ELEMENT_OF_NUCLEUS
from nmrshift.errors import PeakTextError
from nmrshift.match.couplings import take_couplings
from nmrshift.match.peaks import Peak
from nmrshift.match.plain import items

_HYDROGENS: Final[dict[str, int]] = {"C": 0, "CH": 1, "CH2": 2, "CH3": 3}
_COUNT: Final = re.compile(r"(\d{1,3}) ?([A-Z][a-z]?)")
_GROUPS: Final = re.compile(r"(\d{1,2}) ?(?:x ?(\S.*)|(CH[23]?))")
_TIMES: Final = re.compile(r"(?:(.*\S) +|(.*[A-Z0-9)]))?x ?(\d{1,2})")
_HINT: Final = re.compile(r"(?:[NOS]-?)?(CH[23]?)")
_QUATERNARY: Final = re.compile(r"C_?q|qC|[Qq]uat(?:\.|ernary)?(?: C)?|C")
_WORDS: Final[dict[str, str]] = {
    "singlet": "s", "doublet": "d", "triplet": "t", "quartet": "q", "quintet": "p",
    "pentet": "p", "sextet": "sext", "septet": "hept", "heptet": "hept", "octet": "oct",
    "nonet": "non", "multiplet": "m",
}  # fmt: skip
_NAMES: Final = "|".join(rf"{word}s?" for word in _WORDS)
_SHORT: Final = (
    r"(?!ppm)(?:quint?|sext|sept|hept|pent|oct|non|hex|[dtqph]){0,4}"
    r"(?:quint?|sext|sept|hept|pent|oct|non|hex|[sdtqpmh])"
)
_MULTIPLICITY: Final = re.compile(
    r"(?:(?:br|broad|app|apparent|ps|pseudo|virt|v)(?:[ .-]+|(?=s$)))*"
    rf"(?P<kind>[SDTQM]|{_SHORT}|(?:{_NAMES}|[sdtq])(?: of (?:{_NAMES}|[sdtq]))*)"
    r"(?:[ .]+(?:br|broad))?\.?"
)
_MAX_LABEL_CHARS: Final[int] = 200


def with_note(peak: Peak, note: str, nucleus: str, position: int) -> Peak:
    """Return the peak with what a bracket behind it says; unknown words become its label.

    Args:
        peak: the peak before the bracket.
        note: the inside of the bracket.
        nucleus: nucleus of the spectrum.
        position: index of the bracket, for errors.

    Raises:
        PeakTextError: a statement comes twice, a coupling cannot be read, or a bare number says
            neither shift nor count.
    """
    peak, rest = take_couplings(peak, note, position)
    label = peak.label
    for item in items(rest):
        if not item:
            continue
        told = with_word(peak, item, nucleus, position)
        if told is not None:
            peak = told
        elif re.fullmatch(r"[+-]?\d+(?:\.\d+)?", item) and not label[-1:].isdecimal():
            raise PeakTextError(
                "a bare number in brackets may be a shift or a count",
                hint="Write a count as 2C; list a second form on its own.",
                position=position,
            )
        else:
            label = f"{label}, {item}".strip(", ")[:_MAX_LABEL_CHARS]
    return replace(peak, label=label)


def with_word(peak: Peak, word: str, nucleus: str, position: int) -> Peak | None:
    """Return the peak with one statement, or ``None`` if the word is none that is known.

    Capital S, D, T, Q stay capital, so that the reader of the list can tell them.

    Raises:
        PeakTextError: the peak has such a statement already.
    """
    count, hint, kind = _statement(word, nucleus)
    if count is None and hint is None and kind is None:
        return None
    for old, new in (
        (peak.n_nuclei, count),
        (peak.n_hydrogens, hint),
        (peak.multiplicity, kind),
    ):
        if old is not None and new is not None and old != new:
            raise PeakTextError("a peak is described twice, in two ways", position=position)
    return replace(
        peak,
        n_nuclei=peak.n_nuclei if count is None else count,
        n_hydrogens=peak.n_hydrogens if hint is None else hint,
        multiplicity=peak.multiplicity if kind is None else kind,
    )


def is_statement(word: str, nucleus: str) -> bool:
    """Say whether a word tells a multiplicity, a number of nuclei or hydrogens."""
    return _statement(word, nucleus) != (None, None, None)


def _statement(word: str, nucleus: str) -> tuple[int | None, int | None, str | None]:
    """Return the number of nuclei, that of hydrogens and the multiplicity that a word states."""
    element = ELEMENT_OF_NUCLEUS.get(nucleus)
    if (count := _COUNT.fullmatch(word)) and count[2] == element:
        return int(count[1]), None, None
    group, count_of_group = _counted_group(word)
    if count_of_group and (nucleus == "13C" or group in ("", element)):
        return count_of_group, _hint(group, nucleus, counted=True), None
    if (hint := _hint(word, nucleus)) is not None:
        return None, hint, None
    kind = _MULTIPLICITY.fullmatch(word)
    return None, None, _short(kind["kind"]) if kind else None


def _counted_group(word: str) -> tuple[str, int]:
    """Split ``2 x OCH3``, ``2CH`` or ``OCH3 x 2``; no count is 0."""
    if groups := _GROUPS.fullmatch(word):
        return groups[2] or groups[3], int(groups[1])
    if times := _TIMES.fullmatch(word):
        return (times[1] or times[2] or "").strip(), int(times[3])
    return "", 0


def _hint(word: str, nucleus: str, *, counted: bool = False) -> int | None:
    """Return the hydrogens on a carbon; a counted ``C`` tells none."""
    if nucleus != "13C":
        return None
    if found := _HINT.fullmatch(word):
        return _HYDROGENS[found[1]]
    is_bare = word == "C" and counted
    return 0 if _QUATERNARY.fullmatch(word) and not is_bare else None


def _short(kind: str) -> str:
    if " of " in kind or kind.rstrip("s") in _WORDS:
        return "".join(_WORDS.get(one.rstrip("s") or one, one) for one in kind.split(" of "))
    return kind
