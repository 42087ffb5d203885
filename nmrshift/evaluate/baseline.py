"""A HOSE table made for one evaluation, never from the molecules it is measured on."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from nmrshift.baselines.hose_build import build_hose_table
from nmrshift.baselines.hose_table import HoseTable
from nmrshift.chem.parse import parse
from nmrshift.chem.policy import RECORD_LIMITS
from nmrshift.chem.toolkit import Chem
from nmrshift.data.connectivity import connectivity
from nmrshift.data.records import RecordIssue, ShiftRecord
from nmrshift.errors import InputError

Composition = frozenset[tuple[str, int]]


@dataclass(slots=True)
class HeldOut:
    """Molecules that must not be learned from, whatever their stereo, isotopes or charge.

    Attributes:
        connectivities: first InChIKey blocks of the molecules.
        compositions: their heavy atoms; a molecule of another composition needs no InChI.
        n_met: structures that were asked about and are among them.
    """

    connectivities: set[str] = field(default_factory=set)
    compositions: set[Composition] = field(default_factory=set)
    n_met: int = 0

    @classmethod
    def of(cls, structures: Iterable[str]) -> "HeldOut":
        """Collect the molecules of SMILES; what cannot be read cannot be met either."""
        held_out = cls()
        for smiles in dict.fromkeys(structures):
            try:
                mol = parse(smiles, kind="smiles", limits=RECORD_LIMITS).mol
            except InputError:
                continue
            held_out.connectivities.add(connectivity(mol))
            held_out.compositions.add(_composition(mol))
        return held_out

    def __call__(self, mol: Chem.Mol) -> bool:
        """Say whether a molecule is one of these."""
        met = _composition(mol) in self.compositions and connectivity(mol) in self.connectivities
        self.n_met += met
        return met


def hose_baseline(
    training: Iterable[ShiftRecord | RecordIssue],
    evaluated: Iterable[ShiftRecord],
    *,
    nuclei: tuple[str, ...] | None = None,
) -> tuple[HoseTable, int]:
    """Build a table from spectra of molecules that are not evaluated.

    Args:
        training: spectra to learn from; those that are assigned and measured are used.
        evaluated: spectra the table will be measured on.
        nuclei: nuclei to learn; all where not given.

    Returns:
        The table and the number of training structures left out because they are evaluated.

    Raises:
        RecordError: nothing is left to learn from.
    """
    held_out = HeldOut.of(record.smiles for record in evaluated)
    spectra = (
        record for record in training if isinstance(record, ShiftRecord) and record.level is None
    )
    table = build_hose_table(spectra, nuclei=nuclei, exclude=held_out)
    return table, held_out.n_met


def _composition(mol: Chem.Mol) -> Composition:
    symbols = (atom.GetSymbol() for atom in mol.GetAtoms())
    return frozenset(Counter(symbol for symbol in symbols if symbol != "H").items())
