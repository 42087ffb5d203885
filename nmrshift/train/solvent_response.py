"""Fit what solvents change, in closed form, on a network that stays as it is otherwise.

What a spectrum in a named solvent shows beyond the network's answer for no solvent is linear in the
unknowns (``model.solvent_response``), so they follow from one ridge regression: shrunk towards no
effect, with an offset of its own for every series of measurements, so that solvents are compared
within one atom where it was measured in several, and within one spectrum elsewhere.
"""

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from nmrshift.data.dataset import ShiftDataset
from nmrshift.errors import ConfigError
from nmrshift.model.build import build_network
from nmrshift.model.network import ShiftNetwork
from nmrshift.model.solvent_response import FIELDS, SolventResponse
from nmrshift.train.solvent_data import Array, Observations, observe

_NOISE: Final = 1.5
"""Standard deviation of a label of weight 1, in units of that of a sensitivity before any data."""

_LANDMARKS: Final = 150
_JITTER: Final = 1e-4

_OUTLIER: Final = 6.0
"""Residuals beyond it, in units of their robust spread, are left out where the weight is <= 1."""


def with_responses(
    network: ShiftNetwork,
    dataset: ShiftDataset,
    mols: NDArray[np.int64],
    nuclei: tuple[str, ...],
) -> ShiftNetwork:
    """Return a network whose solvent effects on some nuclei are fitted to spectra.

    Args:
        network: a trained network; it is not changed.
        dataset: molecules in the network's order of nuclei.
        mols: the molecules to learn from.
        nuclei: whose heads no longer see the solvent. Responses of others stay as they are.

    Raises:
        ConfigError: the network lacks a nucleus, or there are too few spectra in known solvents.
    """
    missing = [nucleus for nucleus in nuclei if nucleus not in network.config.nuclei]
    if missing:
        raise ConfigError(f"solvent_response names {missing[0]}, which is not trained")
    every = tuple(dict.fromkeys((*network.config.response_nuclei, *nuclei)))
    config = network.config.model_copy(
        update={"response_nuclei": every, "response_landmarks": _LANDMARKS}
    )
    grown = build_network(config)
    grown.load_state_dict({**grown.state_dict(), **network.state_dict()}, strict=True)
    for nucleus in nuclei:
        seen = observe(network, dataset, mols, nucleus)
        response = grown.responses[nucleus]
        assert isinstance(response, SolventResponse)
        fit_response(response, seen)
    return grown.eval()


@torch.no_grad()
def fit_response(response: SolventResponse, seen: Observations) -> None:
    """Set a nucleus' response to what fits its shifts in known solvents.

    Raises:
        ConfigError: no series of shifts tells solvents apart.
    """
    chosen, series = _comparable(seen)
    if not len(series):
        raise ConfigError("too few shifts in known solvents to fit what solvents change")
    _place_landmarks(response, chosen.h)
    basis = _basis(response)
    traits = response.likeness(torch.from_numpy(chosen.h).float()).double().numpy() @ basis
    traits = np.concatenate([np.ones((len(series), 1)), traits], axis=1)
    design = (chosen.difference[:, :, None] * traits[:, None, :]).reshape(len(series), -1)
    rows, target = _without_offsets(design, chosen.residual_ppm, chosen.weight, series)
    gram = rows.T @ rows + np.eye(rows.shape[1]) * _NOISE**2
    solved = np.linalg.solve(gram, rows.T @ target).reshape(len(FIELDS), -1)
    response.sensitivity.weight.copy_(torch.from_numpy(solved[:, 1:] @ basis.T))
    response.sensitivity.bias.copy_(torch.from_numpy(solved[:, 0]))


def _comparable(seen: Observations) -> tuple[Observations, NDArray[np.int64]]:
    """Return the observations of series that tell solvents apart, without outliers."""
    series, telling = _series(seen)
    spread = _spread(seen.residual_ppm[seen.weight <= 1])
    kept = telling & ((np.abs(seen.residual_ppm) < _OUTLIER * spread) | (seen.weight > 1))
    return seen.take(kept), np.unique(series[kept], return_inverse=True)[1]


def _place_landmarks(response: SolventResponse, h: Array) -> None:
    """Choose atoms to compare with, at random but always the same, and how far likeness reaches."""
    n_landmarks = len(response.landmarks)
    rows = np.random.default_rng(1).permutation(len(h))
    landmarks = torch.from_numpy(h[np.resize(rows, n_landmarks)]).float()
    response.landmarks.copy_(landmarks)
    apart = torch.cdist(torch.from_numpy(h).float(), landmarks).square().median()
    response.sharpness.fill_(1 / max(float(apart), 1e-6))


def _basis(response: SolventResponse) -> Array:
    """Return what whitens likeness by that of the landmarks among each other.

    That makes the fit one of a Gaussian process (Williams & Seeger 2001, the Nyström method).
    """
    among = response.likeness(response.landmarks).double().numpy()
    values, vectors = np.linalg.eigh(among + _JITTER * np.eye(len(among)))
    basis: Array = vectors / np.sqrt(values)
    return basis


def _spread(residual_ppm: Array) -> float:
    """Return the robust standard deviation; outliers are told by it, the fit is free of scale."""
    if not len(residual_ppm):
        return 1.0
    return max(1e-3, 1.4826 * float(np.median(np.abs(residual_ppm - np.median(residual_ppm)))))


def _series(seen: Observations) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the series of each observation and whether its series says anything of solvents.

    An atom measured in several conditions is one; what is left of a spectrum is another.
    """
    pairs = np.unique(np.stack([seen.atom, seen.spectrum]), axis=1)
    atoms, n_spectra = np.unique(pairs[0], return_counts=True)
    several = np.isin(seen.atom, atoms[n_spectra > 1])
    series = np.where(several, -1 - seen.atom, seen.spectrum)
    numbers = np.unique(series, return_inverse=True)[1]
    away = np.abs(seen.difference).max(1) > 0
    says = np.bincount(numbers, weights=away) > 0
    return numbers, says[numbers]


def _without_offsets(
    design: Array, target: Array, weight: Array, series: NDArray[np.int64]
) -> tuple[Array, Array]:
    """Weight the rows, and take out what an offset of each series explains as well.

    An offset has the spread of a label: the rows are those of a generalised least-squares problem.
    """
    root = np.sqrt(weight)
    total = np.bincount(series, weights=weight)
    share = (1 - 1 / np.sqrt(1 + total)) / total
    order = np.argsort(series, kind="stable")
    first = np.flatnonzero(np.diff(series[order], prepend=-1))
    rows, values = design[order] * root[order, None], target[order] * root[order]
    own = root[order, None]
    sums = np.add.reduceat(rows * own, first, axis=0)[series[order]]
    value_sums = np.bincount(series[order], weights=values * own[:, 0])[series[order]]
    factor = share[series[order]] * own[:, 0]
    return rows - factor[:, None] * sums, values - factor * value_sums
