"""Names for atom environments: equal numbers for atoms that look alike out to a radius.

Weisfeiler–Lehman refinement (Shervashidze et al., J. Mach. Learn. Res. 12, 2539, 2011), hashed to
64 bits and computed for a whole batch at once: what a HOSE code says, without its text.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from nmrshift.graph.batch import GraphBatch, by_target
from nmrshift.graph.features import BOND_KINDS
from nmrshift.graph.hashing import mix64, range_sums

N_RADII: Final = 3

# element, hydrogens, charge, aromatic: every preset has them in these columns
_COLUMNS = (0, 2, 3, 5)
_FIRST_RELATION, _LAST_RELATION = BOND_KINDS["alkene_cis"], BOND_KINDS["ring_trans"]

_STEP = np.uint64(0x9E3779B97F4A7C15)
_BOND_SALT = np.uint64(1_000_003)


def environment_codes(batch: GraphBatch, n_radii: int = N_RADII) -> NDArray[np.int64]:
    """Return the code of every atom's environment at radius 1, 2 ... ``[n_atoms, n_radii]``.

    Codes depend on the feature preset that made the batch, not on the order of atoms or on what
    else is in the batch. Edges between atoms that are not bonded play no part.
    """
    own = np.full(batch.n_atoms, 7, dtype=np.uint64)
    for column in _COLUMNS:
        own = mix64(own * _STEP + batch.V[:, column].astype(np.uint64) + np.uint64(1))
    kinds = batch.E[:, 0]
    bonded = (kinds < _FIRST_RELATION) | (kinds > _LAST_RELATION)
    order, first = by_target(batch.edge_dst[bonded], batch.n_atoms)
    src = batch.edge_src[bonded][order]
    kind = mix64(kinds[bonded].astype(np.uint64)[order] + _BOND_SALT)
    codes = np.empty((batch.n_atoms, n_radii), dtype=np.uint64)
    for radius in range(n_radii):
        own = mix64(mix64(own) * _STEP + range_sums(mix64(own[src] * _STEP + kind), first))
        codes[:, radius] = own
    return codes.view(np.int64)
