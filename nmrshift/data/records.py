"""Shift records, the native format: one spectrum of one molecule a JSON line."""

import gzip
import io
import json
import math
import os
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, NoReturn, cast

from nmrshift.constants import ELEMENT_OF_NUCLEUS
from nmrshift.errors import FileFormatError, RecordError
from nmrshift.io.byte_lines import ByteLine, Damage, byte_lines
from nmrshift.io.source import open_bytes

_TEXT_SHOWN: Final = 200
_ATOM: Final = re.compile(r"\[[^\]]*\]|Br|Cl|[BCNOPSFIbcnops*]")
_NUCLEUS: Final = re.compile(r"\d{1,3}[A-Z][a-z]?")
_ABSENT: Final = object()


@dataclass(frozen=True, slots=True)
class Peak:
    """One line of a spectrum whose atom is not known.

    Attributes:
        shift_ppm: position, ppm.
        label: multiplicity letter or name of a group, as the source wrote it.
        source_index: the source's own number of the atom, or its name.
    """

    shift_ppm: float
    label: str | None = None
    source_index: int | str | None = None


@dataclass(frozen=True, slots=True)
class ShiftRecord:
    """One spectrum of one molecule.

    Attributes:
        id: unique name, ``source:number``.
        smiles: the structure; atom index = position of the atom in this text, from 0.
        nucleus: for example ``13C``.
        solvent: as the source wrote it.
        source: collection the spectrum comes from; stands for its reference convention.
        temperature: as the source wrote it, usually K.
        frequency: as the source wrote it, usually MHz.
        assignment: how atoms were assigned: ``file``, ``symmetry``, ``order-uncertain``.
        reference: internal standard.
        level: level of theory; present for computed spectra only.
        name: name of the compound.
        shifts: assigned lines, (atom index, ppm); for 1H the atom that carries the hydrogens.
        peaks: unassigned lines.
        doubted: atoms whose shift is likely not theirs; training trusts it less.
    """

    id: str
    smiles: str
    nucleus: str
    solvent: str | None = None
    source: str | None = None
    temperature: str | None = None
    frequency: str | None = None
    assignment: str | None = None
    reference: str | None = None
    level: str | None = None
    name: str | None = None
    shifts: tuple[tuple[int, float], ...] | None = None
    peaks: tuple[Peak, ...] | None = None
    doubted: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class RecordIssue:
    """A row that is no record: reported in its place, never lost.

    Attributes:
        row: number of the row or record in its file, from 1.
        code: stable word for the kind of fault.
        message: the fault in words.
        text: the beginning of the row, or the name of the record.
    """

    row: int
    code: str
    message: str
    text: str = ""


_FIELDS: Final[tuple[str, ...]] = tuple(field.name for field in fields(ShiftRecord))
_OPTIONAL: Final[tuple[str, ...]] = _FIELDS[3:-3]


class FaultError(RecordError):
    """A record error that knows the code of its issue.

    Attributes:
        issue: code of the ``RecordIssue`` to be.
    """

    def __init__(self, issue: str, message: str) -> None:
        super().__init__(message)
        self.issue = issue


def read_records(path: str | Path) -> Iterator[ShiftRecord | RecordIssue]:
    """Yield the records of a native file, plain or gzip, one a line.

    A line that is no record is an issue with one of the codes ``encoding``, ``json``,
    ``too_long``, ``missing_field``, ``unknown_field``, ``bad_field``, ``non_finite``,
    ``index_out_of_range``; a file that breaks off ends with ``damaged_file``. Blank lines are
    no rows.

    Raises:
        FileFormatError: the file cannot be opened.
    """
    with open_bytes(path) as stream:
        for line in byte_lines(stream):
            if isinstance(line, Damage):
                yield RecordIssue(line.number, "damaged_file", line.message)
            elif line.data.strip():
                yield _read_line(line)


def only_records(
    entries: Iterable[ShiftRecord | RecordIssue], issues: list[RecordIssue]
) -> Iterator[ShiftRecord]:
    """Yield the records among what was read; put what is none into a list."""
    for entry in entries:
        if isinstance(entry, RecordIssue):
            issues.append(entry)
        else:
            yield entry


