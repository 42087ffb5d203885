"""Spellings of nuclei."""

import pytest

from nmrshift.errors import UnknownNucleusError
from nmrshift.io.options import parse_nuclei, parse_nucleus


@pytest.mark.parametrize("text", ["13C", "13c", "c13", "C13", "C-13", "13-C", " 13C "])
def test_spellings(text):
    assert parse_nucleus(text) == "13C"


@pytest.mark.parametrize("text", ["", "C", "13", "14C", "19 F", "F-1-9", "carbon", "¹³C", "13C\n"])
def test_not_nuclei(text):
    with pytest.raises(UnknownNucleusError):
        parse_nucleus(text)


def test_each_once_in_order():
    assert parse_nuclei(["f19", "13C", "19F"], ("13C", "19F")) == ("19F", "13C")


def test_not_offered():
    with pytest.raises(UnknownNucleusError, match="31P") as caught:
        parse_nuclei(["13C", "p31"], ("13C", "19F"))
    assert "13C, 19F" in caught.value.hint
