"""Reader of .sdf, .sd and .mol: one molblock a record."""

from collections.abc import Iterator
from typing import BinaryIO, Final

from nmrshift.errors import FileFormatError, InputError, ParseError, TooLargeError
from nmrshift.io.fields import NAME_KEYS, failed
from nmrshift.io.sdf_records import SdIssue, SdRecord, iter_sd_records
from nmrshift.types import Failure, Query

_ERRORS: Final[dict[str, type[InputError | FileFormatError]]] = {
    "too_long": TooLargeError,
    "damaged_file": FileFormatError,
}


def read_sdf(stream: BinaryIO) -> Iterator[Query | Failure]:
    """Yield one row a record; several tables without a delimiter between them all fail.

    The name is the title line, or else the data field ``id``, ``name`` or ``title``; a data field
    ``solvent`` is honoured.
    """
    for index, record in enumerate(iter_sd_records(stream)):
        if isinstance(record, SdIssue):
            error = _ERRORS.get(record.code, ParseError)
            message = f"record {record.row}: {record.message}"
            hint = "End each record with M  END, its data fields, and a line of $$$$."
            yield failed(index, record.text, message, error=error, hint=hint)
        else:
            yield _query(record)


def _query(record: SdRecord) -> Query:
    fields = {key.lower(): value.strip() for key, value in record.fields.items()}
    names = (record.title, *(fields.get(key, "") for key in NAME_KEYS))
    name = next((name for name in names if name), None)
    return Query(record.molblock, solvent=fields.get("solvent") or None, name=name)
