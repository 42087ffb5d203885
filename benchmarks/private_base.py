"""The base model of the private benchmark: small, and without a spectrum of any contributor."""

import json
from pathlib import Path

from nmrshift.benchmark.spectra import Library
from nmrshift.chem.parse import parse
from nmrshift.chem.policy import RECORD_LIMITS
from nmrshift.data.connectivity import fragment_connectivities
from nmrshift.errors import InputError
from nmrshift.train.checkpoint import write_whole
from nmrshift.train.config import DataFile, NetworkShape, Optimisation, TrainConfig
from nmrshift.train.run import MODEL_FOLDER, run_training

LEARNED = "nmrshiftdb2/assigned"
KEPT_OUT = ("fragments_19f/train", "pfas_19f/train")


def base_model(library: Library, out: Path, epochs: int) -> Path:
    """Return the folder of the base model; a run that was cut off goes on where it was.

    Args:
        library: the spectra.
        out: folder of the run.
        epochs: passes over the data.
    """
    model = out / MODEL_FOLDER
    if not model.exists():
        out.mkdir(parents=True, exist_ok=True)
        excluded = out / "excluded.json"
        if not excluded.exists():
            write_whole(excluded, json.dumps(kept_out(library)).encode())
        config = _config(library, excluded, out / "cache", epochs)
        run_training(config, out, resume=True, report=print)
    return model


def kept_out(library: Library) -> list[str]:
    """Return connectivities of all contributors' molecules and of all test molecules."""
    found = set(json.loads((library.folder / "test_connectivities.json").read_text("utf-8")))
    for name in KEPT_OUT:
        for record in library.read(name):
            try:
                mol = parse(record.smiles, kind="smiles", limits=RECORD_LIMITS).mol
            except InputError:
                continue
            found.add(fragment_connectivities(mol)[0])
    return sorted(found)


def _config(library: Library, excluded: Path, cache: Path, epochs: int) -> TrainConfig:
    file = DataFile(
        path=library.folder / f"{LEARNED}.jsonl.gz", source_name="nmrshiftdb2", licence="-"
    )
    return TrainConfig(
        name="private-base",
        version="0",
        seed=3,
        nuclei=("13C", "19F"),
        data=(file,),
        exclude_connectivities=excluded,
        validation_fraction=0.05,
        cache=cache,
        checkpoint_seconds=30,
        network=NetworkShape(n_layers=4, d_h=128, d_e=64, d_ffn=256, d_head=128),
        optimisation=Optimisation(
            epochs=epochs,
            learning_rate=4e-3,
            weight_decay=0.05,
            nucleus_weight={"19F": 3.0},
            nucleus_repeat={"19F": 4},
        ),
    )