def record_from_dict(data: Mapping[str, Any]) -> ShiftRecord:
    """Check and convert one decoded JSON object.

    Raises:
        RecordError: a field is missing, unknown, of the wrong type or out of range.
    """
    for key in data:
        if key not in _FIELDS:
            raise FaultError("unknown_field", f"unknown field {key!r}")
    record = ShiftRecord(
        id=_required(data, "id"),
        smiles=_required(data, "smiles"),
        nucleus=_required(data, "nucleus"),
        **{name: _text(data.get(name), name) for name in _OPTIONAL},
        shifts=_shifts(data.get("shifts")),
        peaks=_peaks(data.get("peaks")),
        doubted=_atoms(data.get("doubted"), "doubted"),
    )
    check_record(record)
    return record


def check_record(record: ShiftRecord) -> None:
    """Check what can be told from the record's own text, without parsing the structure.

    Raises:
        RecordError: nothing measured, an odd nucleus, or an atom index beyond the structure.
    """
    if record.nucleus not in ELEMENT_OF_NUCLEUS and not _NUCLEUS.fullmatch(record.nucleus):
        raise FaultError("bad_field", f"{record.nucleus[:20]!r} is no nucleus")
    if not record.shifts and not record.peaks:
        raise FaultError("missing_field", "neither shifts nor peaks")
    if record.shifts:
        n_atoms = count_atoms(record.smiles)
        worst = max(index for index, _ in record.shifts)
        if worst >= n_atoms:
            raise FaultError("index_out_of_range", f"atom {worst} of {n_atoms}, counted from 0")
    for atom in set(record.doubted or ()) - {index for index, _ in record.shifts or ()}:
        raise FaultError("bad_field", f"atom {atom} is doubted and has no shift")


def issue_of(error: RecordError, row: int, text: str = "") -> RecordIssue:
    """Return the issue that reports a record error."""
    code = error.issue if isinstance(error, FaultError) else error.code
    return RecordIssue(row, code, error.message, text[:_TEXT_SHOWN])


def record_to_dict(record: ShiftRecord) -> dict[str, Any]:
    """Return the JSON object of a record; empty optional fields are left out."""
    data: dict[str, Any] = {"id": record.id, "smiles": record.smiles, "nucleus": record.nucleus}
    for name in _OPTIONAL:
        value = getattr(record, name)
        if value is not None:
            data[name] = value
    if record.shifts is not None:
        data["shifts"] = [[index, shift_ppm] for index, shift_ppm in record.shifts]
    if record.peaks is not None:
        data["peaks"] = [[peak.shift_ppm, peak.label, peak.source_index] for peak in record.peaks]
    if record.doubted is not None:
        data["doubted"] = list(record.doubted)
    return data


def write_records(path: str | Path, records: Iterable[ShiftRecord], *, force: bool = False) -> int:
    """Write records to a file that appears whole or not at all; return how many.

    Args:
        path: ends in ``.gz`` for a compressed file.
        records: written in order.
        force: whether a file of that name may be replaced.

    Raises:
        FileExistsError: the name is taken and ``force`` is off.
    """
    count = 0
    with record_writer(path, force=force) as write:
        for record in records:
            write(record)
            count += 1
    return count


@contextmanager
def record_writer(
    path: str | Path, *, force: bool = False
) -> Iterator[Callable[[ShiftRecord], None]]:
    """Open a record file for writing; it takes its name when the block ends well.

    The same records give the same bytes.

    Raises:
        FileExistsError: the name is taken and ``force`` is off.
        FileFormatError: the file cannot be made.
    """
    path = Path(path)
    if path.exists() and not (force and path.is_file()):
        raise FileExistsError(f"{path} exists")
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with ExitStack() as stack:
            try:
                raw = stack.enter_context(partial.open("xb"))
            except OSError as error:
                raise FileFormatError(f"cannot write {path}: {error.strerror}") from None
            stack.callback(os.fsync, raw.fileno())
            stack.callback(raw.flush)
            binary: io.BufferedIOBase = raw
            if path.suffix == ".gz":
                packed = gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0)
                binary = stack.enter_context(packed)
            text = io.TextIOWrapper(cast("io.BufferedWriter", binary), "utf-8", newline="\n")
            stack.callback(_release, text)
            yield lambda record: _write_line(text, record)
        partial.replace(path)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise


