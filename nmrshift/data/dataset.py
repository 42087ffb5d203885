"""Shift records as flat arrays: what training reads a batch from, built once and cached."""

import hashlib
import json
import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nmrshift.chem.parse import parse
from nmrshift.chem.policy import RECORD_LIMITS
from nmrshift.chem.solvents import normalise
from nmrshift.chem.toolkit import RDKIT_VERSION, Chem
from nmrshift.constants import ELEMENT_OF_NUCLEUS, PLAUSIBLE_RANGE_PPM
from nmrshift.data.connectivity import connectivity, fragment_connectivities
from nmrshift.data.records import RecordIssue, ShiftRecord, read_records
from nmrshift.errors import InputError, RecordError
from nmrshift.graph.batch import GraphBatch, GraphStore, store_graphs, take_ranges
from nmrshift.graph.features import FeaturePreset, preset
from nmrshift.graph.molgraph import MolGraph, mol_graph

_CODE_VERSION = 2


@dataclass(frozen=True, slots=True)
class LabelBatch:
    """Labels of one batch; all arrays ``[n_labels]``.

    Attributes:
        atom: node of the batch that carries the label.
        nucleus: number of the nucleus in the data set's order.
        condition: number of the measuring condition in the data set's list.
        shift_ppm: measured (or computed) shift.
        weight: trust in the label, 0-1.
    """

    atom: NDArray[np.int64]
    nucleus: NDArray[np.int64]
    condition: NDArray[np.int64]
    shift_ppm: NDArray[np.float32]
    weight: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ShiftDataset:
    """Molecules with labels, in flat arrays sorted by molecule.

    Attributes:
        nuclei: names of the nuclei, in label order.
        graphs: the molecules.
        connectivity: first InChIKey block of each molecule ``[n_mols]``.
        parent: the same of its largest fragment: a salt shares it with its base ``[n_mols]``.
        part: number of the data file a molecule came from first ``[n_mols]``.
        first_label: first label of each molecule, with the total at the end ``[n_mols + 1]``.
        label_node: node within its molecule ``[n_labels]``.
        label_nucleus: ``[n_labels]``.
        label_condition: ``[n_labels]``.
        label_ppm: ``[n_labels]``.
        label_weight: ``[n_labels]``.
        condition_solvent: solvent key of each condition ``[n_conditions]``.
        condition_source: source of each condition ``[n_conditions]``.
    """

    nuclei: NDArray[np.str_]
    graphs: GraphStore
    connectivity: NDArray[np.str_]
    parent: NDArray[np.str_]
    part: NDArray[np.int64]
    first_label: NDArray[np.int64]
    label_node: NDArray[np.int64]
    label_nucleus: NDArray[np.int64]
    label_condition: NDArray[np.int64]
    label_ppm: NDArray[np.float32]
    label_weight: NDArray[np.float32]
    condition_solvent: NDArray[np.str_]
    condition_source: NDArray[np.str_]

    @property
    def n_mols(self) -> int:
        """Number of molecules."""
        return self.graphs.n_mols

    def batch(self, mols: NDArray[np.int64]) -> tuple[GraphBatch, LabelBatch]:
        """Cut molecules and their labels out, in the given order."""
        graphs = self.graphs.batch(mols)
        rows, n_labels = take_ranges(self.first_label, mols)
        first = np.repeat(graphs.first_atom[:-1], n_labels)
        labels = LabelBatch(
            atom=self.label_node[rows] + first,
            nucleus=self.label_nucleus[rows],
            condition=self.label_condition[rows],
            shift_ppm=self.label_ppm[rows],
            weight=self.label_weight[rows],
        )
        return graphs, labels


@dataclass(frozen=True, slots=True)
class DataPart:
    """One file of records and how far its labels are trusted.

    Attributes:
        path: a native record file.
        weight: trust in its labels.
        uncertain_weight: trust in labels whose atom order was recovered indirectly.
    """

    path: Path
    weight: float = 1.0
    uncertain_weight: float = 0.5


