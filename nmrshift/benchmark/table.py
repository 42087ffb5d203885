"""Results as a Markdown table."""

from collections.abc import Iterable, Sequence
from statistics import fmean, stdev

from nmrshift.benchmark.cell import Result
from nmrshift.benchmark.methods import METHODS

HEADER = (
    "| protocol | test | nucleus | learned from | method | atoms | MAE | median | RMSE |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


def markdown(results: Iterable[Result]) -> str:
    """Return one row for each method, size and test; several seeds give mean ± spread."""
    groups: dict[tuple[str, str, str, str, str], list[Result]] = {}
    for result in results:
        key = (result.protocol, result.size, result.method, result.test, result.nucleus)
        groups.setdefault(key, []).append(result)
    return "\n".join([HEADER, *(_row(group) for group in groups.values())])


def _row(group: Sequence[Result]) -> str:
    first = group[0]
    cells = (
        *(first.protocol, first.test, first.nucleus, first.size or "-", METHODS[first.method]),
        str(first.metrics.n_labels),
        _spread([result.metrics.mae_ppm for result in group]),
        _spread([result.metrics.median_ppm for result in group]),
        _spread([result.metrics.rmse_ppm for result in group]),
    )
    return "| " + " | ".join(cells) + " |"


def _spread(values: Sequence[float]) -> str:
    mean = f"{fmean(values):.2f}"
    return mean if len(values) < 2 else f"{mean} ± {stdev(values):.2f}"
