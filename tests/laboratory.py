"""Laboratories made from a model's own answers, changed by a rule that is known."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from toy import SMILES

from nmrshift import Predictor
from nmrshift.adapt.settings import AdaptSettings
from nmrshift.types import Prediction

Rule = Callable[[int, float], float]

LAB = AdaptSettings(name="lab", epochs=15)
OFFSET_PPM = 12.0
ASKED = ("Cc1ccccc1", "CCOC(C)=O", "FC(F)(F)c1ccc(OC)cc1")


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


def offset(_: int, shift_ppm: float) -> float:
    """A constant distance from the base."""
    return shift_ppm + OFFSET_PPM


def shifts(model: Path, source: str | None = None) -> list[tuple[float, float, float]]:
    """Shifts and intervals of some molecules, as a model gives them."""
    predictor = Predictor.load(model)
    answers = [predictor.predict(text, nuclei=("13C", "1H"), source=source) for text in ASKED]
    return [(a.shift_ppm, a.low_ppm, a.high_ppm) for answer in answers for a in answer.atoms]
