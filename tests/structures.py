"""A toy collection of bare structures, and the configuration of a short pretraining on it."""

import csv
import gzip
import json
from pathlib import Path

from toy import SMILES, records

LARGER = [
    "FC(F)(F)c1ccc(OC)cc1",
    "CC(C)(C)[C@H]1CC[C@@H](O)CC1",
    "CCOP(=O)(OCC)Cc1ccccc1",
    "C/C=C/C(=O)N[C@@H](C)C(=O)O",
    "CC(=O)[O-].[Na+]",
    "O=C(Nc1ccc(F)cc1)c1ccncc1",
    "COc1ccc2[nH]ccc2c1",
    "CC(=O)Oc1ccccc1C(=O)O",
    "FC(F)(F)C(F)(F)C(F)(F)C(=O)O",
    "Cn1cnc2c1c(=O)n(C)c(=O)n2C",
]

CONFIG = """
name = "toy-encoder"
version = "0.0.1"
seed = 3
shard_molecules = 40
checkpoint_seconds = 1000
threads = 1
cache = "cache"

[[molecules]]
path = "structures.csv.gz"
source_name = "toy structures"
licence = "Apache-2.0"

[network]
n_layers = 2
d_h = 32
d_e = 16
d_ffn = 32

[optimisation]
epochs = {epochs}
batch_atoms = 120
learning_rate = 0.01

{objectives}
"""

ALL = """
[objectives.chemistry]
environment_buckets = 64
[objectives.hierarchy]
width = 16
[objectives.contrast]
width = 16
[objectives.generation]
width = 16
[objectives.shifts]
width = 16
"""

COMPUTED = """
[[molecules]]
path = "computed.jsonl.gz"
source_name = "toy calculations"
licence = "Apache-2.0"
computed = true
repeat = 2
"""


def write_structures(folder: Path, smiles: list[str] | None = None) -> Path:
    """Write a gzipped table of structures; return its path."""
    path = folder / "structures.csv.gz"
    with gzip.open(path, "wt", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["smiles", "source"])
        table.writerows([text, "toy"] for text in (smiles or [*LARGER, *SMILES]))
    return path


def write_computed(folder: Path) -> Path:
    """Write computed spectra of some of the structures; return their path."""
    path = folder / "computed.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as stream:
        for record in records(SMILES[10:40]):
            stream.write(json.dumps(record | {"level": "invented"}) + "\n")
    return path


def write_pretraining(folder: Path, objectives: str = ALL, epochs: int = 2) -> Path:
    """Write structures, computed spectra where they are learned, and the configuration."""
    write_structures(folder)
    if "objectives.shifts" in objectives:
        write_computed(folder)
        objectives += COMPUTED
    config = folder / "pretrain.toml"
    config.write_text(CONFIG.format(objectives=objectives, epochs=epochs), "utf-8")
    return config
