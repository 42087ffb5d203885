"""What a model says of molecules comes out as computed spectra, ready to be learned from."""

from collections import Counter
from pathlib import Path

from click.testing import CliRunner

from nmrshift.cli.app import main
from nmrshift.data.dataset import as_dataset
from nmrshift.data.records import RecordIssue, ShiftRecord, read_records, write_records
from nmrshift.evaluate.teach import HIDE, Conditions, teach
from nmrshift.types import Failure, Query
from tests.fakes import FakePredictor

MEASURED = (
    ShiftRecord("m:1", "CO", "13C", solvent="CDCl3", source="spectra", shifts=((0, 50.0),)),
    ShiftRecord("m:2", "CO", "1H", solvent="D2O", source="elsewhere", shifts=((0, 3.3),)),
    ShiftRecord("m:3", "CF", "19F", solvent="gas", level="DFT", shifts=((1, -270.0),)),
)


def conditions() -> Conditions:
    return Conditions(MEASURED, FakePredictor.sources)


def taught(*smiles: str, seed: int = 0) -> list[ShiftRecord | RecordIssue]:
    queries = [Query(text) for text in smiles]
    return list(teach(queries, FakePredictor(), conditions(), seed))


class TestSpectra:
    def test_one_for_every_measured_nucleus_with_every_atom(self):
        carbon, hydrogen = taught("CCO")
        assert (carbon.nucleus, hydrogen.nucleus) == ("13C", "1H")
        assert carbon.shifts == ((0, 13.0), (1, 22.0))
        assert dict(hydrogen.shifts) == {0: 13.0, 1: 22.0, 2: 11.0}
        assert carbon.level == FakePredictor.identity
        assert carbon.id == "taught:1/13C"

    def test_nuclei_without_a_measurement_are_not_taught(self):
        """19F stands in the files as a calculation only."""
        assert {record.nucleus for record in taught("CF")} == {"13C", "1H"}

    def test_a_molecule_is_taught_once(self):
        assert len(taught("CC", "CC")) == 2

    def test_a_chlorine_is_no_carbon(self):
        """The text of HCl has a "c"; there is a hydrogen to teach, and no issue."""
        (only,) = taught("Cl")
        assert only.nucleus == "1H"

    def test_what_gives_no_spectrum_is_reported_once(self):
        unread = Failure(0, "C1CC", None, "bad_row", "no molecule", "")
        (broken, wrong) = teach([unread, Query("C(((")], FakePredictor(), conditions())
        assert (broken.row, broken.code) == (1, "bad_row")
        assert isinstance(wrong, RecordIssue)
        assert wrong.row == 2


class TestConditions:
    def test_are_those_of_the_measurements_or_hidden(self):
        smiles = ["C" * n for n in range(1, 400)]
        drawn = Counter(conditions().draw("13C", text, 0) for text in smiles)
        assert set(drawn) <= {
            ("CDCl3", "spectra"),
            ("CDCl3", None),
            (None, "spectra"),
            (None, None),
        }
        hidden = sum(n for (solvent, _), n in drawn.items() if solvent is None) / len(smiles)
        assert abs(hidden - HIDE) < 0.06

    def test_a_convention_that_the_model_does_not_know_is_the_general_one(self):
        assert {conditions().draw("1H", "C" * n, 0)[1] for n in range(1, 50)} == {None}

    def test_come_as_often_as_they_were_measured(self):
        spectra = [
            ShiftRecord(
                "a:1", "CCC", "13C", solvent="CDCl3", shifts=((0, 1.0), (1, 2.0), (2, 1.0))
            ),
            ShiftRecord("a:2", "C", "13C", solvent="D2O", shifts=((0, 1.0),)),
        ]
        found = Conditions(spectra, ())
        drawn = Counter(found.draw("13C", "C" * n, 3)[0] for n in range(1, 800))
        assert abs(drawn["CDCl3"] / (drawn["CDCl3"] + drawn["D2O"]) - 0.75) < 0.06

    def test_are_the_same_for_the_same_seed(self):
        assert taught("CCCC", "OCC", seed=4) == taught("CCCC", "OCC", seed=4)


class TestLearning:
    def test_the_spectra_count_as_computed(self):
        """So no error scale, interval or evidence comes of them."""
        records = [*MEASURED[:2], *taught("CCO")]
        dataset = as_dataset(records, ("13C", "1H"), "v1", lambda text: None)
        _, labels, _ = dataset.batch(dataset.graphs.n_atoms.argsort())
        measured = labels.measured[labels.shift_ppm == 50.0]
        assert measured.tolist() == [True]
        assert not labels.measured[labels.shift_ppm == 22.0].any()


class TestCommand:
    def test_molecules_of_any_file_become_records(self, tmp_path: Path):
        like, out = tmp_path / "like.jsonl", tmp_path / "taught.jsonl.gz"
        write_records(like, MEASURED[:1])
        molecules = tmp_path / "molecules.smi"
        molecules.write_text("CCO ethanol\nCC(C\nc1ccccc1 benzene\n")
        result = CliRunner().invoke(
            main, ["data", "teach", str(molecules), "--like", str(like), "--out", str(out)]
        )
        assert result.exit_code == 3
        assert "2 records written" in result.stderr
        ethanol, benzene = read_records(out)
        assert isinstance(ethanol, ShiftRecord)
        assert ethanol.level.startswith("nmrshift-base")
        assert 50 < dict(ethanol.shifts)[1] < 66
        assert len(benzene.shifts) == 6

    def test_records_are_molecules_too(self, tmp_path: Path):
        like, out = tmp_path / "like.jsonl.gz", tmp_path / "taught.jsonl"
        write_records(like, MEASURED[:1])
        arguments = ["data", "teach", str(like), "--like", str(like), "--out", str(out)]
        assert CliRunner().invoke(main, arguments).exit_code == 0
        (methanol,) = read_records(out)
        assert methanol.smiles == "CO"
        again = CliRunner().invoke(main, arguments)
        assert again.exit_code == 1
        assert "--force" in again.stderr
