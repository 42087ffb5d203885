"""How far a run is: rows, rate and time left, on a terminal alone."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from nmrshift.io.formats import InputFormat, read_queries
from nmrshift.io.location import is_url
from nmrshift.types import Failure, Query

_BAR: Final[str] = (
    "{n_fmt} of about {total_fmt} molecules, {rate_fmt}, {elapsed} gone, {remaining} left"
)
_COUNT: Final[str] = "{n_fmt} molecules, {rate_fmt}, {elapsed} gone"


class Progress:
    """Reads the inputs of a run and shows how far its answers are.

    The number of rows is not known before the end: it is estimated from the share of bytes read.

    Args:
        inputs: arguments: files, URLs, ``-`` or structures.
        is_file: which of them are files.
        kind: format of all files, if given.
        show: whether to show anything where stderr is a terminal.
    """

    def __init__(
        self, inputs: tuple[str, ...], is_file: list[bool], kind: InputFormat | None, *, show: bool
    ) -> None:
        self._inputs = list(zip(inputs, is_file, strict=True))
        self._kind = kind
        self._n_bytes = _size(text for text, file in self._inputs if file)
        self._read_bytes = 0
        self._read_rows = 0
        self._bar = _bar(self._n_bytes) if show and sys.stderr.isatty() else None

    def rows(self) -> Iterator[Query | Failure]:
        """Yield the rows of all inputs."""
        for text, is_file in self._inputs:
            rows = self._file(text) if is_file else iter([Query(text)])
            for row in rows:
                self._read_rows += 1
                yield row

    def done(self, n_rows: int) -> None:
        """Count rows that have their answer."""
        if self._bar is None:
            return
        self._bar.total = self.estimated_rows
        self._bar.update(n_rows)

    @property
    def estimated_rows(self) -> int | None:
        """Rows in all, by the share of bytes read; ``None`` where that is not known."""
        if not self._n_bytes or not self._read_bytes:
            return None
        share = min(1.0, self._read_bytes / self._n_bytes)
        return max(self._read_rows, round(self._read_rows / share))

    def close(self) -> None:
        """Leave the last line on the terminal."""
        if self._bar is not None:
            self._bar.close()

    def _file(self, text: str) -> Iterator[Query | Failure]:
        return read_queries(text, kind=self._kind, on_read=self._on_read)

    def _on_read(self, n_bytes: int) -> None:
        self._read_bytes += n_bytes


def _size(files: Iterator[str]) -> int | None:
    """Return the bytes of all files; ``None`` if one is elsewhere."""
    total = 0
    for text in files:
        if text == "-" or is_url(text):
            return None
        total += Path(text).stat().st_size
    return total


def _bar(n_bytes: int | None) -> Any:
    from tqdm import tqdm

    text = _BAR if n_bytes else _COUNT
    return tqdm(file=sys.stderr, bar_format=text, mininterval=0.5, unit=" molecules", total=0)
