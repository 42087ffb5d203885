"""Simulated laboratories: groups of training molecules that a base model has never seen.

13C laboratories are clusters of scaffolds, by the largest ring system of a molecule; 19F ones are
sources. Of each, some molecules are learned from, others measure, and the rest is for trying
settings out, so that what is reported has chosen nothing.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nmrshift.benchmark.spectra import Library
from nmrshift.chem.parse import parse
from nmrshift.chem.policy import RECORD_LIMITS
from nmrshift.chem.toolkit import Chem
from nmrshift.data.connectivity import fragment_connectivities
from nmrshift.data.records import ShiftRecord
from nmrshift.errors import InputError

CARBON = ("nmrshiftdb2/assigned", "cascade_exp5k/train")
MOST_LEARNED = 200
N_TESTED = 100


@dataclass(frozen=True)
class Rings:
    """The largest ring system of a molecule: its atoms and rings."""

    n_atoms: int
    n_rings: int


@dataclass(frozen=True)
class Rule:
    """Which spectra belong to a laboratory.

    Attributes:
        name: of the laboratory.
        nucleus: what it measures.
        files: where its spectra are.
        holds: says of a molecule whether it is the laboratory's.
    """

    name: str
    nucleus: str
    files: tuple[str, ...]
    holds: Callable[[Chem.Mol], bool]


def largest_rings(mol: Chem.Mol) -> Rings:
    """Return the largest ring system; rings that share an atom are one system."""
    systems: list[tuple[set[int], int]] = []
    for ring in map(set, mol.GetRingInfo().AtomRings()):
        met = [system for system in systems if system[0] & ring]
        systems = [system for system in systems if not system[0] & ring]
        systems.append((ring.union(*(s for s, _ in met)), 1 + sum(n for _, n in met)))
    sizes = [Rings(len(atoms), n_rings) for atoms, n_rings in systems]
    return max(sizes, key=lambda rings: (rings.n_atoms, rings.n_rings), default=Rings(0, 0))


LABORATORIES = (
    Rule("six-five", "13C", CARBON, lambda mol: largest_rings(mol) == Rings(9, 2)),
    Rule("six-six", "13C", CARBON, lambda mol: largest_rings(mol) == Rings(10, 2)),
    Rule("three-rings", "13C", CARBON, lambda mol: largest_rings(mol).n_rings >= 3),
    Rule("pfas", "19F", ("pfas_19f/train",), lambda _: True),
    Rule("fragments", "19F", ("fragments_19f/train",), lambda _: True),
)


@dataclass(frozen=True)
class SimulatedLab:
    """Spectra of a laboratory, one a molecule, in a random order that is always the same.

    Attributes:
        rule: which it is.
        spectra: all of them.
        parents: what their molecules are called in splits.
    """

    rule: Rule
    spectra: tuple[ShiftRecord, ...]
    parents: tuple[str, ...]

    @property
    def tested(self) -> list[ShiftRecord]:
        """Spectra of molecules that are never learned from."""
        return list(self.spectra[:N_TESTED])

    @property
    def pool(self) -> list[ShiftRecord]:
        """Spectra that are learned from, the first ones where fewer are."""
        return list(self.spectra[N_TESTED : N_TESTED + MOST_LEARNED])

    @property
    def rest(self) -> list[ShiftRecord]:
        """Spectra of other molecules, on which settings may be tried out."""
        return list(self.spectra[N_TESTED + MOST_LEARNED :])


@dataclass(frozen=True)
class Bench:
    """All simulated laboratories of a data folder, read once."""

    library: Library

    @cached_property
    def laboratories(self) -> dict[str, SimulatedLab]:
        """The laboratories by name; no molecule is in two, the first one keeps it."""
        taken: set[str] = set()
        found = {}
        for number, rule in enumerate(LABORATORIES):
            pairs = list(self._spectra(rule, taken))
            order = np.random.default_rng([7, number]).permutation(len(pairs))
            parents = tuple(pairs[row][0] for row in order)
            found[rule.name] = SimulatedLab(rule, tuple(pairs[row][1] for row in order), parents)
            taken.update(parents)
        return found

    def kept_out(self) -> list[str]:
        """Connectivities that the base model must not see: laboratories and test molecules."""
        tests = json.loads((self.library.folder / "test_connectivities.json").read_text("utf-8"))
        return sorted({*tests, *(p for lab in self.laboratories.values() for p in lab.parents)})

    def _spectra(self, rule: Rule, taken: Iterable[str]) -> Iterator[tuple[str, ShiftRecord]]:
        known = set(taken)
        for record in self._assigned(rule):
            try:
                mol = parse(record.smiles, kind="smiles", limits=RECORD_LIMITS).mol
            except InputError:
                continue
            if not rule.holds(mol):
                continue
            parent = fragment_connectivities(mol)[0]
            if parent not in known:
                known.add(parent)
                yield parent, record

    def _assigned(self, rule: Rule) -> Iterator[ShiftRecord]:
        for name in rule.files:
            for record in self.library.read(name):
                if record.nucleus == rule.nucleus and record.shifts and record.level is None:
                    yield record
