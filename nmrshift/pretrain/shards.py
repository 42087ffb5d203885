"""Molecules prepared for pretraining: some thousands a shard, built once, kept on disk."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rdkit.Chem import rdMolDescriptors, rdPartialCharges

from nmrshift.chem.parse import parse
from nmrshift.chem.policy import RECORD_LIMITS
from nmrshift.chem.toolkit import Chem, quiet
from nmrshift.constants import ELEMENT_OF_NUCLEUS, PLAUSIBLE_RANGE_PPM
from nmrshift.data.array_file import load_arrays, save_arrays
from nmrshift.data.connectivity import connectivity, fragment_connectivities
from nmrshift.errors import InputError
from nmrshift.graph.batch import GraphStore, starts_of, store_graphs
from nmrshift.graph.features import preset
from nmrshift.graph.molgraph import MolGraph, mol_graph
from nmrshift.pretrain.text import BEGIN_PEAKS, BEGIN_SMILES, random_smiles, tokens
from nmrshift.train.data import in_validation
from nmrshift.types import NUCLEI

PROPERTIES: Final = ("partial charge", "share of log P", "share of molar refractivity")
# about their means and spreads over drug-like molecules, so that all count alike
_CENTRE: Final = np.array([-0.03, 0.10, 3.0], dtype=np.float32)
_SPREAD: Final = np.array([0.22, 0.45, 2.0], dtype=np.float32)
_LIMIT: Final = 5.0
_ELEMENTS: Final = Chem.GetPeriodicTable()
_STORES: Final = {"graphs": GraphStore}


class Row(NamedTuple):
    """A molecule to prepare.

    Attributes:
        smiles: its structure.
        peaks: a spectrum of it as text, if it comes with one.
        computed: its computed shifts: nucleus, index of the atom in the SMILES, ppm.
    """

    smiles: str
    peaks: str | None = None
    computed: tuple[tuple[str, int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Shard:
    """Prepared molecules in flat arrays.

    Attributes:
        graphs: the molecules.
        properties: computed properties of atoms in units of their spread, clipped ``[n_atoms, 3]``.
        text: tokens of the text that goes with each molecule, end to end.
        first_token: where each text begins, with the total at the end ``[n_mols + 1]``.
        target_node: atoms with a computed shift, by their node in the molecule ``[n_targets]``.
        target_nucleus: number of the nucleus in ``NUCLEI`` ``[n_targets]``.
        target_ppm: the shifts ``[n_targets]``.
        first_target: where each molecule's begin, with the total at the end ``[n_mols + 1]``.
    """

    graphs: GraphStore
    properties: NDArray[np.float32]
    text: NDArray[np.uint8]
    first_token: NDArray[np.int64]
    target_node: NDArray[np.int64]
    target_nucleus: NDArray[np.int64]
    target_ppm: NDArray[np.float32]
    first_target: NDArray[np.int64]


class Prepared(NamedTuple):
    """One molecule on its way into a shard."""

    graph: MolGraph
    properties: NDArray[np.float32]
    text: NDArray[np.uint8]
    targets: tuple[tuple[int, int, float], ...]


@dataclass(frozen=True, slots=True)
class Preparation:
    """How molecules are prepared.

    Attributes:
        features: name of the feature preset.
        excluded: first InChIKey blocks of molecules to leave out, whole or as a fragment.
        validation_fraction: share of connectivities that training will hold out: their spectra are
            not shown, neither as text nor as shifts.
        most_atoms: larger molecules are left out.
        longest_text: characters of a text that are kept.
    """

    features: str
    excluded: frozenset[str]
    validation_fraction: float
    most_atoms: int
    longest_text: int


def build_shard(rows: Iterable[Row], how: Preparation, seed: int) -> Shard | None:
    """Prepare molecules; those that cannot be read, are too large or excluded are left out.

    Args:
        rows: the molecules.
        how: settings.
        seed: of the random SMILES.

    Returns:
        The shard, or ``None`` if no molecule is left.
    """
    with quiet():
        found = [prepare(row, how, seed + number) for number, row in enumerate(rows)]
    kept = [item for item in found if item is not None]
    if not kept:
        return None
    lengths = np.array([len(item.text) for item in kept], dtype=np.int64)
    counts = np.array([len(item.targets) for item in kept], dtype=np.int64)
    targets = [target for item in kept for target in item.targets]
    return Shard(
        graphs=store_graphs([item.graph for item in kept]),
        properties=np.concatenate([item.properties for item in kept]),
        text=np.concatenate([item.text for item in kept]),
        first_token=starts_of(lengths),
        target_node=np.array([node for node, _, _ in targets], dtype=np.int64),
        target_nucleus=np.array([nucleus for _, nucleus, _ in targets], dtype=np.int64),
        target_ppm=np.array([shift_ppm for *_, shift_ppm in targets], dtype=np.float32),
        first_target=starts_of(counts),
    )


def prepare(row: Row, how: Preparation, seed: int) -> Prepared | None:
    """Prepare one molecule, or say that it is left out."""
    try:
        mol = parse(row.smiles, kind="smiles", limits=RECORD_LIMITS).mol
    except InputError:
        return None
    if not 1 < mol.GetNumHeavyAtoms() <= how.most_atoms:
        return None
    has_spectrum = row.peaks is not None or bool(row.computed)
    if how.excluded or has_spectrum:
        names = fragment_connectivities(mol)
        if not how.excluded.isdisjoint((connectivity(mol), *names)):
            return None
        if has_spectrum and in_validation(names[0], how.validation_fraction):
            return None
    graph = mol_graph(mol, preset(how.features))
    if row.peaks is None:
        text = tokens(random_smiles(mol, seed), BEGIN_SMILES, how.longest_text)
    else:
        text = tokens(row.peaks, BEGIN_PEAKS, how.longest_text)
    targets = tuple(_targets(row, graph))
    return Prepared(graph, atom_properties(mol)[graph.atom_index], text, targets)


def _targets(row: Row, graph: MolGraph) -> Iterator[tuple[int, int, float]]:
    """Yield node, number of the nucleus and shift of what can be right."""
    node_of = {atom: node for node, atom in enumerate(graph.atom_index.tolist())}
    for nucleus, atom, shift_ppm in row.computed:
        node = node_of.get(atom)
        if node is None or nucleus not in NUCLEI:
            continue
        low, high = PLAUSIBLE_RANGE_PPM[nucleus]
        element = _ELEMENTS.GetAtomicNumber(ELEMENT_OF_NUCLEUS[nucleus])
        carries = graph.atomic_number[node] == element
        carries |= nucleus == "1H" and graph.n_hydrogens[node] > 0
        if carries and low <= shift_ppm <= high:
            yield node, NUCLEI.index(nucleus), shift_ppm


def atom_properties(mol: Chem.Mol) -> NDArray[np.float32]:
    """Return computed properties of atoms in units of their spread ``[n_mol_atoms, 3]``.

    Partial charges by Gasteiger and Marsili (doi 10.1016/0040-4020(80)80168-2), shares of log P and
    molar refractivity by Wildman and Crippen (doi 10.1021/ci990307l). What cannot be computed is 0.
    """
    copy = Chem.Mol(mol)
    rdPartialCharges.ComputeGasteigerCharges(copy)
    charge = [atom.GetDoubleProp("_GasteigerCharge") for atom in copy.GetAtoms()]
    shares = rdMolDescriptors._CalcCrippenContribs(mol)  # noqa: SLF001  it has no other name
    raw = np.column_stack([np.array(charge), np.array(shares)]).astype(np.float32)
    scaled = np.clip((raw - _CENTRE) / _SPREAD, -_LIMIT, _LIMIT)
    found: NDArray[np.float32] = np.where(np.isfinite(raw), scaled, np.float32(0))
    return found


def save_shard(path: Path, shard: Shard) -> None:
    """Write a shard, whole or not at all."""
    save_arrays(path, shard, _STORES)


def load_shard(path: Path) -> Shard:
    """Read a shard back."""
    return load_arrays(path, Shard, _STORES)
