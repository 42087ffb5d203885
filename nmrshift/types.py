"""Frozen values that cross module borders."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

if TYPE_CHECKING:
    from rdkit.Chem import Mol

StructureKind = Literal["smiles", "inchi", "molblock", "mol"]

NUCLEI: Final[tuple[str, ...]] = ("13C", "19F", "1H", "31P", "11B")
"""The nuclei of the shared encoder, in the order of its heads."""

DEFAULT_NUCLEI: Final[tuple[str, ...]] = ("13C", "19F")


@dataclass(frozen=True, slots=True)
class Notice:
    """A warning that goes with an answer: a stable code and a sentence."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Query:
    """One molecule to predict.

    Attributes:
        structure: SMILES, InChI or molblock text, or an RDKit ``Mol``.
        solvent: solvent as the user writes it; ``None`` is unknown.
        nuclei: nuclei to predict; ``None`` takes the call's.
        source: reference convention of the shifts (a data source the model knows);
            ``None`` is the general one.
        name: the user's own identifier, returned as given.
    """

    structure: "str | Mol"
    solvent: str | None = None
    nuclei: tuple[str, ...] | None = None
    source: str | None = None
    name: str | None = None


Domain = Literal["inside", "edge", "outside"]
"""Whether training has anything like it: yes; barely; no, so do not rely on the shift."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A measured shift of the same environment: the record it stands in, and ppm."""

    record: str
    shift_ppm: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """What training spectra say of atoms with the same environment.

    Attributes:
        sphere: bonds out to which the environment is the same, the most that was found, 0-5.
        n_measured: measured shifts of that environment.
        mean_ppm: their mean; ``None`` where there is none.
        spread_ppm: their standard deviation; ``None`` below two.
        references: some of them, from the lowest to the highest, if they were asked for.
    """

    sphere: int
    n_measured: int
    mean_ppm: float | None
    spread_ppm: float | None
    references: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True)
class AtomShift:
    """The predicted shift of one atom.

    Attributes:
        atom_index: index of the atom in the **input**, from 0. For 1H it is the atom that
            carries the hydrogens.
        element: element symbol of that atom.
        nucleus: for example ``13C``.
        shift_ppm: predicted chemical shift, ppm.
        low_ppm: lower end of the interval, ppm.
        high_ppm: upper end of the interval, ppm.
        signal: atoms of one nucleus with the same number are symmetry-equivalent.
        n_hydrogens: hydrogens on the atom.
        flags: stable words of caution on this atom.
        domain: whether training has anything like this atom; the flags say why not.
        evidence: measured shifts of the same environment; ``None`` where the predictor keeps none.
    """

    atom_index: int
    element: str
    nucleus: str
    shift_ppm: float
    low_ppm: float
    high_ppm: float
    signal: int
    n_hydrogens: int
    flags: tuple[str, ...] = ()
    domain: Domain = "inside"
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer for one molecule, atoms in the order of the input.

    Attributes:
        index: position of the molecule in the call, from 0.
        input: the structure as given (molblock text or canonical SMILES for a ``Mol``).
        name: the user's identifier, if any.
        solvent: key of the solvent used (``unknown`` where none was understood).
        interval: nominal coverage of ``low_ppm … high_ppm``, 0-1.
        atoms: one value per atom and nucleus, by nucleus, then by atom index.
        model: name, version and hash of the model.
        notices: warnings on the molecule as a whole.
        molblock: the molblock whose atom order is used, where ``input`` does not tell it: for
            InChI, and for a ``Mol`` whose atoms are not in the order of its canonical SMILES.
        domain: the worst verdict on an atom or on the molecule as a whole.
    """

    index: int
    input: str
    name: str | None
    solvent: str
    interval: float
    atoms: tuple[AtomShift, ...]
    model: str
    notices: tuple[Notice, ...] = field(default=())
    molblock: str | None = None
    domain: Domain = "inside"

    def of(self, nucleus: str) -> tuple[AtomShift, ...]:
        """Return the atoms of one nucleus, by atom index."""
        return tuple(atom for atom in self.atoms if atom.nucleus == nucleus)

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts, lists and numbers, ready for JSON."""
        return asdict(self)

    def to_frame(self, kind: Literal["pandas", "polars", "arrow"] = "pandas") -> Any:
        """Return a data frame, one row an atom, ppm rounded to 0.001.

        Args:
            kind: of which package; ``arrow`` is a table of pyarrow.

        Raises:
            MissingExtraError: that package is not installed.
        """
        from nmrshift.io.frames import to_frame

        return to_frame([self], kind)

    def to_mol(self) -> "Mol":
        """Return the RDKit molecule, atoms in the order of the input, shifts on its atoms.

        Atoms carry the numbers ``shift_13C_ppm``, ``low_13C_ppm``, ``high_13C_ppm`` and
        ``signal_13C``, likewise for every nucleus predicted.

        Raises:
            OutputError: the structure is not the one predicted.
        """
        from nmrshift.io.structure import annotated_mol

        return annotated_mol(self)

    def _repr_svg_(self) -> str | None:
        """Show the molecule and its spectra in a notebook; ``None`` where they cannot be drawn."""
        from nmrshift.draw.pictures import picture
        from nmrshift.errors import NmrshiftError

        try:
            return picture(self).svg
        except NmrshiftError:
            return None


@dataclass(frozen=True, slots=True)
class Failure:
    """A molecule that could not be predicted: a value in its row, never a lost row."""

    index: int
    input: str
    name: str | None
    code: str
    message: str
    hint: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts, lists and numbers, ready for JSON."""
        return asdict(self)


class ShiftPredictor(Protocol):
    """What every predictor offers, network or table."""

    @property
    def nuclei(self) -> tuple[str, ...]:
        """Nuclei that can be asked for."""
        ...

    def predict_many(
        self,
        queries: "Iterable[str | Mol | Query]",
        *,
        solvent: str | None = None,
        nuclei: tuple[str, ...] = DEFAULT_NUCLEI,
        interval: float = 0.9,
        references: int = 0,
    ) -> Iterator[Prediction | Failure]:
        """Predict a stream: one answer a query, in order, failures as values."""
        ...
