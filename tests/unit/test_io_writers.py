"""Writers: every answer shows, nothing lies, nothing runs as a formula."""

import csv
import io
import json
import re
import time
from dataclasses import replace

import pytest

from nmrshift.io.long_form import COLUMNS
from nmrshift.io.table_writer import WIDTH, printable
from nmrshift.io.wire import row_text
from nmrshift.io.writers import OUTPUT_FORMATS, WRITERS, open_writer, write_or_fail
from nmrshift.types import AtomShift, Evidence, Failure, Notice, Prediction, Reference


def atom(index, shift, nucleus="13C", signal=None, flags=(), n_hydrogens=1):
    element = nucleus.lstrip("0123456789")
    number = index if signal is None else signal
    return AtomShift(
        index, element, nucleus, shift, shift - 1, shift + 1, number, n_hydrogens, flags
    )


GOOD = Prediction(
    0,
    "Cc1ccc(F)cc1",
    "4-fluorotoluene",
    "cdcl3",
    0.9,
    (
        atom(0, 20.98765, n_hydrogens=3),
        atom(1, 134.0),
        atom(2, 130.5, signal=2),
        atom(7, 130.5, signal=2, flags=("rare_environment",)),
        atom(5, -118.25, "19F"),
    ),
    "m-1.0+12345678",
    (Notice("solvent_unseen", "No training spectra in it; " + "a long explanation " * 6),),
)
BAD = Failure(1, "C1CC", "=cmd()", "parse_error", "unclosed ring", "Check ring closures.")


def written(kind, *answers):
    stream = io.StringIO()
    writer = WRITERS[kind](stream)
    for one in answers:
        writer.write(one)
    writer.close()
    return stream.getvalue()


SEEN = replace(
    GOOD,
    atoms=(
        replace(
            GOOD.atoms[0],
            evidence=Evidence(4, 14, 21.12345, 0.71239, (Reference("spectra:7/13C", 20.9),)),
        ),
        replace(
            GOOD.atoms[1],
            domain="outside",
            flags=("unseen_environment", "uncertain"),
            evidence=Evidence(0, 0, None, None),
        ),
    ),
    domain="outside",
)


class TestEvidence:
    def test_json(self):
        row = json.loads(row_text(SEEN))
        assert row["domain"] == "outside"
        assert row["atoms"][0]["evidence"] == {
            "sphere": 4,
            "n_measured": 14,
            "mean_ppm": 21.123,
            "spread_ppm": 0.712,
            "references": [{"record": "spectra:7/13C", "shift_ppm": 20.9}],
        }
        assert row["atoms"][1]["evidence"]["mean_ppm"] is None
        assert json.loads(row_text(GOOD))["atoms"][0]["evidence"] is None

    def test_csv(self):
        first, second = csv.DictReader(io.StringIO(written("csv", SEEN)))
        names = [f"evidence_{name}" for name in ("sphere", "n", "mean_ppm", "spread_ppm")]
        assert [first[name] for name in names] == ["4", "14", "21.123", "0.712"]
        assert [second[name] for name in names] == ["0", "0", "", ""]
        assert (first["domain"], second["domain"]) == ("inside", "outside")
        assert second["solvent"] == "cdcl3"

    def test_table(self):
        text = written("table", SEEN)
        assert "!! OUTSIDE" in text
        assert "14@4" in text
        assert all(len(line) <= WIDTH for line in text.splitlines())
        (row,) = [row for row, line in enumerate(text.splitlines()) if "134.0" in line]
        assert text.splitlines()[row].split()[-2:] == ["0@0", "uncertain"]
        assert text.splitlines()[row + 1].split() == ["unseen_environment"]
        assert "OUTSIDE" not in written("table", GOOD)


class TestJson:
    def test_lines(self):
        first, second = map(json.loads, written("jsonl", GOOD, BAD).splitlines())
        assert first["status"] == "ok"
        assert first["atoms"][0]["shift_ppm"] == 20.988
        assert first["atoms"][3]["flags"] == ["rare_environment"]
        assert first["notices"][0]["code"] == "solvent_unseen"
        assert second == {"status": "error", **BAD.to_dict()}

    def test_a_row_holds_every_field(self):
        row = json.loads(row_text(GOOD))
        assert set(row) == {"status", *GOOD.to_dict()}
        assert set(row["atoms"][0]) == set(GOOD.to_dict()["atoms"][0])

    @pytest.mark.parametrize("answers", [(), (GOOD,), (BAD,), (GOOD, BAD)])
    def test_document(self, answers):
        document = json.loads(written("json", *answers))
        assert document["schema_version"] == 1
        assert len(document["predictions"]) == len(answers)
        assert document["counts"] == {"ok": answers.count(GOOD), "error": answers.count(BAD)}
        assert document["model"] == (GOOD.model if GOOD in answers else None)

    def test_ascii_only(self):
        text = row_text(Failure(0, "C\ud800é\n", "ü", "invalid_text", "m", "h"))
        assert text.isascii()
        assert "\n" not in text

    def test_no_minus_zero(self):
        answer = Prediction(0, "C", None, "unknown", 0.9, (atom(0, -0.00001),), "m")
        assert '"shift_ppm":0.0,' in row_text(answer)

    def test_fast(self):
        atoms = tuple(atom(index, 12.3456789 + index) for index in range(20))
        answer = Prediction(0, "CCO" * 10, "x", "cdcl3", 0.9, atoms, "m")
        start = time.process_time()
        for _ in range(1000):
            row_text(answer)
        assert time.process_time() - start < 0.15 * 3, (
            "aim 0.15 ms a molecule, slack for slow boxes"
        )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("kind", [kind for kind in OUTPUT_FORMATS if kind != "table"])
