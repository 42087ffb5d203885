"""Results of several encoders as Markdown tables, a row an encoder."""

from collections.abc import Sequence
from statistics import fmean, stdev
from typing import Final, Literal

from nmrshift.probe.result import Errors, FineTuned, FrozenProbe, Method, ProbeResult

Labels = Literal["ordinary", "every", "rest"]

_ORDINARY: Final = {"19F": "C–F, -300 to 100 ppm"}
_FROZEN: Final[tuple[tuple[Method, bool, str], ...]] = (
    ("linear", True, "linear, batch norm"),
    ("linear", False, "linear, none"),
    ("neighbours", True, "neighbours, standardised"),
    ("neighbours", False, "neighbours, as they are"),
)


def markdown(results: Sequence[ProbeResult]) -> str:
    """Return the tables of each nucleus: fine-tuning by size, and probes of frozen features.

    Where one of the encoders is fresh weights, the others' errors are compared with the first.
    """
    nuclei = dict.fromkeys(nucleus for result in results for nucleus in result.pool_sizes)
    parts = []
    for nucleus in nuclei:
        parts += _tuned(results, nucleus) + _frozen(results, nucleus)
    return "\n\n".join(parts)


def sizes_of(results: Sequence[ProbeResult], nucleus: str) -> list[int]:
    """Return the training sizes that were measured, ascending."""
    found = {i.n_spectra for result in results for i in result.fine_tuned if i.nucleus == nucleus}
    return sorted(found)


def control_of(results: Sequence[ProbeResult]) -> ProbeResult | None:
    """Return the first result of fresh weights."""
    return next((result for result in results if result.kind == "random"), None)


def _tuned(results: Sequence[ProbeResult], nucleus: str) -> list[str]:
    sizes = sizes_of(results, nucleus)
    if not sizes:
        return []
    rare = nucleus in _ORDINARY
    kind = f" ({_ORDINARY[nucleus]})" if rare else ""
    titles: dict[Labels, str] = {"ordinary": f"test{kind}: mean absolute error, ppm (median)"}
    if rare:
        titles["every"] = "all labels of the test"
    titles["rest"] = f"training spectra not learned from{kind}"
    return [
        text
        for labels, title in titles.items()
        for text in (
            f"{nucleus}, fine-tuned on so many spectra, {title}",
            _table(results, nucleus, sizes, labels),
        )
    ]


def _table(
    results: Sequence[ProbeResult], nucleus: str, sizes: Sequence[int], labels: Labels
) -> str:
    n_all = max(result.pool_sizes.get(nucleus, 0) for result in results)
    names = [f"all {size}" if size == n_all else str(size) for size in sizes]
    control = control_of(results)
    rows = []
    for result in results:
        fresh = None if result is control else control
        cells = [
            _cell(
                _errors(result.tuned(nucleus, size), labels),
                _errors(fresh.tuned(nucleus, size), labels) if fresh else [],
            )
            for size in sizes
        ]
        rows.append(_row((result.label, _rates(result, nucleus, sizes), *cells)))
    return "\n".join([*_head(("encoder", "its rate", *names)), *rows])


def _rates(result: ProbeResult, nucleus: str, sizes: Sequence[int]) -> str:
    """Return at which shares of the head's learning rate the encoder learned, by size."""
    measured = [size for size in sizes if result.tuned(nucleus, size)]
    found = [f"{result.encoder_rate(nucleus, size) or 1.0:g}" for size in measured]
    return ", ".join(found if len(set(found)) > 1 else found[:1]) or "-"


def _cell(errors: Sequence[Errors], fresh: Sequence[Errors]) -> str:
    """Return mean and spread over seeds, the median, and how far fresh weights are from it."""
    if not errors:
        return "-"
    means = [item.mae_ppm for item in errors]
    text = f"{_spread(means)} ({fmean(item.median_ppm for item in errors):.2f})"
    before = fmean(item.mae_ppm for item in fresh) if fresh else 0.0
    if before:
        text += f", {100 * (fmean(means) / before - 1):+.0f} %"
    return text


def _errors(runs: Sequence[FineTuned], labels: Labels) -> list[Errors]:
    """Return the errors of all seeds."""
    found = [
        {"ordinary": run.test.ordinary, "every": run.test.every, "rest": run.rest}[labels]
        for run in runs
    ]
    return [errors for errors in found if errors is not None]


def _frozen(results: Sequence[ProbeResult], nucleus: str) -> list[str]:
    rows = []
    for result in results:
        found = {
            (probe.method, probe.normalised): probe
            for probe in result.frozen
            if probe.nucleus == nucleus
        }
        cells = [
            _probe(found[method, normalised]) if (method, normalised) in found else "-"
            for method, normalised, _ in _FROZEN
        ]
        rows.append(_row((result.label, *cells)))
    if not any(probe.nucleus == nucleus for result in results for probe in result.frozen):
        return []
    head = _head(("encoder", *(name for *_, name in _FROZEN)))
    return [
        f"{nucleus}, frozen features, test: mean absolute error, ppm (its range over the grid)",
        "\n".join([*head, *rows]),
    ]


def _probe(probe: FrozenProbe) -> str:
    tried = [trial.test_ppm for trial in probe.grid]
    return f"{probe.test.ordinary.mae_ppm:.2f} ({min(tried):.2f} to {max(tried):.2f})"


def _head(names: Sequence[str]) -> list[str]:
    return [_row(names), "|" + "---|" * len(names)]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"


def _spread(values: Sequence[float]) -> str:
    mean = f"{fmean(values):.2f}"
    return mean if len(values) < 2 else f"{mean} ± {stdev(values):.2f}"
