"""From the first peak of a spectrum to the end of its list, piece by piece."""

import re
from typing import Final

from nmrshift.constants import PLAUSIBLE_RANGE_PPM
from nmrshift.errors import PeakTextError
from nmrshift.match.couplings import COUPLING, with_couplings
from nmrshift.match.headers import Section
from nmrshift.match.notes import with_note, with_word
from nmrshift.match.peaks import MAX_PEAKS, Peak
from nmrshift.match.plain import closing

_NUMBER: Final = r"[+-]?\d{1,4}(?:\.\d{1,6})?(?!\d|\.\d)"
_SHIFT: Final = re.compile(_NUMBER)
_RANGE: Final = re.compile(rf"(?P<low>{_NUMBER})(?:-\s{{0,3}}| +- +| ?~ ?| to )(?P<high>{_NUMBER})")
_SEPARATOR: Final = re.compile(r"(?:[\s;|*†‡§#]|,(?!\d)|ppm(?![A-Za-z])|(?:and|&)(?![A-Za-z]))+")
_COUNT: Final = re.compile(r"[1-9](?: ?x ?)?(?:CH[23]?|[CHFPB])(?![A-Za-z0-9])|x ?[1-9](?!\d)")
_UNCLEAR_COUNT: Final = re.compile(
    r"(?:\d{2,3}|(?:\d|1[0-2]) )(?:CH[23]?|[CHFPB])(?![A-Za-z0-9])|\d{1,3} ?x"
)
_TIGHT_COMMA: Final = re.compile(r",(?=\d{1,4}\.\d)")
_AFTER_POINT: Final = re.compile(r"\.\d+\Z")
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?: of [a-z]+)?")
_END: Final = re.compile(
    r"(?:HRMS|LRMS|HR-?MS|MS|IR|FT-?IR|ATR|UV|Anal|m/z|[Mm]\.?p\.?|R_?f|ESI|EI|HPLC|GC|MALDI"
    r"|\[α\]|\[a\]|ν|v_?max|[Cc]alcd|[Ee]lemental|Melting)(?![a-z])"
)
_MAX_RANGE_SHARE: Final[float] = 0.1
"""Widest range of a peak, as a share of the window of its nucleus."""


class PeakReader:
    """Goes once through the peaks of one section.

    Args:
        text: the whole text, plain.
        section: where the peaks stand.
        nucleus: their nucleus.
    """

    def __init__(self, text: str, section: Section, nucleus: str) -> None:
        self._text = text[: section.end]
        self._place = section.start
        self._nucleus = nucleus
        self._peaks: list[Peak] = []
        low, high = PLAUSIBLE_RANGE_PPM.get(nucleus, (0.0, 1000.0))
        self._max_range_ppm = _MAX_RANGE_SHARE * (high - low)

    def read(self) -> tuple[tuple[Peak, ...], str]:
        """Return the peaks and the text after the end of the list.

        Raises:
            PeakTextError: something is no peak and belongs to none, or may mean two things.
        """
        steps = (self._separator, self._number, self._bracket, self._word)
        while self._place < len(self._text):
            if self._at_end():
                return tuple(self._peaks), " ".join(self._text[self._place :].split()).strip(". ")
            if len(self._peaks) > MAX_PEAKS:
                break
            if not any(step() for step in steps):
                raise self._error("this is no peak and nothing that belongs to one")
        return tuple(self._peaks), ""

    def _error(self, message: str, hint: str | None = None) -> PeakTextError:
        return PeakTextError(
            f"{message} (character {self._place + 1})", hint=hint, position=self._place
        )

    def _at_end(self) -> bool:
        """Say whether the list ends here: at a full stop, or where other data begin."""
        if _END.match(self._text, self._place):
            return bool(self._peaks)
        if self._text[self._place] != "." or self._text[self._place + 1 :][:1].strip():
            return False
        if re.match(r"[.\s]*[+-]?\d", self._text[self._place : self._place + 100]):
            raise self._error("a number follows a full stop", "Separate peaks by commas.")
        return True

    def _separator(self) -> bool:
        found = _SEPARATOR.match(self._text, self._place)
        if found:
            self._place = found.end()
            return True
        if self._text[self._place] != ",":
            return False
        before = self._text[max(0, self._place - 9) : self._place]
        is_tight = _TIGHT_COMMA.match(self._text, self._place) and _AFTER_POINT.search(before)
        if not is_tight and before[-1:].isdecimal():
            raise self._error(
                "a comma between digits may be a decimal comma",
                "Write decimal points, and a space after commas.",
            )
        self._place += 1
        return True

    def _number(self) -> bool:
        if self._peaks and (count := _COUNT.match(self._text, self._place)):
            return self._tell(count[0], count.end())
        if _UNCLEAR_COUNT.match(self._text, self._place):
            raise self._error("this may be a count or a shift", "Put counts in brackets: (12C).")
        if span := _RANGE.match(self._text, self._place):
            low, high = sorted((float(span["low"]), float(span["high"])))
            if high - low > self._max_range_ppm:
                raise self._error("a range is too wide", "Separate peaks by commas.")
            self._peaks.append(
                Peak(round((low + high) / 2, 6), (low, high) if high > low else None)
            )
            self._place = span.end()
            return True
        shift = _SHIFT.match(self._text, self._place)
        if shift:
            self._peaks.append(Peak(float(shift[0]) + 0.0))
            self._place = shift.end()
        return shift is not None

    def _bracket(self) -> bool:
        if self._text[self._place] not in "([" or not self._peaks:
            return False
        end = closing(self._text, self._place)
        note = self._text[self._place + 1 : end]
        self._peaks[-1] = with_note(self._peaks[-1], note, self._nucleus, self._place)
        self._place = end + 1
        return True

    def _word(self) -> bool:
        if not self._peaks:
            return False
        if coupling := COUPLING.match(self._text, self._place):
            peak = with_couplings(self._peaks[-1], coupling["values"], self._place)
            self._peaks[-1] = peak
            self._place = coupling.end()
            return True
        word = _WORD.match(self._text, self._place)
        return word is not None and self._tell(word[0], word.end())

    def _tell(self, word: str, end: int) -> bool:
        """Add a bare statement to the last peak; return whether it is one."""
        told = with_word(self._peaks[-1], word, self._nucleus, self._place)
        if told is None:
            return False
        self._peaks[-1] = told
        self._place = end
        return True
