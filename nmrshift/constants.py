"""Numbers and their sources. Shifts in ppm on the usual scale of each nucleus."""

from typing import Final

ELEMENT_OF_NUCLEUS: Final[dict[str, str]] = {
    "13C": "C",
    "19F": "F",
    "1H": "H",
    "31P": "P",
    "11B": "B",
    "29Si": "Si",
    "195Pt": "Pt",
    "15N": "N",
    "17O": "O",
    "33S": "S",
    "73Ge": "Ge",
}
"""Element that carries the nucleus. For 1H the shift is filed under the atom bearing it."""

PLAUSIBLE_RANGE_PPM: Final[dict[str, tuple[float, float]]] = {
    "13C": (-10.0, 240.0),
    "1H": (-9.0, 20.0),
    "19F": (-370.0, 900.0),
    "31P": (-470.0, 800.0),
    "11B": (-130.0, 100.0),
}
"""Window outside which a label is taken for an error; read off the public collections
(nmrshiftdb2: 73 of 360,775 13C values lie outside, doi 10.1021/ci0341363)."""

CF_WINDOW_PPM: Final[tuple[float, float]] = (-300.0, 100.0)
"""Window of carbon-bound fluorine, the range of the shared 19F benchmark."""

FREQUENCY_MHZ: Final[dict[str, float]] = {
    "1H": 400.0,
    "13C": 100.58,
    "19F": 376.376,
    "31P": 161.923,
    "11B": 128.336,
}
"""Frequencies that stand in files of predicted spectra, MHz: those of a 400 MHz instrument, from
the frequency ratios of IUPAC (doi 10.1351/pac200173111795)."""
