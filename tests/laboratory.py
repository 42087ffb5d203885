"""Laboratories made from a model's own answers, changed by a rule that is known."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from toy import SMILES

from nmrshift import Predictor
from nmrshift.types import Prediction

Rule = Callable[[int, float], float]


def records_of(
    predictor: Predictor,
    rule: Rule = lambda _, shift_ppm: shift_ppm,
    *,
    smiles: Sequence[str] = tuple(SMILES),
    nuclei: Sequence[str] = ("13C",),
) -> list[dict[str, Any]]:
    """One assigned record a molecule and nucleus: the model's shifts after a rule.

    Args:
        predictor: whose shifts.
        rule: takes the number of the molecule and a shift, gives the measured one.
        smiles: the molecules.
        nuclei: whose spectra.
    """
    found = []
    for number, text in enumerate(smiles):
        answer = next(predictor.predict_many([text], nuclei=nuclei))
        if not isinstance(answer, Prediction):
            continue
        for nucleus in nuclei:
            shifts = [[a.atom_index, rule(number, a.shift_ppm)] for a in answer.of(nucleus)]
            if shifts:
                found.append(
                    {
                        "id": f"lab:{number}/{nucleus}",
                        "smiles": text,
                        "nucleus": nucleus,
                        "assignment": "file",
                        "shifts": shifts,
                    }
                )
    return found


def as_peak_lists(records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Forget which shift is whose."""
    return [
        {
            **{k: v for k, v in record.items() if k not in ("shifts", "assignment")},
            "peaks": sorted([shift, None, None] for _, shift in record["shifts"]),
        }
        for record in records
    ]


def write_lines(path: Path, records: Sequence[dict[str, Any]]) -> Path:
    """Write records as a native file."""
    path.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    return path
