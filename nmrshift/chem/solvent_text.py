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

NOT_REPORTED: Final[frozenset[str]] = frozenset(
    "unreported notreported unknown none null nan na nd notgiven notspecified unspecified "
    "undefined missing notstated notknown nosolventgiven noinformation".split()
)
"""Texts that say that the solvent was not written down, squashed."""

_ADDITIVES: Final[frozenset[str]] = frozenset(
    "tms tetramethylsilane dcl hcl naod naoh kod koh dss tsp tspd4 k2co3 na2co3 cs2co3 "
    "internalstandard standard rt roomtemperature v w d4 d6 d8 base acid salt".split()
)

_DASHES: Final[dict[int, str]] = dict.fromkeys(map(ord, "‐‑‒–—−"), "-")
_LOCANTS: Final[re.Pattern[str]] = re.compile(r"(?<!\w)(?:\d(?:,\d){1,5}|[Nn],\s?[Nn])(?=-)")
_RATIO: Final[re.Pattern[str]] = re.compile(
    r"\(?\s?(?<![\w.,-])(\d{1,5}(?:\.\d{1,3})?(?:\s?[:/]\s?\d{1,5}(?:\.\d{1,3})?){1,5})"
    r"(?![\w.,-])\s?(?:by vol(?:ume)?)?\s?\)?"
)
_BY: Final[re.Pattern[str]] = re.compile(
    r"\(?\b[vw]\s?/\s?[vw](?:\s?/\s?[vw])?\b\)?", re.IGNORECASE
)
_PERCENT: Final[re.Pattern[str]] = re.compile(
    r"\(?\s?(\d{1,3}(?:\.\d{1,3})?)\s?(?:vol|wt|mol)?\.?-?\s?%\s?\)?(?:\s?of\b)?", re.IGNORECASE
)
_MINOR: Final[re.Pattern[str]] = re.compile(
    r"\b(?:drops?|traces?|few|little|excess|equiv|eq)\b", re.IGNORECASE
)
_QUANTITY: Final[re.Pattern[str]] = re.compile(
    r"[~<>=]?\s?\d*\.?\d*\s?(?:[mμµn]?m|mol/l|m[gl]|k|°?c|mhz|eq)?|p[hd]\*?\s?=?\s?\d*\.?\d*",
    re.IGNORECASE,
)
_FILLER: Final[re.Pattern[str]] = re.compile(
    r"\b(?:solvents?|solution|soln|sol|anhydrous|dry|degassed|ca|approx|about|saturated|deuterated"
    r"|deuterised|deuterized|dissolved|liquid|pure|neutralised|neutralized|measured|recorded"
    r"|internal|external|reference|ref|as|the|at|mixture|of)\b[.:]?",
    re.IGNORECASE,
)
_CUT: Final[re.Pattern[str]] = re.compile(
    r"[(\[{]|[)\]}]|[+/;,&|:\n]|\b(?:and|or|in|with|containing|plus|und|oder|mit)\b", re.IGNORECASE
)
_NEAT: Final[re.Pattern[str]] = re.compile(r"neat\b", re.IGNORECASE)


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
    body = _BY.sub(" ", _LOCANTS.sub(lambda m: m[0].replace(",", ""), body))
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
        token = match[0]
        if token in "([{":
            depth += 1
        elif token in ")]}":
            depth = max(0, depth - 1)
        elif depth == 0:
            parts.append(text[start : match.start()])
            start = match.end()
    parts.append(text[start:])
    return [part.strip() for part in parts if part.strip()]


def _read_part(part: str, lookup: Lookup) -> tuple[tuple[str, ...], Fraction | None]:
    """Return the keys that one part names and the share written with it."""
    amount = None
    if match := _PERCENT.search(part):
        amount = Fraction(match[1]) / 100
        part = f"{part[: match.start()]} {part[match.end() :]}"
    if _MINOR.search(part):
        return (), None
    for candidate in (part, _FILLER.sub(" ", part)):
        if keys := _names(candidate.strip(), lookup):
            return keys, amount
    return (), None


def _names(part: str, lookup: Lookup) -> tuple[str, ...]:
    """Read ``name``, ``name (other name, formula)`` or ``name-name``."""
    if key := lookup(part):
        return (key,)
    if part.endswith(")") and (opening := _opening(part)) is not None:
        if key := lookup(part[:opening]):
            return (key,)
        inner = (lookup(name) for name in _split(part[opening + 1 : -1]))
        return next(((key,) for key in inner if key), ())
    for hyphen in (at for at, letter in enumerate(part) if letter == "-"):
        left, right = lookup(part[:hyphen]), lookup(part[hyphen + 1 :])
        if left and right:
            return left, right
    if "buffer" in part.casefold().replace("(", " ").split() and (key := lookup("buffer")):
        return (key,)
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
    """Say whether the part is an additive, a concentration or a filler word."""
    if _MINOR.search(part):
        return True
    rest = _FILLER.sub(" ", _PERCENT.sub(" ", part)).strip(" .()[]{}-=~")
    return squash(rest) in _ADDITIVES or _QUANTITY.fullmatch(rest) is not None


def _shares(
    found: list[tuple[str, Fraction | None]], ratio: tuple[Fraction, ...]
) -> tuple[tuple[str, int], ...]:
    """Turn the amounts written into whole-number shares, one a key."""
    amounts = [amount for _, amount in found]
    if len(ratio) == len(found) and all(ratio):
        weights = list(ratio)
    elif any(amounts) and len(found) > 1:
        weights = _fill(amounts)
    else:
        weights = []
    if not weights:
        return tuple((key, 1) for key in dict.fromkeys(key for key, _ in found))
    total: dict[str, Fraction] = {}
    for (key, _), weight in zip(found, weights, strict=True):
        total[key] = total.get(key, Fraction(0)) + weight
    return tuple(zip(total, _whole(list(total.values())), strict=True))


def _fill(amounts: list[Fraction | None]) -> list[Fraction]:
    """Share what is left to 100 % among parts without an amount; nothing if that fails."""
    given = sum((amount for amount in amounts if amount is not None), Fraction(0))
    open_parts = amounts.count(None)
    rest = (1 - given) / open_parts if open_parts else Fraction(0)
    filled = [rest if amount is None else amount for amount in amounts]
    return filled if all(weight > 0 for weight in filled) else []


def _whole(weights: list[Fraction]) -> list[int]:
    """Return the smallest whole numbers in that ratio, in thousandths where they get long."""
    scale = reduce(lcm, (weight.denominator for weight in weights))
    parts = [int(weight * scale) for weight in weights]
    if sum(parts) // reduce(gcd, parts) > 1000:
        parts = [max(1, round(1000 * part / sum(parts))) for part in parts]
    divisor = reduce(gcd, parts)
    return [part // divisor for part in parts]
