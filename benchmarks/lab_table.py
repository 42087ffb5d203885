"""What simulated laboratories came to, as a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

METHODS = ("base", "adapt", "lists", "scratch", "hose")


@dataclass(frozen=True)
class Row:
    """One laboratory with so many own spectra.

    Attributes:
        lab: its name.
        nucleus: what it measures.
        size: own spectra.
        results: what was measured, by method.
    """

    lab: str
    nucleus: str
    size: int
    results: dict[str, dict[str, Any]]

    def error_ppm(self, method: str) -> float:
        """Return the mean error of a method; not a number where it was not asked for."""
        return float(self.results.get(method, {}).get("mae_ppm", float("nan")))

    @property
    def gain(self) -> float:
        """Share of the base's error that goes."""
        return 1 - self.error_ppm("adapt") / self.error_ppm("base")

    @property
    def list_share(self) -> float:
        """Share of that gain which peak lists bring too."""
        return (1 - self.error_ppm("lists") / self.error_ppm("base")) / self.gain

    @property
    def growth(self) -> float:
        """Largest share by which the error of a nucleus on public molecules grows."""
        if "adapt" not in self.results:
            return float("nan")
        before, after = (self.results[name]["public"] for name in ("base", "adapt"))
        return max(after[nucleus] / before[nucleus] - 1 for nucleus in before)

    def markdown(self) -> str:
        """Return the row of a table."""
        errors = " | ".join(f"{self.error_ppm(method):.2f}" for method in METHODS)
        way = self.results.get("adapt", {}).get("report", {}).get("way", "-")
        return (
            f"| {self.lab} | {self.nucleus} | {self.size} | {errors} | {way} | {self.gain:.0%} "
            f"| {self.list_share:.0%} | {self.growth:+.1%} |"
        )


HEADER = (
    "| laboratory | nucleus | own spectra | base | adapted | from lists | from scratch | HOSE "
    "| way | gain | share of it from lists | public error |\n" + "|---" * 12 + "|"
)


def summary(rows: Sequence[Row]) -> str:
    """Return mean and spread over laboratories of the gain, by nucleus and size."""
    lines = ["", "| nucleus | own spectra | gain | share of it from lists | public error at most |"]
    lines.append("|---" * 5 + "|")
    groups = [("13C",), ("19F",), ("13C", "19F")]
    for nuclei in groups:
        for size in dict.fromkeys(row.size for row in rows):
            chosen = [row for row in rows if row.size == size and row.nucleus in nuclei]
            if chosen:
                gain, share = (
                    _spread([getattr(row, name) for row in chosen])
                    for name in ("gain", "list_share")
                )
                growth = max(row.growth for row in chosen)
                lines.append(f"| {', '.join(nuclei)} | {size} | {gain} | {share} | {growth:+.1%} |")
    return "\n".join(lines)


def _spread(values: Sequence[float]) -> str:
    mean = f"{np.mean(values):.0%}"
    return mean if len(values) < 2 else f"{mean} ± {np.std(values, ddof=1):.0%}"
