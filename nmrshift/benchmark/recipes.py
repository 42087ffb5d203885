"""How networks are trained from a protocol's spectra alone."""

from pathlib import Path
from typing import Final

from nmrshift.model.encoder_artifact import load_encoder
from nmrshift.train.config import DataFile, NetworkShape, Optimisation, TrainConfig

_EXPOSURES: Final = 160_000
"""Molecules shown in a run of ours, about: small sets are shown more often."""

_MIN_EPOCHS: Final = 80
_MAX_EPOCHS: Final = 300
_SEED_EPOCHS: Final = 500
_SHAPE: Final = NetworkShape(n_layers=4, d_h=128, d_e=64, d_ffn=256, d_head=128, dropout=0.1)
_WIDE_SHAPE: Final = NetworkShape(dropout=0.1)


def our_config(
    nuclei: tuple[str, ...], records: Path, excluded: Path, n_spectra: int, seed: int, cache: Path
) -> TrainConfig:
    """Return the settings of our network on a few hundred to a few thousand spectra.

    Args:
        nuclei: what is learned.
        records: file of the training spectra.
        excluded: JSON list of connectivities of the test molecules.
        n_spectra: spectra in the file.
        seed: of the run.
        cache: folder for prepared data.
    """
    epochs = min(_MAX_EPOCHS, max(_MIN_EPOCHS, _EXPOSURES // max(1, n_spectra)))
    return TrainConfig(
        name="nmrshift-benchmark",
        version="0",
        seed=seed,
        nuclei=nuclei,
        data=(_file(records, list_weight=1.0),),
        exclude_connectivities=excluded,
        validation_fraction=0.06,
        cache=cache,
        network=_SHAPE,
        optimisation=Optimisation(
            epochs=epochs,
            batch_atoms=800,
            learning_rate=1e-2,
            weight_decay=0.1,
            average_decay=0.99,
            lists_begin=0.3,
            lists_full=0.5,
        ),
    )


def wide_config(
    nuclei: tuple[str, ...], records: Path, excluded: Path, n_spectra: int, seed: int, cache: Path
) -> TrainConfig:
    """Return the same settings for a network of the shipped model's shape, at five times the time.

    Args: as for :func:`our_config`.
    """
    config = our_config(nuclei, records, excluded, n_spectra, seed, cache)
    return config.model_copy(update={"network": _WIDE_SHAPE})


def from_encoder(config: TrainConfig, folder: Path) -> TrainConfig:
    """Return the same settings for a network that starts from a pretrained encoder.

    Args:
        config: settings; widths and depth become those of the encoder.
        folder: of the encoder.

    Raises:
        ArtifactError: the folder holds no sound encoder.
    """
    shape = load_encoder(folder).encoder.config.model_dump()
    same = {name: shape[name] for name in NetworkShape.model_fields if name in shape}
    network = config.network.model_copy(update={**same, "dropout": config.network.dropout})
    return config.model_copy(update={"network": network, "start_from": folder})


def together(config: TrainConfig, members: tuple[Path, ...]) -> TrainConfig:
    """Return the settings of networks that answer together, trained with these settings.

    Args:
        config: settings of one of them.
        members: their model folders.
    """
    optimisation = config.optimisation.model_copy(update={"epochs": 0})
    return config.model_copy(update={"members": members, "optimisation": optimisation})


def seed_config(
    nuclei: tuple[str, ...], records: Path, excluded: Path, n_spectra: int, seed: int, cache: Path
) -> TrainConfig:
    """Return the settings of the seed paper's network, as published (see ``seed_network``).

    Args: as for :func:`our_config`. L1 loss, AdamW at 0.001 with weight decay 0.1, batches of
    about 128 molecules, 500 epochs; peak lists are left out.
    """
    del n_spectra
    return TrainConfig(
        name="seed-network",
        version="0",
        seed=seed,
        nuclei=nuclei,
        data=(_file(records, list_weight=0.0),),
        exclude_connectivities=excluded,
        validation_fraction=0.06,
        cache=cache,
        network=NetworkShape(architecture="seed2023", features="seed2023", n_layers=6),
        optimisation=Optimisation(
            epochs=_SEED_EPOCHS,
            batch_atoms=128 * 16,
            learning_rate=1e-3,
            weight_decay=0.1,
            average_decay=0.99,
            huber_delta=1e-3,
            bfloat16=False,
        ),
    )


def _file(records: Path, *, list_weight: float) -> DataFile:
    return DataFile(path=records, source_name="protocol", licence="-", list_weight=list_weight)
