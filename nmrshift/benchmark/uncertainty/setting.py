"""What the networks of the comparison learn from: small, and the same for all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch

from nmrshift.benchmark.spectra import Library
from nmrshift.data.dataset import ShiftDataset, load_dataset
from nmrshift.data.gather import DataPart
from nmrshift.data.records import ShiftRecord, write_records
from nmrshift.train.config import DataFile, NetworkShape, Optimisation, TrainConfig
from nmrshift.train.data import TrainingData, prepare

NUCLEI: Final = ("13C", "19F")
TRAINING: Final = (
    ("cascade_exp5k/train", "13C"),
    ("pfas_19f/train", "19F"),
    ("fragments_19f/train", "19F"),
    ("nmrshiftdb2/assigned", "19F"),
)
SHAPE: Final = NetworkShape(n_layers=4, d_h=64, d_e=32, d_ffn=128, d_c=16, d_head=64, dropout=0.1)
OPTIMISATION: Final = Optimisation(
    epochs=8,
    batch_atoms=1200,
    learning_rate=4e-3,
    weight_decay=0.05,
    average_decay=0.98,
    nucleus_weight={"13C": 1.0, "19F": 3.0},
    nucleus_repeat={"19F": 2},
    bfloat16=False,
)

Choice = Callable[[ShiftRecord], bool]


@dataclass(frozen=True, slots=True)
class Setting:
    """Spectra, a folder for what is made of them, and the shape of every network.

    Attributes:
        library: the spectra.
        out: where files, trainings and results go.
        report: told in words how it goes.
        shape: of every network.
        optimisation: of every training.
    """

    library: Library
    out: Path
    report: Callable[[str], None]
    shape: NetworkShape = SHAPE
    optimisation: Optimisation = OPTIMISATION

    def training(self, seed: int, chosen: Choice | None = None) -> tuple[TrainConfig, TrainingData]:
        """Return settings and data of a training.

        Args:
            seed: of the training; what is held out does not depend on it.
            chosen: says of a record whether it is learned from.
        """
        config = TrainConfig(
            name="uncertainty",
            version="0",
            seed=seed,
            nuclei=NUCLEI,
            data=tuple(
                DataFile(path=self.file(name, nucleus, chosen), source_name=name, licence="-")
                for name, nucleus in TRAINING
            ),
            exclude_connectivities=self.library.folder / "test_connectivities.json",
            validation_fraction=0.12,
            cache=self.out / "cache",
            threads=torch.get_num_threads(),
            network=self.shape,
            optimisation=self.optimisation,
        )
        return config, prepare(config, self.report)

    def file(self, name: str, nucleus: str, chosen: Choice | None = None) -> Path:
        """Write the assigned spectra of one nucleus to a file of their own, all or those chosen."""
        part = "chosen" if chosen else "all"
        path = self.out / "records" / f"{name.replace('/', '_')}_{nucleus}_{part}.jsonl.gz"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            records = (item for item in self.library.read(name) if item.nucleus == nucleus)
            write_records(
                path, [item for item in records if item.shifts and (not chosen or chosen(item))]
            )
        return path

    def dataset(self, files: Sequence[Path]) -> ShiftDataset:
        """Read files of records to predict."""
        return load_dataset(
            [DataPart(path) for path in files],
            NUCLEI,
            self.shape.features,
            self.out / "cache",
            report=self.report,
        )
