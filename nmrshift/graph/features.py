"""Feature presets: which numbers describe an atom and a bond, as values that can be stored.

Every feature is categorical with an "other" slot at its end. A change of features is a new preset,
never an edit of an old one: trained weights refer to a preset by its name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nmrshift.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Feature:
    """One categorical feature.

    Attributes:
        name: what it counts or names.
        choices: the raw integers with a slot of their own; any other value takes the last slot.
    """

    name: str
    choices: tuple[int, ...]

    @property
    def width(self) -> int:
        """Number of slots, "other" included."""
        return len(self.choices) + 1


@dataclass(frozen=True)
class FeaturePreset:
    """A frozen, named set of atom and bond features.

    Attributes:
        name: stable name that artifacts refer to.
        atom: features of an atom, in column order.
        bond: features of an edge, in column order.
    """

    name: str
    atom: tuple[Feature, ...]
    bond: tuple[Feature, ...]
    _atom_encoder: "Encoder" = field(init=False, repr=False, compare=False)
    _bond_encoder: "Encoder" = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_atom_encoder", Encoder(self.atom))
        object.__setattr__(self, "_bond_encoder", Encoder(self.bond))

    @property
    def atom_slots(self) -> int:
        """Number of distinct atom codes."""
        return sum(feature.width for feature in self.atom)

    @property
    def bond_slots(self) -> int:
        """Number of distinct bond codes."""
        return sum(feature.width for feature in self.bond)

    def encode_atoms(self, raw: NDArray[np.int16]) -> NDArray[np.int16]:
        """Turn raw atom values ``[n_features, n_atoms]`` into codes ``[n_atoms, n_features]``."""
        return self._atom_encoder(raw)

    def encode_bonds(self, raw: NDArray[np.int16]) -> NDArray[np.int16]:
        """Turn raw bond values ``[n_features, n_bonds]`` into codes ``[n_bonds, n_features]``."""
        return self._bond_encoder(raw)

    def to_dict(self) -> dict[str, Any]:
        """Return the preset as plain lists and numbers."""
        return {
            "name": self.name,
            "atom": [[feature.name, list(feature.choices)] for feature in self.atom],
            "bond": [[feature.name, list(feature.choices)] for feature in self.bond],
        }


class Encoder:
    """Maps raw integers to slots of one shared table; each feature owns a range of slots."""

    _LOW, _HIGH = -16, 255

    def __init__(self, features: tuple[Feature, ...]) -> None:
        size = self._HIGH - self._LOW + 1
        table = np.empty((len(features), size), dtype=np.int16)
        start = 0
        for row, feature in enumerate(features):
            table[row] = start + len(feature.choices)
            for slot, choice in enumerate(feature.choices):
                table[row, choice - self._LOW] = start + slot
            start += feature.width
        self._table = table.ravel()
        self._zeros = size * np.arange(len(features))[:, None] - self._LOW

    def __call__(self, raw: NDArray[np.int16]) -> NDArray[np.int16]:
        """Return codes ``[n, n_features]`` for raw values ``[n_features, n]``."""
        clipped = np.minimum(np.maximum(raw, self._LOW), self._HIGH)
        return np.ascontiguousarray(self._table[clipped + self._zeros].T)


# Kinds of edges. The last four join atoms that are not bonded: they carry relative configuration,
# which is the same for mirror images, as the shifts are.
BOND_KINDS: Final[Mapping[str, int]] = {
    "single": 0,
    "double": 1,
    "triple": 2,
    "aromatic": 3,
    "dative": 4,
    "alkene_cis": 5,
    "alkene_trans": 6,
    "ring_cis": 7,
    "ring_trans": 8,
}
OTHER_BOND: Final = 99

# The values that a molecular graph computes for an atom, in this order; a preset picks by name.
ATOM_VALUES: Final = (
    *("element", "degree", "n_hydrogens", "formal_charge", "hybridisation", "aromatic"),
    *("smallest_ring", "radical_electrons", "total_valence", "stereocentre", "group", "period"),
)

_ELEMENTS = (
    *(1, 3, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 19, 20),
    *(32, 33, 34, 35, 37, 50, 51, 52, 53, 54, 55, 78),
)

V1: Final = FeaturePreset(
    name="v1",
    atom=(
        Feature("element", _ELEMENTS),
        Feature("degree", (0, 1, 2, 3, 4, 5, 6)),
        Feature("n_hydrogens", (0, 1, 2, 3, 4)),
        Feature("formal_charge", (-2, -1, 0, 1, 2)),
        Feature("hybridisation", (1, 2, 3, 4, 5, 6, 7)),
        Feature("aromatic", (0, 1)),
        Feature("smallest_ring", (0, 3, 4, 5, 6, 7, 8)),
        Feature("radical_electrons", (0, 1, 2)),
        Feature("total_valence", (0, 1, 2, 3, 4, 5, 6)),
        Feature("stereocentre", (0, 1)),
    ),
    bond=(
        Feature("kind", tuple(BOND_KINDS.values())),
        Feature("conjugated", (0, 1)),
        Feature("smallest_ring", (0, 3, 4, 5, 6, 7, 8)),
        Feature("stereo_pair", (0, 1, 2)),
    ),
)
"""The first preset. ``hybridisation`` holds RDKit's enum values; ``stereo_pair`` says whether two
bonded stereocentres carry like (1) or unlike (2) descriptors."""

V2: Final = FeaturePreset(
    name="v2",
    atom=(
        Feature("element", tuple(sorted({*_ELEMENTS, 4, 31, 36, 48, 49, 80, 81, 82, 83}))),
        *V1.atom[1:],
        Feature("group", tuple(range(1, 19))),
        Feature("period", (1, 2, 3, 4, 5, 6)),
    ),
    bond=V1.bond,
)
"""More elements, and the place of each in the periodic table: what is rare learns from its kin."""

_SEED_ATOM = ("element", "n_hydrogens", "formal_charge", "hybridisation")

SEED: Final = FeaturePreset(
    name="seed2023",
    atom=tuple(f if f.name in _SEED_ATOM else Feature(f.name, ()) for f in V1.atom),
    bond=(Feature("kind", (0, 1, 2, 3)), *(Feature(f.name, ()) for f in V1.bond[1:])),
)
"""What the seed paper's network sees (doi 10.1186/s13321-023-00785-x): other columns are blank."""

PRESETS: Final[Mapping[str, FeaturePreset]] = {item.name: item for item in (V1, V2, SEED)}


def preset(name: str) -> FeaturePreset:
    """Return the preset of that name.

    Raises:
        ConfigError: there is none.
    """
    if name not in PRESETS:
        raise ConfigError(f"no feature preset {name!r}", hint=f"known: {', '.join(PRESETS)}")
    return PRESETS[name]
