"""A reliability plot, what uncertainty costs, and the molecules that come out worst.

    python benchmarks/reliability.py ../shared/data --plot docs/reliability.svg [--worst FOLDER]

The plot sets the share of measured shifts within an interval against the share it was to hold. The
cost is processor time of answers with error scales, evidence, verdicts and intervals against that
of bare shifts from the same network. ``--worst`` draws the five molecules of nmrshiftdb2/test with
the largest mean 13C error, and names what was measured beside what was predicted.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
import torch
from labelled import assigned, matched, query_of

from nmrshift import Prediction, Predictor, Query
from nmrshift.data.records import ShiftRecord
from nmrshift.draw import picture
from nmrshift.draw.marks import FAINT, INK, SOFT, Box, Line, Mark, Scene, Text
from nmrshift.draw.svg import to_svg
from nmrshift.graph.batch import batch_graphs
from nmrshift.graph.environments import environment_codes
from nmrshift.graph.features import preset
from nmrshift.predict.prepare import Prepared, prepare_or_fail

LEVELS: Final = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
CURVES: Final = (
    ("nmrshiftdb2/test.jsonl.gz", "13C", "#1b6ca8"),
    ("nmrshiftdb2/test.jsonl.gz", "1H", "#5b8c2a"),
    ("nmrshiftdb2/test.jsonl.gz", "31P", "#c45a11"),
    ("pfas_19f/test.jsonl.gz", "19F", "#8a3b8f"),
    ("fragments_19f/test.jsonl.gz", "19F", "#b8860b"),
)
SIDE, LEFT, TOP = 320.0, 60.0, 30.0
LOWEST: Final = 0.3
N_COST = 1000


@dataclass(frozen=True, slots=True)
class Curve:
    """Shares of shifts within the intervals of :data:`LEVELS`."""

    name: str
    colour: str
    held: tuple[float, ...]


def main() -> None:
    """Measure, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--plot", type=Path, required=True)
    parser.add_argument("--worst", type=Path)
    options = parser.parse_args()
    predictor = Predictor.load(options.model)
    curves = []
    for file, nucleus, colour in CURVES:
        records = assigned(options.data / file, nucleus)
        held = coverage(predictor, records, nucleus)
        curves.append(Curve(f"{file.partition('/')[0]} {nucleus}", colour, held))
        print(curves[-1].name, " ".join(f"{100 * share:.1f}" for share in held))
    options.plot.write_text(to_svg(plot(curves)), "utf-8")
    records = assigned(options.data / CURVES[0][0], "13C")
    print(cost(predictor, [record.smiles for record in records[:N_COST]]))
    if options.worst:
        draw_worst(predictor, records, options.worst)


def answered(
    predictor: Predictor, records: Sequence[ShiftRecord], nucleus: str, level: float
) -> Iterator[tuple[ShiftRecord, Prediction]]:
    """Predict spectra in their solvents and conventions."""
    queries = [query_of(record, predictor) for record in records]
    answers = predictor.predict_many(queries, nuclei=(nucleus,), interval=level)
    for record, answer in zip(records, answers, strict=True):
        if isinstance(answer, Prediction):
            yield record, answer


def coverage(
    predictor: Predictor, records: Sequence[ShiftRecord], nucleus: str
) -> tuple[float, ...]:
    """Return the share of measured shifts within the intervals of each level."""
    shares = []
    for level in LEVELS:
        held = [
            atom.low_ppm <= shift_ppm <= atom.high_ppm
            for record, answer in answered(predictor, records, nucleus, level)
            for atom, shift_ppm in matched(record, answer)
        ]
        shares.append(float(np.mean(held)))
    return tuple(shares)


