"""A measured spectrum as a list of peaks: frozen values."""

from dataclasses import dataclass
from typing import Final

from nmrshift.constants import PLAUSIBLE_RANGE_PPM
from nmrshift.errors import PeakTextError

MAX_PEAKS: Final[int] = 500
"""Peaks of one spectrum."""

MAX_NUCLEI: Final[int] = 300
"""Nuclei under one peak: as many as a molecule may have heavy atoms."""

_OTHER_RANGE_PPM: Final[tuple[float, float]] = (-5000.0, 15000.0)


@dataclass(frozen=True, slots=True)
class Peak:
    """One line, or one multiplet by its centre.

    Attributes:
        shift_ppm: measured shift, ppm; the middle of a range.
        range_ppm: lower and upper end of a peak given as a range, ppm.
        n_nuclei: nuclei that the list says are under it (``2C``, ``3H``).
        multiplicity: ``s``, ``d``, ``tt``, ``m``, ... in lower case.
        n_hydrogens: hydrogens on the carbon, from ``CH3 CH2 CH C`` or the letters S, D, T, Q.
        couplings_hz: coupling constants, Hz, in the order given.
        label: what else stood in parentheses, for example ``C=O``; not used.
    """

    shift_ppm: float
    range_ppm: tuple[float, float] | None = None
    n_nuclei: int | None = None
    multiplicity: str | None = None
    n_hydrogens: int | None = None
    couplings_hz: tuple[float, ...] = ()
    label: str = ""


@dataclass(frozen=True, slots=True)
class PeakList:
    """The peaks of one spectrum of one nucleus.

    Attributes:
        nucleus: for example ``13C``.
        peaks: in the order of the text.
        frequency_mhz: spectrometer frequency of the nucleus, MHz, if given.
        solvent: solvent as written, if given.
        ignored: parts of the text that were passed over.
    """

    nucleus: str
    peaks: tuple[Peak, ...]
    frequency_mhz: float | None = None
    solvent: str | None = None
    ignored: tuple[str, ...] = ()

    def checked(self) -> "PeakList":
        """Return the list.

        Raises:
            PeakTextError: it is empty or too long, a shift is outside the window of the nucleus
                (``nmrshift.constants``), or a count is impossible.
        """
        if not self.peaks:
            raise PeakTextError("there is no peak in the list")
        if len(self.peaks) > MAX_PEAKS:
            raise PeakTextError(f"a list may have {MAX_PEAKS} peaks", hint="Send fewer peaks.")
        low, high = PLAUSIBLE_RANGE_PPM.get(self.nucleus, _OTHER_RANGE_PPM)
        for number, peak in enumerate(self.peaks, 1):
            if not all(low <= end <= high for end in (peak.shift_ppm, *(peak.range_ppm or ()))):
                raise PeakTextError(
                    f"peak {number} is outside {low:g} to {high:g} ppm, the window of "
                    f"{self.nucleus}",
                    hint="Check the number, its sign and the nucleus.",
                )
            if peak.n_nuclei is not None and not 1 <= peak.n_nuclei <= MAX_NUCLEI:
                raise PeakTextError(f"peak {number} has an impossible number of nuclei")
        return self