def load_dataset(
    parts: Sequence[DataPart],
    nuclei: tuple[str, ...],
    features: str,
    cache: Path,
    *,
    report: Callable[[str], None],
    workers: int = 2,
) -> ShiftDataset:
    """Read record files into one data set, or take it from the cache.

    Args:
        parts: the files; molecules are merged by their text.
        nuclei: labels of other nuclei are left out.
        features: name of the feature preset.
        cache: folder for prepared data; the key covers contents, options and RDKit's version.
        report: told in words what was read and left out.
        workers: processes that parse.
    """
    store = cache / f"dataset-{_cache_key(parts, nuclei, features)}.npz"
    if store.exists():
        report(f"prepared data from {store.name}")
        return _load(store)
    gathered = _gather(parts, nuclei, report)
    parsed = list(_parse_all(list(gathered), preset(features), workers))
    dataset = _assemble(gathered, parsed, nuclei, report)
    cache.mkdir(parents=True, exist_ok=True)
    _save(store, dataset)
    return dataset


@dataclass(slots=True)
class _Gathered:
    """Labels of one molecule text while files are being read."""

    part: int
    labels: list[tuple[int, int, tuple[str, str], float, float]]


def _gather(
    parts: Sequence[DataPart], nuclei: tuple[str, ...], report: Callable[[str], None]
) -> dict[str, _Gathered]:
    molecules: dict[str, _Gathered] = {}
    for number, part in enumerate(parts):
        used = skipped = outside = 0
        for record in read_records(part.path):
            if isinstance(record, RecordIssue):
                raise RecordError(f"{part.path.name}, row {record.row}: {record.message}")
            if record.shifts is None or record.nucleus not in nuclei:
                skipped += 1
                continue
            labels = list(_labels(record, nuclei.index(record.nucleus), part))
            outside += len(record.shifts) - len(labels)
            molecules.setdefault(record.smiles, _Gathered(number, [])).labels.extend(labels)
            used += 1
        report(f"{part.path.name}: {used} spectra, {skipped} left out, {outside} labels dropped")
    return {smiles: entry for smiles, entry in molecules.items() if entry.labels}


def _labels(
    record: ShiftRecord, nucleus: int, part: DataPart
) -> Iterator[tuple[int, int, tuple[str, str], float, float]]:
    low, high = PLAUSIBLE_RANGE_PPM.get(record.nucleus, (-10_000.0, 10_000.0))
    weight = part.uncertain_weight if record.assignment == "order-uncertain" else part.weight
    condition = (normalise(record.solvent).key, record.source or "")
    for atom, shift_ppm in record.shifts or ():
        if low <= shift_ppm <= high:
            yield atom, nucleus, condition, shift_ppm, weight


Parsed = tuple[MolGraph, str, str]


def _parse_all(texts: list[str], features: FeaturePreset, workers: int) -> Iterator[Parsed | None]:
    """Parse and featurise texts in worker processes, in order."""
    chunks = [texts[start : start + 256] for start in range(0, len(texts), 256)]
    if workers < 2 or len(chunks) < 2:
        for chunk in chunks:
            yield from _parse_chunk(chunk, features.name)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        for result in pool.map(_parse_chunk, chunks, [features.name] * len(chunks)):
            yield from result


def _parse_chunk(texts: list[str], features: str) -> list[Parsed | None]:
    return [_parse_one(text, preset(features)) for text in texts]


def _parse_one(text: str, features: FeaturePreset) -> Parsed | None:
    try:
        parsed = parse(text, kind="smiles", limits=RECORD_LIMITS)
        whole, parent = connectivity(parsed.mol), fragment_connectivities(parsed.mol)[0]
        return mol_graph(parsed.mol, features), whole, parent
    except InputError:
        return None


