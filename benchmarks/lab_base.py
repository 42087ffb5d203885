"""The base model of the simulated laboratories: smaller and shorter than the shipped one."""

import json
from pathlib import Path

from lab_data import Bench

from nmrshift.train.checkpoint import write_whole
from nmrshift.train.config import DataFile, NetworkShape, Optimisation, TrainConfig
from nmrshift.train.run import MODEL_FOLDER, run_training

NUCLEI = ("13C", "19F")
SHAPE = NetworkShape(n_layers=4, d_h=128, d_e=64, d_ffn=256, d_head=128)
FILES = ("nmrshiftdb2/assigned", "cascade_exp5k/train")
EPOCHS = 24


def base_model(bench: Bench, out: Path) -> Path:
    """Return the folder of the base model, trained without any laboratory or test molecule.

    A run that was cut off goes on where it was.

    Args:
        bench: the laboratories.
        out: folder of the run.
    """
    model = out / MODEL_FOLDER
    if model.exists():
        return model
    out.mkdir(parents=True, exist_ok=True)
    excluded = out / "excluded.json"
    if not excluded.exists():
        write_whole(excluded, json.dumps(bench.kept_out()).encode())
    run_training(_config(bench, excluded, out / "cache"), out, resume=True, report=print)
    return model


def _config(bench: Bench, excluded: Path, cache: Path) -> TrainConfig:
    return TrainConfig(
        name="laboratories-base",
        version="0",
        seed=3,
        nuclei=NUCLEI,
        data=tuple(
            DataFile(path=bench.library.folder / f"{name}.jsonl.gz", source_name=name, licence="-")
            for name in FILES
        ),
        exclude_connectivities=excluded,
        validation_fraction=0.03,
        cache=cache,
        checkpoint_seconds=30,
        network=SHAPE,
        optimisation=Optimisation(
            epochs=EPOCHS,
            batch_atoms=1000,
            learning_rate=4e-3,
            weight_decay=0.05,
            nucleus_weight={"19F": 3.0},
            nucleus_repeat={"19F": 2},
        ),
    )
