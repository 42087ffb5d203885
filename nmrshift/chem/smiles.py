"""Text guard for SMILES: our own strict scan before RDKit sees a character.

RDKit drops what follows a space, trims letters it does not know from the ends and wraps numbers
modulo 2^8 or 2^16, all without a word. The scan accepts only texts that RDKit reads in full.
"""

import re
from typing import Final

from nmrshift.chem.policy import Limits, check_charge_and_isotope
from nmrshift.errors import InputError, InvalidTextError, ParseError, TooLargeError

ASCII_SPACE: Final[str] = " \t\r\n\v\f"

_BRACKET: Final[str] = (
    r"\[(?P<isotope>[0-9]*+)(?P<symbol>\*|\#[0-9]++|[A-Z][a-z]{0,2}|[a-z]{1,2})"
    r"(?:@{1,2}(?:(?:TH|AL|SP|TB|OH)[0-9]{1,2})?)?(?:H[0-9]?)?"
    r"(?P<charge>\++|-+|[+-][0-9]++)?(?P<map>:[0-9]++)?\]"
)
_BOND: Final[str] = r"->|<-|[-=\#$:/\\]"
_RING: Final[str] = r"[0-9]|%[0-9]{2}|%\([0-9]{1,5}\)"
_PLAIN: Final[str] = r"Br|Cl|[BCNOPSFIbcnops]|\*"
_UNNAMED: Final[str] = re.sub(r"\?P<\w+>", "?:", _BRACKET)

_SMILES: Final = re.compile(rf"(?:{_PLAIN}|{_UNNAMED}|{_BOND}|{_RING}|[().])*+")
_BRACKETS: Final = re.compile(_BRACKET)
_RING_BOND: Final = re.compile(rf"(?P<plain>[-=\#$:])(?:{_RING})")
_RING_OR_OTHER: Final = re.compile(
    rf"(?P<bond>[-=\#$:/\\])?(?:%\((?P<wide>[0-9]+)\)|%(?P<two>[0-9]{{2}})|(?P<one>[0-9]))"
    rf"|{_UNNAMED}|."
)
_UNPRINTABLE: Final = re.compile(r"[^!-~]")
_MAX_MAP: Final[int] = 99_999
_MAX_NUMBER: Final[int] = 118
_MAX_DIGITS: Final[int] = 9


def check_smiles(text: str, limits: Limits) -> None:
    """Refuse every text that is not, character by character, one SMILES.

    Args:
        text: the SMILES, outer whitespace already stripped.
        limits: limits in force.

    Raises:
        InvalidTextError: empty, whitespace or non-ASCII inside, numbers out of range.
        TooLargeError: longer than the limit.
        ParseError: a character or bracket that no SMILES holds, ring bonds that disagree.
    """
    if not text:
        raise InvalidTextError("the text is empty")
    if len(text) > limits.max_text_chars:
        raise TooLargeError(f"{len(text)} characters; at most {limits.max_text_chars}")
    match = _SMILES.match(text)
    end = match.end() if match else 0
    if end < len(text):
        raise _unreadable(text, end)
    if "[" in text:
        _check_brackets(text, limits)
    if len(_RING_BOND.findall(text)) > 1:
        _check_ring_bonds(text)


def _unreadable(text: str, position: int) -> InputError:
    """Return the error for a text whose scan stopped at ``position``."""
    odd = _UNPRINTABLE.search(text)
    if odd and odd.group() in ASCII_SPACE:
        return InvalidTextError(
            f"whitespace at character {odd.start() + 1}",
            hint="Send one SMILES alone: no name, no second molecule, no CXSMILES extension.",
        )
    if odd:
        return InvalidTextError(
            f"character {odd.start() + 1} (U+{ord(odd.group()):04X}) is not printable ASCII"
        )
    return ParseError(f"not SMILES from character {position + 1}: {text[position : position + 20]}")


def _check_brackets(text: str, limits: Limits) -> None:
    """Refuse numbers in bracket atoms that RDKit would wrap or cut."""
    for match in _BRACKETS.finditer(text):
        isotope, symbol, charge, map_number = match.group("isotope", "symbol", "charge", "map")
        if not (isotope or charge or map_number or symbol[0] == "#"):
            continue
        where = f"character {match.start() + 1}"
        if max(len(isotope), len(symbol)) > _MAX_DIGITS:
            raise InvalidTextError(f"number out of range at {where}")
        check_charge_and_isotope(read_charge(charge or ""), int(isotope or 0), where, limits)
        if symbol[0] == "#" and int(symbol[1:]) > _MAX_NUMBER:
            raise InvalidTextError(f"atomic number out of range at {where}")
        if map_number and int(map_number[1 : _MAX_DIGITS + 1]) > _MAX_MAP:
            raise ParseError(f"atom map out of range at {where}: at most {_MAX_MAP}")


def read_charge(text: str) -> int:
    """Return the charge written as ``+``, ``--``, ``+2`` or nothing."""
    if not text:
        return 0
    sign = 1 if text[0] == "+" else -1
    digits = text[1:]
    if digits.isdigit():
        return sign * int(digits[:_MAX_DIGITS])
    return sign * len(text)


def _check_ring_bonds(text: str) -> None:
    """Refuse ring closures whose two ends name different bonds; RDKit keeps the first."""
    opened: dict[int, str] = {}
    for match in _RING_OR_OTHER.finditer(text):
        number = match["wide"] or match["two"] or match["one"]
        if number is None:
            continue
        bond = match["bond"] or ""
        before = opened.pop(int(number), None)
        if before is None:
            opened[int(number)] = bond
        elif bond and before and bond != before and not {bond, before} & {"/", "\\"}:
            raise ParseError(f"ring closure {number} names two bonds, {before} and {bond}")


def explain(text: str) -> str:
    """Say why RDKit could not read a text that passed the scan."""
    depth = 0
    opened: set[int] = set()
    for match in _RING_OR_OTHER.finditer(text):
        number = match["wide"] or match["two"] or match["one"]
        if number is not None:
            opened ^= {int(number)}
        depth += {"(": 1, ")": -1}.get(match.group(), 0)
        if depth < 0:
            return f"the parenthesis at character {match.start() + 1} was never opened"
    if depth:
        return f"{depth} parentheses are never closed"
    if opened:
        return "ring bonds never closed: " + ", ".join(map(str, sorted(opened)))
    return "SMILES syntax error"
