"""The one hash by which environments are told apart."""

import numpy as np
from numpy.typing import NDArray


def mix64(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scatter 64 bits (the finaliser of SplitMix64, doi 10.1145/2660193.2660195)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def range_sums(values: NDArray[np.uint64], first: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Sum ranges of values, whose order the sum forgets.

    Unsigned arithmetic wraps, so differences of running sums hold.

    Args:
        values: the values, range after range ``[n]``.
        first: where each range begins, with the total at the end ``[n_ranges + 1]``.
    """
    running = np.concatenate([np.zeros(1, np.uint64), np.cumsum(values, dtype=np.uint64)])
    sums: NDArray[np.uint64] = running[first[1:]] - running[first[:-1]]
    return sums
