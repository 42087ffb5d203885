"""Chosen spectra against random ones: the error of a new nucleus as spectra are added.

    python benchmarks/next_spectra.py ../shared/data [--model DIR] [--nucleus 195Pt]

A nucleus is added to the model from the first n spectra of the training folds, in the order of
``learn-next`` or in a random one; the error is that on the held-out fold, each molecule once.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from new_nuclei import N_FOLDS, Nucleus, read
from numpy.typing import NDArray

from nmrshift.adapt.answers import encode
from nmrshift.adapt.new_head import NewLabels, labels_of, solve
from nmrshift.adapt.next_atoms import Pool, pick
from nmrshift.benchmark.spectra import Library
from nmrshift.model.artifact import load_artifact
from nmrshift.model.network import ShiftNetwork
from nmrshift.model.shipped import shipped_model

N_RANDOM = 20


def labels(nucleus: Nucleus, base: ShiftNetwork) -> tuple[NewLabels, NDArray[np.int64]]:
    """Return all labels of a nucleus, and the fold of each."""
    dataset = nucleus.dataset
    h = encode(base, dataset.graphs)
    found = labels_of(dataset, h, np.arange(dataset.n_mols), len(base.config.nuclei))
    fold_of = dict(
        zip((record.smiles for record in nucleus.records), nucleus.fold.tolist(), strict=True)
    )
    order = dict.fromkeys(record.smiles for record in nucleus.records)
    parents = {
        str(parent): fold_of[smiles]
        for smiles, parent in zip(order, dataset.parent.tolist(), strict=True)
    }
    names = np.unique(dataset.parent)
    return found, np.array([parents[str(names[group])] for group in found.group])


def part(found: NewLabels, groups: Sequence[int]) -> NewLabels:
    """Return the labels of some molecules."""
    rows = np.flatnonzero(np.isin(found.group, groups))
    _, group = np.unique(found.group[rows], return_inverse=True)
    return NewLabels(found.h[rows], found.shift_ppm[rows], group, found.weight[rows])


def error_ppm(found: NewLabels, learned: Sequence[int], tested: NDArray[np.bool_]) -> float:
    """Return the mean error on tested labels, every molecule counted once."""
    new = solve(part(found, learned), seed=1).new
    with torch.no_grad():
        mean, _ = new.head(torch.from_numpy(found.h[tested]), torch.zeros(1, 1))
    off = np.abs(mean.numpy() * new.spread_ppm + new.mean_ppm - found.shift_ppm[tested])
    return float(np.average(off, weights=found.weight[tested]))


def chosen_order(found: NewLabels, groups: NDArray[np.int64]) -> list[int]:
    """Return molecules in the order of ``learn-next``; nothing is known of errors yet."""
    rows = np.flatnonzero(np.isin(found.group, groups))
    rows = rows[np.argsort(found.group[rows], kind="stable")]
    pool = Pool(found.h[rows], np.ones(len(rows)), np.zeros(len(rows), int), found.group[rows])
    return [one.mol for one in pick(pool, len(groups))]


def curve(
    found: NewLabels, fold: NDArray[np.int64], sizes: Sequence[int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return errors ``[n_folds, n_sizes]`` of chosen and (on average) of random spectra."""
    chosen, random = [], []
    for number in range(N_FOLDS):
        tested = fold == number
        groups = np.unique(found.group[~tested])
        order = chosen_order(found, groups)
        chosen.append([error_ppm(found, order[:n], tested) for n in sizes])
        draws = [np.random.default_rng(s).permutation(groups) for s in range(N_RANDOM)]
        random.append(
            np.mean([[error_ppm(found, d[:n], tested) for n in sizes] for d in draws], axis=0)
        )
    return np.array(chosen), np.array(random)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--nucleus", action="append")
    options = parser.parse_args()
    base = load_artifact(options.model or shipped_model()).network
    print("| nucleus | spectra | chosen, MAE in ppm | random, MAE in ppm |\n|---|---|---|---|")
    for name in options.nucleus or ("195Pt", "29Si", "17O"):
        found, fold = labels(read(Library(options.data), name, base), base)
        most = min(int((np.unique(found.group[fold != f])).size) for f in range(N_FOLDS))
        sizes = [n for n in (8, 12, 16, 20, 25, 30, 35, 40) if n < most]
        for n, one, other in zip(
            sizes, *(errors.mean(axis=0) for errors in curve(found, fold, sizes)), strict=True
        ):
            print(f"| {name} | {n} | {one:.1f} | {other:.1f} |", flush=True)


if __name__ == "__main__":
    main()
