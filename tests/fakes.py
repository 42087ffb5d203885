"""A predictor for tests: real parsing and symmetry, shifts by a rule that fits on one line."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

from nmrshift.chem.parse import ParsedMol, parse
from nmrshift.chem.symmetry import signal_classes
from nmrshift.constants import ELEMENT_OF_NUCLEUS
from nmrshift.errors import ConfigError, InputError, NoTargetAtomsError
from nmrshift.types import DEFAULT_NUCLEI, AtomShift, Failure, Notice, Prediction, Query

HALF_WIDTH_PPM = 2.5


@dataclass(frozen=True)
class Report:
    """What ``verify`` of the real predictor returns."""

    max_deviation_ppm: float = 0.0
    n_golden: int = 3
    ok: bool = True


class FakePredictor:
    """Predicts 10 ppm a neighbour and 1 ppm a hydrogen (minus 100 for 19F): a ``ShiftPredictor``.

    Args:
        offset_ppm: added to every shift, to stand for a damaged model.
        report: answer of ``verify``.
    """

    identity = "fake-1.0+00000000"
    nuclei = ("13C", "19F", "1H")
    sources = ("spectra",)
    info = SimpleNamespace(
        identity=identity,
        name="fake",
        version="1.0",
        sha256="0" * 64,
        path="models/fake-1.0",
        nuclei=nuclei,
        sources=sources,
        solvents=("cdcl3",),
        data=({"name": "made up", "licence": "CC0-1.0", "n_molecules": 3},),
        metrics={"13C": {"mae_ppm": 1.5}},
        training_data_sha256="1" * 64,
        rdkit_version="2026.09.1",
        ring_finder="legacy",
    )

    def __init__(self, offset_ppm: float = 0.0, report: Report | None = None) -> None:
        self.offset_ppm = offset_ppm
        self.report = report or Report()
        self.loaded_from: Path | None = None

    @classmethod
    def load(cls, path: Path | None = None) -> "FakePredictor":
        """Return a predictor that remembers what it was loaded from."""
        predictor = cls()
        predictor.loaded_from = path
        return predictor

    def verify(self) -> Report:
        """Return the report given."""
        return self.report

    def predict_many(
        self,
        queries: Iterable[str | Query],
        *,
        solvent: str | None = None,
        nuclei: tuple[str, ...] = DEFAULT_NUCLEI,
        source: str | None = None,
        interval: float = 0.9,
        references: int = 0,
        workers: int | None = 0,
    ) -> Iterator[Prediction | Failure]:
        """Predict a stream; settings are checked at once, as the real predictor does."""
        del references, workers
        if source is not None and source not in self.sources:
            raise ConfigError(f"the model knows no source {source!r}")
        return (
            self._answer(index, query, solvent, nuclei, interval)
            for index, query in enumerate(queries)
        )

    def _answer(
        self,
        index: int,
        query: str | Query,
        solvent: str | None,
        nuclei: tuple[str, ...],
        interval: float,
    ) -> Prediction | Failure:
        query = query if isinstance(query, Query) else Query(query)
        text = query.structure if isinstance(query.structure, str) else ""
        try:
            parsed = parse(query.structure)
            atoms = tuple(self._atoms(parsed, query.nuclei or nuclei))
            if not atoms:
                raise NoTargetAtomsError("no atom of the nuclei asked for")
        except InputError as error:
            return Failure(index, text[:200], query.name, error.code, error.message, error.hint)
        return Prediction(
            index,
            parsed.text,
            query.name,
            query.solvent or solvent or "unknown",
            interval,
            atoms,
            self.identity,
            parsed.notices + ((Notice("from_source", query.source),) if query.source else ()),
        )

    def _atoms(self, parsed: ParsedMol, nuclei: tuple[str, ...]) -> Iterator[AtomShift]:
        signals = signal_classes(parsed.mol)
        for nucleus in nuclei:
            for atom in parsed.mol.GetAtoms():
                n_hydrogens = atom.GetTotalNumHs(includeNeighbors=True)
                carries = n_hydrogens > 0 and atom.GetSymbol() != "H"
                is_target = atom.GetSymbol() == ELEMENT_OF_NUCLEUS[nucleus]
                if not (carries if nucleus == "1H" else is_target):
                    continue
                shift = 10.0 * atom.GetDegree() + n_hydrogens + self.offset_ppm
                shift -= 100.0 if nucleus == "19F" else 0.0
                yield AtomShift(
                    atom.GetIdx(),
                    atom.GetSymbol(),
                    nucleus,
                    shift,
                    shift - HALF_WIDTH_PPM,
                    shift + HALF_WIDTH_PPM,
                    signals[atom.GetIdx()],
                    n_hydrogens,
                    ("strained",) if atom.IsInRingSize(3) else (),
                )
