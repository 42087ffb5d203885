"""Shift records as flat arrays: what training reads a batch from, built once and cached."""

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nmrshift.chem.toolkit import RDKIT_VERSION
from nmrshift.data.array_file import load_arrays, save_arrays
from nmrshift.data.gather import (
    Condition,
    DataPart,
    Gathered,
    Label,
    Parsed,
    gather,
    parse_all,
    place,
)
from nmrshift.data.peak_lists import ListBatch, MeasuredGroup, PeakLists, store_lists
from nmrshift.data.records import ShiftRecord, write_records
from nmrshift.errors import RecordError
from nmrshift.graph.batch import GraphBatch, GraphStore, store_graphs, take_ranges
from nmrshift.graph.features import preset

_CODE_VERSION = 5


@dataclass(frozen=True, slots=True)
class LabelBatch:
    """Labels of one batch; all arrays ``[n_labels]``.

    Attributes:
        atom: node of the batch that carries the label.
        nucleus: number of the nucleus in the data set's order.
        condition: number of the measuring condition in the data set's list.
        shift_ppm: measured (or computed) shift.
        weight: trust in the label, 0-1.
        measured: whether it is a measurement, not a calculation.
    """

    atom: NDArray[np.int64]
    nucleus: NDArray[np.int64]
    condition: NDArray[np.int64]
    shift_ppm: NDArray[np.float32]
    weight: NDArray[np.float32]
    measured: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ShiftDataset:
    """Molecules with labels, in flat arrays sorted by molecule.

    Attributes:
        nuclei: names of the nuclei, in label order.
        graphs: the molecules.
        lists: unassigned peak lists.
        connectivity: first InChIKey block of each molecule ``[n_mols]``.
        parent: the same of its largest fragment: a salt shares it with its base ``[n_mols]``.
        scaffold: name of its framework, see :mod:`nmrshift.data.scaffold` ``[n_mols]``.
        part: number of the data file a molecule came from first ``[n_mols]``.
        first_label: first label of each molecule, with the total at the end ``[n_mols + 1]``.
        label_node: node within its molecule ``[n_labels]``.
        label_nucleus: ``[n_labels]``.
        label_condition: ``[n_labels]``.
        label_ppm: ``[n_labels]``.
        label_weight: ``[n_labels]``.
        label_record: number of the record each label stands in ``[n_labels]``.
        record_id: its identifier ``[n_records]``.
        condition_solvent: solvent key of each condition ``[n_conditions]``.
        condition_source: source of each condition ``[n_conditions]``.
        condition_computed: whether it is a calculation ``[n_conditions]``.
    """

    nuclei: NDArray[np.str_]
    graphs: GraphStore
    lists: PeakLists
    connectivity: NDArray[np.str_]
    parent: NDArray[np.str_]
    scaffold: NDArray[np.str_]
    part: NDArray[np.int64]
    first_label: NDArray[np.int64]
    label_node: NDArray[np.int64]
    label_nucleus: NDArray[np.int64]
    label_condition: NDArray[np.int64]
    label_ppm: NDArray[np.float32]
    label_weight: NDArray[np.float32]
    label_record: NDArray[np.int64]
    record_id: NDArray[np.str_]
    condition_solvent: NDArray[np.str_]
    condition_source: NDArray[np.str_]
    condition_computed: NDArray[np.bool_]

    @property
    def n_mols(self) -> int:
        """Number of molecules."""
        return self.graphs.n_mols

    def batch(self, mols: NDArray[np.int64]) -> tuple[GraphBatch, LabelBatch, ListBatch]:
        """Cut molecules, their labels and their peak lists out, in the given order."""
        graphs = self.graphs.batch(mols)
        rows, n_labels = take_ranges(self.first_label, mols)
        first = np.repeat(graphs.first_atom[:-1], n_labels)
        labels = LabelBatch(
            atom=self.label_node[rows] + first,
            nucleus=self.label_nucleus[rows],
            condition=self.label_condition[rows],
            shift_ppm=self.label_ppm[rows],
            weight=self.label_weight[rows],
            measured=~self.condition_computed[self.label_condition[rows]],
        )
        return graphs, labels, self.lists.batch(mols, graphs.first_atom)


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
        return load_arrays(store, ShiftDataset, _STORES)
    gathered = gather(parts, nuclei, report)
    parsed = list(parse_all(list(gathered), preset(features), workers))
    dataset = _assemble(gathered, parsed, nuclei, report)
    cache.mkdir(parents=True, exist_ok=True)
    save_arrays(store, dataset, _STORES)
    return dataset


