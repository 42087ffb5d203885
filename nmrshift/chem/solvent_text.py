"""Taking solvent texts apart: parts, amounts and what is no solvent at all.

Pure text work; what a name means is asked of the ``lookup`` that the caller passes.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from math import gcd, lcm
from typing import Final

Lookup = Callable[[str], str | None]

MAX_CHARS: Final[int] = 200
"""Longer texts are not names of solvents and are not read."""

MAX_COMPONENTS: Final[int] = 6
"""A list of more solvents than this is cut here."""

NOT_REPORTED: Final[re.Pattern[str]] = re.compile(
    r"un(?:reported|known|specified|defined|stated)|not?(?:reported|given|specified|stated|known)"
    r"|none|null|nan|na|nd|missing|noinformation|"
)
"""What a squashed text looks like that says that the solvent was not written down."""

_ADDITIVE: Final[re.Pattern[str]] = re.compile(
    r"tms|tetramethylsilane|d?hcl|dcl|naod|naoh|kod|koh|dss|tspd?4?|d|[vw]|d[468]|acid|base|salt"
    r"|m?[lg]|(?:na|k|cs)2co3|(?:internal)?standard|rt|roomtemperature|lock|capillary"
)
_DASHES: Final[dict[int, str]] = dict.fromkeys(map(ord, "‐‑‒–—−"), "-")
_LOCANTS: Final[re.Pattern[str]] = re.compile(r"(?<!\w)(?:\d(?:,\d){1,5}|[Nn],\s?[Nn])(?=-)")
_NUMBER: Final[str] = r"[0-9]{1,5}(?:\.[0-9]{1,3})?"
_RATIO: Final[re.Pattern[str]] = re.compile(
    rf"\(?\s?(?<![\w.,-])({_NUMBER}(?:\s?[:/]\s?{_NUMBER}){{1,5}})(?![\w-])(?![.,][0-9])"
    r"\s?(?:by vol(?:ume)?)?\s?\)?"
)
_BY: Final[re.Pattern[str]] = re.compile(
    r"\(?\b[vw]\s?/\s?[vw](?:\s?/\s?[vw])?\b\)?", re.IGNORECASE
)
_UNIT: Final[str] = r"\s?(?:vol|wt|mol|atom)?\.?-?\s?%"
_PERCENT: Final[re.Pattern[str]] = re.compile(
    rf"^(?:ca\.?|about|approx\.?|~)?\s?({_NUMBER}){_UNIT}(?:\s?of\b)?"
    rf"|\(\s?({_NUMBER}){_UNIT}\s?\)|(?<![\w.])({_NUMBER}){_UNIT}$",
    re.IGNORECASE,
)
_MINOR: Final[re.Pattern[str]] = re.compile(
    r"\b(?:drops?|traces?|few|little|excess|equiv|eq)\b", re.IGNORECASE
)
_BRACKETED: Final[re.Pattern[str]] = re.compile(r"\([^()]*\)")
_FILLER: Final[re.Pattern[str]] = re.compile(
    r"\b(?:solvents?|solution|soln|anhydrous|dry|degassed|ca|approx|about|saturated|deuterated"
    r"|dissolved|liquid|pure|neutrali[sz]ed|measured|recorded|internal|external|reference|ref|as"
    r"|the|at|mixture|of|ph|pd)\b[.:]?"
    r"|(?<![\w.])[~<>=]?[0-9]{1,5}(?:\.[0-9]{1,3})?\s?(?:°\s?c|k|m?hz|[mnμµ]?(?:mol|m|l|g)|ppm)?"
    r"(?![\w%-])",
    re.IGNORECASE,
)
_CUT: Final[re.Pattern[str]] = re.compile(
    r"[(\[{]|[)\]}]|(?<!\S)[0-9]{1,2}:(?=[^0-9\s])|[+/;,&|:]"
    r"|\b(?:and|or|in|with|containing|plus|und|oder|mit)\b",
    re.IGNORECASE,
)
_ISOTOPES: Final[re.Pattern[str]] = re.compile(
    r"[-\s]\[?(?:d|2h)\s?[0-9]{0,2}\]?$|^\[(?:d|2h)[0-9]{0,2}\][-\s]?|^d[0-9]{1,2}[-\s]?|^d[-\s]"
    r"|^(?:per)?deuter(?:o|io|ated)[-\s]?",
    re.IGNORECASE,
)
_GAP: Final[re.Pattern[str]] = re.compile(r"[-\s]+(?!(?:d|2h)[0-9]{0,2}\b)", re.IGNORECASE)
_NEAT: Final[re.Pattern[str]] = re.compile(r"neat\b", re.IGNORECASE)
_BUFFER: Final[re.Pattern[str]] = re.compile(r"\bbuffer(?:ed)?\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says.

    Attributes:
        shares: catalogue keys in the order written, with their whole-number parts.
        unread: parts of the text that name nothing we know.
    """

    shares: tuple[tuple[str, int], ...]
    unread: tuple[str, ...] = ()


def clean(text: str) -> str:
    """Return the text with plain digits, plain dashes and single spaces."""
    plain = unicodedata.normalize("NFKC", text).translate(_DASHES)
    return " ".join(plain.split())


