"""SD files in, records or issues out: as many as went in, whatever the file has been through."""

import gzip
import io
import random
from typing import BinaryIO, cast

import pytest
from spectra import molblock, record, sd_file

from nmrshift.io.byte_lines import Damage, byte_lines
from nmrshift.io.sdf_records import SdIssue, SdRecord, iter_sd_records


def read(data: bytes, **options: int) -> list[SdRecord | SdIssue]:
    return list(iter_sd_records(io.BytesIO(data), **options))


def codes(data: bytes, **options: int) -> list[str]:
    return [getattr(entry, "code", "ok") for entry in read(data, **options)]


def plain(number: int) -> str:
    return record(f"mol {number}", {"ID": str(number), "NOTE": "two\nlines"})


THREE = sd_file(*(plain(number) for number in range(3)))


def test_fields_titles_and_rows() -> None:
    entries = read(THREE)
    assert [entry.row for entry in entries] == [1, 2, 3]
    assert isinstance(entries[1], SdRecord)
    assert entries[1].title == "mol 1"
    assert entries[1].fields == {"ID": "1", "NOTE": "two\nlines"}
    assert entries[1].molblock == molblock("mol 1")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("tail", ["", "\n\n \n"])
def test_line_ends_change_nothing(end: str, bom: bytes, tail: str) -> None:
    data = bom + (THREE.decode() + tail).replace("\n", end).encode()
    assert read(data) == read(THREE)


def test_the_last_delimiter_may_be_missing() -> None:
    entries = read(THREE.removesuffix(b"$$$$\n"))
    assert [getattr(entry, "closed", None) for entry in entries] == [True, True, False]
    assert codes(sd_file(plain(0)) + molblock("last").encode().rstrip()) == ["ok", "ok"]


def test_a_field_cut_off_is_not_believed() -> None:
    assert codes(THREE.removesuffix(b"es\n\n$$$$\n")) == ["ok", "ok", "truncated"]
    assert codes(THREE.removesuffix(b"two\nlines\n\n$$$$\n")) == ["ok", "ok", "truncated"]


@pytest.mark.parametrize("n", [2, 5])
def test_tables_without_delimiters_are_all_reported(n: int) -> None:
    glued = "".join(plain(number) for number in range(n))
    entries = read(sd_file(plain(7), glued, plain(8)))
    found = [(entry.row, getattr(entry, "code", "ok")) for entry in entries]
    middle = [(row, "no_delimiter") for row in range(2, 2 + n)]
    assert found == [(1, "ok"), *middle, (2 + n, "ok")]


def test_a_half_table_before_a_whole_one_is_reported_too() -> None:
    half = molblock("half").split("M  END")[0]
    assert codes(sd_file(half + plain(1))) == ["no_delimiter"] * 2


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("junk\njunk\n", "no_molblock"),
        ("", "no_molblock"),
        (molblock("x") + "stray words\n", "stray_text"),
        (molblock("x") + "$$$\n> <ID>\n1\n", "stray_text"),
    ],
)
def test_what_is_no_record_is_an_issue(text: str, code: str) -> None:
    assert codes(sd_file(plain(0), text, plain(1))) == ["ok", code, "ok"]


def test_headers_of_fields_in_all_their_forms() -> None:
    fields = ">  <A B>  (12)\n1\n\n> 25 <C>\n2\n> <D>\n>99 %\n\n> DT12\n3\n\n> <A B>\nagain\n\n"
    (entry,) = read(sd_file(molblock("x") + fields))
    assert isinstance(entry, SdRecord)
    assert entry.fields == {"A B": "1\nagain", "C": "2", "D": ">99 %", "DT12": "3"}


def test_old_encodings_are_read() -> None:
    (entry,) = read(record("gr\u00fcn", {"N": "\u00b5"}).encode("cp1252") + b"$$$$\n")
    assert isinstance(entry, SdRecord)
    assert (entry.title, entry.fields) == ("gr\u00fcn", {"N": "\u00b5"})


def test_a_record_beyond_the_cap_is_dropped_and_reported() -> None:
    huge = record("huge", {"N": "\n".join("x" * 100 for _ in range(100))})
    assert codes(sd_file(plain(0), huge, plain(1)), max_bytes=5000) == ["ok", "too_long", "ok"]


def test_an_empty_file_has_no_records() -> None:
    assert read(b"") == []
    assert read(b"\n \r\n") == []


@pytest.mark.parametrize("cut", [1, 9, 60])
def test_a_broken_off_gzip_gives_whole_records_then_says_so(cut: int) -> None:
    noise = random.Random(5)
    notes = [record(str(n), {"N": f"{noise.getrandbits(4000):x}"}) for n in range(50)]
    packed = gzip.compress(sd_file(*notes))[:-cut]
    stream = cast("BinaryIO", gzip.GzipFile(fileobj=io.BytesIO(packed)))
    *good, last = iter_sd_records(stream)
    assert all(isinstance(entry, SdRecord) for entry in good)
    assert len(good) >= 49
    assert isinstance(last, SdIssue)
    assert (last.code, last.row) == ("damaged_file", len(good) + 1)


@pytest.mark.parametrize("step", [1, 2, 3, 7])
def test_lines_do_not_depend_on_how_the_stream_is_cut(step: int) -> None:
    data = b"\xef\xbb\xbfa\r\nb\rc\n\n\rd\r\n\xe9"

    class Slow(io.RawIOBase):
        def __init__(self) -> None:
            self.rest = data

        def read(self, size: int = -1) -> bytes:
            head, self.rest = self.rest[:step], self.rest[step:]
            return head

    found = list(byte_lines(cast("BinaryIO", Slow())))
    assert not any(isinstance(line, Damage) for line in found)
    assert [line.data for line in found] == [b"a", b"b", b"c", b"", b"", b"d", b"\xe9"]
    assert [line.ended for line in found] == [True] * 6 + [False]


def test_utf16_is_damage() -> None:
    (damage,) = byte_lines(io.BytesIO("abc".encode("utf-16")))
    assert isinstance(damage, Damage)


def test_lone_byte_order_mark_and_long_lines() -> None:
    assert list(byte_lines(io.BytesIO(b"\xef\xbb\xbf"))) == []
    long, short = byte_lines(io.BytesIO(b"x" * 200_000 + b"\ny"), max_bytes=100)
    assert (len(long.data), long.too_long) == (100, True)
    assert (short.data, short.too_long, short.number) == (b"y", False, 2)