def as_dataset(
    records: Sequence[ShiftRecord],
    nuclei: tuple[str, ...],
    features: str,
    report: Callable[[str], None],
) -> ShiftDataset:
    """Turn records into arrays; peak lists without assignment are kept.

    Raises:
        RecordError: no molecule has a shift of these nuclei.
    """
    with tempfile.TemporaryDirectory(prefix="nmrshift-spectra-") as folder:
        path = Path(folder) / "spectra.jsonl"
        write_records(path, records)
        part = DataPart(path, list_weight=1.0)
        return load_dataset([part], nuclei, features, Path(folder), report=report, workers=1)


def _assemble(
    gathered: dict[str, Gathered],
    parsed: Iterable[Parsed | None],
    nuclei: tuple[str, ...],
    report: Callable[[str], None],
) -> ShiftDataset:
    kept: list[Parsed] = []
    parts: list[int] = []
    labels: list[tuple[Label, ...]] = []
    lists: list[list[MeasuredGroup]] = []
    conditions: dict[Condition, int] = {}
    unreadable = misplaced = 0
    for entry, result in zip(gathered.values(), parsed, strict=True):
        if result is None:
            unreadable += 1
            continue
        placed = place(result, entry, nuclei)
        misplaced += placed.n_misplaced
        if not placed.labels and not placed.groups:
            continue
        kept.append(result)
        parts.append(entry.part)
        labels.append(placed.labels)
        for label in placed.labels:
            conditions.setdefault(label.condition, len(conditions))
        lists.append(
            [
                replace(group, condition=conditions.setdefault(condition, len(conditions)))
                for group, condition in placed.groups
            ]
        )
    if not kept:
        raise RecordError("no molecule with a label", hint="Check the files and the nuclei.")
    rows = [label for molecule in labels for label in molecule]
    stored = store_lists(lists)
    report(
        f"{len(kept)} molecules, {len(rows)} labels, {len(stored.peak_ppm)} unassigned peaks; "
        f"{unreadable} molecules unreadable, {misplaced} labels on a wrong element"
    )
    counts = [len(molecule) for molecule in labels]
    records = np.array([label.record for label in rows], dtype=np.str_)
    record_id, label_record = np.unique(records, return_inverse=True)
    return ShiftDataset(
        nuclei=np.array(nuclei),
        graphs=store_graphs([item.graph for item in kept]),
        lists=stored,
        connectivity=np.array([item.connectivity for item in kept]),
        parent=np.array([item.parent for item in kept]),
        scaffold=np.array([item.scaffold for item in kept]),
        part=np.array(parts, dtype=np.int64),
        first_label=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        label_node=np.array([label.atom for label in rows], dtype=np.int64),
        label_nucleus=np.array([label.nucleus for label in rows], dtype=np.int64),
        label_condition=np.array([conditions[label.condition] for label in rows], dtype=np.int64),
        label_ppm=np.array([label.shift_ppm for label in rows], dtype=np.float32),
        label_weight=np.array([label.weight for label in rows], dtype=np.float32),
        label_record=label_record.astype(np.int64),
        record_id=record_id,
        condition_solvent=np.array([condition.solvent for condition in conditions]),
        condition_source=np.array([condition.source for condition in conditions]),
        condition_computed=np.array([condition.computed for condition in conditions]),
    )


def _cache_key(parts: Sequence[DataPart], nuclei: tuple[str, ...], features: str) -> str:
    digest = hashlib.sha256()
    options = [
        _CODE_VERSION,
        RDKIT_VERSION,
        preset(features).to_dict(),
        list(nuclei),
        [
            [
                part.weight,
                part.uncertain_weight,
                part.list_weight,
                list(part.without),
                part.doubt_weight,
            ]
            for part in parts
        ],
    ]
    digest.update(json.dumps(options).encode())
    for part in parts:
        digest.update(hashlib.sha256(part.path.read_bytes()).digest())
    return digest.hexdigest()[:16]


_STORES = {"graphs": GraphStore, "lists": PeakLists}
