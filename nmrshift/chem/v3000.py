"""Scan of a V3000 connection table: blocks in order, known options only, numbers in range."""

import re
from typing import Final

from nmrshift.chem.policy import POLYMER_GROUPS, Limits, check_charge_and_isotope
from nmrshift.chem.v2000 import SYMBOLS
from nmrshift.errors import InvalidTextError, ParseError, UnsupportedElementError

_PREFIX: Final[str] = "M  V30 "
_REAL: Final[str] = r"-?[0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]{1,2})?"
_COUNTS: Final = re.compile(r"COUNTS ([0-9]{1,9}) ([0-9]{1,9})(?: .*)?")
_ATOM: Final = re.compile(
    rf"(?P<number>[0-9]{{1,9}}) (?P<symbol>[A-Z][a-z]?) (?:{_REAL} ){{3}}[0-9]{{1,9}}"
    r"(?P<options>(?: [A-Z]+=\S+)*)"
)
_SYMBOL: Final = re.compile(r"[0-9]+ (?P<symbol>NOT ?\[[^\]]*\]|\[[^\]]*\]|\S+)(?: .*)?")
_BOND: Final = re.compile(
    r"[0-9]{1,9} (?P<type>[0-9]{1,2}) (?P<a>[0-9]{1,9}) (?P<b>[0-9]{1,9})"
    r"(?P<options>(?: [A-Z]+=\S+)*)"
)
_GROUP: Final = re.compile(r"[0-9]+ (?P<type>[A-Z]{3}) .*")
_BOND_TYPES: Final[frozenset[str]] = frozenset(("1", "2", "3", "4", "9"))
_RANGES: Final[dict[str, tuple[int, int]]] = {"RAD": (0, 3), "CFG": (0, 3), "VAL": (-1, 14)}
_OF_ATOMS = "CHG RAD CFG MASS VAL INVRET EXACHG STBOX SEQID"
_ATOM_OPTIONS: Final[frozenset[str]] = frozenset(_OF_ATOMS.split())
_OF_BONDS = "CFG RXCTR STBOX DISP"
_BOND_OPTIONS: Final[frozenset[str]] = frozenset(_OF_BONDS.split())


def scan(lines: tuple[str, ...], limits: Limits) -> tuple[int, list[tuple[int, int]]]:
    """Check a table block by block.

    Args:
        lines: counts line first, ``M  END`` last.
        limits: limits in force.

    Returns:
        The number of atoms and the bonds as pairs of atom numbers as written.

    Raises:
        InvalidTextError: a number out of range.
        ParseError: blocks out of order, lines missing or not understood.
        UnsupportedElementError: query atoms, R groups, polymers.
    """
    content = join_lines(lines[1:-1])
    if not content or content[0].split()[:2] != ["BEGIN", "CTAB"] or content[-1] != "END CTAB":
        raise ParseError("the V3000 block is not one CTAB")
    counts = _COUNTS.fullmatch(content[1])
    if counts is None:
        raise ParseError("the V3000 COUNTS line cannot be read")
    blocks = _split_blocks(content[2:-1])
    atoms, bonds = blocks.pop("ATOM", []), blocks.pop("BOND", [])
    if (len(atoms), len(bonds)) != (int(counts[1]), int(counts[2])):
        raise ParseError(f"{counts[0]} announced, {len(atoms)} and {len(bonds)} there")
    numbers = [_check_atom(line, index, limits) for index, line in enumerate(atoms)]
    if len(set(numbers)) < len(numbers):
        raise ParseError("two atoms have the same number")
    known = set(numbers)
    pairs = [_read_bond(line, known) for line in bonds]
    for line in blocks.pop("SGROUP", []):
        match = _GROUP.fullmatch(line)
        if match and match["type"] in POLYMER_GROUPS:
            raise UnsupportedElementError(f"polymer or mixture: {line[:40]}")
    return len(atoms), pairs


def join_lines(lines: tuple[str, ...]) -> list[str]:
    """Strip the line prefix and join lines continued by a closing hyphen.

    Raises:
        ParseError: a line without the prefix, or a continuation that never comes.
    """
    joined: list[str] = []
    parts: list[str] = []
    for line in lines:
        if not line.startswith(_PREFIX):
            raise ParseError(f"line outside the V3000 table: {line.strip()[:40]!r}")
        text = line[len(_PREFIX) :].rstrip()
        if text.endswith("-"):
            parts.append(text[:-1])
            continue
        joined.append(" ".join("".join([*parts, text]).split()))
        parts = []
    if parts:
        raise ParseError("a V3000 line is continued, but no line follows")
    return joined


def _split_blocks(content: list[str]) -> dict[str, list[str]]:
    """Return the lines of each block by its name."""
    blocks: dict[str, list[str]] = {}
    name = ""
    for line in content:
        words = line.split()
        if words[:1] == ["BEGIN"] and not name and len(words) > 1:
            name = words[1]
            if name not in ("ATOM", "BOND", "SGROUP", "COLLECTION") or name in blocks:
                raise ParseError(f"V3000 block not understood: {line[:40]}")
            blocks[name] = []
        elif words == ["END", name] and name:
            name = ""
        elif name:
            blocks[name].append(line)
        else:
            raise ParseError(f"V3000 line not understood: {line[:40]!r}")
    if name:
        raise ParseError(f"V3000 block {name} has no end")
    return blocks


def _check_atom(line: str, index: int, limits: Limits) -> int:
    where = f"atom {index}"
    symbol = _SYMBOL.fullmatch(line)
    if symbol and symbol["symbol"] not in SYMBOLS:
        raise UnsupportedElementError(
            f"{symbol['symbol'][:20]} at {where}: query, R group or no element"
        )
    match = _ATOM.fullmatch(line)
    if match is None:
        raise ParseError(f"the line of {where} cannot be read")
    options = _read_options(match["options"], _ATOM_OPTIONS, where)
    charge, mass = options.get("CHG", 0), options.get("MASS", 0)
    check_charge_and_isotope(charge, mass, where, limits)
    for key, (low, high) in _RANGES.items():
        if not low <= options.get(key, 0) <= high:
            raise InvalidTextError(f"{key} out of range at {where}")
    return int(match["number"])


def _read_bond(line: str, known: set[int]) -> tuple[int, int]:
    match = _BOND.fullmatch(line)
    if match is None or match["type"] not in _BOND_TYPES:
        raise ParseError(f"bond cannot be read, or is a query: {line[:40]!r}")
    a, b = int(match["a"]), int(match["b"])
    if a not in known or b not in known or a == b:
        raise ParseError(f"a bond joins atoms {a} and {b}")
    _read_options(match["options"], _BOND_OPTIONS, "a bond")
    return a, b


def _read_options(text: str, allowed: frozenset[str], where: str) -> dict[str, int]:
    """Return the numeric options of a line.

    Raises:
        UnsupportedElementError: an option that turns the atom or bond into a query.
        InvalidTextError: a value that is no number.
    """
    options: dict[str, int] = {}
    for word in text.split():
        key, _, value = word.partition("=")
        if key not in allowed:
            raise UnsupportedElementError(f"query or attachment at {where}: {word[:40]}")
        if not re.fullmatch("[+-]?[0-9]{1,9}", value):
            raise InvalidTextError(f"number expected at {where}: {word[:40]}")
        options[key] = int(value)
    return options
