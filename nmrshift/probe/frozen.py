"""Probes of frozen features: a linear map over a grid, and the nearest neighbours.

Lee et al., "Rethinking evaluation protocols of visual representations learned via self-supervised
learning" (arXiv 2304.03456), found for images that linear probing depends on learning rate and
weight decay more than on what it is to compare, unless batch normalisation stands in front, and
that the order of encoders by neighbours and by linear maps agrees only then. Here an image is an
atom, a class a shift. Every probe is made with and without, over the whole grid: the spread shows
how far one setting could have misled. Features are frozen and every step sees all of them, so batch
normalisation is standardisation by the training atoms.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nmrshift.probe.result import FrozenProbe, Method, Trial, errors_on_test
from nmrshift.probe.settings import LinearGrid
from nmrshift.probe.spectra import Labels

_MOMENTUM = 0.9
_CHUNK_ROWS = 1024
_LEAST_SPREAD = 1e-6


@dataclass(frozen=True, slots=True)
class Features:
    """Frozen features of labelled atoms, in three parts.

    Attributes:
        fitted: atoms that maps are fitted to and neighbours are taken from ``[n, d_h]``.
        held_out: atoms that the setting is chosen on.
        test: atoms of the test.
        fitted_labels: shifts of the first.
        held_out_labels: shifts of the second.
        test_labels: shifts of the third.
    """

    fitted: Tensor
    held_out: Tensor
    test: Tensor
    fitted_labels: Labels
    held_out_labels: Labels
    test_labels: Labels

    def standardised(self) -> "Features":
        """Return the same with every feature's mean and spread over the fitted atoms removed."""
        mean, spread = self.fitted.mean(0), self.fitted.std(0).clamp_min(_LEAST_SPREAD)
        fitted, held_out, test = (
            (part - mean) / spread for part in (self.fitted, self.held_out, self.test)
        )
        return Features(
            fitted, held_out, test, self.fitted_labels, self.held_out_labels, self.test_labels
        )

    def shifts_ppm(self) -> Tensor:
        """Return the fitted shifts ``[n]``."""
        return torch.from_numpy(self.fitted_labels.shift_ppm)


def linear_probe(
    features: Features, grid: LinearGrid, nucleus: str, *, normalised: bool
) -> FrozenProbe:
    """Fit linear maps, one for each point of the grid, and measure them.

    Args:
        features: as the encoder gives them.
        grid: learning rates and weight decays.
        nucleus: what is predicted.
        normalised: put batch normalisation in front.
    """
    seen = features.standardised() if normalised else features
    points = list(product(grid.learning_rates, grid.weight_decays))
    shifts_ppm = seen.shifts_ppm()
    centre, spread = shifts_ppm.median(), shifts_ppm.std().clamp_min(_LEAST_SPREAD)
    weights, biases = _fit(seen.fitted, (shifts_ppm - centre) / spread, points, grid)

    def predict(part: Tensor) -> NDArray[np.float64]:
        found: NDArray[np.float64] = ((part @ weights + biases) * spread + centre).double().numpy()
        return found

    settings = [{"learning_rate": rate, "weight_decay": decay} for rate, decay in points]
    found = _measured("linear", nucleus, seen, settings, predict(seen.held_out), predict(seen.test))
    return found.model_copy(update={"normalised": normalised})


def neighbour_probe(
    features: Features, numbers: Sequence[int], nucleus: str, *, normalised: bool
) -> FrozenProbe:
    """Predict by the nearest training atoms, weighed by their inverse distance.

    Args:
        features: as the encoder gives them.
        numbers: of neighbours; each is tried.
        nucleus: what is predicted.
        normalised: standardise the features first.
    """
    seen = features.standardised() if normalised else features
    tried = [number for number in numbers if number <= len(seen.fitted)] or [1]
    settings = [{"neighbours": float(number)} for number in tried]
    shifts_ppm = seen.shifts_ppm().double()
    held_out = _nearest(seen.fitted, shifts_ppm, seen.held_out, tried)
    test = _nearest(seen.fitted, shifts_ppm, seen.test, tried)
    found = _measured("neighbours", nucleus, seen, settings, held_out, test)
    return found.model_copy(update={"normalised": normalised})


def _fit(
    x: Tensor, y: Tensor, points: Sequence[tuple[float, float]], grid: LinearGrid
) -> tuple[Tensor, Tensor]:
    """Descend along the Huber loss with momentum, a column each point of the grid."""
    rates = torch.tensor([rate for rate, _ in points])
    decays = torch.tensor([decay for _, decay in points])
    weights, biases = x.new_zeros(x.shape[1], len(points)), x.new_zeros(len(points))
    speed, bias_speed = torch.zeros_like(weights), torch.zeros_like(biases)
    for step in range(grid.steps):
        share = 0.5 * (1 + math.cos(math.pi * step / grid.steps))
        off = x @ weights + biases - y[:, None]
        pull = (off / grid.huber_delta).clamp_(-1, 1) / len(x)
        speed.mul_(_MOMENTUM).add_(x.T @ pull + decays * weights)
        bias_speed.mul_(_MOMENTUM).add_(pull.sum(0))
        weights -= share * rates * speed
        biases -= share * rates * bias_speed
    return weights, biases


def _nearest(
    known: Tensor, shifts_ppm: Tensor, asked: Tensor, numbers: Sequence[int]
) -> NDArray[np.float64]:
    """Return predictions ``[n_asked, len(numbers)]``."""
    found = []
    for rows in torch.split(asked, _CHUNK_ROWS):
        place = torch.cdist(rows, known).topk(max(numbers), largest=False).indices
        distance = (known[place] - rows[:, None]).norm(dim=2).double()  # cdist rounds too much
        weight = 1 / distance.clamp_min(_LEAST_SPREAD)
        near = shifts_ppm[place]
        found.append(
            torch.stack(
                [(weight * near)[:, :n].sum(1) / weight[:, :n].sum(1) for n in numbers], dim=1
            )
        )
    return torch.cat(found).numpy()


def _measured(
    method: Method,
    nucleus: str,
    features: Features,
    settings: Sequence[dict[str, float]],
    held_out_ppm: NDArray[np.float64],
    test_ppm: NDArray[np.float64],
) -> FrozenProbe:
    """Choose by the held-out spectra and report the test, predictions ``[n, n_settings]``."""
    held_out = _mean_errors(features.held_out_labels, held_out_ppm)
    test = _mean_errors(features.test_labels, test_ppm)
    grid = [
        Trial(setting=setting, held_out_ppm=round(a, 4), test_ppm=round(b, 4))
        for setting, a, b in zip(settings, held_out, test, strict=True)
    ]
    chosen = int(np.argmin(held_out))
    return FrozenProbe(
        method=method,
        nucleus=nucleus,
        normalised=False,
        grid=tuple(grid),
        chosen=chosen,
        test=errors_on_test(features.test_labels, test_ppm[:, chosen]),
    )


def _mean_errors(labels: Labels, predicted_ppm: NDArray[np.float64]) -> list[float]:
    error_ppm = np.abs(predicted_ppm - labels.shift_ppm[:, None])[labels.ordinary]
    return [float(value) for value in error_ppm.mean(axis=0)]