def _assemble(
    gathered: dict[str, _Gathered],
    parsed: Iterable[Parsed | None],
    nuclei: tuple[str, ...],
    report: Callable[[str], None],
) -> ShiftDataset:
    graphs: list[MolGraph] = []
    keys: list[tuple[str, str]] = []
    parts: list[int] = []
    counts: list[int] = []
    rows: list[tuple[int, int, int, float, float]] = []
    conditions: dict[tuple[str, str], int] = {}
    unreadable = misplaced = 0
    for entry, result in zip(gathered.values(), parsed, strict=True):
        if result is None:
            unreadable += 1
            continue
        graph, *names = result
        placed = _place(graph, entry, nuclei, conditions)
        misplaced += len(entry.labels) - len(placed)
        if placed:
            graphs.append(graph)
            keys.append((names[0], names[1]))
            parts.append(entry.part)
            counts.append(len(placed))
            rows += placed
    report(
        f"{len(graphs)} molecules, {len(rows)} labels; {unreadable} molecules unreadable, "
        f"{misplaced} labels on a wrong element"
    )
    columns = list(zip(*rows, strict=True))
    return ShiftDataset(
        nuclei=np.array(nuclei),
        graphs=store_graphs(graphs),
        connectivity=np.array([whole for whole, _ in keys]),
        parent=np.array([parent for _, parent in keys]),
        part=np.array(parts, dtype=np.int64),
        first_label=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        label_node=np.array(columns[0], dtype=np.int64),
        label_nucleus=np.array(columns[1], dtype=np.int64),
        label_condition=np.array(columns[2], dtype=np.int64),
        label_ppm=np.array(columns[3], dtype=np.float32),
        label_weight=np.array(columns[4], dtype=np.float32),
        condition_solvent=np.array([solvent for solvent, _ in conditions]),
        condition_source=np.array([source for _, source in conditions]),
    )


def _place(
    graph: MolGraph,
    entry: _Gathered,
    nuclei: tuple[str, ...],
    conditions: dict[tuple[str, str], int],
) -> list[tuple[int, int, int, float, float]]:
    """Put labels on nodes; those whose atom cannot carry the nucleus are left out."""
    node_of = {int(atom): node for node, atom in enumerate(graph.atom_index)}
    table = Chem.GetPeriodicTable()
    placed = []
    for atom, nucleus, condition, shift_ppm, weight in entry.labels:
        node = node_of.get(atom)
        if node is None:
            continue
        element = ELEMENT_OF_NUCLEUS[nuclei[nucleus]]
        if element == "H":
            fits = graph.n_hydrogens[node] > 0
        else:
            fits = int(graph.atomic_number[node]) == table.GetAtomicNumber(element)
        if fits:
            number = conditions.setdefault(condition, len(conditions))
            placed.append((node, nucleus, number, shift_ppm, weight))
    return placed


def _cache_key(parts: Sequence[DataPart], nuclei: tuple[str, ...], features: str) -> str:
    digest = hashlib.sha256()
    options = [
        _CODE_VERSION,
        RDKIT_VERSION,
        preset(features).to_dict(),
        list(nuclei),
        [[part.weight, part.uncertain_weight] for part in parts],
    ]
    digest.update(json.dumps(options).encode())
    for part in parts:
        digest.update(hashlib.sha256(part.path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _save(path: Path, dataset: ShiftDataset) -> None:
    arrays = {
        name.name: getattr(dataset, name.name)
        for name in fields(ShiftDataset)
        if name.name != "graphs"
    }
    arrays |= {f"graphs.{f.name}": getattr(dataset.graphs, f.name) for f in fields(GraphStore)}
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, **arrays)
    partial.replace(path)


def _load(path: Path) -> ShiftDataset:
    with np.load(path, allow_pickle=False) as arrays:
        graphs = GraphStore(**{f.name: arrays[f"graphs.{f.name}"] for f in fields(GraphStore)})
        rest = {f.name: arrays[f.name] for f in fields(ShiftDataset) if f.name != "graphs"}
    return ShiftDataset(graphs=graphs, **rest)
