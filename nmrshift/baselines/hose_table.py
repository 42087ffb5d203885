"""Shifts looked up by HOSE code: the oldest predictor, our floor, fallback and provenance.

The deepest sphere whose code occurs in the data answers, as in Bremser, Anal. Chim. Acta 1978,
103, 355, doi 10.1016/S0003-2670(01)83100-7. Solvent and source are not used.
"""

import hashlib
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from nmrshift.baselines.hose_statistics import (
    LEVELS,
    Floats,
    Ints,
    Keys,
    shrunk_spread_ppm,
    width_factor,
)
from nmrshift.chem.hose import hose_codes_of_mol
from nmrshift.chem.parse import ParsedMol, parse
from nmrshift.chem.policy import DEFAULT_LIMITS, Limits
from nmrshift.chem.solvents import normalise
from nmrshift.chem.symmetry import signal_classes
from nmrshift.chem.toolkit import Chem
from nmrshift.constants import ELEMENT_OF_NUCLEUS
from nmrshift.errors import (
    ArtifactError,
    ConfigError,
    InputError,
    NmrshiftError,
    NoTargetAtomsError,
    UnknownNucleusError,
)
from nmrshift.types import DEFAULT_NUCLEI, AtomShift, Failure, Prediction, Query

if TYPE_CHECKING:
    from rdkit.Chem import Mol

FORMAT: Final = 1
NO_ENVIRONMENT: Final = "no_environment"


@dataclass(frozen=True, slots=True)
class Environment:
    """What the table knows about one atom.

    Attributes:
        sphere: deepest sphere whose code is known, 0 for none (the nucleus alone).
        median_ppm: median over the molecules with that code.
        spread_ppm: mean absolute deviation from it, 0 for a single molecule.
        n_molecules: number of molecules with that code.
    """

    sphere: int
    median_ppm: float
    spread_ppm: float
    n_molecules: int


