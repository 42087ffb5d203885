"""An audit: which of a laboratory's spectra can be told to have been learned from."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nmrshift.adapt.attack import Attack, attack, likelihoods
from nmrshift.data.importing import read_spectra
from nmrshift.data.records import ShiftRecord
from nmrshift.errors import TooFewSpectraError
from nmrshift.predict.predictor import Predictor
from nmrshift.types import Prediction, Query

LEAST_SPECTRA: Final = 20

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What attackers find out.

    Attributes:
        model: identity of the model.
        reference: identity of the model that has not seen the members, if one was given.
        n_members: spectra that were learned from.
        n_non_members: spectra that were not.
        attacks: by loss and, with a reference, by likelihood ratio.
    """

    model: str
    reference: str | None
    n_members: int
    n_non_members: int
    attacks: tuple[Attack, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts, lists and strings, ready for JSON."""
        return {"schema_version": 1, **asdict(self)}

    def to_text(self) -> str:
        """Return a table for a terminal."""
        lines = [
            f"{self.model}: {self.n_members} members, {self.n_non_members} non-members",
            f"reference: {self.reference or 'none, so no likelihood ratio'}",
            "",
            "attack               AUC  advantage  members found at false positives of",
        ]
        for one in self.attacks:
            rates = "  ".join(
                f"{c.false_positive_rate:.0%}: {c.true_positive_rate:.0%} "
                f"({c.low:.0%}-{c.high:.0%})"
                for c in one.caught
            )
            lines.append(f"{one.name:<17}{one.auc:>7.2f}{one.advantage:>11.2f}  {rates}")
        return "\n".join([*lines, ""])


def audit(
    predictor: Predictor,
    members: Sequence[str | Path],
    non_members: Sequence[str | Path],
    *,
    reference: Predictor | None = None,
    source: str | None = None,
) -> AuditReport:
    """Attack a model with spectra that it has learned from and others of the same kind.

    Args:
        predictor: the model.
        members: files of spectra that it has learned from, assigned.
        non_members: files of spectra of other molecules that are like them.
        reference: a model that has seen neither, as the base.
        source: convention by which the model is asked; the reference is asked for the general one.

    Raises:
        TooFewSpectraError: fewer than twenty assigned spectra on either side.
        ConfigError: the source is not one the model knows.
        FileFormatError: a file cannot be opened or is of no known format.
    """
    sides = [_assigned(files, predictor.nuclei) for files in (members, non_members)]
    for records, name in zip(sides, ("members", "non-members"), strict=True):
        if len(records) < LEAST_SPECTRA:
            raise TooFewSpectraError(
                f"{len(records)} assigned spectra of {name}; {LEAST_SPECTRA} are needed",
                hint="With fewer, an attack cannot be told from chance.",
            )
    own = [_likelihood(predictor, records, source) for records in sides]
    attacks = [attack("loss", *(found[np.isfinite(found)] for found in own))]
    if reference is not None:
        others = [_likelihood(reference, records, None) for records in sides]
        ratios = [mine - other for mine, other in zip(own, others, strict=True)]
        attacks.append(attack("likelihood ratio", *(ratio[np.isfinite(ratio)] for ratio in ratios)))
    return AuditReport(
        predictor.identity,
        reference.identity if reference else None,
        len(sides[0]),
        len(sides[1]),
        tuple(attacks),
    )


def _assigned(files: Sequence[str | Path], nuclei: tuple[str, ...]) -> list[ShiftRecord]:
    return [
        record
        for path in files
        for record in read_spectra(path)
        if isinstance(record, ShiftRecord)
        and record.shifts
        and record.level is None
        and record.nucleus in nuclei
    ]


def _likelihood(predictor: Predictor, records: Sequence[ShiftRecord], source: str | None) -> Floats:
    """Return the log likelihood of every spectrum; not a number where it cannot be predicted."""
    queries = [
        Query(record.smiles, solvent=record.solvent, nuclei=(record.nucleus,), source=source)
        for record in records
    ]
    answers = predictor.predict_many(queries, nuclei=predictor.nuclei, source=source)
    pairs = [_errors(record, answer) for record, answer in zip(records, answers, strict=True)]
    found = np.full(len(records), np.nan)
    known = np.array([len(error) > 0 for error, _ in pairs])
    if known.any():
        kept = [pair for pair, is_known in zip(pairs, known, strict=True) if is_known]
        found[known] = likelihoods([error for error, _ in kept], [scale for _, scale in kept])
    return found


def _errors(record: ShiftRecord, answer: object) -> tuple[Floats, Floats]:
    """Return errors and half-widths of intervals of the shifts of a spectrum, ppm."""
    rows = list(_pairs(record, answer)) if isinstance(answer, Prediction) else []
    error_ppm, scale_ppm = (np.array([row[column] for row in rows]) for column in range(2))
    return error_ppm, np.maximum(scale_ppm, 1e-6)


def _pairs(record: ShiftRecord, answer: Prediction) -> Iterator[tuple[float, float]]:
    atoms = {atom.atom_index: atom for atom in answer.atoms}
    for index, shift_ppm in record.shifts or ():
        if index in atoms:
            atom = atoms[index]
            yield abs(atom.shift_ppm - shift_ppm), (atom.high_ppm - atom.low_ppm) / 2
