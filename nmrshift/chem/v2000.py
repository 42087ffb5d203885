"""Scan of a V2000 connection table: every number read by us, within its columns and its range."""

import re
from typing import Final, NoReturn

from nmrshift.chem.policy import (
    PERIODIC_TABLE,
    POLYMER_GROUPS,
    Limits,
    check_charge_and_isotope,
)
from nmrshift.errors import InvalidTextError, ParseError, UnsupportedElementError

_COUNTS: Final = re.compile(r"(?P<atoms>[ 0-9]{3})(?P<bonds>[ 0-9]{3})")
_NUMBER: Final = re.compile(r" *-?[0-9]*\.?[0-9]* *")
_ATOM_TAIL: Final = re.compile(r"(?P<mass>[ +-][ 0-9])(?P<charge>[ 0-9]{3})?[ 0-9-]*")
_BOND: Final = re.compile(r"(?P<a>[ 0-9]{3})(?P<b>[ 0-9]{3})(?P<type>[ 0-9]{3})[ 0-9-]*")
_PAIRS: Final = re.compile(r"M  (?P<key>CHG|ISO|RAD)(?P<count>[ 0-9]{3})(?P<rest>[ 0-9-]*)")
_PAIR: Final = re.compile(r" (?P<atom>[ 0-9]{3}) (?P<value>[ 0-9-]{3})")
_GROUP_TYPE: Final = re.compile(r" [ 0-9]{3} (?P<type>[A-Z]{3})")

_BOND_TYPES: Final[frozenset[int]] = frozenset((1, 2, 3, 4, 9))
"""Single, double, triple, aromatic, dative; the others are queries."""
_GROUPS = "STY SLB SST SCN SDS SAL SBL SPA SMT SDI SBV SDT SDD SCD SED SPL SNC CRS SAP SCL SBT"
_GROUP_LINES: Final[frozenset[str]] = frozenset(_GROUPS.split())
_QUERIES = "ALS RGP SUB UNS RBC LIN APO AAL MRV $3D"
_QUERY_LINES: Final[frozenset[str]] = frozenset(_QUERIES.split())
_MAX_RADICAL: Final[int] = 3

SYMBOLS: Final[frozenset[str]] = frozenset((*PERIODIC_TABLE, "D", "T"))
"""Atom symbols that name one element; D and T are hydrogen-2 and hydrogen-3."""


def scan(lines: tuple[str, ...], limits: Limits) -> tuple[int, list[tuple[int, int]]]:
    """Check a table line by line.

    Args:
        lines: counts line first, ``M  END`` last.
        limits: limits in force.

    Returns:
        The number of atoms and the bonds as pairs of atom numbers, from 1.

    Raises:
        InvalidTextError: a number out of range or out of its columns.
        ParseError: a line that breaks the format, or lines missing.
        UnsupportedElementError: query atoms, R groups, polymers.
    """
    counts = _COUNTS.match(lines[0])
    if counts is None:
        raise ParseError("the counts line cannot be read")
    n_atoms, n_bonds = _integer(counts["atoms"]), _integer(counts["bonds"])
    body = lines[1:-1]
    if len(body) < n_atoms + n_bonds:
        raise ParseError(f"{n_atoms} atoms and {n_bonds} bonds announced, {len(body)} lines there")
    atoms, rest = body[:n_atoms], body[n_atoms:]
    odd = [index for index, line in enumerate(atoms) if line[31:34].strip() not in SYMBOLS]
    for index, line in enumerate(atoms):
        _check_atom(line, f"atom {index}")
    if odd:
        names = ", ".join(sorted({atoms[index][31:34].strip() or "blank" for index in odd}))
        where = ", ".join(map(str, odd[:10]))
        raise UnsupportedElementError(f"{names} at atom {where}: query, R group or no element")
    bonds = [_read_bond(line, n_atoms, number) for number, line in enumerate(rest[:n_bonds], 1)]
    _check_properties(rest[n_bonds:], n_atoms, limits)
    return n_atoms, bonds


