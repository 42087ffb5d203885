"""Records of SD files whose data may be believed."""

from collections.abc import Iterator
from typing import BinaryIO

from nmrshift.data.records import RecordIssue
from nmrshift.io.sdf_records import SdIssue, SdRecord, iter_sd_records


def sd_entries(stream: BinaryIO) -> Iterator[SdRecord | RecordIssue]:
    """Yield whole records, and an issue for each that is not.

    A last record without its ``$$$$`` is an issue here (``no_delimiter``): its structure may be
    whole, but fields that say how it was measured, or that it was computed, may be cut off.
    """
    for entry in iter_sd_records(stream):
        if isinstance(entry, SdIssue):
            yield RecordIssue(entry.row, entry.code, entry.message, entry.text)
        elif not entry.closed:
            message = "the last record has no $$$$ line, so data may be missing"
            yield RecordIssue(entry.row, "no_delimiter", message, entry.title)
        else:
            yield entry