def plot(curves: Sequence[Curve]) -> Scene:
    """Draw shares held against shares asked for."""
    marks: list[Mark] = [Box(LEFT, TOP, SIDE, SIDE, "#ffffff", FAINT, 1.0)]
    marks.append(Line(*_at(LOWEST, LOWEST), *_at(1.0, 1.0), FAINT, 1.5))
    for tenth in range(4, 11):
        share = tenth / 10
        x, y = _at(share, share)
        bottom = TOP + SIDE
        marks += [
            Line(x, bottom, x, bottom + 5, SOFT),
            Text(x, bottom + 19, f"{100 * share:.0f}", 12, SOFT, "middle"),
            Line(LEFT - 5, y, LEFT, y, SOFT),
            Text(LEFT - 9, y + 4, f"{100 * share:.0f}", 12, SOFT, "end"),
        ]
    for place, curve in enumerate(curves):
        points = [_at(level, share) for level, share in zip(LEVELS, curve.held, strict=True)]
        marks += [Line(*start, *end, curve.colour, 2) for start, end in pairwise(points)]
        marks += [Box(x - 3, y - 3, 6, 6, curve.colour, radius=3) for x, y in points]
        y = TOP + 22 + 20 * place
        marks.append(Box(LEFT + 14, y - 9, 9, 9, curve.colour, radius=4.5))
        marks.append(Text(LEFT + 30, y, curve.name, 12, INK))
    marks.append(
        Text(LEFT + SIDE / 2, TOP + SIDE + 42, "asked for, % of shifts", 13, INK, "middle")
    )
    marks.append(
        Text(18, TOP + SIDE / 2, "within the interval, %", 13, INK, "middle", upwards=True)
    )
    title = "Share of measured shifts within intervals against the share asked for"
    return Scene(int(LEFT + SIDE + 30), int(TOP + SIDE + 60), tuple(marks), title)


def _at(asked: float, held: float) -> tuple[float, float]:
    span = 1 - LOWEST
    return LEFT + SIDE * (asked - LOWEST) / span, TOP + SIDE * (1 - held) / span


@torch.inference_mode()
def cost(predictor: Predictor, smiles: Sequence[str], repeats: int = 5) -> str:
    """Compare answers as users get them with bare shifts of the same network."""
    torch.set_num_threads(1)
    network = predictor._artifact.network  # noqa: SLF001 - a bare network is not for users
    read = [
        prepare_or_fail(Query(text), index, ("13C",), preset(predictor.features))
        for index, text in enumerate(smiles)
    ]
    ready = [item for item in read if isinstance(item, Prepared)]

    def bare() -> None:
        batch = batch_graphs([item.graph for item in ready])
        h = network.represent(batch, environment_codes(batch))
        nodes = np.concatenate(
            [
                np.array(target.nodes) + batch.first_atom[place]
                for place, item in enumerate(ready)
                for target in item.targets
            ]
        )
        head = network.heads["13C"]
        condition = predictor._answerer._condition(ready)[:, : network.config.d_c]  # noqa: SLF001
        gain, offset = head.modulate(condition).chunk(2, dim=-1)
        hidden = torch.nn.functional.silu(head.into(h[nodes]) * (1 + gain) + offset)
        hidden = torch.nn.functional.silu(head.middle(hidden))
        network.to_ppm("13C", head.mean(hidden).squeeze(-1)).tolist()

    def full() -> None:
        list(predictor.answer(ready))

    times = {}
    for name, work in (("bare", bare), ("full", full)) * repeats:
        began = time.process_time()
        work()
        spent = time.process_time() - began
        times[name] = min(times.get(name, spent), spent)
    n = len(ready)
    more = times["full"] / times["bare"] - 1
    return (
        f"{n} molecules, best of {repeats}: bare shifts {1e3 * times['bare'] / n:.2f} ms "
        f"a molecule, answers {1e3 * times['full'] / n:.2f} ms ({100 * more:+.0f} %)"
    )


def draw_worst(predictor: Predictor, records: Sequence[ShiftRecord], folder: Path) -> None:
    """Draw the molecules with the largest mean error, and print what was measured."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for record, answer in answered(predictor, records, "13C", 0.9):
        pairs = list(matched(record, answer))
        error_ppm = float(np.mean([abs(atom.shift_ppm - shift) for atom, shift in pairs]))
        found.append((error_ppm, record, answer, pairs))
    for error_ppm, record, answer, pairs in sorted(found, key=lambda item: -item[0])[:5]:
        name = record.id.replace(":", "-").replace("/", "-")
        picture(answer).save(folder / f"{name}.png", force=True)
        print(f"{record.id}: {error_ppm:.1f} ppm, {answer.domain}, {record.smiles}")
        for atom, shift_ppm in pairs:
            held = "" if atom.low_ppm <= shift_ppm <= atom.high_ppm else "  outside the interval"
            print(
                f"  {atom.atom_index:3d} measured {shift_ppm:7.2f}  predicted {atom.shift_ppm:7.2f}"
                f" [{atom.low_ppm:.1f}, {atom.high_ppm:.1f}] {atom.domain}{held}"
            )


if __name__ == "__main__":
    main()
