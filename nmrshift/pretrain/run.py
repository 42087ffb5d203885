"""A whole pretraining run: molecules, objectives, encoder folder."""

from collections.abc import Callable
from pathlib import Path

from nmrshift.model.artifact import DataSource
from nmrshift.model.encoder_artifact import (
    EncoderArtifact,
    EncoderCard,
    load_encoder,
    save_encoder,
)
from nmrshift.pretrain.config import PretrainConfig
from nmrshift.pretrain.loop import pretrain, run_hash
from nmrshift.pretrain.stream import MoleculeStream
from nmrshift.train.checkpoint import write_whole
from nmrshift.train.loop import fresh_folder

ENCODER_FOLDER = "encoder"


def run_pretraining(
    config: PretrainConfig,
    folder: Path,
    *,
    resume: bool,
    report: Callable[[str], None],
    quiet: bool = False,
) -> EncoderArtifact:
    """Pretrain and write an encoder folder.

    Args:
        config: the run's settings.
        folder: run folder; the encoder goes to its sub-folder ``encoder``.
        resume: go on with the run that the folder holds.
        report: told in words how it goes.
        quiet: show no progress bar.

    Raises:
        ConfigError: the settings, the data and the folder do not go together.
    """
    fresh_folder(folder, resume=resume)
    write_whole(folder / "config.json", config.model_dump_json(indent=1).encode())
    stream = MoleculeStream(config)
    report(f"{stream.n_rows} rows in {len(stream.places)} shards")
    outcome = pretrain(config, stream, folder, resume=resume, report=report, quiet=quiet)
    report(f"{outcome.molecules} molecules, {outcome.molecules_per_second:.0f} a second")
    card = EncoderCard(
        name=config.name,
        version=config.version,
        encoder=outcome.encoder.config.model_dump(mode="json"),
        feature_slots=outcome.encoder.feature_slots,
        training={
            "run_hash": run_hash(config, stream),
            "seed": config.seed,
            "objectives": config.objectives.model_dump(mode="json", exclude_none=True),
            "settings": config.optimisation.model_dump(mode="json"),
            "last_losses": {name: round(value, 4) for name, value in outcome.losses.items()},
        },
        sources=tuple(
            DataSource(name=item.source_name, licence=item.licence, n_molecules=rows)
            for item, rows in stream.rows_by_file()
        ),
    )
    save_encoder(folder / ENCODER_FOLDER, outcome.encoder, card)
    return load_encoder(folder / ENCODER_FOLDER)
