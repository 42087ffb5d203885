"""Is the edge of knowledge noticed? Environment classes left out of training, told from the rest.

    python benchmarks/left_out.py ../shared/data --out runs/uncertainty

The small network of ``uncertainty_methods.py`` is trained without any molecule that has one of some
classes of environments (:mod:`nmrshift.benchmark.uncertainty.classes`), with its own evidence and
calibration. Then atoms of these classes are told from atoms of held-out molecules (and from the
other atoms of the molecules left out) by each signal alone and by all together. Markdown.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch

from nmrshift.benchmark.spectra import Library
from nmrshift.benchmark.uncertainty.left_out import Edge, Signals, auroc, left_out_files, p_values
from nmrshift.benchmark.uncertainty.setting import Setting

SETS = {
    "sphere and expected error": ("measured atoms", "expected error"),
    "sphere, expected error, Mahalanobis": (
        "measured atoms",
        "expected error",
        "Mahalanobis distance",
    ),
    "sphere, expected error, nearest": (
        "measured atoms",
        "expected error",
        "nearest of 2000 atoms",
    ),
}


def main() -> None:
    """Train, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, default=Path("runs/uncertainty"))
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    setting = Setting(Library(options.data), options.out, lambda text: print(text, file=sys.stderr))
    edge = Edge.train(setting, quiet=True)
    rest = edge.signals(edge.data.dataset, edge.data.held_out, named=False)
    parts = []
    for path in left_out_files(setting):
        dataset = setting.dataset([path])
        parts.append(edge.signals(dataset, np.arange(dataset.n_mols), named=True))
    inside, beside = parts
    for nucleus, labels in inside.items():
        print(f"\n{nucleus}: {len(labels.name)} atoms of left-out classes, ", end="")
        print(f"{len(rest[nucleus].name)} held out, {len(beside[nucleus].name)} beside\n")
        print(table(labels, rest[nucleus], beside[nucleus]))


def table(inside: Signals, rest: Signals, beside: Signals) -> str:
    """Return AUROC by signal, then by class, then how verdicts fall."""
    signals = {name: [s.values[name] for s in (inside, rest, beside)] for name in rest.values}
    for name, members in SETS.items():
        rare = [p_values(rest.values[member]) for member in members]
        signals[name] = [
            -sum(np.log(p(s.values[member])) for p, member in zip(rare, members, strict=True))
            for s in (inside, rest, beside)
        ]
    lines = ["| signal | from held-out atoms | and from atoms beside |", "|---|---|---|"]
    for name, (one, two, three) in signals.items():
        both = np.concatenate([two, three])
        lines.append(f"| {name} | {auroc(one, two):.3f} | {auroc(one, both):.3f} |")
    names = list(signals)
    lines += ["", f"| class | atoms | MAE | {' | '.join(names)} |", "|---" * (3 + len(names)) + "|"]
    for name in np.unique(inside.name).tolist():
        rows = inside.name == name
        cells = [f"{auroc(one[rows], two):.2f}" for one, two, _ in signals.values()]
        mae_ppm = inside.error_ppm[rows].mean()
        lines.append(f"| {name} | {rows.sum()} | {mae_ppm:.2f} | {' | '.join(cells)} |")
    lines += ["", "| atoms | inside | edge | outside | MAE |", "|---|---|---|---|---|"]
    for name, part in (("left out", inside), ("held out", rest), ("beside", beside)):
        shares = [100 * (part.values["verdict"] == grade).mean() for grade in (0, 1, 2)]
        cells = " | ".join(f"{share:.1f} %" for share in shares)
        lines.append(f"| {name} | {cells} | {part.error_ppm.mean():.2f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
