"""The table of importers, and one way to use any of them."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final, Literal

from nmrshift.data.nmredata import import_nmredata, is_nmredata
from nmrshift.data.nmrshiftdb_sd import import_nmrshiftdb, is_nmrshiftdb
from nmrshift.data.records import RecordIssue, ShiftRecord, read_records
from nmrshift.data.tables import import_table
from nmrshift.errors import FileFormatError
from nmrshift.io.byte_lines import Damage, byte_lines
from nmrshift.io.sdf_records import SdRecord, iter_sd_records
from nmrshift.io.source import open_bytes

ImportFormat = Literal["nmrshiftdb", "nmredata", "csv", "tsv"]
Importer = Callable[[BinaryIO], Iterator[ShiftRecord | RecordIssue]]

FORMATS: Final[tuple[ImportFormat, ...]] = ("nmrshiftdb", "nmredata", "csv", "tsv")

_TABLES: Final[tuple[ImportFormat, ...]] = ("csv", "tsv")
_RECORDS_TRIED: Final[int] = 50
_LINES_TRIED: Final[int] = 2000


def import_file(
    path: str | Path,
    kind: ImportFormat | None = None,
    *,
    source: str | None = None,
    first_atom: int = 0,
    source_column: str | None = None,
) -> Iterator[ShiftRecord | RecordIssue]:
    """Yield what a file of any known format holds: every record in it, or why not.

    Args:
        path: file, plain or gzip.
        kind: its format; ``None`` looks into it.
        source: collection that spectra of a table belong to; its file name if not given.
        first_atom: number of the first atom in a table, 0 or 1.
        source_column: name of the column of collections in a table; spectra whose cell is empty
            then belong to none.

    Raises:
        FileFormatError: the file cannot be opened, is of no known format, or has no such column.
    """
    kind = sniff_format(path) if kind is None else kind
    label = source or Path(path).name.split(".")[0] or "table"
    if source_column is not None:
        if kind not in _TABLES:
            raise _no_column(path, source_column)
        label = ""
    with open_bytes(path) as stream:
        yield from _importer(kind, label, first_atom, source_column)(stream)


def read_spectra(
    path: str | Path, source_column: str | None = None
) -> Iterator[ShiftRecord | RecordIssue]:
    """Yield the records of a native file, or of any file that can be imported.

    Args:
        path: file, plain or gzip.
        source_column: name of the column of collections in a table, where it is not ``source``.

    Raises:
        FileFormatError: the file cannot be opened, is of no known format, or has no such column.
    """
    if not Path(path).name.removesuffix(".gz").endswith(".jsonl"):
        return import_file(path, source_column=source_column)
    if source_column not in (None, "source"):
        raise _no_column(path, str(source_column))
    return read_records(path)


def _no_column(path: str | Path, name: str) -> FileFormatError:
    return FileFormatError(
        f"{Path(path).name} has no column {name[:40]!r}: it is no table",
        hint="In shift records the field `source` says whose a spectrum is: name that one.",
    )


def sniff_format(path: str | Path) -> ImportFormat:
    """Find the format of a file by its content.

    Raises:
        FileFormatError: the file cannot be opened, is empty, or is of no known format.
    """
    if _has_molblock(path):
        with open_bytes(path) as stream:
            for entry in islice(iter_sd_records(stream), _RECORDS_TRIED):
                if isinstance(entry, SdRecord) and is_nmredata(entry):
                    return "nmredata"
                if isinstance(entry, SdRecord) and is_nmrshiftdb(entry):
                    return "nmrshiftdb"
        raise FileFormatError(
            f"{path} is an SD file, but holds neither nmrshiftdb2 spectra nor NMReDATA",
            hint="Name the format if it is one of them all the same.",
        )
    header = _first_line(path)
    if header.lstrip().startswith(b"{"):
        raise FileFormatError(f"{path} holds JSON lines", hint="Native records need no import.")
    return "tsv" if header.count(b"\t") > header.count(b",") else "csv"


def _importer(
    kind: ImportFormat, source: str, first_atom: int, source_column: str | None
) -> Importer:
    read = partial(import_table, source=source, first_atom=first_atom, source_column=source_column)
    table: dict[ImportFormat, Importer] = {
        "nmrshiftdb": import_nmrshiftdb,
        "nmredata": import_nmredata,
        "csv": read,
        "tsv": partial(read, delimiter="\t"),
    }
    return table[kind]


def _has_molblock(path: str | Path) -> bool:
    with open_bytes(path) as stream:
        for line in islice(byte_lines(stream), _LINES_TRIED):
            if isinstance(line, Damage):
                return False
            if line.data.rstrip() in (b"M  END", b"$$$$"):
                return True
    return False


def _first_line(path: str | Path) -> bytes:
    with open_bytes(path) as stream:
        for line in byte_lines(stream):
            if isinstance(line, Damage):
                raise FileFormatError(f"{path}: {line.message}")
            if line.data.strip():
                return line.data
    raise FileFormatError(f"{path} is empty")