def count_atoms(smiles: str) -> int:
    """Return the number of atoms written in a SMILES, by its text alone."""
    return len(_ATOM.findall(smiles))


def _release(text: io.TextIOWrapper) -> None:
    text.flush()
    text.detach()


def _write_line(stream: io.TextIOBase, record: ShiftRecord) -> None:
    line = json.dumps(record_to_dict(record), allow_nan=False, separators=(",", ":"))
    stream.write(line + "\n")


def _read_line(line: ByteLine) -> ShiftRecord | RecordIssue:
    shown = line.data[:_TEXT_SHOWN].decode("utf-8", errors="replace")
    if line.too_long:
        return RecordIssue(line.number, "too_long", "the line is too long", shown)
    try:
        data = json.loads(line.data.decode("utf-8"), parse_constant=_refuse_constant)
        if not isinstance(data, dict):
            raise FaultError("json", "the line is no JSON object")
        return record_from_dict(data)
    except UnicodeDecodeError as error:
        return RecordIssue(line.number, "encoding", f"not UTF-8: {error.reason}", shown)
    except RecordError as error:
        return issue_of(error, line.number, shown)
    except (ValueError, RecursionError) as error:
        return RecordIssue(line.number, "json", f"broken JSON: {error}", shown)


def _refuse_constant(name: str) -> NoReturn:
    raise FaultError("non_finite", f"{name} is no number")


def _required(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name, _ABSENT)
    if value is _ABSENT or value is None or value == "":
        raise FaultError("missing_field", f"no {name}")
    if not isinstance(value, str):
        raise FaultError("bad_field", f"{name} is no text")
    return _encodable(value, name)


def _text(value: object, name: str) -> str | None:
    if value is None:
        return None
    if isinstance(value, str):
        return _encodable(value, name)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise FaultError("bad_field", f"{name} is no text")


def _encodable(value: str, name: str) -> str:
    if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise FaultError("bad_field", f"{name} holds half a character")
    return value


def _ppm(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FaultError("bad_field", "a shift is no number")
    if not math.isfinite(value):
        raise FaultError("non_finite", f"{value} is no number")
    return float(value)


def _rows(value: object, name: str) -> list[list[object]] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(row, list) for row in value):
        raise FaultError("bad_field", f"{name} is no list of lists")
    return cast("list[list[object]]", value)


def _atoms(value: object, name: str) -> tuple[int, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(type(item) is int for item in value):
        raise FaultError("bad_field", f"{name} is no list of atom numbers")
    return tuple(value)


def _shifts(value: object) -> tuple[tuple[int, float], ...] | None:
    rows = _rows(value, "shifts")
    if rows is None:
        return None
    shifts = []
    for row in rows:
        if len(row) != 2 or not isinstance(row[0], int) or isinstance(row[0], bool):
            raise FaultError("bad_field", "a shift is not [atom index, ppm]")
        if row[0] < 0:
            raise FaultError("index_out_of_range", f"atom {row[0]}")
        shifts.append((row[0], _ppm(row[1])))
    return tuple(shifts)


def _peaks(value: object) -> tuple[Peak, ...] | None:
    rows = _rows(value, "peaks")
    if rows is None:
        return None
    peaks = []
    for row in rows:
        if not 1 <= len(row) <= 3:
            raise FaultError("bad_field", "a peak is not [ppm, label, source index]")
        shift, label, source = [*row, None, None][:3]
        if isinstance(source, bool) or not isinstance(source, int | str | None):
            raise FaultError("bad_field", "a peak's source index is neither number nor text")
        if isinstance(source, str):
            source = _encodable(source, "source index")
        peaks.append(Peak(_ppm(shift), _text(label, "label"), source))
    return tuple(peaks)
