"""Lines of any file: compressed or not, any line end, any bytes."""

import gzip
import io

import pytest

from nmrshift.errors import FileFormatError
from nmrshift.io.source import open_bytes, text_lines


def texts(data, max_bytes=1000):
    return [line.text for line in text_lines(io.BytesIO(data), max_bytes)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(end):
    assert texts(f"a{end}b{end}c".encode()) == ["a", "b", "c"]


def test_lines_are_numbered_from_one():
    assert [line.number for line in text_lines(io.BytesIO(b"a\n\nb"))] == [1, 2, 3]


def test_byte_order_mark_is_dropped():
    assert texts(b"\xef\xbb\xbfCCO\n") == ["CCO"]


def test_utf16_is_refused_as_a_whole():
    with pytest.raises(FileFormatError, match="UTF-16"):
        texts("CCO\n".encode("utf-16"))


def test_bad_bytes_stay_in_their_line_and_show():
    assert texts(b"CC\nC\xe9\nCO\n") == ["CC", "Cé", "CO"]


def test_long_lines_are_cut_and_the_next_line_is_whole():
    lines = list(text_lines(io.BytesIO(b"abcdefghij\nxyz\n" + b"q" * 25), 4))
    assert [(line.text, line.too_long) for line in lines] == [
        ("abcd", True),
        ("xyz", False),
        ("qqqq", True),
    ]


def test_a_line_of_exactly_the_limit_is_whole():
    lines = list(text_lines(io.BytesIO(b"abcd\nabcd"), 4))
    assert [(line.text, line.too_long) for line in lines] == [("abcd", False), ("abcd", False)]


def test_gzip_is_recognised_whatever_the_name(tmp_path):
    path = tmp_path / "a.smi"
    path.write_bytes(gzip.compress(b"CCO\n"))
    with open_bytes(path) as stream:
        assert stream.read() == b"CCO\n"


def test_standard_input_may_be_gzip(monkeypatch):
    packed = io.TextIOWrapper(io.BytesIO(gzip.compress(b"CCO\n")))
    monkeypatch.setattr("sys.stdin", packed)
    with open_bytes("-") as stream:
        assert stream.read() == b"CCO\n"


def test_missing_file(tmp_path):
    with (
        pytest.raises(FileFormatError, match="No such file"),
        open_bytes(tmp_path / "absent.smi"),
    ):
        pass


def test_the_half_line_of_a_broken_archive_is_no_line():
    molecules = b"".join(b"%d CCO\n" % (i * 7919 % 10007) for i in range(5000))
    found = []

    def read():
        with gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(molecules)[:-30])) as broken:
            for line in text_lines(broken):
                found.append(line.text)

    with pytest.raises(FileFormatError, match="breaks off"):
        read()
    assert found
    assert all(text.endswith(" CCO") for text in found)
