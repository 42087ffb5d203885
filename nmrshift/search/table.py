"""What a search found, as Markdown."""

from collections.abc import Mapping
from typing import Final

from nmrshift.search.check import Ranking
from nmrshift.search.trial import Measured

_HEADER: Final = (
    "| architecture | fine-tuned, ppm | linear probe, ppm | molecules a CPU second | unbeaten |\n"
    "|---|---|---|---|---|"
)


def markdown(found: Mapping[str, Measured]) -> str:
    """Return a row an architecture, best first; those that no other beats in both are marked."""
    done = {name: value for name, value in found.items() if value.tuned_ppm is not None}
    rows = [_HEADER]
    order = sorted(found, key=lambda name: (found[name].tuned_ppm or float("inf"), name))
    for name in order:
        value = found[name]
        unbeaten = name in done and not any(_beats(rival, value) for rival in done.values())
        cells = (
            *(name, _number(value.tuned_ppm), _number(value.frozen_ppm)),
            *(f"{value.molecules_per_second or 0:.0f}", "yes" if unbeaten else ""),
        )
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)


def ranking_table(ranking: Ranking) -> str:
    """Return both orders and their rank correlation."""
    rows = ["| architecture | score, ppm | full training, ppm |", "|---|---|---|"]
    rows += [
        f"| {name} | {score:.2f} | {full:.2f} |"
        for name, score, full in zip(
            ranking.names, ranking.scores_ppm, ranking.full_ppm, strict=True
        )
    ]
    rows += ["", f"rank correlation: Spearman {ranking.spearman}, Kendall {ranking.kendall}"]
    return "\n".join(rows)


def _beats(rival: Measured, value: Measured) -> bool:
    """Say whether a rival is no worse in both and better in one."""
    a = (rival.tuned_ppm or 0.0, -(rival.molecules_per_second or 0.0))
    b = (value.tuned_ppm or 0.0, -(value.molecules_per_second or 0.0))
    return a != b and a[0] <= b[0] and a[1] <= b[1]


def _number(value: float | None) -> str:
    return "given up" if value is None else f"{value:.2f}"
