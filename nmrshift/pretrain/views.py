"""Parts of molecules: objects, random connected pieces, and graphs cut down to them.

All molecules of a batch are treated at once, as one graph. Only bonds count; edges that carry
relative configuration join nothing.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from nmrshift.graph.batch import GraphBatch, starts_of
from nmrshift.graph.features import BOND_KINDS, FeaturePreset

_CARBON = 6
_LONGEST = 1e9


@dataclass(frozen=True, slots=True)
class Objects:
    """Proposed objects of a batch: each is a connected set of atoms of one molecule.

    Attributes:
        atoms: their atoms, end to end.
        first: where each begins in ``atoms``, with the total at the end ``[n_objects + 1]``.
        mol: molecule of each ``[n_objects]``.
    """

    atoms: NDArray[np.int64]
    first: NDArray[np.int64]
    mol: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Bonds:
    """What the codes of a batch say of atoms and bonds.

    Attributes:
        src: ends of bonds, each bond in both directions ``[n_bonds]``.
        dst: the other ends.
        in_ring: whether a bond is in a ring.
        aromatic: whether a bond is aromatic.
        multiple: whether a bond is double or triple.
        single: whether a bond is single.
        carbon: whether an atom is carbon ``[n_atoms]``.
        atom_in_ring: whether an atom is in a ring.
        atom_aromatic: whether an atom is aromatic.
    """

    src: NDArray[np.int64]
    dst: NDArray[np.int64]
    in_ring: NDArray[np.bool_]
    aromatic: NDArray[np.bool_]
    multiple: NDArray[np.bool_]
    single: NDArray[np.bool_]
    carbon: NDArray[np.bool_]
    atom_in_ring: NDArray[np.bool_]
    atom_aromatic: NDArray[np.bool_]


def read_bonds(batch: GraphBatch, features: FeaturePreset) -> Bonds:
    """Read bonds and their kinds from the codes of a batch."""
    kinds = {kind: _slot(features, "bond", "kind", value) for kind, value in BOND_KINDS.items()}
    relation = [kinds[k] for k in ("alkene_cis", "alkene_trans", "ring_cis", "ring_trans")]
    kept = ~np.isin(batch.E[:, 0], relation)
    kind = batch.E[kept, 0]
    ring_column = [f.name for f in features.bond].index("smallest_ring")
    no_ring = _slot(features, "bond", "smallest_ring", 0)
    names = [f.name for f in features.atom]
    atom = {
        name: batch.V[:, names.index(name)] for name in ("element", "smallest_ring", "aromatic")
    }
    return Bonds(
        src=batch.edge_src[kept].astype(np.int64),
        dst=batch.edge_dst[kept].astype(np.int64),
        in_ring=batch.E[kept, ring_column] != no_ring,
        aromatic=kind == kinds["aromatic"],
        multiple=(kind == kinds["double"]) | (kind == kinds["triple"]),
        single=kind == kinds["single"],
        carbon=atom["element"] == _slot(features, "atom", "element", _CARBON),
        atom_in_ring=atom["smallest_ring"] != _slot(features, "atom", "smallest_ring", 0),
        atom_aromatic=atom["aromatic"] == _slot(features, "atom", "aromatic", 1),
    )


def _slot(features: FeaturePreset, side: str, name: str, value: int) -> int:
    """Return the code of one value of a feature."""
    start = 0
    for feature in features.atom if side == "atom" else features.bond:
        if feature.name == name:
            return start + feature.choices.index(value)
        start += feature.width
    raise KeyError(name)


def fragments(batch: GraphBatch, bonds: Bonds) -> NDArray[np.int64]:
    """Return the fragment of every atom ``[n_atoms]``, numbered through the batch.

    Molecules fall apart at the bonds that retrosynthesis cuts first (in the manner of BRICS, doi
    10.1002/cmdc.200800178): single, in no ring, between two atoms that have other neighbours, and
    either at a ring or between carbon and another element.
    """
    degree = np.bincount(bonds.src, minlength=batch.n_atoms)
    src, dst = bonds.src, bonds.dst
    inner = (degree[src] > 1) & (degree[dst] > 1)
    joint = (
        bonds.atom_in_ring[src] | bonds.atom_in_ring[dst] | (bonds.carbon[src] != bonds.carbon[dst])
    )
    cut = bonds.single & ~bonds.in_ring & inner & joint
    return _components(batch.n_atoms, src[~cut], dst[~cut])


def propose(batch: GraphBatch, bonds: Bonds) -> Objects:
    """Propose objects: functional groups, ring systems and fragments.

    Functional groups are found in the manner of Ertl (doi 10.1186/s13321-017-0225-z): atoms that
    are no carbon, or have a multiple bond that is not aromatic, with all that are joined to them by
    such atoms. A molecule without any of these is its own object.
    """
    n = batch.n_atoms
    marked = ~bonds.carbon & ~bonds.atom_aromatic
    marked[bonds.src[bonds.multiple]] = True
    groups = _among(n, marked, bonds, np.ones(len(bonds.src), dtype=bool))
    rings = _among(n, bonds.atom_in_ring, bonds, bonds.in_ring)
    pieces = fragments(batch, bonds)
    labels = np.concatenate([groups, np.where(rings >= 0, rings + n, -1), pieces + 2 * n])
    atoms = np.tile(np.arange(n), 3)
    atoms, labels = atoms[labels >= 0], labels[labels >= 0]
    order = np.argsort(labels, kind="stable")
    atoms = atoms[order]
    _, counts = np.unique(labels[order], return_counts=True)
    first = starts_of(counts.astype(np.int64))
    return Objects(atoms, first, batch.atom_to_mol[atoms[first[:-1]]].astype(np.int64))


def _among(
    n_atoms: int, chosen: NDArray[np.bool_], bonds: Bonds, usable: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Return the component of each chosen atom among the chosen ones, -1 for the others."""
    kept = usable & chosen[bonds.src] & chosen[bonds.dst]
    return np.where(chosen, _components(n_atoms, bonds.src[kept], bonds.dst[kept]), -1)


