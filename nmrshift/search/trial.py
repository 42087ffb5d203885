"""One architecture: how fast it is, how well it does after a short pretraining."""

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from pydantic import ValidationError

from nmrshift.errors import FileFormatError
from nmrshift.graph.batch import GraphBatch
from nmrshift.graph.environments import environment_codes
from nmrshift.model.encoder import Encoder, EncoderConfig
from nmrshift.pretrain.config import EncoderShape, PretrainConfig
from nmrshift.pretrain.run import run_pretraining
from nmrshift.probe.frozen import linear_probe
from nmrshift.probe.run import Judge
from nmrshift.probe.subjects import Subject
from nmrshift.search.config import Pruning, Scoring, name_of
from nmrshift.train.checkpoint import write_whole
from nmrshift.train.settings import Frozen

MEASURED: Final = "measured.json"

_TIMED_MOLECULES: Final = 256
_TIMED_RUNS: Final = 5


class Measured(Frozen):
    """What is known of an architecture; what is not measured yet is ``None``.

    Attributes:
        molecules_per_second: encoded in a second of processor time.
        frozen_ppm: error of the linear probe on held-out training spectra, geometric mean of the
            nuclei.
        tuned_ppm: the same after fine-tuning: the score.
    """

    molecules_per_second: float | None = None
    frozen_ppm: float | None = None
    tuned_ppm: float | None = None


def measure(
    shape: EncoderShape,
    pretraining: PretrainConfig,
    judge: Judge,
    scoring: Scoring,
    give_up: Callable[[Measured], bool],
    folder: Path,
    report: Callable[[str], None],
) -> Measured:
    """Measure an architecture step by step; what its folder holds already is not done again.

    Args:
        shape: the architecture.
        pretraining: the short pretraining.
        judge: of the spectra.
        scoring: how the score is made.
        give_up: asked after each step whether to leave it there.
        folder: of this architecture.
        report: told in words how it goes.

    Raises:
        ArithmeticError: a loss is no longer finite.
    """
    path = folder / MEASURED
    found = read_measured(path)

    def keep(values: dict[str, float]) -> Measured:
        made = found.model_copy(update=values)
        write_whole(path, (made.model_dump_json(indent=1) + "\n").encode())
        return made

    folder.mkdir(parents=True, exist_ok=True)
    if found.molecules_per_second is None:
        encoder = Encoder(EncoderConfig(**shape.model_dump())).eval()
        found = keep({"molecules_per_second": molecules_per_second(encoder, timed_batch(judge))})
    if found.tuned_ppm is not None or give_up(found):
        return found
    config = pretraining.model_copy(update={"network": shape})
    report(f"{name_of(shape)}: {found.molecules_per_second:.0f} molecules a CPU second")
    artifact = run_pretraining(
        config, folder / "pretraining", resume=True, report=report, quiet=True
    )
    state = artifact.encoder.state_dict()
    subject = Subject(name_of(shape), "encoder", artifact.sha256, artifact.encoder.config, state)
    if found.frozen_ppm is None:
        found = keep({"frozen_ppm": frozen_error(judge, subject)})
    if give_up(found):
        return found
    return keep({"tuned_ppm": tuned_error(judge, subject, scoring)})


def read_measured(path: Path) -> Measured:
    """Read what is known of an architecture; nothing where there is no file.

    Raises:
        FileFormatError: the file does not hold it.
    """
    if not path.exists():
        return Measured()
    try:
        return Measured.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise FileFormatError(f"{path}: {error.errors()[0]['msg']}") from None


def is_beaten(found: Measured, rivals: Sequence[Measured], pruning: Pruning) -> bool:
    """Say whether enough finished rivals are both clearly better and at least as fast.

    Before the linear probe only the speed is known, and only the slowest are given up.
    """
    speed = found.molecules_per_second or 0.0
    if speed < pruning.slowest:
        return True
    if found.frozen_ppm is None:
        return False
    better = [
        rival
        for rival in rivals
        if rival.frozen_ppm is not None
        and rival.frozen_ppm * (1 + pruning.margin) < found.frozen_ppm
        and (rival.molecules_per_second or 0.0) >= speed
    ]
    return len(better) >= pruning.rivals


def frozen_error(judge: Judge, subject: Subject) -> float:
    """Return the linear probe's error, batch normalisation in front, on held-out spectra, ppm."""
    errors_ppm = []
    for nucleus in judge.spectra:
        parts = judge.features(subject, nucleus)
        probe = linear_probe(parts, judge.settings.linear, nucleus, normalised=True)
        errors_ppm.append(probe.grid[probe.chosen].held_out_ppm)
    return _mean(errors_ppm)


def tuned_error(judge: Judge, subject: Subject, scoring: Scoring) -> float:
    """Return the error after fine-tuning, on held-out spectra, ppm."""
    return _mean(
        [
            judge.held_out_error(subject, nucleus, scoring.size, seed).mae_ppm
            for nucleus in judge.spectra
            for seed in range(1, scoring.seeds + 1)
        ]
    )


def timed_batch(judge: Judge) -> GraphBatch:
    """Return the molecules that speed is measured on."""
    graphs = next(iter(judge.spectra.values())).dataset.graphs
    return graphs.batch(np.arange(min(_TIMED_MOLECULES, graphs.n_mols)))


def molecules_per_second(encoder: Encoder, batch: GraphBatch) -> float:
    """Return how many molecules are encoded in a second of processor time, at best.

    Processor time of all threads, because other work on the machine does not count in it.
    """
    codes = environment_codes(batch)
    seconds = math.inf
    for _ in range(_TIMED_RUNS):
        began = time.process_time()
        encoder.represent(batch, codes)
        seconds = min(seconds, time.process_time() - began)
    return round(batch.n_mols / max(seconds, 1e-9), 1)


def _mean(errors_ppm: Sequence[float]) -> float:
    """Return the geometric mean: a tenth less is worth the same on either nucleus."""
    return round(float(np.exp(np.log(errors_ppm).mean())), 4)
