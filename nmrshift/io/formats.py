"""The table of readers, and one way to read any of them."""

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final, Literal

from nmrshift.errors import FileFormatError
from nmrshift.io.fields import at_index, failed
from nmrshift.io.json_lines import read_json_lines
from nmrshift.io.location import OnRead, is_url, name_of
from nmrshift.io.packing import packing_of
from nmrshift.io.parquet_queries import read_parquet
from nmrshift.io.sdf_queries import read_sdf
from nmrshift.io.separated import read_separated
from nmrshift.io.smiles_lines import read_smiles_lines
from nmrshift.io.source import open_bytes
from nmrshift.types import Failure, Query

InputFormat = Literal["smi", "csv", "jsonl", "sdf", "parquet"]

READERS: Final[dict[InputFormat, Callable[[BinaryIO], Iterator[Query | Failure]]]] = {
    "smi": read_smiles_lines,
    "csv": read_separated,
    "jsonl": read_json_lines,
    "sdf": read_sdf,
    "parquet": read_parquet,
}

SUFFIXES: Final[dict[str, InputFormat]] = {
    ".smi": "smi",
    ".smiles": "smi",
    ".txt": "smi",
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".sdf": "sdf",
    ".sd": "sdf",
    ".mol": "sdf",
    ".parquet": "parquet",
}


def format_of(path: str | Path) -> InputFormat | None:
    """Return the format that the end of a file name stands for, compression not counted."""
    text = str(path)
    name, _ = packing_of((name_of(text) if is_url(text) else text).lower())
    return next((kind for suffix, kind in SUFFIXES.items() if name.endswith(suffix)), None)


def read_queries(
    path: str | Path, *, kind: InputFormat | None = None, on_read: OnRead | None = None
) -> Iterator[Query | Failure]:
    """Read a file of molecules as a stream; rows that cannot be read are failures in place.

    A file that breaks off, or holds no molecule at all, ends in one failure that says so.

    Args:
        path: file or URL, plain, gzip or zstd; ``-`` is standard input.
        kind: format; ``None`` goes by the file's name, and takes standard input for lines of
            SMILES.
        on_read: told how many bytes of the file were read, if given.

    Yields:
        Queries and failures, in the order of the file; ``Failure.index`` counts from 0.

    Raises:
        FileFormatError: the file cannot be opened, or its name does not tell its format.
        MissingExtraError: reading it takes a package that is not installed.
    """
    kind = kind or ("smi" if str(path) == "-" else format_of(path))
    if kind is None:
        endings = ", ".join(SUFFIXES)
        raise FileFormatError(f"the format of {path} is not known", hint=f"Use one of {endings}.")
    label = "standard input" if str(path) == "-" else name_of(path)
    index = 0
    with open_bytes(path, on_read) as stream:
        try:
            for row in READERS[kind](stream):
                yield at_index(row, index)
                index += 1
        except (OSError, EOFError, zlib.error, FileFormatError) as error:
            hint = error.hint if isinstance(error, FileFormatError) else ""
            message = f"{label} cannot be read after {index} molecules: {error}"
            yield failed(index, "", message, error=FileFormatError, name=label, hint=hint)
            return
    if index == 0:
        yield failed(0, "", f"{label} holds no molecule", name=label, hint="")
