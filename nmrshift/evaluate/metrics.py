"""Error measures of predicted shifts; all errors in ppm."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Score:
    """One measured shift beside its prediction.

    Attributes:
        record: identifier of the spectrum.
        structure: SMILES of the molecule.
        nucleus: for example ``13C``.
        solvent: key of the solvent.
        environment: kind of the atom.
        observed_ppm: measured shift.
        predicted_ppm: predicted shift.
        low_ppm: lower end of the predicted interval.
        high_ppm: upper end of the predicted interval.
    """

    record: str
    structure: str
    nucleus: str
    solvent: str
    environment: str
    observed_ppm: float
    predicted_ppm: float
    low_ppm: float
    high_ppm: float


@dataclass(frozen=True, slots=True)
class Metrics:
    """How far predictions are from measured shifts.

    Attributes:
        n_labels: measured shifts.
        n_molecules: different structures.
        mae_ppm: mean absolute error over the shifts.
        median_ppm: median absolute error.
        rmse_ppm: root of the mean squared error.
        p95_ppm: 95th percentile of the absolute error.
        record_mae_ppm: mean over spectra of each spectrum's mean absolute error.
        record_median_ppm: median over spectra of each spectrum's mean absolute error.
        coverage: share of shifts inside their interval.
        mean_width_ppm: mean width of the intervals.
    """

    n_labels: int
    n_molecules: int
    mae_ppm: float
    median_ppm: float
    rmse_ppm: float
    p95_ppm: float
    record_mae_ppm: float
    record_median_ppm: float
    coverage: float
    mean_width_ppm: float


def summarise(scores: Sequence[Score]) -> Metrics:
    """Return the error measures of some scores.

    Raises:
        ValueError: there is no score.
    """
    if not scores:
        raise ValueError("no scores to summarise")
    observed, predicted, low, high = np.array(
        [(s.observed_ppm, s.predicted_ppm, s.low_ppm, s.high_ppm) for s in scores]
    ).T
    error = np.abs(predicted - observed)
    records = {name: row for row, name in enumerate(dict.fromkeys(s.record for s in scores))}
    row = np.array([records[score.record] for score in scores])
    by_record = np.bincount(row, weights=error) / np.bincount(row)
    return Metrics(
        n_labels=len(scores),
        n_molecules=len({score.structure for score in scores}),
        mae_ppm=float(error.mean()),
        median_ppm=float(np.median(error)),
        rmse_ppm=float(np.sqrt(np.mean(error**2))),
        p95_ppm=float(np.quantile(error, 0.95)),
        record_mae_ppm=float(by_record.mean()),
        record_median_ppm=float(np.median(by_record)),
        coverage=float(np.mean((low <= observed) & (observed <= high))),
        mean_width_ppm=float(np.mean(high - low)),
    )
