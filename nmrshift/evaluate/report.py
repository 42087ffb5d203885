"""What an evaluation found, as a value, as JSON and as a table to read."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from nmrshift.evaluate.metrics import Metrics, Score, summarise

_COLUMNS: Final = (
    "labels",
    "mols",
    "MAE",
    "median",
    "RMSE",
    "95 %",
    "spectrum",
    "s. median",
    "covered",
    "width",
)
_CELL: Final = 10
_MIN_NAME: Final = 22


@dataclass(frozen=True, slots=True)
class Row:
    """Measures of one part of the labels.

    Attributes:
        nucleus: for example ``19F``.
        part: ``all``, ``solvent`` or ``environment``; ``peaks`` for unassigned spectra, whose
            peaks were matched to the predictions and which no other row counts.
        name: solvent key or kind of atom; empty where the part is the whole.
        metrics: the measures.
    """

    nucleus: str
    part: str
    name: str
    metrics: Metrics


@dataclass(frozen=True, slots=True)
class Counts:
    """What was read, and what was left out.

    Attributes:
        n_records: spectra read, whether scored or not.
        n_issues: lines or entries that are no record, by code.
        n_skipped: spectra of nuclei that the predictor does not have, by nucleus, and computed
            ones under ``computed``.
        n_failed: spectra whose molecule could not be predicted, by code of the failure.
        n_unplaced: labels on atoms for which no shift of that nucleus is predicted.
        n_unmatched_peaks: peaks of unassigned spectra without partner.
        n_missing_signals: predicted signals without peak in unassigned spectra.
    """

    n_records: int = 0
    n_issues: Mapping[str, int] | None = None
    n_skipped: Mapping[str, int] | None = None
    n_failed: Mapping[str, int] | None = None
    n_unplaced: int = 0
    n_unmatched_peaks: int = 0
    n_missing_signals: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """The result of an evaluation.

    Attributes:
        model: name of the predictor.
        interval: nominal coverage of the intervals, 0-1.
        rows: measures, by nucleus: all, each solvent, each kind of atom, matched peaks.
        counts: what was read and left out.
        notes: sentences on how the evaluation was made.
    """

    model: str
    interval: float
    rows: tuple[Row, ...]
    counts: Counts
    notes: tuple[str, ...] = ()

    def metrics(self, nucleus: str, part: str = "all", name: str = "") -> Metrics:
        """Return the measures of one row.

        Raises:
            KeyError: there is no such row.
        """
        for row in self.rows:
            if (row.nucleus, row.part, row.name) == (nucleus, part, name):
                return row.metrics
        raise KeyError((nucleus, part, name))

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts, lists and numbers, ready for JSON."""
        return asdict(self)

    def to_text(self) -> str:
        """Return a table to read; errors and widths in ppm."""
        return "\n".join(_lines(self)) + "\n"


def rows_of(scores: Iterable[Score], matched: Iterable[Score]) -> tuple[Row, ...]:
    """Sum scores up: by nucleus, and there by solvent and by kind of atom.

    Args:
        scores: scores of assigned spectra.
        matched: scores of unassigned spectra; they get rows of their own.
    """
    assigned, unassigned = _groups(scores, _nucleus), _groups(matched, _nucleus)
    rows: list[Row] = []
    for nucleus in dict.fromkeys((*assigned, *unassigned)):
        if nucleus in assigned:
            here = assigned[nucleus]
            rows.append(Row(nucleus, "all", "", summarise(here)))
            rows.extend(_rows(nucleus, "solvent", here, lambda score: score.solvent))
            rows.extend(_rows(nucleus, "environment", here, lambda score: score.environment))
        if nucleus in unassigned:
            rows.append(Row(nucleus, "peaks", "", summarise(unassigned[nucleus])))
    return tuple(rows)


def count(found: Iterable[str]) -> dict[str, int]:
    """Count words, the most frequent first."""
    return dict(Counter(found).most_common())


def _nucleus(score: Score) -> str:
    return score.nucleus


def _groups(scores: Iterable[Score], key: Callable[[Score], str]) -> dict[str, list[Score]]:
    groups: dict[str, list[Score]] = {}
    for score in scores:
        groups.setdefault(key(score), []).append(score)
    return groups


def _rows(
    nucleus: str, part: str, scores: Sequence[Score], key: Callable[[Score], str]
) -> Iterator[Row]:
    """Sum the groups of one kind up, the largest first."""
    groups = sorted(_groups(scores, key).items(), key=lambda group: (-len(group[1]), group[0]))
    for name, group in groups:
        yield Row(nucleus, part, name, summarise(group))


def _lines(report: Report) -> Iterator[str]:
    width = max([_MIN_NAME, *(len(_label(row)) for row in report.rows)])
    yield f"model {report.model}, intervals of {report.interval:.0%}; errors in ppm"
    for note in report.notes:
        yield f"note: {note}"
    yield ""
    yield f"{'':<{width}}" + "".join(f"{name:>{_CELL}}" for name in _COLUMNS)
    for row in report.rows:
        yield f"{_label(row):<{width}}" + "".join(f"{c:>{_CELL}}" for c in _cells(row.metrics))
    yield ""
    yield "MAE, median, RMSE and 95 % are over labels; spectrum and s. median are the mean and the"
    yield "median of each spectrum's MAE; covered is the share of labels inside their interval."
    yield from _count_lines(report.counts)


def _label(row: Row) -> str:
    return {
        "all": row.nucleus,
        "solvent": f"  in {row.name}",
        "environment": f"  {row.name}",
        "peaks": f"{row.nucleus}, matched peaks",
    }[row.part]


def _cells(metrics: Metrics) -> tuple[str, ...]:
    return (
        str(metrics.n_labels),
        str(metrics.n_molecules),
        f"{metrics.mae_ppm:.3f}",
        f"{metrics.median_ppm:.3f}",
        f"{metrics.rmse_ppm:.3f}",
        f"{metrics.p95_ppm:.2f}",
        f"{metrics.record_mae_ppm:.3f}",
        f"{metrics.record_median_ppm:.3f}",
        f"{metrics.coverage:.3f}",
        f"{metrics.mean_width_ppm:.2f}",
    )


def _count_lines(counts: Counts) -> Iterator[str]:
    yield f"spectra read: {counts.n_records}"
    named = (
        ("entries that are no record", counts.n_issues),
        ("spectra skipped", counts.n_skipped),
        ("spectra whose molecule failed", counts.n_failed),
    )
    for text, found in named:
        if found:
            parts = ", ".join(f"{code} {number}" for code, number in found.items())
            yield f"{text}: {sum(found.values())} ({parts})"
    single = (
        ("labels on atoms without prediction", counts.n_unplaced),
        ("peaks without partner", counts.n_unmatched_peaks),
        ("signals without peak", counts.n_missing_signals),
    )
    for text, number in single:
        if number:
            yield f"{text}: {number}"
