"""The evidence table of a run, and its answers on held-out molecules beside that evidence."""

import numpy as np
from numpy.typing import NDArray

from nmrshift.data.dataset import ShiftDataset
from nmrshift.graph.batch import take_ranges
from nmrshift.graph.environments import environment_codes
from nmrshift.model.evidence import N_SPHERES, EvidenceTable, Measured, atom_kinds
from nmrshift.predict.judge import Answers
from nmrshift.train.data import TrainingData
from nmrshift.train.objective import Scored

_CHUNK_MOLS = 4096


def build_evidence(nuclei: tuple[str, ...], data: TrainingData) -> EvidenceTable:
    """Collect measured labels of training molecules that are trusted in full."""
    mols = np.unique(data.shown)
    measured = measured_labels(nuclei, data.dataset, mols)
    largest = int(data.dataset.graphs.n_atoms[mols].max())
    kinds = molecule_kinds(data.dataset, mols)
    return EvidenceTable.build(measured, data.dataset.record_id, kinds, largest)


def measured_labels(
    nuclei: tuple[str, ...], dataset: ShiftDataset, mols: NDArray[np.int64]
) -> dict[str, Measured]:
    """Return the measured labels of molecules that are trusted in full, by nucleus."""
    rows, _ = take_ranges(dataset.first_label, mols)
    codes = label_codes(dataset, mols)
    counted = ~dataset.condition_computed[dataset.label_condition[rows]]
    counted &= dataset.label_weight[rows] >= 1
    measured = {}
    for number, nucleus in enumerate(nuclei):
        chosen = counted & (dataset.label_nucleus[rows] == number)
        if chosen.any():
            measured[nucleus] = Measured(
                codes[chosen],
                dataset.label_ppm[rows[chosen]],
                dataset.label_record[rows[chosen]],
            )
    return measured


def held_out_answers(
    nuclei: tuple[str, ...], data: TrainingData, scored: Scored, evidence: EvidenceTable
) -> dict[str, Answers]:
    """Put the network's answers on measured held-out labels beside their evidence.

    Args:
        nuclei: names of the nuclei.
        data: the run's data.
        scored: the network's answers on all labels of ``data.held_out``, in that order.
        evidence: the run's table.
    """
    codes = label_codes(data.dataset, data.held_out)
    rows, _ = take_ranges(data.dataset.first_label, data.held_out)
    source = data.dataset.condition_source[data.dataset.label_condition[rows]]
    measured = data.calibrates[scored.mol] & scored.measured
    answers = {}
    for number, nucleus in enumerate(nuclei):
        chosen = measured & (scored.nucleus == number)
        answers[nucleus] = Answers(
            mol=scored.mol[chosen],
            observed_ppm=scored.shift_ppm[chosen],
            shift_ppm=scored.predicted_ppm[chosen],
            scale_ppm=scored.scale_ppm[chosen],
            support=evidence.support(nucleus, codes[chosen]),
            source=source[chosen],
        )
    return answers


def label_codes(dataset: ShiftDataset, mols: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the environment codes of all labels of molecules, in their order."""
    pieces = []
    for chunk in np.array_split(mols, len(mols) // _CHUNK_MOLS + 1):
        graphs, labels, _ = dataset.batch(chunk)
        pieces.append(environment_codes(graphs, N_SPHERES)[labels.atom])
    return np.concatenate(pieces)


def molecule_kinds(dataset: ShiftDataset, mols: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the atom kinds that occur in molecules, ascending."""
    rows, _ = take_ranges(dataset.graphs.first_atom, mols)
    return np.unique(atom_kinds(dataset.graphs.V[rows]))
