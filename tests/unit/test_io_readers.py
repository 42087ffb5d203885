"""Readers: rows in = rows out, and no row read as another molecule."""

import gzip
import io
import json

import pytest

from nmrshift.errors import FileFormatError
from nmrshift.io.formats import format_of, read_queries
from nmrshift.io.json_lines import read_json_lines, strict_json
from nmrshift.io.separated import read_separated
from nmrshift.io.smiles_lines import read_smiles_lines
from nmrshift.types import Failure, Query


def rows(reader, text):
    data = text if isinstance(text, bytes) else text.encode()
    return list(reader(io.BytesIO(data)))


def codes(answers):
    return [row.code if isinstance(row, Failure) else row.structure for row in answers]


class TestSmilesLines:
    def test_names_and_blank_lines(self):
        found = rows(read_smiles_lines, "CCO ethanol 95 %\n\n  CC\tethane\nC\n")
        assert found == [
            Query("CCO", name="ethanol 95 %"),
            Query("CC", name="ethane"),
            Query("C"),
        ]

    def test_header_is_no_row(self):
        assert rows(read_smiles_lines, "SMILES Name\nCCO x\n") == [Query("CCO", name="x")]

    def test_inchi(self):
        assert rows(read_smiles_lines, "InChI=1S/CH4/h1H4 methane\n") == [
            Query("InChI=1S/CH4/h1H4", name="methane")
        ]

    def test_an_extension_is_not_taken_for_a_name(self):
        assert rows(read_smiles_lines, "CCO |$;;R1$|\n") == [Query("CCO |$;;R1$|")]

    def test_a_line_too_long_fails_alone(self, monkeypatch):
        monkeypatch.setattr("nmrshift.io.source.MAX_LINE_BYTES", 10)
        assert codes(rows(read_smiles_lines, "CC\n" + "C" * 50 + "\nCO\n")) == [
            "CC",
            "too_large",
            "CO",
        ]


class TestJsonLines:
    def test_strings_and_objects(self):
        text = '"CCO"\n\n{"smiles":"CC","id":7,"solvent":"CDCl3","year":1999}\n'
        assert rows(read_json_lines, text) == [
            Query("CCO"),
            Query("CC", solvent="CDCl3", name="7"),
        ]

    @pytest.mark.parametrize(
        "line",
        [
            "{",
            "[1]",
            "5",
            "NaN",
            '{"smiles":"C","smiles":"N"}',
            '{"smiles":5}',
            '{"smiles":"C","solvent":5}',
            '{"name":"x"}',
            '{"smiles":"C","inchi":"InChI=1S/CH4/h1H4"}',
            '{"smiles":"InChI=1S/CH4/h1H4"}',
            '{"inchi":"C"}',
            '{"molblock":"C"}',
            '{"smiles":"C\\nC"}',
            "[" * 100_000,
            '{"smiles":"C","x":1e999}',
            "9" * 5000,
        ],
    )
    def test_bad_lines_fail_in_place(self, line):
        assert codes(rows(read_json_lines, f'"C"\n{line}\n"N"\n')) == ["C", "invalid_text", "N"]

    def test_failures_name_their_line(self):
        failure = rows(read_json_lines, '"C"\n\n{"id":"a"}\n')[1]
        assert failure.index == 1
        assert failure.message.startswith("line 3:")
        assert failure.name == "a"

    def test_strict_json_repeats_nothing(self):
        with pytest.raises(ValueError, match="stands twice") as caught:
            strict_json(b'{"secret":1,"secret":2}')
        assert "secret" not in str(caught.value)

    def test_strict_json_wants_utf8(self):
        with pytest.raises(ValueError, match="not UTF-8"):
            strict_json(b'"\xff"')


