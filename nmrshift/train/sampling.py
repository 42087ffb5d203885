"""Which molecules make a batch: shuffled, of like size, the same for the same seed and epoch."""

import numpy as np
from numpy.typing import NDArray

_WINDOW_BATCHES = 40


def epoch_batches(
    mols: NDArray[np.int64],
    n_atoms: NDArray[np.int64],
    batch_atoms: int,
    seed: int,
    epoch: int,
) -> list[NDArray[np.int64]]:
    """Cut one epoch into batches of about equal cost.

    Args:
        mols: molecules to show, repeated as often as wanted.
        n_atoms: atoms of every molecule of the data set.
        batch_atoms: atoms a batch holds at most, unless one molecule alone exceeds it.
        seed: of the run.
        epoch: number of the epoch.

    Returns:
        Molecule numbers of each batch; every entry of ``mols`` is in exactly one.
    """
    rng = np.random.default_rng([seed, epoch])
    order = rng.permutation(mols)
    mean_atoms = max(1.0, float(n_atoms[mols].mean()))
    window = max(1, int(_WINDOW_BATCHES * batch_atoms / mean_atoms))
    batches: list[NDArray[np.int64]] = []
    for start in range(0, len(order), window):
        part = order[start : start + window]
        part = part[np.argsort(n_atoms[part], kind="stable")]
        bins = (np.cumsum(n_atoms[part]) - 1) // batch_atoms
        batches += np.split(part, np.flatnonzero(np.diff(bins)) + 1)
    shuffled = rng.permutation(len(batches))
    return [batches[number] for number in shuffled]
