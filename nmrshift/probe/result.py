"""What the judge found of one encoder: one JSON file, from which a run goes on."""

from pathlib import Path
from typing import Annotated, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from nmrshift.errors import FileFormatError
from nmrshift.model.encoder import EncoderConfig
from nmrshift.probe.settings import ProbeSettings
from nmrshift.probe.spectra import Labels
from nmrshift.probe.subjects import Kind
from nmrshift.train.checkpoint import write_whole
from nmrshift.train.settings import Frozen

SCHEMA_VERSION: Final = 1

Method = Literal["linear", "neighbours"]


class Errors(Frozen):
    """Absolute errors of some labels.

    Attributes:
        n_atoms: labels.
        mae_ppm: their mean.
        median_ppm: their median.
    """

    n_atoms: int
    mae_ppm: float
    median_ppm: float


class TestErrors(Frozen):
    """Errors on a nucleus' test spectra.

    Attributes:
        ordinary: 13C all, 19F on carbon and between -300 and 100 ppm.
        every: of all labels.
    """

    ordinary: Errors
    every: Errors

    __test__ = False  # not a test case for pytest


class Trial(Frozen):
    """One point of a grid; errors are means over ordinary labels.

    Attributes:
        setting: what was set, by name.
        held_out_ppm: on the training spectra that choices are made on.
        test_ppm: on the test.
    """

    setting: dict[str, float]
    held_out_ppm: float
    test_ppm: float


class FrozenProbe(Frozen):
    """A probe of frozen features, over its whole grid.

    Attributes:
        method: a linear map, or the nearest neighbours.
        nucleus: what was predicted.
        normalised: batch normalisation in front of the map; features standardised for neighbours.
        grid: every setting.
        chosen: place in the grid of the smallest error on held-out spectra.
        test: errors of that one on the test.
    """

    method: Method
    nucleus: str
    normalised: bool
    grid: Annotated[tuple[Trial, ...], Field(min_length=1)]
    chosen: int
    test: TestErrors


class ChosenRate(Frozen):
    """At which share of the learning rate an encoder learns from some spectra of a nucleus.

    Attributes:
        nucleus: what is learned.
        n_spectra: spectra learned from, none of them held out.
        grid: every share, with its error on held-out spectra.
    """

    nucleus: str
    n_spectra: int
    grid: Annotated[tuple[tuple[float, float], ...], Field(min_length=1)]

    @property
    def encoder_rate(self) -> float:
        """The share with the smallest error."""
        return min(self.grid, key=lambda point: point[1])[0]


class FineTuned(Frozen):
    """One fine-tuning.

    Attributes:
        nucleus: what was learned.
        n_spectra: spectra learned from.
        seed: of their choice and of the run.
        encoder_rate: learning rate of the encoder in units of the head's.
        test: errors on the test.
        rest: errors on ordinary labels of the pool whose molecules were not learned from; absent
            where all were.
        seconds: how long it took.
    """

    nucleus: str
    n_spectra: int
    seed: int
    encoder_rate: float = 1.0
    test: TestErrors
    rest: Errors | None
    seconds: float


class ProbeResult(Frozen):
    """Everything found of one encoder.

    Attributes:
        schema_version: of this file.
        label: what the encoder is called.
        kind: what it is.
        identity: name, version and hash, or the shape of fresh weights.
        encoder: its shape.
        settings: of the judge.
        spectra: hash of the spectra of each nucleus.
        pool_sizes: training spectra of each nucleus: what "all" is.
        frozen: probes of frozen features.
        rates: at which share of the learning rate the encoder learns each nucleus from how many
            spectra.
        fine_tuned: fine-tunings.
    """

    schema_version: Annotated[int, Field(ge=SCHEMA_VERSION, le=SCHEMA_VERSION)] = SCHEMA_VERSION
    label: str
    kind: Kind
    identity: str
    encoder: EncoderConfig
    settings: ProbeSettings
    spectra: dict[str, str]
    pool_sizes: dict[str, int]
    frozen: tuple[FrozenProbe, ...] = ()
    rates: tuple[ChosenRate, ...] = ()
    fine_tuned: tuple[FineTuned, ...] = ()

    def encoder_rate(self, nucleus: str, n_spectra: int) -> float | None:
        """Return at which share of the learning rate the encoder learns, once that is chosen.

        Args:
            nucleus: what is learned.
            n_spectra: spectra learned from; the choice made with no more of them, and the most.
        """
        known = [r for r in self.rates if r.nucleus == nucleus and r.n_spectra <= n_spectra]
        best = max(known, key=lambda rate: rate.n_spectra, default=None)
        return None if best is None else best.encoder_rate

    def tuned(self, nucleus: str, n_spectra: int) -> tuple[FineTuned, ...]:
        """Return the fine-tunings on so many spectra, a seed each."""
        return tuple(
            item
            for item in self.fine_tuned
            if item.nucleus == nucleus and item.n_spectra == n_spectra
        )


def write_result(path: Path, result: ProbeResult) -> None:
    """Write a result, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, (result.model_dump_json(indent=1) + "\n").encode())


def read_result(path: Path) -> ProbeResult:
    """Read a result.

    Raises:
        FileFormatError: the file does not hold one.
    """
    try:
        return ProbeResult.model_validate_json(path.read_bytes(), strict=False)
    except OSError as error:
        raise FileFormatError(f"{path}: {error.strerror}") from None
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        raise FileFormatError(
            f"{path} holds no result of a probe: {where}: {error.errors()[0]['msg']}"
        ) from None


def errors_of(error_ppm: NDArray[np.float64]) -> Errors:
    """Summarise absolute errors, ppm; at least one."""
    return Errors(
        n_atoms=len(error_ppm),
        mae_ppm=round(float(error_ppm.mean()), 4),
        median_ppm=round(float(np.median(error_ppm)), 4),
    )


def errors_on_test(labels: Labels, predicted_ppm: NDArray[np.float64]) -> TestErrors:
    """Set predictions beside the labels of a test."""
    error_ppm = np.abs(predicted_ppm - labels.shift_ppm)
    return TestErrors(ordinary=errors_of(error_ppm[labels.ordinary]), every=errors_of(error_ppm))