def test_a_number_that_is_none_is_never_written(kind, value):
    """The row becomes a failure that says so, and the rows around it are written."""
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    mean = Evidence(1, 1, value, None)
    broken = [
        replace(GOOD, atoms=(replace(GOOD.atoms[0], shift_ppm=value),)),
        replace(GOOD, atoms=(replace(GOOD.atoms[0], high_ppm=value),)),
    ]
    if kind in ("jsonl", "json", "csv", "parquet"):
        broken.append(replace(GOOD, atoms=(replace(GOOD.atoms[0], evidence=mean),)))
    stream = io.BytesIO()
    with open_writer(kind, stream) as writer:
        found = [write_or_fail(writer, one) for one in (GOOD, *broken, GOOD)]
    assert found[0] is found[-1] is GOOD
    assert [one.code for one in found[1:-1]] == ["output_failed"] * len(broken)
    assert not re.search(rb"\b(nan|inf|infinity)\b", stream.getvalue().lower())


class TestCsv:
    def rows(self, *answers):
        return list(csv.DictReader(io.StringIO(written("csv", *answers))))

    def test_long_form(self):
        rows = self.rows(GOOD, BAD)
        assert len(rows) == 6
        assert all(set(row) == set(COLUMNS) for row in rows)
        assert [row["atom_index"] for row in rows[:5]] == ["0", "1", "2", "7", "5"]
        assert rows[0]["shift_ppm"] == "20.988"
        assert rows[0]["model"] == GOOD.model
        assert rows[0]["notices"] == "solvent_unseen"

    def test_numbers_are_not_guarded(self):
        assert self.rows(GOOD)[4]["shift_ppm"] == "-118.250"

    def test_failures_are_rows(self):
        row = self.rows(BAD)[0]
        assert (row["status"], row["error_code"]) == ("error", "parse_error")
        assert row["shift_ppm"] == ""

    @pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1"])
    def test_formulas_are_disarmed(self, name):
        text = self.rows(Failure(0, name, name, "invalid_text", name, name))[0]
        for column in ("name", "error_message", "error_hint"):
            assert text[column][0] in "' "

    def test_molblocks_are_not_repeated(self):
        assert self.rows(Failure(0, "a\nb", "x", "parse_error", "m", "h"))[0]["input"] == ""

    def test_a_prediction_without_atoms_is_a_row(self):
        answer = Prediction(4, "O", None, "unknown", 0.9, (), "m")
        (row,) = self.rows(answer)
        assert (row["index"], row["status"], row["solvent"]) == ("4", "ok", "unknown")


class TestTable:
    def test_eighty_columns(self):
        many = tuple(
            atom(i, 77.0, signal=1, flags=("rare_environment", "far_from_training"))
            for i in range(95, 130)
        )
        answer = Prediction(0, "C" * 200, None, "cdcl3", 0.9, many, "m")
        for line in written("table", GOOD, BAD, answer).splitlines():
            assert len(line) <= WIDTH

    def test_one_line_a_signal_from_high_to_low(self):
        lines = written("table", GOOD).splitlines()
        assert [line.split()[:3] for line in lines[4:7]] == [
            ["1", "134.0", "133.0"],
            ["2,", "7", "130.5"],
            ["0", "21.0", "20.0"],
        ]
        assert "rare_environment" in lines[5]
        assert "90 % interval" in lines[3]

    def test_nuclei_apart(self):
        text = written("table", GOOD)
        assert text.index("13C") < text.index("19F") < text.index("-118.2")

    def test_failure_has_code_message_and_hint(self):
        text = written("table", BAD)
        assert "error parse_error: unclosed ring" in text
        assert "hint: Check ring closures." in text

    def test_proton_digits(self):
        answer = Prediction(0, "C", None, "unknown", 0.9, (atom(0, 7.2649, "1H"),), "m")
        assert " 7.26 " in written("table", answer)

    def test_terminals_are_safe(self):
        text = written("table", Failure(0, "\x1b[31mC\u202e", "é", "invalid_text", "m\x07", "h"))
        assert text.replace("\n", "").isprintable()
        assert text.isascii()

    def test_printable_shows_what_it_escapes(self):
        assert printable("a\u2212b") == "a\\u2212b"