class TestSeparated:
    def test_columns_by_name(self):
        text = "ID,Solvent,SMILES,year\na,CDCl3,CCO,1999\nb,,CC,2000\n"
        assert rows(read_separated, text) == [
            Query("CCO", solvent="CDCl3", name="a"),
            Query("CC", name="b"),
        ]

    @pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
    def test_delimiters(self, delimiter):
        text = f"name{delimiter}smiles\nx{delimiter}CCO\n"
        assert rows(read_separated, text) == [Query("CCO", name="x")]

    def test_one_column(self):
        assert rows(read_separated, "smiles\nCCO\n\nCC\n") == [Query("CCO"), Query("CC")]

    def test_quoted_cells_may_hold_anything(self):
        text = 'name,smiles\n"2,4-dichloro\nbenzene ""x""",CCO\ny,C\n'
        assert rows(read_separated, text) == [
            Query("CCO", name='2,4-dichloro\nbenzene "x"'),
            Query("C", name="y"),
        ]

    def test_an_unquoted_comma_never_moves_the_structure(self):
        text = "name,smiles,solvent\n1,2-ethanediol,OCCO\nx,C,\n"
        found = rows(read_separated, text)
        assert found[1] == Query("C", name="x")
        # three cells as the header has: the structure column holds no SMILES and is refused later
        assert found[0].structure == "2-ethanediol"
        text = "name,smiles\n1,2-ethanediol,OCCO\nx,C\n"
        assert codes(rows(read_separated, text)) == ["file_format", "C"]

    def test_ragged_rows(self):
        text = "name,smiles,solvent\nx,C\ny,CC,,,\nz,CCC,,x\n"
        assert codes(rows(read_separated, text)) == ["file_format", "CC", "file_format"]

    def test_an_open_quote_costs_one_row(self):
        lines = [f"n{i},{'C' * (i + 1)}" for i in range(40)]
        lines[3] = '"n3,CCCC'
        found = rows(read_separated, "\n".join(["name,smiles", *lines]) + "\n")
        assert len(found) == 40
        assert [i for i, row in enumerate(found) if isinstance(row, Failure)] == [3]
        assert found[4] == Query("CCCCC", name="n4")

    def test_two_slips_do_not_swallow_what_is_between(self):
        text = 'name,smiles\n"a,C\nb,CC\nc,CCC\nd,CCCC"\ne,CCCCC\n'
        assert codes(rows(read_separated, text)) == [
            "file_format",
            "CC",
            "CCC",
            'CCCC"',
            "CCCCC",
        ]

    def test_an_open_quote_at_the_end(self):
        assert codes(rows(read_separated, 'name,smiles\na,C\n"b,CC')) == ["C", "file_format"]

    def test_a_cell_too_long(self):
        text = "name,smiles\n" + "x" * 200_000 + ",C\ny,N\n"
        assert codes(rows(read_separated, text)) == ["file_format", "N"]

    def test_inchi_column(self):
        text = "inchi\nInChI=1S/CH4/h1H4\nC\n"
        assert codes(rows(read_separated, text)) == ["InChI=1S/CH4/h1H4", "invalid_text"]

    @pytest.mark.parametrize(
        ("header", "message"), [("a,b", "names no column"), ("smiles,smiles", "stands twice")]
    )
    def test_headers_that_will_not_do(self, header, message):
        with pytest.raises(FileFormatError, match=message):
            rows(read_separated, f"{header}\nC,C\n")


class TestReadQueries:
    @pytest.mark.parametrize(
        ("name", "kind"),
        [
            ("a.smi", "smi"),
            ("a.SMI.GZ", "smi"),
            ("b.tsv", "csv"),
            ("c.jsonl.gz", "jsonl"),
            ("d.mol", "sdf"),
            ("CCO", None),
            ("C.C", None),
        ],
    )
    def test_format_of(self, name, kind):
        assert format_of(name) == kind

    @pytest.mark.parametrize("name", ["a.smi", "a.csv", "a.jsonl", "a.sdf", "a.smi.gz"])
    def test_an_empty_file_says_so(self, tmp_path, name):
        path = tmp_path / name
        path.write_bytes(gzip.compress(b"") if name.endswith("gz") else b"")
        (failure,) = read_queries(path)
        assert failure.code == "invalid_text"
        assert "holds no molecule" in failure.message

    def test_unknown_ending(self, tmp_path):
        with pytest.raises(FileFormatError, match="not known"):
            list(read_queries(tmp_path / "a.xyz"))

    def test_a_format_given_beats_the_name(self, tmp_path):
        path = tmp_path / "a.xyz"
        path.write_text('"CCO"\n')
        assert list(read_queries(path, kind="jsonl")) == [Query("CCO")]

    def test_a_broken_archive_ends_in_a_failure(self, tmp_path):
        path = tmp_path / "a.smi.gz"
        molecules = "".join(f"{'C' * (i % 60 + 1)} {i * 7919 % 10007}\n" for i in range(20_000))
        path.write_bytes(gzip.compress(molecules.encode())[:-40])
        *good, last = read_queries(path)
        assert good
        assert all(isinstance(row, Query) for row in good)
        assert (last.code, last.index, last.name) == ("file_format", len(good), "a.smi.gz")

    def test_a_wrong_header_is_a_failure_in_the_stream(self, tmp_path):
        path = tmp_path / "a.csv"
        path.write_text("a,b\n1,2\n")
        (failure,) = read_queries(path)
        assert failure.code == "file_format"
        assert "smiles" in failure.hint

    def test_latin1_bytes_fail_in_their_row_only(self, tmp_path):
        path = tmp_path / "a.csv"
        path.write_bytes("name,smiles\nmethanol \xe9,CO\nx,C\n".encode("latin-1"))
        assert list(read_queries(path)) == [Query("CO", name="methanol é"), Query("C", name="x")]

    def test_failures_are_numbered_in_the_file(self, tmp_path):
        path = tmp_path / "a.jsonl"
        path.write_text("\n".join(json.dumps(x) for x in ["C", 1, "N", 2]))
        found = list(read_queries(path))
        assert [row.index for row in found if isinstance(row, Failure)] == [1, 3]