def squash(text: str) -> str:
    """Return letters and digits only, without case: the form in which names are compared."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(letter for letter in plain if letter.isalnum())


def without_isotopes(name: str) -> str:
    """Return ``X`` for ``X-d6``, ``d6-X``, ``[D6]X`` and the like."""
    return _ISOTOPES.sub("", clean(name), count=1)


def read(text: str, lookup: Lookup) -> Reading:
    """Read a solvent text of at most ``MAX_CHARS`` characters.

    Args:
        text: as a user or a database wrote it.
        lookup: gives the key of one name, or ``None``.

    Returns:
        The components understood and the parts that were not.
    """
    body = clean(text)
    key = lookup(body) or (lookup("neat") if _NEAT.match(body) else None)
    if key is not None:
        return Reading(((key, 1),))
    body = _BY.sub(" ", _LOCANTS.sub(lambda match: match[0].replace(",", ""), body))
    ratio: tuple[Fraction, ...] = ()
    if match := _RATIO.search(body):
        ratio = tuple(Fraction(number.strip()) for number in re.split("[:/]", match[1]))
        body = f"{body[: match.start()]} {body[match.end() :]}"
    found: list[tuple[str, Fraction | None]] = []
    unread: list[str] = []
    for part in _split(body):
        keys, amount = _read_part(part, lookup)
        found.extend((key, amount) for key in keys)
        if not keys and not _is_no_solvent(part):
            unread.append(part)
    return Reading(_shares(found[:MAX_COMPONENTS], ratio), tuple(unread))


def _split(text: str) -> list[str]:
    """Cut at separators that stand outside all brackets."""
    parts: list[str] = []
    depth = start = 0
    for match in _CUT.finditer(text):
        mark = match[0]
        if mark in "([{":
            depth += 1
        elif mark in ")]}":
            depth = max(0, depth - 1)
        elif depth == 0:
            parts.append(text[start : match.start()])
            start = match.end()
    parts.append(text[start:])
    return [part.strip() for part in parts if part.strip()]


def _read_part(part: str, lookup: Lookup) -> tuple[tuple[str, ...], Fraction | None]:
    """Return the keys that one part names and the share written with it."""
    if _MINOR.search(_BRACKETED.sub(" ", part)):
        return (), None
    amount = None
    if match := _PERCENT.search(part):
        amount = Fraction(match[1] or match[2] or match[3]) / 100
        part = f"{part[: match.start()]} {part[match.end() :]}".strip()
    bare = _FILLER.sub(" ", part).strip()
    return _names(part, lookup) or _names(bare, lookup) or _pair(bare, lookup), amount


def _names(part: str, lookup: Lookup) -> tuple[str, ...]:
    """Read ``name``, ``name (other name, formula)`` or a named buffer."""
    if key := lookup(part):
        return (key,)
    if part.endswith(")") and (opening := _opening(part)) is not None:
        if key := lookup(part[:opening]):
            return (key,)
        inner = (lookup(name) for name in _split(part[opening + 1 : -1]))
        return next(((key,) for key in inner if key), ())
    if _BUFFER.search(part) and (key := lookup("buffer")):
        return (key,)
    return ()


def _pair(part: str, lookup: Lookup) -> tuple[str, ...]:
    """Read two names with nothing but a hyphen or a space between them."""
    for gap in _GAP.finditer(part):
        left, right = lookup(part[: gap.start()]), lookup(part[gap.end() :])
        if left and right:
            return left, right
    return ()


def _opening(part: str) -> int | None:
    """Return the position of the bracket that the last character closes."""
    depth = 0
    for at in range(len(part) - 1, -1, -1):
        depth += (part[at] == ")") - (part[at] == "(")
        if depth == 0:
            return at
    return None


def _is_no_solvent(part: str) -> bool:
    """Say whether the part is an additive, a quantity or a filler word."""
    if _MINOR.search(part):
        return True
    rest = squash(_FILLER.sub(" ", _PERCENT.sub(" ", part)))
    return not rest or _ADDITIVE.fullmatch(rest) is not None


def _shares(
    found: list[tuple[str, Fraction | None]], ratio: tuple[Fraction, ...]
) -> tuple[tuple[str, int], ...]:
    """Turn the amounts written into whole-number shares, one a key."""
    amounts = [amount for _, amount in found]
    weights: list[Fraction] = []
    if len(ratio) == len(found) and all(ratio):
        weights = list(ratio)
    elif any(amounts) and len(found) > 1:
        weights = _fill(amounts)
    if not weights:
        return tuple((key, 1) for key in dict.fromkeys(key for key, _ in found))
    total: dict[str, Fraction] = {}
    for (key, _), weight in zip(found, weights, strict=True):
        total[key] = total.get(key, Fraction(0)) + weight
    return tuple(zip(total, _whole(list(total.values())), strict=True))


def _fill(amounts: list[Fraction | None]) -> list[Fraction]:
    """Share what is left to 100 % among parts without an amount; nothing if that fails."""
    given = sum((amount for amount in amounts if amount is not None), Fraction(0))
    blanks = amounts.count(None)
    rest = (1 - given) / blanks if blanks else Fraction(0)
    filled = [rest if amount is None else amount for amount in amounts]
    return filled if all(weight > 0 for weight in filled) else []


def _whole(weights: list[Fraction]) -> list[int]:
    """Return the smallest whole numbers in that ratio, in thousandths where they get long."""
    scale = reduce(lcm, (weight.denominator for weight in weights))
    parts = [int(weight * scale) for weight in weights]
    if sum(parts) // reduce(gcd, parts) > 2 * 1000:
        whole = sum(parts)
        parts = [max(1, round(Fraction(1000 * part, whole))) for part in parts]
    divisor = reduce(gcd, parts)
    return [part // divisor for part in parts]
