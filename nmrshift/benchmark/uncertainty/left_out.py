"""Is the edge of knowledge noticed? Classes of environments left out of training."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import rankdata

from nmrshift.benchmark.uncertainty.classes import has_class, mark
from nmrshift.benchmark.uncertainty.compare import trained
from nmrshift.benchmark.uncertainty.distance import Nearest, Normal
from nmrshift.benchmark.uncertainty.setting import NUCLEI, TRAINING, Setting
from nmrshift.data.dataset import ShiftDataset
from nmrshift.data.records import ShiftRecord, write_records
from nmrshift.graph.batch import take_ranges
from nmrshift.model.evidence import EvidenceTable
from nmrshift.model.network import ShiftNetwork
from nmrshift.model.tensors import batch_tensors
from nmrshift.predict.calibrate import Calibration, calibrate
from nmrshift.predict.domain import atom_verdicts
from nmrshift.train.data import TrainingData
from nmrshift.train.evidence import build_evidence, held_out_answers, label_codes
from nmrshift.train.objective import dataset_conditions, score

Floats = NDArray[np.float64]
Distance = Callable[[Floats], Floats]

_CHUNK_MOLS = 256
_LANDMARKS = 2000
_GRADES: Final = {"inside": 0.0, "edge": 1.0, "outside": 2.0}


@dataclass(frozen=True, slots=True)
class Signals:
    """What speaks of the edge, for labels of one nucleus.

    Attributes:
        values: by name, larger is further out ``[n_labels]``.
        name: class of each label, empty for the rest ``[n_labels]``.
        error_ppm: absolute errors ``[n_labels]``.
    """

    values: dict[str, Floats]
    name: NDArray[np.str_]
    error_ppm: Floats


@dataclass(frozen=True, slots=True)
class Edge:
    """A network that lacks some classes, with its evidence and calibration.

    Attributes:
        network: trained without them.
        data: what it was trained on.
        evidence: measured environments of that.
        calibration: on its held-out molecules.
        distances: how far a representation is from those of training atoms of each nucleus.
    """

    network: ShiftNetwork
    data: TrainingData
    evidence: EvidenceTable
    calibration: Calibration
    distances: dict[str, dict[str, Distance]]

    @classmethod
    def train(cls, setting: Setting, *, quiet: bool) -> "Edge":
        """Train without the classes, or take what was trained."""
        config, data = setting.training(1, lambda record: not has_class(record))
        network = trained("variance", config, data, setting.out / "left_out", quiet=quiet)
        evidence = build_evidence(NUCLEI, data)
        table = dataset_conditions(data.dataset, network.config)
        scored = score(network, data.dataset, data.held_out, table)
        answers = held_out_answers(NUCLEI, data, scored, evidence)
        distances = _distances(network, data)
        return cls(network, data, evidence, calibrate(answers), distances)

    def signals(
        self, dataset: ShiftDataset, mols: NDArray[np.int64], *, named: bool
    ) -> dict[str, Signals]:
        """Judge the labels of molecules, by nucleus.

        Args:
            dataset: of the molecules.
            mols: those wanted.
            named: whether record names begin with a class.
        """
        scored = score(
            self.network, dataset, mols, dataset_conditions(dataset, self.network.config)
        )
        codes, h = label_codes(dataset, mols), represent(self.network, dataset, mols)
        rows, _ = take_ranges(dataset.first_label, mols)
        names = dataset.record_id[dataset.label_record[rows]]
        names = np.array([name.split(":")[0] if named else "" for name in names.tolist()])
        found = {}
        for number, nucleus in enumerate(NUCLEI):
            chosen = scored.nucleus == number
            if not chosen.any():
                continue
            error_ppm = np.abs(scored.predicted_ppm - scored.shift_ppm)[chosen]
            values = self._values(
                nucleus,
                scored.predicted_ppm[chosen],
                scored.scale_ppm[chosen],
                scored.mol[chosen],
                codes[chosen],
                h[chosen],
            )
            found[nucleus] = Signals(values, names[chosen], error_ppm)
        return found

    def _values(
        self,
        nucleus: str,
        shift_ppm: Floats,
        scale_ppm: Floats,
        mol: NDArray[np.int64],
        codes: NDArray[np.int64],
        h: Floats,
    ) -> dict[str, Floats]:
        support = self.evidence.support(nucleus, codes)
        _, expected_ppm = self.calibration.judges[nucleus](shift_ppm, scale_ppm, support, mol)
        limit_ppm = self.calibration.uncertain_ppm[nucleus]
        verdicts = atom_verdicts(support, shift_ppm, expected_ppm, limit_ppm)
        far = {name: distance(h) for name, distance in self.distances[nucleus].items()}
        return {
            "support sphere": -support.sphere.astype(np.float64),
            "measured atoms": -np.log1p(support.n_measured) - 100.0 * support.sphere,
            "error scale": scale_ppm,
            "expected error": expected_ppm,
            **far,
            "verdict": np.array([_GRADES[verdict.domain] for verdict in verdicts]),
        }


def _distances(network: ShiftNetwork, data: TrainingData) -> dict[str, dict[str, Distance]]:
    """Fit distances to the representations of atoms with training labels, by nucleus."""
    mols = np.unique(data.shown)
    h = represent(network, data.dataset, mols)
    rows, _ = take_ranges(data.dataset.first_label, mols)
    found: dict[str, dict[str, Distance]] = {}
    for number, nucleus in enumerate(NUCLEI):
        known = h[data.dataset.label_nucleus[rows] == number]
        found[nucleus] = {
            "Mahalanobis distance": Normal.fit(known),
            f"nearest of {_LANDMARKS} atoms": Nearest.fit(known, _LANDMARKS),
        }
    return found


@torch.inference_mode()
def represent(network: ShiftNetwork, dataset: ShiftDataset, mols: NDArray[np.int64]) -> Floats:
    """Return the representation of the atom of each label of molecules ``[n_labels, d_h]``."""
    pieces = []
    for part in np.array_split(mols, len(mols) // _CHUNK_MOLS + 1):
        graphs, labels, _ = dataset.batch(part)
        pieces.append(network.encode(batch_tensors(graphs))[torch.from_numpy(labels.atom)])
    return torch.cat(pieces).double().numpy()


def left_out_files(setting: Setting) -> tuple[Path, Path]:
    """Write the lines of atoms of left-out classes, and the other lines of their molecules."""
    paths = tuple(
        setting.out / "records" / f"left_out_{part}.jsonl.gz" for part in ("in", "beside")
    )
    if not all(path.exists() for path in paths):
        found = [mark(record) for record in _left_out(setting)]
        inside = [record for one in found for record in one.inside]
        beside = [one.beside for one in found if one.beside is not None]
        for path, records in zip(paths, (inside, beside), strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_records(path, records, force=True)
    return paths[0], paths[1]


def _left_out(setting: Setting) -> Sequence[ShiftRecord]:
    return [
        record
        for name, nucleus in TRAINING
        for record in setting.library.read(name)
        if record.nucleus == nucleus and record.shifts and has_class(record)
    ]


def p_values(held_out: Floats) -> Callable[[Floats], Floats]:
    """Return how rare a signal of at least some size is among held-out atoms."""
    ordered = np.sort(held_out)

    def rarity(values: Floats) -> Floats:
        beyond = len(ordered) - np.searchsorted(ordered, values, side="left")
        share: Floats = (beyond + 1) / (len(ordered) + 1)
        return share

    return rarity


def auroc(inside: Floats, rest: Floats) -> float:
    """Return the chance that an atom of a left-out class scores higher than one of the rest."""
    ranks = rankdata(np.concatenate([inside, rest]))
    n = len(inside)
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * len(rest)))
