"""Peak lists as chemists paste them, read without guessing.

Understood: the experimental sections of papers, bare numbers, letters S, D, T, Q or
``CH3 CH2 CH C`` behind the numbers, ranges, couplings, several spectra in one text.
"""

import re
from dataclasses import replace
from typing import Final

from nmrshift.errors import PeakTextError
from nmrshift.match.headers import Section, sections
from nmrshift.match.peak_reader import PeakReader
from nmrshift.match.peaks import Peak, PeakList
from nmrshift.match.plain import plain

_LETTERS: Final[dict[str, int]] = {"S": 0, "D": 1, "T": 2, "Q": 3}
_NUMBERED: Final = re.compile(r"^[ ]*(\d{1,3})[ )|]+[+-]?\d", re.MULTILINE)
_MAX_IGNORED_CHARS: Final[int] = 60


def read_peaks(text: str, nucleus: str | None = None) -> PeakList:
    """Read the spectrum of one nucleus.

    Args:
        text: one or more spectra, or a bare list of shifts in ppm.
        nucleus: nucleus wanted, by its usual name; needed where the text names none or several.

    Returns:
        The peaks, in the order of the text, with frequency and solvent where the text has them.

    Raises:
        PeakTextError: anything but whitespace and known words is between the numbers, the text
            has no or more than one spectrum of the nucleus, or a shift is impossible.
    """
    clear = plain(text)
    section = _choose(sections(clear), nucleus)
    named = section.nucleus or nucleus
    if named is None:
        raise PeakTextError("the text does not say of what nucleus it is", hint="Name it: 13C.")
    if section.nucleus is None:
        _refuse_numbered(clear)
    peaks, tail = PeakReader(clear, section, named).read()
    ignored = (*section.ignored, tail[:_MAX_IGNORED_CHARS]) if tail else section.ignored
    peaks = _with_letters(peaks, named)
    return PeakList(named, peaks, section.frequency_mhz, section.solvent, ignored).checked()


def _choose(found: list[Section], nucleus: str | None) -> Section:
    names = list(dict.fromkeys(one.nucleus or "" for one in found))
    if nucleus is None and len(names) > 1:
        raise PeakTextError(
            f"the text has spectra of {', '.join(names)}", hint="Say which nucleus you mean."
        )
    fitting = [one for one in found if nucleus is None or one.nucleus in (None, nucleus)]
    if not fitting:
        raise PeakTextError(f"the text has no spectrum of {nucleus}, but of {', '.join(names)}")
    if len(fitting) > 1:
        raise PeakTextError(
            f"the text has {len(fitting)} spectra of {fitting[0].nucleus}", hint="Send one."
        )
    return fitting[0]


def _refuse_numbered(text: str) -> None:
    """Refuse a table whose rows are numbered: the numbers would be read as shifts."""
    numbers = [int(one) for one in _NUMBERED.findall(text)]
    counted = list(range(numbers[0], numbers[0] + len(numbers))) if numbers else []
    if len(numbers) > 1 and numbers[0] <= 1 and numbers == counted:
        raise PeakTextError("the lines seem to be numbered", hint="Send the column of shifts.")


def _with_letters(peaks: tuple[Peak, ...], nucleus: str) -> tuple[Peak, ...]:
    """Take S, D, T, Q for hydrogens, if every peak of a carbon spectrum has one and no coupling."""
    tell = nucleus == "13C" and all(
        peak.multiplicity in _LETTERS and not peak.couplings_hz for peak in peaks
    )
    return tuple(
        replace(
            peak,
            multiplicity=peak.multiplicity and peak.multiplicity.lower(),
            n_hydrogens=_LETTERS[peak.multiplicity or "S"] if tell else peak.n_hydrogens,
        )
        for peak in peaks
    )
