"""The solvents protocol: peaks on the right atoms, compounds left out, results kept."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from toy import invented_shift_ppm, records

from nmrshift.benchmark import solvent_folds
from nmrshift.benchmark.solvent_folds import response_predictor, write_spectra
from nmrshift.benchmark.solvent_tables import (
    CORRECTED,
    N_FOLDS,
    changes,
    folds,
    table_spectra,
)
from nmrshift.benchmark.solvents import solvents, solvents_markdown
from nmrshift.benchmark.spectra import Library
from nmrshift.chem.toolkit import Chem
from nmrshift.cli.app import main
from nmrshift.evaluate.baseline import HeldOut
from nmrshift.types import AtomShift, Prediction

COMPOUNDS = ("CCO", "CC(=O)C", "COC", "CCN", "CC(C)C", "CCCO")
GROUPS = ("C", "CH", "CH₂", "CH₃", "CH₄")
EFFECT_PPM = {"CDCl₃": 0.0, "(CD₃)₂SO": 1.0, "D₂O": 3.0, "C₆D₆": -1.0}


def silent(_: str) -> None:
    return


def table(nucleus: str) -> list[dict[str, Any]]:
    """Invented tables: each solvent moves shifts by its own amount, carbons on oxygen twice."""
    rows = []
    for smiles in COMPOUNDS:
        mol = Chem.MolFromSmiles(smiles)
        for solvent, effect in EFFECT_PPM.items():
            peaks = set()
            for atom in mol.GetAtoms():
                n_hydrogens = atom.GetTotalNumHs()
                if nucleus == "13C" and atom.GetSymbol() == "C":
                    twice = any(n.GetSymbol() == "O" for n in atom.GetNeighbors())
                    shift = invented_shift_ppm(atom) + effect * (1 + twice)
                    peaks.add((round(shift, 2), GROUPS[n_hydrogens]))
                elif nucleus == "1H" and atom.GetSymbol() == "C" and n_hydrogens:
                    shift = 1.0 + 0.4 * atom.GetDegree() + effect / 10
                    peaks.add((round(shift, 2), GROUPS[n_hydrogens]))
            rows.append(
                {
                    "id": f"table:{smiles}/{nucleus}/{solvent}",
                    "smiles": smiles,
                    "nucleus": nucleus,
                    "solvent": solvent,
                    "source": "tables",
                    "peaks": [[shift, label, None] for shift, label in sorted(peaks)],
                }
            )
    return rows


def write(folder: Path, name: str, rows: list[dict[str, Any]]) -> None:
    path = folder / f"{name}.jsonl.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    monkeypatch.setattr(solvent_folds, "_EPOCHS", 2)
    for nucleus in ("13C", "1H"):
        write(tmp_path / "data", f"solvent_tables/{nucleus}", table(nucleus))
    spectra = [row for row in records() if row["nucleus"] in ("13C", "1H")]
    write(tmp_path / "data", "nmrshiftdb2/assigned", spectra)
    write(tmp_path / "data", "nmrshiftdb2/unassigned", spectra[:1])
    return Library(tmp_path / "data")


class Told:
    """Predicts what it is told, for carbons by their index."""

    nuclei = ("13C",)

    def __init__(self, shifts: dict[int, tuple[float, int]]) -> None:
        self.shifts = shifts

    def predict(self, smiles: str, **_: object) -> Prediction:
        atoms = tuple(
            AtomShift(index, "C", "13C", shift, shift, shift, index, n_hydrogens)
            for index, (shift, n_hydrogens) in self.shifts.items()
        )
        return Prediction(0, smiles, None, "cdcl3", 0.9, atoms, "told")


def spectrum(library: Path, solvent: str, peaks: list[tuple[float, str]], smiles: str) -> None:
    write(
        library,
        f"solvent_tables/{solvent}",
        [
            {
                "id": f"t:{solvent}",
                "smiles": smiles,
                "nucleus": "13C",
                "solvent": solvent,
                "peaks": [[shift, label, None] for shift, label in peaks],
            }
        ],
    )


def test_peaks_find_their_atoms_by_shift_and_name(tmp_path: Path) -> None:
    """Names decide where shifts cross; a name that is plainly confused does not."""
    spectrum(tmp_path, "CDCl3", [(16.6, "CH₃"), (16.4, "CH₂")], "CCC")
    spectrum(tmp_path, "D2O", [(16.7, "CH₃"), (16.9, "CH₂")], "CCC")
    library = Library(tmp_path)
    rows = [*library.read("solvent_tables/CDCl3"), *library.read("solvent_tables/D2O")]
    found = changes(rows, Told({0: (15.0, 3), 1: (15.1, 2)}))  # type: ignore[arg-type]
    assert [(c.atom_index, c.solvent) for c in found] == [(0, "d2o"), (1, "d2o")]
    assert [round(c.change_ppm, 6) for c in found] == [0.1, 0.5]
    spectrum(tmp_path, "CDCl3", [(207.0, "CO"), (31.0, "CH₃")], "CC(C)=O")
    spectrum(tmp_path, "D2O", [(32.0, "CO"), (215.0, "CH₃")], "CC(C)=O")
    rows = [*library.read("solvent_tables/CDCl3"), *library.read("solvent_tables/D2O")]
    found = changes(rows, Told({0: (30.0, 3), 1: (205.0, 0)}))  # type: ignore[arg-type]
    assert [round(c.change_ppm, 6) for c in found] == [1.0, 8.0]


def test_wrong_structures_are_put_right(tmp_path: Path) -> None:
    for wrong, right in CORRECTED.items():
        spectrum(tmp_path, "13C", [(20.0, "CH₃")], wrong)
        assert [record.smiles for record in table_spectra(Library(tmp_path), "13C")] == [right]
    assert not set(CORRECTED) & set(CORRECTED.values())


def test_folds_are_even_and_do_not_depend_on_order() -> None:
    names = [f"{'C' * n}O" for n in range(1, 21)]
    dealt = folds(names)
    assert dealt == folds(reversed(names))
    sizes = [list(dealt.values()).count(fold) for fold in range(N_FOLDS)]
    assert sizes == [4] * N_FOLDS


def test_compounds_left_out_are_not_learned_from(library: Library, toy_model: Path) -> None:
    """What their own spectra say does not reach the response, however wrong they are."""
    tables = table_spectra(library, "13C")
    told = []
    for wrong_by in (0.0, 40.0):
        rows = [
            record
            if record.smiles != "CCO" or "CDCl" in str(record.solvent)
            else type(record)(
                id=record.id,
                smiles=record.smiles,
                nucleus=record.nucleus,
                solvent=record.solvent,
                source=record.source,
                peaks=tuple(type(p)(p.shift_ppm + wrong_by, p.label) for p in record.peaks or ()),
            )
            for record in tables
        ]
        folder = library.folder / f"spectra{wrong_by}"
        spectra = write_spectra(library, rows, "13C", folder)
        predictor = response_predictor(spectra, HeldOut.of(["CCO"]), toy_model)
        told.append([a.shift_ppm for a in predictor.predict("CCO", solvent="D2O").of("13C")])
        other = response_predictor(spectra, HeldOut.of(["COC"]), toy_model)
        told.append([a.shift_ppm for a in other.predict("CCO", solvent="D2O").of("13C")])
    assert told[0] == told[2]
    assert told[1] != told[3]


def test_every_method_is_measured_once(library: Library, toy_model: Path, tmp_path: Path) -> None:
    heard: list[str] = []
    found = list(solvents(library, tmp_path / "out", toy_model, heard.append, quiet=True))
    assert [(r.nucleus, r.method) for r in found[:3]] == [
        ("13C", "shipped"),
        ("13C", "response"),
        ("13C", "conditions"),
    ]
    n_carbons = sum(len(row["peaks"]) for row in table("13C")) // len(EFFECT_PPM)
    assert {r.n_changes for r in found if r.nucleus == "13C"} == {3 * n_carbons}
    assert len({r.mae_ppm for r in found if r.nucleus == "13C"}) == 3
    by_method = {r.method: r for r in found if r.nucleus == "13C"}
    assert by_method["response"].mae_ppm < by_method["response"].no_change_ppm
    assert by_method["response"].correlation > 0.7
    heard.clear()
    assert list(solvents(library, tmp_path / "out", toy_model, heard.append, quiet=True)) == found
    assert heard == []
    assert solvents_markdown(found).count("\n") == 1 + 6
    done = CliRunner().invoke(
        main,
        ["benchmark", "solvents", "--data", str(library.folder), "--out", str(tmp_path / "out"),
         "--model", str(toy_model), "--quiet"],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert solvents_markdown(found) in done.stdout
