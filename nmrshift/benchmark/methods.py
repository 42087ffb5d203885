"""Who learns, by name; the command names them too, so nothing heavy is imported here."""

from typing import Final, Literal

Method = Literal[
    "shipped",
    "nmrshift",
    "several",
    "wide",
    "several-wide",
    "pretrained",
    "several-pretrained",
    "seed",
    "hose",
]

METHODS: Final[dict[Method, str]] = {
    "shipped": "nmrshift, shipped model",
    "nmrshift": "nmrshift, these spectra only",
    "several": "nmrshift, networks of all seeds in the mean, these spectra only",
    "wide": "nmrshift of the shipped shape, these spectra only",
    "several-wide": "nmrshift of the shipped shape, networks of all seeds in the mean",
    "pretrained": "nmrshift, pretrained on bare structures, these spectra only",
    "several-pretrained": "nmrshift, pretrained, networks of all seeds in the mean",
    "seed": "seed network, these spectra only",
    "hose": "HOSE table, these spectra only",
}
