"""The text of tables: rows, headers, cells and lists of shifts, however they are written."""

import csv
import math
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO, Final, Literal

from nmrshift.data.records import FaultError
from nmrshift.errors import FileFormatError, UnknownNucleusError
from nmrshift.io.byte_lines import ByteLine, Damage, byte_lines, decode
from nmrshift.io.options import parse_nucleus

_DELIMITERS: Final[tuple[str, ...]] = (",", "\t", ";", "|")
_MAX_JOINED: Final[int] = 20
_MAX_CELLS: Final[int] = 10_000

_NAMES: Final[dict[str, str]] = {
    "id": "id record_id spectrum_id compound_id molecule_id mol_id identifier entry title",
    "name": "name compound compound_name molecule_name",
    "smiles": "smiles structure canonical_smiles isomeric_smiles mol_smiles molecule mol",
    "atom": "atom atom_index atom_idx atom_id atom_number atom_no atom_nr index idx",
    "nucleus": "nucleus isotope nuc nuclei nucleus_type",
    "shift": "shift shift_ppm ppm chemical_shift chemical_shift_ppm delta delta_ppm cs"
    " exp_shift experimental_shift shift_value",
    "shifts": "shifts shifts_ppm peaks peak_list peaklist signals spectrum chemical_shifts"
    " shift_list",
    "solvent": "solvent nmr_solvent",
    "temperature": "temperature temperature_k temp temp_k",
    "frequency": "frequency frequency_mhz mhz field_mhz spectrometer_frequency",
    "reference": "reference standard internal_standard",
    "label": "multiplicity label",
    "level": "level level_of_theory",
    "source": "source",
}
_ROLE_OF: Final = {name: role for role, names in _NAMES.items() for name in names.split()}
_NUCLEUS_IN_NAME: Final = re.compile(r"(?:^|_)(\d{1,3}[a-z]{1,2}|[a-z]{1,2}\d{1,3})(?:_|$)")
_ITEM: Final = re.compile(
    r"(?:(\d+)\s*[:=]\s*)?([-+]?(?:\d+\.?\d*|\.\d+))\s*(?:ppm)?\s*(?:\(\s*([^()]*?)\s*\)|([A-Za-z]+))?"
)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table.

    Attributes:
        number: row after the header, from 1.
        cells: its cells; empty where ``fault`` says why it has none.
        text: the beginning of the row.
        fault: code and message of what is wrong with the row as a whole.
    """

    number: int
    cells: tuple[str, ...]
    text: str
    fault: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Columns:
    """What the columns mean.

    Attributes:
        delimiter: character between cells.
        width: number of cells a row has.
        roles: column of each role.
        spectra: columns that hold shifts, each with its nucleus if the name tells it.
    """

    delimiter: str
    width: int
    roles: dict[str, int]
    spectra: tuple[tuple[int, str | None], ...]

    def get(self, row: Row, role: str) -> str | None:
        """Return the cell of a role, ``None`` where there is no column or no text."""
        column = self.roles.get(role)
        return None if column is None else row.cells[column].strip() or None


@dataclass(frozen=True, slots=True)
class Item:
    """One shift of a list: with its atom, if written ``atom:ppm``."""

    shift_ppm: float
    atom: int | None = None
    label: str | None = None


def read_table(
    stream: BinaryIO, delimiter: str | None, source_column: str | None = None
) -> tuple[Columns | None, Iterator[Row]]:
    """Return what the columns mean and the rows; ``None`` for a file without any line.

    Args:
        stream: binary stream, unpacked.
        delimiter: character between cells; ``None`` finds out.
        source_column: name of the column that tells whose spectrum it is, where it is not
            ``source``.

    Raises:
        FileFormatError: no header that names structures and shifts, or no such column.
    """
    lines = _lines(stream)
    for number, text, fault in lines:
        if fault is not None:
            return None, iter([Row(number, (), text[:200], fault)])
        if text.strip():
            columns = find_columns(text, delimiter)
            if source_column is not None:
                columns = _with_source(columns, text, source_column)
            return columns, _rows(lines, columns)
    return None, iter(())


def find_columns(header: str, delimiter: str | None) -> Columns:
    """Read a header.

    Args:
        header: first line of the table.
        delimiter: character between cells; ``None`` finds out.

    Raises:
        FileFormatError: no column of structures or of shifts, or two of one role.
    """
    for candidate in _DELIMITERS if delimiter is None else (delimiter,):
        cells = _cells([header], candidate)
        if not isinstance(cells, list):
            continue
        columns = _columns(cells, candidate)
        if columns is not None:
            return columns
    raise FileFormatError(
        "the first line names no columns of structures and shifts",
        hint="Name them smiles, atom, nucleus, shift (one atom a row) or smiles, nucleus, shifts.",
    )


def _with_source(columns: Columns, header: str, name: str) -> Columns:
    """Return the columns with one of that name for the source."""
    cells = _cells([header], columns.delimiter)
    names = [cell.strip() for cell in cells] if isinstance(cells, list) else []
    if name not in names:
        raise FileFormatError(
            f"the table has no column {name[:40]!r}", hint="The name is that in its first line."
        )
    return replace(columns, roles={**columns.roles, "source": names.index(name)})


def shift_list(text: str) -> list[Item]:
    """Read ``0:128.4; 1:77.2`` or ``170.1, 137.2``, with or without brackets.

    Raises:
        RecordError: an item is no shift, or commas might part decimals.
    """
    text = text.strip().removeprefix("[").removesuffix("]").replace("\u2212", "-").strip()
    if ";" in text or "|" in text:
        parts = re.split(r"[;|]", text)
    elif re.search(r"\d,\d", text) and ", " in text:
        raise FaultError("bad_signal", "commas part both items and decimals")
    elif "," in text:
        parts = text.split(",")
    else:
        parts = re.split(r"\s+(?=[-+.\d])", text)
    return [_item(part.strip()) for part in parts if part.strip()]


def number_of(text: str) -> float:
    """Return a finite number.

    Raises:
        RecordError: the text is none.
    """
    try:
        value = float(text.replace("\u2212", "-"))
    except ValueError:
        raise FaultError("bad_signal", f"{text[:40]!r} is no shift") from None
    if not math.isfinite(value):
        raise FaultError("non_finite", f"{text[:40]!r} is no shift")
    return value


def _item(text: str) -> Item:
    found = _ITEM.fullmatch(text)
    if found is None:
        raise FaultError("bad_signal", f"{text[:40]!r} is no shift")
    atom = None if found[1] is None else int(found[1][:9])
    return Item(number_of(found[2]), atom, found[3] or found[4] or None)


def _columns(cells: list[str], delimiter: str) -> Columns | None:
    roles: dict[str, int] = {}
    spectra: list[tuple[int, str | None]] = []
    for index, cell in enumerate(cells):
        name = re.sub(r"[^a-z0-9]+", "_", cell.strip().lower()).strip("_")
        nucleus = _nucleus_in(name)
        role = _ROLE_OF.get(name)
        if role == "shifts" or (role is None and nucleus is not None):
            spectra.append((index, nucleus))
        elif role in roles:
            if role not in ("id", "smiles", "name"):
                raise FileFormatError(f"two columns of {role}")
        elif role is not None:
            roles[role] = index
    if "smiles" not in roles or ("shift" not in roles and not spectra):
        return None
    if "atom" in roles and "shift" not in roles:
        if len(spectra) > 1:
            raise FileFormatError("one atom a row needs one column of shifts")
        roles["shift"] = spectra[0][0]
    return Columns(delimiter, len(cells), roles, tuple(spectra))


def _nucleus_in(name: str) -> str | None:
    found = _NUCLEUS_IN_NAME.search(name)
    if found is None:
        return None
    try:
        return parse_nucleus(found[1])
    except UnknownNucleusError:
        return None


Line = tuple[int, str, tuple[str, str] | None]


def _lines(stream: BinaryIO) -> Iterator[Line]:
    """Yield lines; half a line before the place where a file breaks off goes into the fault."""
    half: ByteLine | None = None
    for line in byte_lines(stream):
        if isinstance(line, Damage):
            shown = decode(half.data[:200]) if half else ""
            yield line.number, shown, ("damaged_file", line.message)
            return
        if line.ended:
            yield _line(line)
        else:
            half = line
    if half is not None:
        yield _line(half)


def _line(line: ByteLine) -> Line:
    if line.too_long:
        return line.number, decode(line.data[:200]), ("too_long", "the row is too long")
    return line.number, decode(line.data), None


def _rows(lines: Iterator[Line], columns: Columns) -> Iterator[Row]:
    """Cut lines into rows; a quote that never closes costs its own line only."""
    ahead: deque[Line] = deque()
    number = 0
    while (line := ahead.popleft() if ahead else next(lines, None)) is not None:
        if line[2] is None and not line[1].strip():
            continue
        number += 1
        if line[2] is not None:
            yield Row(number, (), line[1][:200], line[2])
            continue
        taken = [line]
        cells = _cells([line[1]], columns.delimiter)
        while cells == "open" and len(taken) < _MAX_JOINED:
            more = ahead.popleft() if ahead else next(lines, None)
            if more is None:
                break
            taken.append(more)
            cells = "open" if more[2] else _cells([part[1] for part in taken], columns.delimiter)
        if isinstance(cells, list):
            yield _fitted(number, cells, line[1], columns)
        else:
            ahead.extendleft(reversed(taken[1:]))
            yield Row(number, (), line[1][:200], ("broken_row", "a quote is open or stray"))


def _fitted(number: int, cells: list[str], text: str, columns: Columns) -> Row:
    while len(cells) > columns.width and not cells[-1].strip():
        cells = cells[:-1]
    if len(cells) != columns.width:
        fault = ("ragged_row", f"{len(cells)} cells instead of {columns.width}")
        return Row(number, (), text[:200], fault)
    return Row(number, tuple(cells), text[:200])


def _cells(texts: list[str], delimiter: str) -> list[str] | Literal["open", "broken"]:
    reader = csv.reader((text + "\n" for text in texts), delimiter=delimiter, strict=True)
    try:
        cells = next(reader)
    except csv.Error as error:
        return "open" if "unexpected end" in str(error) else "broken"
    return cells if len(cells) <= _MAX_CELLS else "broken"
