"""Feature presets: which numbers describe an atom and a bond, as values that can be stored.

Every feature is categorical with an "other" slot at its end. A change of features is a new preset,
never an edit of an old one: trained weights refer to a preset by its name.
"""

from collections.abc import Mapping, Sequence
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

    def encode_atoms(self, columns: Sequence[Sequence[int]]) -> NDArray[np.int16]:
        """Turn raw atom values, a column a feature, into codes ``[n_atoms, n_features]``."""
        return self._atom_encoder(columns)

    def encode_bonds(self, columns: Sequence[Sequence[int]]) -> NDArray[np.int16]:
        """Turn raw bond values, a column a feature, into codes ``[n_bonds, n_features]``."""
        return self._bond_encoder(columns)

    def to_dict(self) -> dict[str, Any]:
        """Return the preset as plain lists and numbers."""
        return {
            "name": self.name,
            "atom": [[feature.name, list(feature.choices)] for feature in self.atom],
            "bond": [[feature.name, list(feature.choices)] for feature in self.bond],
        }


class Encoder:
    """Maps raw integers to slots of one shared table; each feature owns a range of slots.

    A column is looked up as a string of bytes, which takes no loop: a choice below zero stands at
    the end of the byte's range, and a value that fits into no byte is an other one.
    """

    def __init__(self, features: tuple[Feature, ...]) -> None:
        self._tables: list[bytes] = []
        self._signed = [any(choice < 0 for choice in feature.choices) for feature in features]
        start = 0
        for feature in features:
            table = bytearray([start + len(feature.choices)]) * 256
            for slot, choice in enumerate(feature.choices):
                table[_byte(choice)] = start + slot
            self._tables.append(bytes(table))
            start += feature.width

    def __call__(self, columns: Sequence[Sequence[int]]) -> NDArray[np.int16]:
        """Return codes ``[n, n_features]`` for raw values, a column a feature."""
        codes = [
            _as_bytes(column, signed=signed).translate(table)
            for column, signed, table in zip(columns, self._signed, self._tables, strict=True)
        ]
        flat = np.frombuffer(b"".join(codes), dtype=np.uint8)
        return flat.reshape(len(codes), -1).T.astype(np.int16, order="C")


_LOWEST: Final = -16
_NO_CHOICE: Final = 239


def _as_bytes(column: Sequence[int], *, signed: bool) -> bytes:
    if not signed:
        try:
            return bytes(column)
        except ValueError:
            pass
    return bytes([_byte(value) for value in column])


def _byte(value: int) -> int:
    return value & 255 if _LOWEST <= value < _NO_CHOICE else _NO_CHOICE


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
