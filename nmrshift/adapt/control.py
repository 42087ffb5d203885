"""What learning costs public knowledge: on a control file, or on structures held back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nmrshift.adapt.answers import Answered, answer
from nmrshift.adapt.intake import LEAST_SPECTRA
from nmrshift.adapt.rehearsal import Rehearsal, expected_growth
from nmrshift.data.dataset import ShiftDataset, as_dataset
from nmrshift.data.importing import read_spectra
from nmrshift.data.records import ShiftRecord
from nmrshift.errors import TooFewSpectraError
from nmrshift.model.network import ShiftNetwork
from nmrshift.train.objective import dataset_conditions

_LEAST_LABELS: Final = 10


@dataclass(frozen=True, slots=True)
class Public:
    """The error on public molecules of one nucleus.

    Attributes:
        nucleus: for example ``13C``.
        before_ppm: of the base.
        after_ppm: of the adapted model; without a control file, what is to be expected.
    """

    nucleus: str
    before_ppm: float
    after_ppm: float

    @property
    def growth(self) -> float:
        """Share by which it grows."""
        return self.after_ppm / max(self.before_ppm, 1e-6) - 1.0


@dataclass(frozen=True, slots=True)
class ControlFile:
    """Spectra of public molecules, measured before and after.

    Attributes:
        dataset: the spectra.
        mols: those of no molecule of the laboratory.
        before: the base's answers.
    """

    dataset: ShiftDataset
    mols: NDArray[np.int64]
    before: Answered

    def __call__(self, network: ShiftNetwork) -> tuple[Public, ...]:
        """Measure a network, by nucleus; nuclei with few shifts only where there is no other."""
        after = _ask(network, self.dataset, self.mols)
        found = []
        for number, nucleus in enumerate(network.config.nuclei):
            old, new = (a.error_ppm[a.nucleus == number] for a in (self.before, after))
            if len(old) and len(new):
                found.append((len(old), Public(nucleus, float(old.mean()), float(new.mean()))))
        enough = tuple(public for n, public in found if n >= _LEAST_LABELS)
        return enough or tuple(public for _, public in found)


@dataclass(frozen=True, slots=True)
class Drift:
    """The stand-in for a control file: change on structures held back from the rehearsal.

    Attributes:
        rehearsal: the structures.
    """

    rehearsal: Rehearsal

    def __call__(self, network: ShiftNetwork) -> tuple[Public, ...]:
        """Measure a network, by nucleus: as if answers moved independently of their errors."""
        return tuple(
            Public(nucleus, error_ppm, error_ppm * (1 + expected_growth(error_ppm, moved_ppm)))
            for nucleus, (error_ppm, moved_ppm) in self.rehearsal.drift(network).items()
        )


Control = Callable[[ShiftNetwork], tuple[Public, ...]]


def control_of(
    paths: Sequence[Path],
    base: ShiftNetwork,
    laboratory: ShiftDataset,
    rehearsal: Rehearsal,
    report: Callable[[str], None],
) -> Control:
    """Return what measures the cost of learning.

    Args:
        paths: files of public spectra; without any, drift stands in.
        base: the network before it learns.
        laboratory: its molecules are no control, stereoisomers and salts included.
        rehearsal: where drift is measured.
        report: told in words what was read.

    Raises:
        FileFormatError: a file cannot be opened or is of no known format.
        TooFewSpectraError: the control files hold fewer than ten usable spectra.
    """
    if not paths:
        return Drift(rehearsal)
    nuclei = base.config.nuclei
    records = [
        entry
        for path in paths
        for entry in read_spectra(path)
        if isinstance(entry, ShiftRecord) and entry.level is None and entry.nucleus in nuclei
    ]
    if len(records) < LEAST_SPECTRA:
        raise TooFewSpectraError(
            f"the control holds {len(records)} usable spectra; {LEAST_SPECTRA} are needed",
            hint="Without --control, public structures of the package stand in.",
        )
    dataset = as_dataset(records, nuclei, base.config.features, report)
    mols = np.flatnonzero(~np.isin(dataset.parent, laboratory.parent))
    if not len(mols):
        raise TooFewSpectraError(
            "every molecule of the control is one of the laboratory's",
            hint="A control is of other molecules, such as public ones.",
        )
    return ControlFile(dataset, mols, _ask(base, dataset, mols))


def _ask(network: ShiftNetwork, dataset: ShiftDataset, mols: NDArray[np.int64]) -> Answered:
    return answer(network, dataset, mols, dataset_conditions(dataset, network.config))
