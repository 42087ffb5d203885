"""Models that know solvents from spectra of all compounds but those of one fold."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch

from nmrshift.benchmark.spectra import Library
from nmrshift.chem.solvents import normalise
from nmrshift.data.dataset import load_dataset
from nmrshift.data.gather import DataPart
from nmrshift.data.records import ShiftRecord, write_records
from nmrshift.evaluate.baseline import HeldOut
from nmrshift.model.artifact import Artifact, load_artifact
from nmrshift.model.encoder import Encoder, EncoderConfig
from nmrshift.model.encoder_artifact import EncoderCard, save_encoder
from nmrshift.predict.predictor import Predictor
from nmrshift.train.checkpoint import write_whole
from nmrshift.train.config import DataFile, NetworkShape, Optimisation, TrainConfig
from nmrshift.train.run import run_training
from nmrshift.train.solvent_response import with_responses

TABLE_WEIGHT: Final = 24.0
"""Trust in the tables against other spectra."""

_TABLE_REPEAT: Final = 20
_EPOCHS: Final = 6
_POOLED: Final = "nmrshiftdb2/assigned"


@dataclass(frozen=True, slots=True)
class Spectra:
    """What there is to learn of solvents, all folds together.

    Attributes:
        pooled: file of spectra in named solvents, of any molecule.
        tables: file of the solvent tables.
        nucleus: of all of them.
        cache: folder for prepared data.
    """

    pooled: Path
    tables: Path
    nucleus: str
    cache: Path


def write_spectra(
    library: Library, tables: list[ShiftRecord], nucleus: str, folder: Path
) -> Spectra:
    """Write the spectra that name their solvent, and the tables, beside each other, once."""
    folder.mkdir(parents=True, exist_ok=True)
    spectra = Spectra(
        folder / f"pooled_{nucleus}.jsonl.gz",
        folder / f"tables_{nucleus}.jsonl.gz",
        nucleus,
        folder / "cache",
    )
    if spectra.tables.exists():
        return spectra
    write_records(
        spectra.pooled,
        (
            record
            for record in library.read(_POOLED)
            if record.nucleus == nucleus and normalise(record.solvent).kind == "liquid"
        ),
        force=True,
    )
    write_records(spectra.tables, tables, force=True)
    return spectra


def response_predictor(spectra: Spectra, left_out: HeldOut, model: Path) -> Predictor:
    """Return the model with a solvent response fitted without the compounds left out.

    It answers as the network does, without evidence.
    """
    base = load_artifact(model)
    parts = [
        DataPart(spectra.pooled),
        DataPart(spectra.tables, list_weight=TABLE_WEIGHT),
    ]
    config = base.network.config
    dataset = load_dataset(
        parts, config.nuclei, config.features, spectra.cache, report=_silent, workers=1
    )
    banned = left_out.connectivities
    mols = np.array(
        [
            number
            for number, keys in enumerate(zip(dataset.connectivity, dataset.parent, strict=True))
            if banned.isdisjoint(map(str, keys))
        ]
    )
    network = with_responses(base.network, dataset, mols, (spectra.nucleus,))
    return Predictor(Artifact(base.path, base.card, network, None, base.sha256))


def conditions_predictor(
    spectra: Spectra, left_out: HeldOut, model: Path, folder: Path, *, quiet: bool
) -> Predictor:
    """Return new heads and conditions on the model's encoder, or go on with training them.

    Evidence is left out here too.
    """
    base = load_artifact(model)
    folder.mkdir(parents=True, exist_ok=True)
    encoder = folder / "encoder"
    if not encoder.exists():
        _save_encoder(base, encoder)
    excluded = folder / "excluded.json"
    write_whole(excluded, json.dumps(sorted(left_out.connectivities)).encode())
    shape = {
        name: value
        for name, value in base.network.config.model_dump().items()
        if name in NetworkShape.model_fields
    }
    config = TrainConfig(
        name="solvent-conditions",
        version="0",
        nuclei=(spectra.nucleus,),
        data=(
            _file(spectra.pooled, list_weight=0.0),
            _file(spectra.tables, list_weight=TABLE_WEIGHT, repeat=_TABLE_REPEAT),
        ),
        exclude_connectivities=excluded,
        validation_fraction=0.02,
        start_from=encoder,
        cache=spectra.cache,
        network=NetworkShape(**shape),
        optimisation=Optimisation(
            epochs=_EPOCHS,
            learning_rate=3e-3,
            weight_decay=0.02,
            drop_source=0.4,
            freeze_encoder=True,
            lists_begin=0.1,
            lists_full=0.2,
        ),
    )
    made = run_training(config, folder / "run", resume=True, report=_silent, quiet=quiet)
    return Predictor(Artifact(made.path, made.card, made.network, None, made.sha256))


def _file(path: Path, *, list_weight: float, repeat: int = 1) -> DataFile:
    return DataFile(
        path=path, source_name="solvents", licence="-", list_weight=list_weight, repeat=repeat
    )


def _save_encoder(base: Artifact, folder: Path) -> None:
    network = base.network
    shape = network.config.model_dump(include=set(EncoderConfig.model_fields))
    encoder = Encoder(EncoderConfig(**shape))
    own: dict[str, torch.Tensor] = network.state_dict()
    encoder.load_state_dict({name: own[name] for name in encoder.state_dict()})
    card = EncoderCard(
        name=base.card.name,
        version=base.card.version,
        encoder=encoder.config.model_dump(mode="json"),
        feature_slots=encoder.feature_slots,
        training=base.card.training,
        sources=base.card.sources,
    )
    save_encoder(folder, encoder, card)


def _silent(_: str) -> None:
    return
