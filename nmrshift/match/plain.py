"""Typography of papers to plain characters, one for one, so that positions stay true."""

from typing import Final

from nmrshift.errors import PeakTextError

MAX_CHARS: Final[int] = 20_000
"""Characters of a text with spectra."""

_SAME: Final[dict[str, str]] = {
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d\u2043\u00ad",
    "~": "\u223c\u301c\uff5e\u02dc",
    " ": "\u200b\u200c\u200d\u2060\ufeff",
    "'": "\u2018\u2019\u2032\u02b9",
    '"': "\u201c\u201d\u2033",
    "x": "\u00d7\u2715\u2a2f",
    "δ": "\U0001d6ff\U0001d6c5\U0001d739\u1e9f",
    "J": "\U0001d43d\U0001d471\U0001d4a5",
    "|": "\u00a6\u2223",
}
_PAIRS: Final[str] = "，,；;：:（(）)＝=［[］]。.．.＋+､,、,"
_DIGITS: Final[tuple[str, ...]] = ("₀₁₂₃₄₅₆₇₈₉", "０１２３４５６７８９")
_TABLE: Final[dict[int, str]] = {
    **{ord(odd): plain for plain, odds in _SAME.items() for odd in odds},
    **{ord(odd): own for odd, own in zip(_PAIRS[::2], _PAIRS[1::2], strict=True)},
    **{ord(odd): str(digit) for digits in _DIGITS for digit, odd in enumerate(digits)},
}
_SUPERSCRIPTS: Final[dict[str, str]] = {odd: str(n) for n, odd in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}
_OPEN: Final[dict[str, str]] = {"(": ")", "[": "]", "{": "}"}


def plain(text: str) -> str:
    """Return the text with plain digits, signs and spaces; its length stays the same.

    A raised digit counts only where it does not follow another digit or a point: ``¹³C`` and
    ``³J`` are read, the footnote of ``128.5²`` is not made part of the number.

    Raises:
        PeakTextError: the text is too long.
    """
    if len(text) > MAX_CHARS:
        raise PeakTextError(
            f"the text has more than {MAX_CHARS} characters", hint="Send the spectrum alone."
        )
    found: list[str] = []
    for place, one in enumerate(text.translate(_TABLE)):
        before = found[-1] if found else ""
        raised_before = place > 0 and text[place - 1] in _SUPERSCRIPTS and before.isdecimal()
        if one in _SUPERSCRIPTS and (raised_before or not (before.isdecimal() or before == ".")):
            found.append(_SUPERSCRIPTS[one])
        elif one == "·" and before.isdecimal():
            found.append(".")
        else:
            found.append(" " if one.isspace() and one != "\n" else one)
    return "".join(found)


def closing(text: str, start: int) -> int:
    """Return the index of the bracket that closes the one at ``start``.

    Raises:
        PeakTextError: there is none.
    """
    waiting: list[str] = []
    for place in range(start, len(text)):
        one = text[place]
        if one in _OPEN:
            waiting.append(_OPEN[one])
        elif one in _OPEN.values():
            if waiting.pop() != one:
                break
            if not waiting:
                return place
    raise PeakTextError("a bracket is not closed", hint="Check ( and ).", position=start)


def items(text: str) -> list[str]:
    """Return the parts of a text between commas and semicolons outside brackets."""
    parts, depth = [""], 0
    for one in text:
        depth += (one in _OPEN) - (one in _OPEN.values())
        if one in ",;" and depth <= 0:
            parts.append("")
        else:
            parts[-1] += one
    return [part.strip() for part in parts]
