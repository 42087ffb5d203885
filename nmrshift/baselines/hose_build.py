"""Build a HOSE table from assigned spectra."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from nmrshift.baselines.hose_statistics import (
    Floats,
    Ints,
    Keys,
    Residuals,
    Votes,
    calibrate,
    collect_votes,
)
from nmrshift.baselines.hose_table import HoseTable, environment_keys
from nmrshift.chem.hose import MAX_SPHERES, hose_codes_of_mol
from nmrshift.chem.parse import parse
from nmrshift.chem.policy import RECORD_LIMITS
from nmrshift.chem.toolkit import Chem
from nmrshift.constants import ELEMENT_OF_NUCLEUS, PLAUSIBLE_RANGE_PPM
from nmrshift.errors import InputError, RecordError

Floats32 = NDArray[np.float32]

MIN_MOLECULES = 10
"""A nucleus with fewer molecules is left out: nothing could be said of its errors."""


class AssignedSpectrum(Protocol):
    """What the table needs of a spectrum; ``data.records.ShiftRecord`` fits."""

    @property
    def smiles(self) -> str:
        """The structure; atom index = position of the atom in this text."""
        ...

    @property
    def nucleus(self) -> str:
        """For example ``13C``."""
        ...

    @property
    def shifts(self) -> tuple[tuple[int, float], ...] | None:
        """Pairs of atom index and shift, ppm; ``None`` where not assigned."""
        ...


@dataclass(frozen=True, slots=True)
class _Labels:
    """Labels of one nucleus: ``keys`` holds the environments of each label, sphere 0 first."""

    keys: list[list[int]] = field(default_factory=list)
    mols: list[int] = field(default_factory=list)
    shifts_ppm: list[float] = field(default_factory=list)


def build_hose_table(
    spectra: Iterable[AssignedSpectrum],
    *,
    nuclei: tuple[str, ...] | None = None,
    n_spheres: int = MAX_SPHERES,
    exclude: Callable[[Chem.Mol], bool] | None = None,
) -> HoseTable:
    """Collect the environments of assigned spectra.

    Spectra that are not assigned, structures that cannot be read, labels outside the plausible
    range of their nucleus and nuclei with fewer than ``MIN_MOLECULES`` molecules are left out.

    Args:
        spectra: the data; read once.
        nuclei: nuclei to keep; all where not given.
        n_spheres: spheres of the deepest codes.
        exclude: says of a molecule that it must stay out; asked once for each SMILES.

    Returns:
        The table, its intervals calibrated on left-out molecules.

    Raises:
        RecordError: no usable label is left.
    """
    wanted: defaultdict[str, list[AssignedSpectrum]] = defaultdict(list)
    for spectrum in spectra:
        if spectrum.shifts and (nuclei is None or spectrum.nucleus in nuclei):
            wanted[spectrum.smiles].append(spectrum)
    labels: defaultdict[str, _Labels] = defaultdict(_Labels)
    numbers: dict[str, int] = {}
    for smiles, group in wanted.items():
        try:
            mol = parse(smiles, kind="smiles", limits=RECORD_LIMITS).mol
        except InputError:
            continue
        if exclude is not None and exclude(mol):
            continue
        flat = Chem.MolToSmiles(mol, isomericSmiles=False)
        _add(labels, group, mol, numbers.setdefault(flat, len(numbers)), n_spheres)
    used = {name: rows for name, rows in labels.items() if len(set(rows.mols)) >= MIN_MOLECULES}
    if not used:
        raise RecordError("no nucleus has enough assigned spectra for a HOSE table")
    return _join(dict(sorted(used.items())))


def _add(
    labels: dict[str, _Labels],
    group: list[AssignedSpectrum],
    mol: Chem.Mol,
    number: int,
    n_spheres: int,
) -> None:
    """File the labels of one molecule."""
    found = list(_plausible(group, mol))
    atoms = sorted({atom for _, atom, _ in found})
    codes = dict(zip(atoms, hose_codes_of_mol(mol, n_spheres, atoms=atoms), strict=True))
    for nucleus, atom, shift_ppm in found:
        rows = labels[nucleus]
        rows.keys.append(environment_keys(nucleus, codes[atom]))
        rows.mols.append(number)
        rows.shifts_ppm.append(shift_ppm)


def _plausible(group: list[AssignedSpectrum], mol: Chem.Mol) -> Iterator[tuple[str, int, float]]:
    """Yield nucleus, atom and shift of the labels that can be true."""
    for spectrum in group:
        if spectrum.nucleus not in ELEMENT_OF_NUCLEUS:
            continue
        low, high = PLAUSIBLE_RANGE_PPM.get(spectrum.nucleus, (-1e5, 1e5))
        for atom, shift_ppm in spectrum.shifts or ():
            if 0 <= atom < mol.GetNumAtoms() and low <= shift_ppm <= high:
                yield spectrum.nucleus, atom, shift_ppm


def _join(labels: dict[str, _Labels]) -> HoseTable:
    """Reduce the labels of all nuclei to one table, sorted by key."""
    parts: list[tuple[Votes, int]] = []
    spheres: list[int] = []
    typical: list[Floats] = []
    widths: list[Floats] = []
    for number, rows in enumerate(labels.values()):
        votes, usual, factors = _reduce(rows)
        parts.extend((vote, number) for vote in votes)
        spheres.extend(range(len(votes)))
        typical.append(usual)
        widths.append(factors)
    sizes = [len(votes.start) for votes, _ in parts]
    key = np.concatenate([votes.key[votes.start] for votes, _ in parts])
    order = np.argsort(key)
    return HoseTable(
        names=np.array(list(labels)),
        key=key[order],
        nucleus=np.repeat([number for _, number in parts], sizes)[order].astype(np.uint8),
        sphere=np.repeat(spheres, sizes)[order].astype(np.uint8),
        median_ppm=_column(parts, Votes.median_ppm)[order],
        spread_ppm=_column(parts, Votes.spread_ppm)[order],
        count=np.concatenate([votes.count for votes, _ in parts])[order].astype(np.uint32),
        typical_ppm=np.array(typical),
        widths=np.array(widths),
    )


def _column(parts: list[tuple[Votes, int]], of: Callable[[Votes], Floats]) -> Floats32:
    return np.concatenate([of(votes) for votes, _ in parts]).astype(np.float32)


def _reduce(rows: _Labels) -> tuple[list[Votes], Floats, Floats]:
    """Return the votes of each sphere of one nucleus and the calibration of its intervals."""
    keys = np.array(rows.keys, dtype=np.uint64)
    mols = np.array(rows.mols, dtype=np.int64)
    shifts_ppm = np.array(rows.shifts_ppm)
    votes = [collect_votes(key, mols, shifts_ppm) for key in keys.T]
    misses = [
        _leave_out(sphere, key, mols, shifts_ppm) for sphere, key in zip(votes, keys.T, strict=True)
    ]
    answers = np.array([miss.count > 0 for miss in misses])
    deepest = len(misses) - 1 - np.argmax(answers[::-1], axis=0)
    residuals = [
        Residuals(miss.miss_ppm[of], miss.spread_ppm[of], miss.count[of])
        for sphere, miss in enumerate(misses)
        for of in (answers[0] if sphere == 0 else deepest == sphere,)
    ]
    return votes, *calibrate(residuals)


def _leave_out(votes: Votes, key: Keys, mol: Ints, shift_ppm: Floats) -> Residuals:
    """Answer every label from the other molecules of its environment."""
    n_mols = int(mol.max()) + 1
    vote_id = votes.group * n_mols + votes.mol
    order = np.argsort(vote_id)
    label_id = np.searchsorted(votes.key[votes.start], key) * n_mols + mol
    row = order[np.searchsorted(vote_id[order], label_id)]
    count = votes.count[votes.group] - 1
    own = np.abs(votes.shift_ppm - votes.median_ppm()[votes.group])
    spread = (votes.spread_ppm()[votes.group] * (count + 1) - own) / np.maximum(count, 1)
    return Residuals(
        miss_ppm=np.abs(votes.others_median_ppm()[row] - shift_ppm),
        spread_ppm=np.maximum(spread, 0.0)[row],
        count=count[row],
    )
