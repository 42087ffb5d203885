"""Ways to know how large an error is, compared on equal terms.

    python benchmarks/uncertainty_methods.py ../shared/data --out runs/uncertainty [--method NAME]

The same small network learns 13C of cascade_exp5k and 19F of all sources, for as many epochs, with
a variance head (which ships), quantile heads, as an ensemble, with dropout on, and with mean and
variance carried through all layers. All intervals are calibrated in the same way on the same
held-out molecules. Trainings are resumed, results kept. Markdown on standard output.
"""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

import torch

from nmrshift.benchmark.spectra import Library
from nmrshift.benchmark.uncertainty.compare import Comparison, Result
from nmrshift.benchmark.uncertainty.methods import METHODS
from nmrshift.benchmark.uncertainty.quantiles import LEVELS
from nmrshift.benchmark.uncertainty.setting import Setting


def main() -> None:
    """Train, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--method", action="append", choices=list(METHODS))
    parser.add_argument("--out", type=Path, default=Path("runs/uncertainty"))
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    setting = Setting(Library(options.data), options.out, lambda text: print(text, file=sys.stderr))
    print(markdown(Comparison(setting, quiet=True).run(options.method or list(METHODS))))


def markdown(results: Iterable[Result]) -> str:
    """Return the table."""
    heads = " | ".join(f"{100 * level:g} % holds (width)" for level in LEVELS)
    lines = [
        f"| test | method | MAE | {heads} | rank corr. | without the widest fifth | NLL | cost |",
        "|---" * (7 + len(LEVELS)) + "|",
    ]
    ordered = sorted(results, key=lambda result: (result.nucleus, result.test))
    return "\n".join(lines + [row(result) for result in ordered])


def row(result: Result) -> str:
    """Return the row of one method and test."""
    found = result.scores
    cells = [
        f"{100 * held:.1f} ({width_ppm:.2f})"
        for held, width_ppm in zip(found.held, found.width_ppm, strict=True)
    ]
    lower = 100 * (found.kept_mae_ppm / found.mae_ppm - 1)
    cells += [
        f"{found.rank_correlation:.2f}",
        f"{found.kept_mae_ppm:.3f} ({lower:+.0f} %)",
        f"{found.log_loss:.3f}",
        f"{result.cost:.1f}",
    ]
    name = f"{result.test} {result.nucleus} | {METHODS[result.method].title}"
    return f"| {name} | {found.mae_ppm:.3f} | " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
