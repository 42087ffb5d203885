"""A second opinion on labels that look wrong: what a model says of them.

A model that learned from these very spectra may have learned their mistakes. Where it contradicts
a label all the same, two witnesses do: other molecules with the same environment, and the model.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from nmrshift.data.check_report import Finding
from nmrshift.data.records import ShiftRecord
from nmrshift.types import AtomShift, Prediction, Query, ShiftPredictor

SUSPECT_CODES: Final = frozenset({"outlier", "swap"})
"""Findings of single labels that a model can be asked about."""

_INTERVAL: Final = 0.99
_EXPLAINED: Final = 0.5
"""An exchange is borne out where it leaves no more than this share of the model's disagreement."""


def suspects(findings: Iterable[Finding]) -> frozenset[str]:
    """Return the records with labels to ask about."""
    return frozenset(finding.record for finding in findings if finding.code in SUSPECT_CODES)


def with_opinions(
    findings: Sequence[Finding], records: Iterable[ShiftRecord], predictor: ShiftPredictor
) -> list[Finding]:
    """Add to each suspicious label what a model says of it.

    Args:
        findings: of all kinds; those that are no suspects, and those of nuclei that the model does
            not have, come back as they are.
        records: the spectra they are about, others are passed over.
        predictor: the model.

    Returns:
        The findings, in their order, with ``model_ppm`` and ``borne_out`` where it has an answer.
    """
    wanted = suspects(findings)
    known = {
        (record.id, record.nucleus): record
        for record in records
        if record.id in wanted and record.nucleus in predictor.nuclei
    }
    queries = [
        Query(record.smiles, solvent=record.solvent, nuclei=(record.nucleus,))
        for record in known.values()
    ]
    answers = predictor.predict_many(queries, nuclei=predictor.nuclei, interval=_INTERVAL)
    told: defaultdict[tuple[str, str], dict[int, AtomShift]] = defaultdict(dict)
    for key, answer in zip(known, answers, strict=True):
        if isinstance(answer, Prediction):
            told[key] = {atom.atom_index: atom for atom in answer.of(key[1])}
    return [_heard(finding, told[finding.record, finding.nucleus]) for finding in findings]


def _heard(finding: Finding, told: dict[int, AtomShift]) -> Finding:
    if finding.code not in SUSPECT_CODES or not set(finding.atoms) <= told.keys():
        return finding
    atoms = [told[atom] for atom in finding.atoms]
    model_ppm = tuple(round(atom.shift_ppm, 3) for atom in atoms)
    if finding.code == "swap":
        borne_out = _exchanged(finding.shifts_ppm, model_ppm)
    else:
        borne_out = not atoms[0].low_ppm <= finding.shifts_ppm[0] <= atoms[0].high_ppm
    said = " and ".join(f"{shift:.1f}" for shift in model_ppm)
    verdict = "so does" if borne_out else "not so"
    return replace(
        finding,
        model_ppm=model_ppm,
        borne_out=borne_out,
        message=f"{finding.message}; {verdict} the model, {said}",
    )


def _exchanged(shifts_ppm: Sequence[float], model_ppm: Sequence[float]) -> bool:
    """Say whether a model disagrees much less once two labels are exchanged."""
    (first, second), (one, other) = shifts_ppm, model_ppm
    as_is = abs(first - one) + abs(second - other)
    return abs(second - one) + abs(first - other) < _EXPLAINED * as_is
