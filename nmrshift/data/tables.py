"""Importer of tables: one atom a row, or one spectrum a row."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from nmrshift.constants import ELEMENT_OF_NUCLEUS
from nmrshift.data.records import (
    FaultError,
    Peak,
    RecordIssue,
    ShiftRecord,
    check_record,
    issue_of,
)
from nmrshift.data.structures import FileStructure, read_structure
from nmrshift.data.table_text import Columns, Item, Row, number_of, read_table, shift_list
from nmrshift.errors import InputError, RecordError, UnknownNucleusError
from nmrshift.io.options import parse_nucleus

_NUCLEUS_OF: Final = {element: nucleus for nucleus, element in ELEMENT_OF_NUCLEUS.items()}
_CONDITIONS: Final[tuple[str, ...]] = ("solvent", "temperature", "frequency", "reference", "level")


def import_table(
    stream: BinaryIO,
    *,
    source: str = "table",
    delimiter: str | None = None,
    first_atom: int = 0,
    source_column: str | None = None,
) -> Iterator[ShiftRecord | RecordIssue]:
    """Yield records and issues of a table whose first line names its columns.

    With a column ``shift`` each row is one signal, and successive rows that agree in molecule,
    nucleus and conditions make one record. With ``shifts`` (or a column named after a nucleus, as
    ``13C`` or ``19F shifts``) each row is one spectrum: ``0:128.4; 1:77.2`` or, without atoms,
    ``170.1, 137.2``. Where no nucleus is written the element of the atom tells it. Issues carry
    the number of the row after the header, from 1; a long row with an issue takes no other along.

    Args:
        stream: binary stream, unpacked.
        source: collection the spectra belong to, where no column says.
        delimiter: character between cells; ``None`` finds out.
        first_atom: number of the first atom of a SMILES, 0 or 1.
        source_column: name of the column of collections, where it is not ``source``.

    Raises:
        FileFormatError: the first line names no columns of structures and shifts.
    """
    columns, rows = read_table(stream, delimiter, source_column)
    if columns is None:
        for row in rows:
            yield _issue(row)
        return
    reader = _Reader(columns, source, first_atom)
    if "shift" in columns.roles:
        yield from reader.long(rows)
    else:
        yield from reader.wide(rows)


@dataclass(frozen=True, slots=True)
class _Key:
    """What the rows of one record have in common."""

    name: str
    structure: FileStructure
    nucleus: str
    source: str
    title: str | None
    conditions: tuple[str | None, ...]


@dataclass(slots=True)
class _Group:
    """Rows of one record while they are read."""

    key: _Key
    row: int
    shifts: list[tuple[int, float]] = field(default_factory=list)
    peaks: list[Peak] = field(default_factory=list)

    def add(self, item: Item, first_atom: int) -> None:
        """Add one signal.

        Raises:
            RecordError: its atom does not exist or cannot have this nucleus.
        """
        if item.atom is None:
            self.peaks.append(Peak(item.shift_ppm, item.label))
            return
        place = self.key.structure.place(item.atom - first_atom, self.key.nucleus)
        self.shifts.append((place, item.shift_ppm))


class _Reader:
    """Turns rows into records; numbers the spectra of each molecule."""

    def __init__(self, columns: Columns, source: str, first_atom: int) -> None:
        self._columns = columns
        self._source = source
        self._first_atom = first_atom
        self._count: Counter[str] = Counter()
        self._last: tuple[str, FileStructure] | None = None

    def long(self, rows: Iterator[Row]) -> Iterator[ShiftRecord | RecordIssue]:
        """Yield a record for each run of rows that belong together."""
        group: _Group | None = None
        named = next((nucleus for _, nucleus in self._columns.spectra), None)
        for row in rows:
            if row.fault is not None:
                yield _issue(row)
                continue
            try:
                item = self._signal(row)
                written = self._columns.get(row, "nucleus") or named
                key = self._key(row, written, item.atom)
                if group is None or group.key != key:
                    fresh = _Group(key, row.number)
                    fresh.add(item, self._first_atom)
                    if group is not None:
                        yield self._record(group)
                    group = fresh
                else:
                    group.add(item, self._first_atom)
            except (InputError, RecordError) as error:
                yield _refused(row, error)
        if group is not None:
            yield self._record(group)

    def wide(self, rows: Iterator[Row]) -> Iterator[ShiftRecord | RecordIssue]:
        """Yield a record or issue for each cell of shifts, an issue for a row without any."""
        for row in rows:
            if row.fault is not None:
                yield _issue(row)
                continue
            filled = [(i, n) for i, n in self._columns.spectra if row.cells[i].strip()]
            if not filled:
                yield RecordIssue(row.number, "no_spectrum", "no shifts in the row", row.text)
            for column, nucleus in filled:
                try:
                    yield self._record(self._spectrum(row, column, nucleus))
                except (InputError, RecordError) as error:
                    yield _refused(row, error)

    def _spectrum(self, row: Row, column: int, nucleus: str | None) -> _Group:
        items = shift_list(row.cells[column])
        written = nucleus or self._columns.get(row, "nucleus")
        atom = items[0].atom if items else None
        group = _Group(self._key(row, written, atom), row.number)
        for item in items:
            group.add(item, self._first_atom)
        return group

    def _signal(self, row: Row) -> Item:
        text = self._columns.get(row, "shift")
        if text is None:
            raise FaultError("missing_field", "no shift")
        atom = self._columns.get(row, "atom")
        if atom is not None and not (atom.isascii() and atom.isdigit() and len(atom) < 10):
            raise FaultError("bad_field", f"{atom[:40]!r} is no atom number")
        label = self._columns.get(row, "label")
        return Item(number_of(text), None if atom is None else int(atom), label)

    def _key(self, row: Row, nucleus: str | None, atom: int | None) -> _Key:
        smiles = self._columns.get(row, "smiles")
        if smiles is None:
            raise FaultError("missing_field", "no structure")
        structure = self._structure(smiles)
        title = self._columns.get(row, "name")
        name = self._columns.get(row, "id") or title or structure.smiles
        return _Key(
            name=name,
            structure=structure,
            nucleus=self._nucleus(nucleus, atom, structure),
            source=self._columns.get(row, "source") or self._source,
            title=title,
            conditions=tuple(self._columns.get(row, role) for role in _CONDITIONS),
        )

    def _structure(self, smiles: str) -> FileStructure:
        if self._last is None or self._last[0] != smiles:
            self._last = smiles, read_structure(smiles, "smiles")
        return self._last[1]

    def _nucleus(self, written: str | None, atom: int | None, structure: FileStructure) -> str:
        if written is not None:
            try:
                return parse_nucleus(written)
            except UnknownNucleusError:
                raise FaultError("bad_field", f"{written[:20]!r} is no nucleus") from None
        if atom is None:
            raise FaultError("missing_field", "no nucleus")
        index = atom - self._first_atom
        element = structure.elements[index] if 0 <= index < len(structure.elements) else ""
        if element not in _NUCLEUS_OF:
            raise FaultError("index_out_of_range", f"no nucleus is known for atom {atom}")
        return _NUCLEUS_OF[element]

    def _record(self, group: _Group) -> ShiftRecord | RecordIssue:
        key = group.key
        stem = f"{key.source}:{key.name}/{key.nucleus}"
        record = ShiftRecord(
            id=f"{stem}/{self._count[stem]}",
            smiles=key.structure.smiles,
            nucleus=key.nucleus,
            source=key.source,
            assignment="file" if group.shifts else None,
            name=key.title,
            shifts=tuple(sorted(group.shifts)) or None,
            peaks=tuple(group.peaks) or None,
            doubted=None,
            **dict(zip(_CONDITIONS, key.conditions, strict=True)),
        )
        try:
            check_record(record)
        except RecordError as error:
            return issue_of(error, group.row, record.id)
        self._count[stem] += 1
        return record


def _issue(row: Row) -> RecordIssue:
    code, message = row.fault or ("bad_row", "")
    return RecordIssue(row.number, code, message, row.text)


def _refused(row: Row, error: InputError | RecordError) -> RecordIssue:
    if isinstance(error, RecordError):
        return issue_of(error, row.number, row.text)
    return RecordIssue(row.number, "structure", error.message, row.text)
