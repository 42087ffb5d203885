"""Does the cheap score rank architectures as full training does?"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import kendalltau, spearmanr

from nmrshift.errors import ConfigError
from nmrshift.model.artifact import load_artifact
from nmrshift.model.encoder_artifact import load_encoder
from nmrshift.pretrain.config import EncoderShape
from nmrshift.pretrain.run import ENCODER_FOLDER
from nmrshift.search.config import SearchConfig
from nmrshift.search.study import ARCHITECTURES, results
from nmrshift.search.trial import Measured
from nmrshift.train.config import NetworkShape, load_config
from nmrshift.train.run import MODEL_FOLDER, run_training


@dataclass(frozen=True, slots=True)
class Ranking:
    """Two orders of the same architectures.

    Attributes:
        names: the architectures, best score first.
        scores_ppm: the search's score of each.
        full_ppm: error on held-out molecules after full training, geometric mean of the nuclei.
        spearman: rank correlation of the two, -1 to 1.
        kendall: share of pairs in the same order less the share in the other, -1 to 1.
    """

    names: tuple[str, ...]
    scores_ppm: tuple[float, ...]
    full_ppm: tuple[float, ...]
    spearman: float
    kendall: float


def check_ranking(
    config: SearchConfig, folder: Path, n: int, report: Callable[[str], None], *, quiet: bool
) -> Ranking:
    """Train some of the architectures in full, best to worst by score, and compare the orders.

    What is trained already is not trained again.

    Args:
        config: the search; names the full training.
        folder: of the search.
        n: architectures, at least three.
        report: told in words how it goes.
        quiet: show no progress bars.

    Raises:
        ConfigError: no full training is named, or fewer architectures were finished.
    """
    if config.training is None:
        raise ConfigError("the search names no full training", hint="Set 'training' in its file.")
    chosen = spaced(results(folder), n)
    full = []
    for name in chosen:
        report(f"{name}: full training")
        full.append(_full_error(config.training, folder / ARCHITECTURES / name, report, quiet))
    scores = list(chosen.values())
    return Ranking(
        names=tuple(chosen),
        scores_ppm=tuple(scores),
        full_ppm=tuple(full),
        spearman=round(float(spearmanr(scores, full).statistic), 3),
        kendall=round(float(kendalltau(scores, full).statistic), 3),
    )


def spaced(found: dict[str, Measured], n: int) -> dict[str, float]:
    """Return the scores of architectures at even distances in the order by score, best first.

    Raises:
        ConfigError: fewer were finished.
    """
    scores = {name: value.tuned_ppm for name, value in found.items() if value.tuned_ppm is not None}
    if len(scores) < n:
        raise ConfigError(f"{len(scores)} architectures are finished, {n} are needed")
    order = sorted(scores, key=lambda name: scores[name])
    places = np.linspace(0, len(order) - 1, n).round().astype(int)
    return {order[place]: scores[order[place]] for place in places.tolist()}


def _full_error(training: Path, folder: Path, report: Callable[[str], None], quiet: bool) -> float:
    run = folder / "training"
    if (run / MODEL_FOLDER).exists():
        artifact = load_artifact(run / MODEL_FOLDER)
    else:
        config = load_config(training)
        shape = load_encoder(folder / "pretraining" / ENCODER_FOLDER).encoder.config
        own = shape.model_dump(include=set(EncoderShape.model_fields))
        network = NetworkShape(**(config.network.model_dump() | own))
        config = config.model_copy(update={"network": network})
        artifact = run_training(config, run, resume=True, report=report, quiet=quiet)
    held_out = artifact.card.metrics["held_out"]
    errors = [held_out[nucleus]["mae_ppm"] for nucleus in sorted(held_out)]
    return round(float(np.exp(np.log(errors).mean())), 4)
