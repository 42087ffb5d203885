"""Time against molecules and against atoms a molecule: is the cost linear? As a table and as SVG.

    python benchmarks/linear_cost.py --csv molecules.csv.gz --svg cost.svg --cpu-time

Everything from SMILES to a row of JSON, in this process, on one thread, the model loaded. The first
panel predicts more and more molecules; in the second all molecules of a group have nearly the same
number of heavy atoms. ``r2`` is that of a straight line with an intercept.
"""

import argparse
import csv
import gzip
import io
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nmrshift import Predictor
from nmrshift.draw.axis import nice_step
from nmrshift.draw.marks import Box, Line, Mark, Scene, Text
from nmrshift.draw.svg import to_svg
from nmrshift.io.writers import JsonLinesWriter

GROUPS = tuple(range(6, 66, 6))
WIDTH, HEIGHT, MARGIN = 460, 330, 62
INK, BLUE, GREY = "#222222", "#0b62a4", "#999999"


@dataclass(frozen=True, slots=True)
class Series:
    """Points of one panel and the straight line through them."""

    title: str
    x_name: str
    y_name: str
    x: tuple[float, ...]
    y: tuple[float, ...]

    def line(self) -> tuple[float, float, float]:
        """Return slope, intercept and the share of variance they explain."""
        slope, intercept = np.polyfit(self.x, self.y, 1)
        rest = np.var(np.array(self.y) - slope * np.array(self.x) - intercept)
        return float(slope), float(intercept), float(1 - rest / np.var(self.y))

    def table(self) -> dict[str, Any]:
        """Return points and line in plain values."""
        slope, intercept, r2 = self.line()
        points = [[round(x, 2), round(y, 4)] for x, y in zip(self.x, self.y, strict=True)]
        fit = {"slope": round(slope, 6), "intercept": round(intercept, 4), "r2": round(r2, 4)}
        return {f"[{self.x_name}, {self.y_name}]": points, **fit}


def main() -> None:
    """Measure, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--csv", type=Path, required=True, help="gzipped CSV, column smiles")
    parser.add_argument("--svg", type=Path, help="file for the plots")
    parser.add_argument("--most", type=int, default=16_000, help="molecules of the largest run")
    parser.add_argument("--group", type=int, default=300, help="molecules of a size group")
    parser.add_argument("--passes", type=int, default=3, help="the best of so many counts")
    parser.add_argument("--cpu-time", action="store_true", help="processor time, not wall time")
    options = parser.parse_args()
    run = Run(time.process_time if options.cpu_time else time.perf_counter, options.passes)
    texts = read(options.csv)
    panels = by_molecules(run, texts, options.most), by_atoms(run, texts, options.group)
    print(json.dumps({panel.title: panel.table() for panel in panels}, indent=1))
    if options.svg:
        options.svg.write_text(drawn(panels), "utf-8")


class Run:
    """Predicts and writes, and says how long it took."""

    def __init__(self, clock: Callable[[], float], passes: int) -> None:
        import torch

        torch.set_num_threads(1)
        self._clock = clock
        self._passes = passes
        self._predictor = Predictor.load()
        self.seconds(["CCO"] * 500)

    def seconds(self, texts: Sequence[str]) -> float:
        """Return the seconds of the best pass."""
        best = float("inf")
        for _ in range(self._passes):
            began = self._clock()
            writer = JsonLinesWriter(io.StringIO())
            for answer in self._predictor.predict_many(texts):
                writer.write(answer)
            best = min(best, self._clock() - began)
        return best


def read(path: Path) -> list[str]:
    """Return all molecules in an order of chance, the same each time."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        texts = [row["smiles"] for row in csv.DictReader(file)]
    random.Random(0).shuffle(texts)
    return texts