def _integer(text: str) -> int:
    """Return the number in a column; blank is 0.

    Raises:
        ParseError: something else than one number.
    """
    try:
        return int(text) if text.strip() else 0
    except ValueError:
        raise ParseError(f"a number was expected where {text!r} stands") from None


def _check_atom(line: str, where: str) -> None:
    """Check the coordinates and codes of an atom line."""
    coordinates = (line[:10], line[10:20], line[20:30])
    if not all(_NUMBER.fullmatch(text) and re.search("[0-9]", text) for text in coordinates):
        raise ParseError(f"the coordinates of {where} are not numbers")
    tail = _ATOM_TAIL.fullmatch(line[34:].ljust(2))
    if line[34:].strip() and tail is None:
        raise ParseError(f"the line of {where} cannot be read")
    if tail is not None and not -3 <= _integer(tail["mass"]) <= 4:
        raise InvalidTextError(f"mass difference out of range at {where}")
    if tail is not None and _integer(tail["charge"] or "") > 7:
        raise InvalidTextError(f"charge code out of range at {where}")


def _read_bond(line: str, n_atoms: int, number: int) -> tuple[int, int]:
    match = _BOND.fullmatch(line.rstrip())
    if match is None:
        raise ParseError(f"bond {number} cannot be read")
    a, b, kind = _integer(match["a"]), _integer(match["b"]), _integer(match["type"])
    if not (1 <= a <= n_atoms and 1 <= b <= n_atoms and a != b):
        raise ParseError(f"bond {number} joins atoms {a} and {b} of {n_atoms}")
    if kind not in _BOND_TYPES:
        raise ParseError(f"bond {number} has type {kind}, a query or none")
    return a, b


def _check_properties(lines: tuple[str, ...], n_atoms: int, limits: Limits) -> None:
    """Check the property block; a line not known is refused, for RDKit would drop it."""
    for line in lines:
        key = line[3:6]
        if line.startswith("V  "):
            continue
        if not line.startswith("M  ") or key in _QUERY_LINES:
            _refuse(line)
        if key in ("CHG", "ISO", "RAD"):
            _check_pairs(line, n_atoms, limits)
        elif key == "STY":
            types = {match["type"] for match in _GROUP_TYPE.finditer(line[9:])}
            if types & POLYMER_GROUPS:
                raise UnsupportedElementError(f"polymer or mixture: {line.strip()}")
        elif key not in _GROUP_LINES:
            _refuse(line)


def _refuse(line: str) -> NoReturn:
    if line.startswith(("A  ", "G  ")) or line[3:6] in _QUERY_LINES:
        raise UnsupportedElementError(f"abbreviation, query or R group: {line.strip()[:40]}")
    raise ParseError(f"line of the property block cannot be read: {line.strip()[:40]!r}")


def _check_pairs(line: str, n_atoms: int, limits: Limits) -> None:
    """Check the atom and value pairs of a charge, isotope or radical line."""
    match = _PAIRS.fullmatch(line.rstrip())
    rest = match["rest"] if match else ""
    pairs = [(_integer(m["atom"]), m["value"]) for m in _PAIR.finditer(rest.ljust(8))]
    if match is None or len(rest) != 8 * len(pairs) or len(pairs) != _integer(match["count"]):
        raise InvalidTextError(f"numbers outside their columns: {line.strip()[:40]!r}")
    for atom, text in pairs:
        where, value = f"atom {atom - 1}", _integer(text)
        if not 1 <= atom <= n_atoms:
            raise ParseError(f"{line[:6]} names atom {atom} of {n_atoms}")
        if match["key"] == "CHG":
            check_charge_and_isotope(value, 0, where, limits)
        elif match["key"] == "ISO":
            check_charge_and_isotope(0, value, where, limits)
        elif not 0 <= value <= _MAX_RADICAL:
            raise InvalidTextError(f"radical code out of range at {where}")
