"""How often peak lists are assigned right: assigned 13C spectra with their assignment hidden.

    python benchmarks/assignment.py ../shared/data/nmrshiftdb2/test.jsonl.gz

The spectrum becomes a list with multiplicity letters, as in ``nmrshiftdb2/unassigned``; the
model's predictions pair it with atoms again, within letters and by sorting, as in training.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from nmrshift import Prediction, Predictor, Query
from nmrshift.data.records import Peak, ShiftRecord, read_records
from nmrshift.evaluate.matching import match_peaks

LETTERS = "SDTQ"
NUCLEUS = "13C"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("records", type=Path)
    parser.add_argument("--model", type=Path)
    options = parser.parse_args()
    spectra = [
        record
        for record in read_records(options.records)
        if isinstance(record, ShiftRecord) and record.nucleus == NUCLEUS and record.shifts
    ]
    predictor = Predictor.load(options.model)
    queries = [Query(record.smiles, solvent=record.solvent) for record in spectra]
    answers = predictor.predict_many(queries, nuclei=(NUCLEUS,))
    off = np.concatenate(
        [
            errors(record, answer)
            for record, answer in zip(spectra, answers, strict=True)
            if isinstance(answer, Prediction)
        ]
    )
    print(
        json.dumps(
            {
                "model": predictor.identity,
                "spectra": len(spectra),
                "atoms": len(off),
                "exact": round(float(np.mean(off < 0.005)), 4),
                "within_1_ppm": round(float(np.mean(off <= 1.0)), 4),
                "off_by_over_10_ppm": round(float(np.mean(off > 10.0)), 4),
            },
            indent=2,
        )
    )


def errors(record: ShiftRecord, answer: Prediction) -> np.ndarray:
    """Return how far the peak each atom gets lies from its own, ppm."""
    labels = dict(record.shifts or ())
    atoms = [atom for atom in answer.of(NUCLEUS) if atom.atom_index in labels]
    peaks = [
        Peak(labels[atom.atom_index], LETTERS[min(atom.n_hydrogens, 3)], number)
        for number, atom in enumerate(atoms)
    ]
    pairs = match_peaks(atoms, peaks, NUCLEUS).pairs
    return np.array([abs(pair.peak.shift_ppm - labels[pair.atom.atom_index]) for pair in pairs])


if __name__ == "__main__":
    main()