def _components(n_atoms: int, src: NDArray[np.int64], dst: NDArray[np.int64]) -> NDArray[np.int64]:
    matrix = csr_array((np.ones(len(src)), (src, dst)), shape=(n_atoms, n_atoms))
    found: NDArray[np.int64] = connected_components(matrix, directed=False)[1].astype(np.int64)
    return found


def random_part(
    batch: GraphBatch, bonds: Bonds, share: float, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Choose a connected part of every molecule, grown at random from a random atom.

    Args:
        batch: the molecules.
        bonds: their bonds.
        share: of a molecule's atoms; at least two are chosen.
        rng: source of chance.

    Returns:
        Whether an atom is in its molecule's part ``[n_atoms]``. A molecule in several pieces gives
        a part of one of them.
    """
    sizes = np.diff(batch.first_atom)
    seeds = batch.first_atom[:-1] + (rng.random(batch.n_mols) * sizes).astype(np.int64)
    lengths = 1.0 + rng.random(len(bonds.src)).astype(np.float64)
    far = _distances(batch.n_atoms, bonds, lengths, seeds)
    wanted = np.maximum(2, np.ceil(share * sizes)).astype(np.int64)
    order = np.lexsort((far, batch.atom_to_mol))
    rank = np.empty(batch.n_atoms, dtype=np.int64)
    rank[order] = np.arange(batch.n_atoms) - np.repeat(batch.first_atom[:-1], sizes)
    part: NDArray[np.bool_] = (rank < wanted[batch.atom_to_mol]) & (far < _LONGEST)
    return part


def object_part(
    batch: GraphBatch, bonds: Bonds, objects: Objects, dilation: int, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Choose one object of every molecule and what lies within some bonds of it.

    Args:
        batch: the molecules.
        bonds: their bonds.
        objects: what may be chosen.
        dilation: bonds by which the object grows, 1 to this, chosen at random for each molecule.
        rng: source of chance.

    Returns:
        Whether an atom is in its molecule's part ``[n_atoms]``.
    """
    order = np.lexsort((rng.random(len(objects.mol)), objects.mol))
    _, place = np.unique(objects.mol[order], return_index=True)
    chosen = order[place]
    seeds = np.concatenate(
        [objects.atoms[objects.first[number] : objects.first[number + 1]] for number in chosen]
    )
    far = _distances(batch.n_atoms, bonds, np.ones(len(bonds.src)), seeds)
    reach = rng.integers(1, dilation + 1, batch.n_mols)
    part: NDArray[np.bool_] = far <= reach[batch.atom_to_mol] + 0.5
    return part


def _distances(
    n_atoms: int, bonds: Bonds, lengths: NDArray[np.float64], seeds: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return how far every atom is from the nearest seed; what no seed reaches is infinitely so."""
    matrix = csr_array((lengths, (bonds.src, bonds.dst)), shape=(n_atoms, n_atoms))
    far: NDArray[np.float64] = dijkstra(matrix, indices=seeds, min_only=True)
    return far


def cut_out(batch: GraphBatch, part: NDArray[np.bool_]) -> GraphBatch:
    """Return the graph of a part of every molecule; features still tell of the whole.

    Args:
        batch: the molecules.
        part: whether an atom is kept ``[n_atoms]``; every molecule keeps one at least.
    """
    new = np.cumsum(part, dtype=np.int32) - np.int32(1)
    kept = part[batch.edge_src] & part[batch.edge_dst]
    sizes = np.bincount(batch.atom_to_mol[part], minlength=batch.n_mols)
    return GraphBatch(
        V=batch.V[part],
        E=batch.E[kept],
        edge_src=new[batch.edge_src[kept]],
        edge_dst=new[batch.edge_dst[kept]],
        atom_to_mol=batch.atom_to_mol[part],
        first_atom=starts_of(sizes.astype(np.int64)),
    )