@dataclass(frozen=True, slots=True)
class HoseTable:
    """Environments and their shifts; a ``types.ShiftPredictor``.

    Attributes:
        names: nuclei of the table ``[n_nuclei]``.
        key: hashed nucleus, sphere and code of each environment, ascending ``[n]``.
        nucleus: number of its nucleus in ``names`` ``[n]``.
        sphere: its number of spheres; 0 is the nucleus alone ``[n]``.
        median_ppm: median over its molecules ``[n]``.
        spread_ppm: mean absolute deviation from the median ``[n]``.
        count: number of its molecules ``[n]``.
        typical_ppm: typical spread of each sphere ``[n_nuclei, n_spheres + 1]``.
        widths: half-width factors of the intervals ``[n_nuclei, n_spheres + 1, n_levels]``.
    """

    names: NDArray[np.str_]
    key: Keys
    nucleus: NDArray[np.uint8]
    sphere: NDArray[np.uint8]
    median_ppm: NDArray[np.float32]
    spread_ppm: NDArray[np.float32]
    count: NDArray[np.uint32]
    typical_ppm: Floats
    widths: Floats

    @property
    def nuclei(self) -> tuple[str, ...]:
        """Nuclei that can be asked for."""
        return tuple(str(name) for name in self.names)

    @property
    def n_spheres(self) -> int:
        """Spheres of the deepest codes."""
        return int(self.typical_ppm.shape[1]) - 1

    def look_up(self, nucleus: str, codes: Sequence[tuple[str, ...]]) -> tuple[Environment, ...]:
        """Return the deepest known environment of each atom.

        Args:
            nucleus: one of ``nuclei``.
            codes: for each atom its codes with 1, 2, … ``n_spheres`` spheres.

        Raises:
            UnknownNucleusError: the table has no such nucleus.
        """
        self._check((nucleus,))
        rows, spheres = self._rows(nucleus, codes)
        return tuple(
            Environment(
                sphere=int(sphere),
                median_ppm=float(self.median_ppm[row]),
                spread_ppm=float(self.spread_ppm[row]),
                n_molecules=int(self.count[row]),
            )
            for row, sphere in zip(rows, spheres, strict=True)
        )

    def predict_many(
        self,
        queries: "Iterable[str | Mol | Query]",
        *,
        solvent: str | None = None,
        nuclei: tuple[str, ...] = DEFAULT_NUCLEI,
        interval: float = 0.9,
        references: int = 0,
        limits: Limits = DEFAULT_LIMITS,
    ) -> Iterator[Prediction | Failure]:
        """Predict a stream: one answer a query, in order, failures as values.

        Args:
            queries: molecules; a ``Query`` may name its own solvent and nuclei.
            solvent: solvent of queries that name none; echoed, not used.
            nuclei: nuclei of queries that name none.
            interval: nominal coverage of the intervals, 0.5-0.99.
            references: not used: the table keeps no single measurements.
            limits: limits on the molecules.

        Raises:
            UnknownNucleusError: the table has none of a nucleus of the call.
            ConfigError: ``interval`` is out of range.
        """
        del references
        if not LEVELS[0] <= interval <= LEVELS[-1]:
            raise ConfigError(f"an interval covers {LEVELS[0]} to {LEVELS[-1]}, not {interval}")
        self._check(nuclei)
        plain = (query if isinstance(query, Query) else Query(query) for query in queries)
        complete = (
            replace(query, solvent=query.solvent or solvent, nuclei=query.nuclei or nuclei)
            for query in plain
        )
        return (self._answer(*numbered, interval, limits) for numbered in enumerate(complete))

    def save(self, path: Path) -> None:
        """Write the table as a compressed ``.npz`` without pickle."""
        arrays = {item.name: getattr(self, item.name) for item in fields(self)}
        with path.open("wb") as file:
            np.savez_compressed(file, format=np.array(FORMAT), **arrays)

    @classmethod
    def load(cls, path: Path) -> "HoseTable":
        """Read a table.

        Raises:
            ArtifactError: the file is missing, damaged or of another version.
        """
        try:
            with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
                if int(file["format"]) != FORMAT:
                    raise ArtifactError(f"{path.name} is a HOSE table of another version")
                return cls(**{item.name: file[item.name] for item in fields(cls)})
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise ArtifactError(f"{path.name} is not a HOSE table: {error}") from error

    def _answer(
        self, index: int, query: Query, interval: float, limits: Limits
    ) -> Prediction | Failure:
        try:
            parsed = parse(query.structure, limits=limits)
            atoms = self._atoms(parsed, query.nuclei or (), interval)
        except (InputError, UnknownNucleusError) as error:
            return _failure(index, query, error)
        return Prediction(
            index=index,
            input=parsed.text,
            name=query.name,
            solvent=normalise(query.solvent).key,
            interval=interval,
            atoms=atoms,
            model="hose-table",
            notices=parsed.notices,
            molblock=parsed.molblock,
        )

    def _check(self, nuclei: tuple[str, ...]) -> None:
        for nucleus in nuclei:
            if nucleus not in self.nuclei:
                raise UnknownNucleusError(
                    f"the table has no shifts of {nucleus}",
                    hint=f"It has {', '.join(self.nuclei)}.",
                )

    def _rows(self, nucleus: str, codes: Sequence[tuple[str, ...]]) -> tuple[Ints, Ints]:
        """Return the row of the deepest known environment of each atom, and its sphere."""
        keys = np.array([environment_keys(nucleus, atom) for atom in codes], dtype=np.uint64)
        rows = np.minimum(np.searchsorted(self.key, keys), len(self.key) - 1)
        known = self.key[rows] == keys
        deepest = keys.shape[1] - 1 - np.argmax(known[:, ::-1], axis=1)
        return rows[np.arange(len(rows)), deepest], deepest

    def _atoms(
        self, parsed: ParsedMol, nuclei: tuple[str, ...], interval: float
    ) -> tuple[AtomShift, ...]:
        self._check(nuclei)
        targets = {nucleus: target_atoms(parsed.mol, nucleus) for nucleus in nuclei}
        if not any(targets.values()):
            raise NoTargetAtomsError(f"no atom carries {' or '.join(nuclei)}")
        classes = signal_classes(parsed.mol)
        atoms: list[AtomShift] = []
        for nucleus, indices in targets.items():
            if indices:
                atoms.extend(self._shifts(parsed.mol, nucleus, indices, classes, interval))
        return tuple(atoms)

    def _shifts(
        self,
        mol: "Mol",
        nucleus: str,
        indices: list[int],
        classes: tuple[int, ...],
        interval: float,
    ) -> Iterator[AtomShift]:
        """Look the atoms of one nucleus up."""
        number = self.nuclei.index(nucleus)
        signals: dict[int, int] = {}
        codes = hose_codes_of_mol(mol, self.n_spheres, atoms=indices)
        rows, spheres = self._rows(nucleus, codes)
        spread = shrunk_spread_ppm(
            self.spread_ppm[rows].astype(np.float64),
            self.count[rows].astype(np.int64),
            self.typical_ppm[number, spheres],
        )
        half = spread * width_factor(self.widths[number, spheres], interval)
        for index, row, sphere, width in zip(indices, rows, spheres, half, strict=True):
            atom = mol.GetAtomWithIdx(index)
            shift = float(self.median_ppm[row])
            yield AtomShift(
                atom_index=index,
                element=atom.GetSymbol(),
                nucleus=nucleus,
                shift_ppm=shift,
                low_ppm=shift - float(width),
                high_ppm=shift + float(width),
                signal=signals.setdefault(classes[index], len(signals)),
                n_hydrogens=atom.GetTotalNumHs(includeNeighbors=True),
                flags=(f"sphere_{sphere}",) if sphere else ("sphere_0", NO_ENVIRONMENT),
            )


def environment_keys(nucleus: str, codes: tuple[str, ...]) -> list[int]:
    """Hash the environments of one atom: the nucleus alone, then each code.

    Args:
        nucleus: for example ``13C``.
        codes: codes with 1, 2, … spheres.

    Returns:
        One 64-bit BLAKE2b number for sphere 0, 1, 2, …
    """
    texts = (f"{nucleus} {sphere} {code}" for sphere, code in enumerate(("", *codes)))
    return [
        int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")
        for text in texts
    ]


def target_atoms(mol: "Mol", nucleus: str) -> list[int]:
    """Return the atoms under which shifts of a nucleus are filed, by index.

    For 1H these are the atoms that carry hydrogens (of a lone hydrogen, the atom itself).
    """
    element = ELEMENT_OF_NUCLEUS[nucleus]
    if element != "H":
        return [atom.GetIdx() for atom in mol.GetAtoms() if atom.GetSymbol() == element]
    return [
        atom.GetIdx()
        for atom in mol.GetAtoms()
        if atom.GetTotalNumHs(includeNeighbors=True) > 0
        and (atom.GetAtomicNum() > 1 or atom.GetDegree() == 0)
    ]


def _failure(index: int, query: Query, error: NmrshiftError) -> Failure:
    given = query.structure
    text = given if isinstance(given, str) else Chem.MolToSmiles(given)
    return Failure(index, text, query.name, error.code, error.message, error.hint)
