"""SD files cut into records: every record comes out as text or as an issue, none is merged."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from nmrshift.io.byte_lines import ByteLine, Damage, byte_lines, decode

MAX_RECORD_BYTES: Final[int] = 16_000_000
"""Largest record kept in memory."""

_DELIMITER: Final[bytes] = b"$$$$"
_END: Final[bytes] = b"M  END"
_COUNTS: Final = re.compile(rb"[ \d]{6}.*V[23]000\s*")
_HEADER: Final = re.compile(r">[^<]*<(.+)>[^>]*")
_TEXT_SHOWN: Final[int] = 200


@dataclass(frozen=True, slots=True)
class SdRecord:
    """One record of an SD file.

    Attributes:
        molblock: the connection table, from its title to ``M  END``; lines end in a line feed.
        fields: data fields by name, lines of a value joined by a line feed; values of fields that
            stand twice are joined likewise.
        title: first line of the molblock.
        row: number of the record in the file, from 1.
        closed: whether its delimiter follows; without it fields may be missing.
    """

    molblock: str
    fields: dict[str, str]
    title: str
    row: int
    closed: bool = True


@dataclass(frozen=True, slots=True)
class SdIssue:
    """A record that cannot be told apart from its neighbours, or is not whole.

    Attributes:
        row: number of the record in the file, from 1.
        code: ``no_molblock``, ``no_delimiter``, ``stray_text``, ``truncated``, ``too_long`` or
            ``damaged_file``.
        message: the fault in words.
        text: the beginning of the record.
    """

    row: int
    code: str
    message: str
    text: str


@dataclass(slots=True)
class _Chunk:
    """Lines between two delimiters."""

    lines: list[bytes] = field(default_factory=list)
    size: int = 0
    n_starts: int = 0
    n_ends: int = 0
    too_long: bool = False

    def add(self, line: ByteLine, max_bytes: int) -> None:
        """Keep a line, or only count it once the chunk is full."""
        self.size += len(line.data) + 1
        self.n_starts += _COUNTS.fullmatch(line.data) is not None
        self.n_ends += line.data.rstrip() == _END
        self.too_long = self.too_long or line.too_long or self.size > max_bytes
        if not self.too_long:
            self.lines.append(line.data)

    @property
    def n_tables(self) -> int:
        """Number of connection tables, whole or not."""
        return max(self.n_starts, self.n_ends)

    def is_blank(self) -> bool:
        """Return whether there is nothing but white space."""
        return not self.too_long and not any(line.strip() for line in self.lines)


def iter_sd_records(
    stream: BinaryIO, *, max_bytes: int = MAX_RECORD_BYTES
) -> Iterator[SdRecord | SdIssue]:
    """Yield the records of an SD file as a stream, in order.

    Several tables without a delimiter between them give one issue each, for nobody can say which
    data belong to which. The last record may lack its delimiter if it is complete. Text that is
    not UTF-8 is read as Windows-1252. Blank space between records is no record.

    Args:
        stream: binary stream, already unpacked; may break off.
        max_bytes: largest record; a larger one is an issue.
    """
    row = 1
    chunk = _Chunk()
    for line in byte_lines(stream):
        if isinstance(line, Damage):
            shown = _shown(chunk.lines)
            for number in range(max(1, chunk.n_tables)):
                yield SdIssue(row + number, "damaged_file", line.message, shown)
            return
        if not line.data.startswith(_DELIMITER):
            chunk.add(line, max_bytes)
            continue
        for entry in _entries(chunk, row, closed=True):
            yield entry
            row += 1
        chunk = _Chunk()
    if not chunk.is_blank():
        yield from _entries(chunk, row, closed=False)


def _entries(chunk: _Chunk, row: int, *, closed: bool) -> Iterator[SdRecord | SdIssue]:
    shown = _shown(chunk.lines)
    if chunk.n_tables > 1:
        message = f"{chunk.n_tables} tables without a {_DELIMITER.decode()} line between them"
        for number in range(chunk.n_tables):
            yield SdIssue(row + number, "no_delimiter", message, shown)
    elif chunk.too_long:
        yield SdIssue(row, "too_long", "the record is too long", shown)
    elif chunk.n_ends == 0:
        yield SdIssue(row, "no_molblock", "no M  END before the end of the record", shown)
    else:
        yield _record(chunk, row, closed=closed)


def _record(chunk: _Chunk, row: int, *, closed: bool) -> SdRecord | SdIssue:
    lines = [decode(line) for line in chunk.lines]
    end = next(i for i, line in enumerate(lines) if line.rstrip() == "M  END")
    parsed = _fields(lines[end + 1 :])
    if isinstance(parsed, str):
        return SdIssue(row, "stray_text", parsed, _shown(chunk.lines))
    fields, open_field = parsed
    if open_field is not None and not closed:
        message = f"the file ends within field {open_field!r}"
        return SdIssue(row, "truncated", message, _shown(chunk.lines))
    block = "\n".join(lines[: end + 1]) + "\n"
    return SdRecord(block, fields, lines[0].strip(), row, closed)


def _fields(lines: list[str]) -> tuple[dict[str, str], str | None] | str:
    """Return the data fields and the name of one that no blank line closes, or what is wrong."""
    values: dict[str, list[str]] = {}
    current: str | None = None
    blank_before = True
    for line in lines:
        if not line.strip():
            blank_before = True
            continue
        name = _field_name(line, after_blank=blank_before)
        if name is not None:
            current = name
            values.setdefault(name, [])
        elif current is None:
            return f"text between M  END and the first field: {line.strip()[:60]!r}"
        else:
            values[current].append(line.rstrip())
        blank_before = False
    fields = {name: "\n".join(value) for name, value in values.items()}
    return fields, None if blank_before else current


def _field_name(line: str, *, after_blank: bool) -> str | None:
    if not line.startswith(">"):
        return None
    found = _HEADER.fullmatch(line.rstrip())
    if found:
        return found[1].strip()
    return line[1:].strip() if after_blank else None


def _shown(lines: list[bytes]) -> str:
    text = " / ".join(decode(line).strip() for line in lines[:5] if line.strip())
    return text[:_TEXT_SHOWN]