def by_molecules(run: Run, texts: list[str], most: int) -> Series:
    """Time more and more molecules."""
    numbers = [most * part // 8 for part in range(1, 9)]
    seconds = [run.seconds(texts[:number]) for number in numbers]
    title = "All sizes of molecules"
    return Series(title, "molecules", "seconds", tuple(map(float, numbers)), tuple(seconds))


def by_atoms(run: Run, texts: list[str], most: int) -> Series:
    """Time groups of molecules of like size."""
    from nmrshift.chem.toolkit import Chem

    groups: dict[int, list[tuple[str, int]]] = {size: [] for size in GROUPS}
    for text in texts:
        near = [size for size in GROUPS if 0.5 < len(text) / size < 4 and len(groups[size]) < most]
        mol = Chem.MolFromSmiles(text, sanitize=False) if near else None
        for size in near if mol else ():
            if abs(mol.GetNumHeavyAtoms() - size) <= max(1, size // 30):
                groups[size].append((text, mol.GetNumHeavyAtoms()))
        if all(len(group) == most for group in groups.values()):
            break
    full = [group for group in groups.values() if len(group) >= most // 10]
    sizes = [float(np.mean([n_atoms for _, n_atoms in group])) for group in full]
    costs = [1e3 * run.seconds([text for text, _ in group]) / len(group) for group in full]
    title = "Molecules of like size"
    return Series(title, "heavy atoms", "ms a molecule", tuple(sizes), tuple(costs))


def drawn(panels: Sequence[Series]) -> str:
    """Return the panels side by side as SVG."""
    marks: list[Mark] = [Box(0, 0, WIDTH * len(panels), HEIGHT, "#ffffff")]
    for number, series in enumerate(panels):
        marks += panel(series, WIDTH * number)
    return to_svg(Scene(WIDTH * len(panels), HEIGHT, tuple(marks), "Cost of predictions"))


def panel(series: Series, left: float) -> list[Mark]:
    """Return points, fitted line and axes of one panel."""
    x_end, y_end = 1.06 * max(series.x), 1.1 * max(series.y)
    bottom, x0, x1 = HEIGHT - MARGIN, left + MARGIN, left + WIDTH - 20

    def at_x(value: float) -> float:
        return x0 + value / x_end * (x1 - x0)

    def at_y(value: float) -> float:
        return bottom - value / y_end * (bottom - 40)

    slope, intercept, r2 = series.line()
    first, last = min(series.x), max(series.x)
    middle = (x0 + x1) / 2
    marks: list[Mark] = [
        Line(x0, bottom, x1, bottom, INK, 1),
        Line(x0, bottom, x0, 40, INK, 1),
        Line(
            *(at_x(first), at_y(intercept + slope * first)),
            *(at_x(last), at_y(intercept + slope * last)),
            *(GREY, 1.5),
        ),
        Text(middle, 24, f"{series.title}: straight line, R² {r2:.4f}", 14, INK, "middle"),
        Text(middle, HEIGHT - 16, series.x_name, 13, INK, "middle"),
        Text(left + 16, (bottom + 40) / 2, series.y_name, 13, INK, "middle", upwards=True),
    ]
    for tick in ticks(x_end):
        marks.append(Line(at_x(tick), bottom, at_x(tick), bottom + 5, INK, 1))
        marks.append(Text(at_x(tick), bottom + 20, f"{tick:,.10g}", 12, INK, "middle"))
    for tick in ticks(y_end):
        marks.append(Line(x0 - 5, at_y(tick), x0, at_y(tick), INK, 1))
        marks.append(Text(x0 - 8, at_y(tick) + 4, f"{tick:.10g}", 12, INK, "end"))
    points = zip(series.x, series.y, strict=True)
    marks += [Box(at_x(x) - 3, at_y(y) - 3, 6, 6, BLUE, radius=3) for x, y in points]
    return marks


def ticks(end: float) -> list[float]:
    """Return round numbers from 0 to ``end``."""
    step, _ = nice_step(end / 6)
    return [step * number for number in range(int(end / step) + 1)]


if __name__ == "__main__":
    main()
