"""The base's measured environments with those of the laboratory."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from nmrshift.data.dataset import ShiftDataset
from nmrshift.model.evidence import EvidenceTable, Measured, NucleusTable
from nmrshift.train.evidence import measured_labels, molecule_kinds


def extend(
    table: EvidenceTable,
    dataset: ShiftDataset,
    mols: NDArray[np.int64],
    nuclei: tuple[str, ...],
    without: frozenset[str],
) -> tuple[EvidenceTable, dict[str, int]]:
    """Add assigned shifts of molecules to a table.

    Args:
        table: what is known.
        dataset: the laboratory's spectra.
        mols: molecules that were learned from.
        nuclei: names of the nuclei.
        without: nuclei whose shifts are on another reference, and no evidence for others.

    Returns:
        The new table, and how many shifts of each nucleus were added.
    """
    added = {
        nucleus: item
        for nucleus, item in measured_labels(nuclei, dataset, mols).items()
        if nucleus not in without
    }
    known = {nucleus: unsorted(item) for nucleus, item in table.nuclei.items()}
    measured = _joined(known, added, len(table.records))
    records = np.concatenate([np.array(table.records, dtype=np.str_), dataset.record_id])
    kinds = np.union1d(table.atom_kinds, molecule_kinds(dataset, mols))
    largest = max(table.largest_atoms, int(dataset.graphs.n_atoms[mols].max()))
    counts = {nucleus: len(item.shift_ppm) for nucleus, item in added.items()}
    return EvidenceTable.build(measured, records, kinds, largest), counts


def unsorted(table: NucleusTable) -> Measured:
    """Return the labels of a table one by one, as they were before it was built."""
    columns = []
    for codes, start, count in zip(table.codes, table.start, table.count, strict=True):
        order = np.argsort(start)
        columns.append(np.repeat(codes[order], count[order]))
    return Measured(np.stack(columns, axis=1), table.shift_ppm, table.record.astype(np.int64))


def _joined(
    known: Mapping[str, Measured], added: Mapping[str, Measured], first_record: int
) -> dict[str, Measured]:
    joined = dict(known)
    for nucleus, item in added.items():
        moved = Measured(item.codes, item.shift_ppm, item.record + first_record)
        old = joined.get(nucleus)
        joined[nucleus] = moved if old is None else _both(old, moved)
    return joined


def _both(first: Measured, second: Measured) -> Measured:
    return Measured(
        np.concatenate([first.codes, second.codes]),
        np.concatenate([first.shift_ppm, second.shift_ppm]),
        np.concatenate([first.record, second.record]),
    )
