"""The predictor: molecules in, shifts out, one answer a query and in its order."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from nmrshift.chem.toolkit import Chem
from nmrshift.errors import ArtifactError, ConfigError, UnknownNucleusError
from nmrshift.graph.features import FeaturePreset, preset
from nmrshift.model.artifact import Artifact, load_artifact
from nmrshift.model.kernels import Kernel
from nmrshift.model.shipped import Tier, shipped_model
from nmrshift.predict.answer import Answerer
from nmrshift.predict.calibrate import check_level
from nmrshift.predict.info import ModelInfo, VerifyReport, model_info
from nmrshift.predict.prepare import Prepared, prepare
from nmrshift.predict.stream import Chunk, prepare_stream
from nmrshift.predict.threads import map_in_order
from nmrshift.types import DEFAULT_NUCLEI, Failure, Prediction, Query

if TYPE_CHECKING:
    from nmrshift.adapt import AdaptReport
    from nmrshift.adapt.settings import AdaptSettings

GOLDEN_TOLERANCE_PPM = 1e-3
MAX_REFERENCES = 5


class Predictor:
    """A loaded model.

    The order of atoms in every answer is the order of the input. A predictor holds no mutable
    state and may be shared between threads.
    """

    def __init__(self, artifact: Artifact, *, kernel: Kernel | None = None) -> None:
        self._artifact = artifact
        self._config = artifact.network.config
        self._features: FeaturePreset = preset(self._config.features)
        self._answerer = Answerer.of(artifact, kernel)

    @classmethod
    def load(
        cls,
        path: str | Path | None = None,
        *,
        tier: Tier | None = None,
        kernel: Kernel | None = None,
    ) -> "Predictor":
        """Load a model folder, a shipped one by default, and verify it.

        Args:
            path: a model folder.
            tier: which shipped model, if no folder is named: ``fast``, one network, the default,
                or ``accurate``, an ensemble that takes as many times longer as it has networks.
            kernel: compute every atom of a batch with these kernels, as training does; by default
                environments that are equal are computed once, with the same numbers.

        Raises:
            ArtifactError: the folder is incomplete or altered, or the golden molecules come out
                differently.
            ConfigError: a folder and a tier are named.
        """
        if path and tier:
            raise ConfigError(f"a folder, {path}, and a tier, {tier}", hint="Name one of them.")
        artifact = load_artifact(Path(path) if path else shipped_model(tier or "fast"))
        predictor = cls(artifact, kernel=kernel)
        report = predictor.verify()
        if not report.ok:
            raise ArtifactError(
                f"golden molecules are off by up to {report.max_deviation_ppm:.4g} ppm",
                hint="Check the RDKit version against the model card.",
            )
        return predictor

    @property
    def nuclei(self) -> tuple[str, ...]:
        """Nuclei that can be asked for."""
        return self._config.nuclei

    @property
    def artifact(self) -> Artifact:
        """The loaded model folder; not to be changed."""
        return self._artifact

    @property
    def info(self) -> ModelInfo:
        """What the model says of itself."""
        return model_info(self._artifact)

    @property
    def identity(self) -> str:
        """Name, version and short hash of the model; stands in every prediction."""
        return self._artifact.identity

    @property
    def features(self) -> str:
        """Name of the feature preset by which its molecules are read."""
        return self._features.name

    @property
    def sources(self) -> tuple[str, ...]:
        """Reference conventions that can be asked for."""
        return self._config.sources

    def predict(
        self,
        structure: "str | Chem.Mol",
        *,
        solvent: str | None = None,
        nuclei: Sequence[str] = DEFAULT_NUCLEI,
        source: str | None = None,
        interval: float = 0.9,
        references: int = 0,
    ) -> Prediction:
        """Predict one molecule.

        Args:
            structure: SMILES, InChI, molblock or RDKit ``Mol``.
            solvent: solvent as written in a laboratory (``CDCl3``, ``DMSO-d6``); ``None`` is
                unknown.
            nuclei: nuclei to predict.
            source: reference convention, one of :attr:`sources`; ``None`` is the general one.
            interval: nominal coverage of the interval, 0.5-0.99.
            references: measured shifts to name as evidence of each atom, 0-5.

        Raises:
            InputError: the molecule cannot be predicted; the subclass and its code say why.
            UnknownNucleusError: the model has no such nucleus.
            ConfigError: the source is not one the model knows, or a number is out of range.
        """
        self._check(nuclei, interval, references)
        query = Query(structure, solvent=solvent, source=source)
        self._check_query(query)
        prepared = prepare(query, 0, tuple(nuclei), self._features)
        return next(self._answerer.answer([prepared], interval, references))

    def predict_many(
        self,
        queries: "Iterable[str | Chem.Mol | Query]",
        *,
        solvent: str | None = None,
        nuclei: Sequence[str] = DEFAULT_NUCLEI,
        source: str | None = None,
        interval: float = 0.9,
        references: int = 0,
        workers: int | None = 0,
    ) -> Iterator[Prediction | Failure]:
        """Predict a stream: one answer a query, in order; what fails is a value in its place.

        Args:
            queries: structures, or :class:`~nmrshift.types.Query` with settings of their own.
            solvent: solvent of the queries that name none.
            nuclei: nuclei of the queries that name none.
            source: reference convention of the queries that name none.
            interval: nominal coverage of the interval, 0.5-0.99.
            references: measured shifts to name as evidence of each atom, 0-5.
            workers: processes that read molecules while the network computes; 0 reads in this
                one, ``None`` starts as many as suit the machine after the first 512
                molecules. The answers are the same. Each is a new Python that imports the main
                module, which must be guarded by ``if __name__ == "__main__"``. The number of
                torch's threads is left to the caller; so many chunks are computed side by side.

        Raises:
            UnknownNucleusError: the call asks for a nucleus that the model does not have.
            ConfigError: the call's source is not one the model knows, or a number is out of range.
        """
        self._check(nuclei, interval, references)
        self._check_query(Query("", source=source))
        complete = (_complete(query, solvent, source) for query in queries)
        return self._stream(complete, tuple(nuclei), interval, references, workers)

    def answer(
        self, prepared: Sequence[Prepared], *, interval: float = 0.9, references: int = 0
    ) -> Iterator[Prediction]:
        """Predict molecules that have been read already, in batches of bounded size.

        Args:
            prepared: what :func:`~nmrshift.predict.prepare.prepare` made, for this model.
            interval: nominal coverage of the interval, 0.5-0.99.
            references: measured shifts to name as evidence of each atom, 0-5.
        """
        return self._answerer.answer(prepared, interval, references)

    def adapt(
        self,
        spectra: Sequence[str | Path],
        out: str | Path,
        *,
        settings: "AdaptSettings | None" = None,
        control: Sequence[str | Path] = (),
        force: bool = False,
        report: Callable[[str], None] = lambda _: None,
    ) -> "AdaptReport":
        """Learn from a laboratory's own spectra and write a model folder; this one stays as it is.

        Args:
            spectra: files in any form that can be imported, assigned or bare peak lists.
            out: folder of the new model.
            settings: name of the laboratory and the like.
            control: files of public spectra on which the error may grow by at most 5 %.
            force: whether a model in that folder may be replaced.
            report: told in words how it goes.

        Raises:
            NmrshiftError: as :func:`nmrshift.adapt.adapt` says.
        """
        from nmrshift.adapt import adapt

        return adapt(
            spectra,
            out,
            model=self._artifact,
            settings=settings,
            control=control,
            force=force,
            report=report,
        )

    def verify(self) -> VerifyReport:
        """Predict the model's golden molecules again."""
        golden = self._artifact.card.golden
        worst = 0.0
        for molecule in golden:
            predicted = self.predict(
                molecule.smiles, solvent=molecule.solvent, nuclei=(molecule.nucleus,)
            )
            found = {atom.atom_index: atom.shift_ppm for atom in predicted.atoms}
            if sorted(found) != sorted(molecule.atoms):
                return VerifyReport(float("inf"), len(golden), ok=False)
            for atom, shift_ppm in zip(molecule.atoms, molecule.shifts_ppm, strict=True):
                worst = max(worst, abs(found[atom] - shift_ppm))
        ok = bool(golden) and worst <= GOLDEN_TOLERANCE_PPM
        return VerifyReport(worst, len(golden), ok)

    def _stream(
        self,
        queries: Iterator[Query],
        nuclei: tuple[str, ...],
        interval: float,
        references: int,
        workers: int | None,
    ) -> Iterator[Prediction | Failure]:
        chunks = prepare_stream(queries, nuclei, self.nuclei, self._features.name, workers)
        answer = partial(self._answer_chunk, interval=interval, references=references)
        for answers in map_in_order(answer, chunks):
            yield from answers

    def _answer_chunk(
        self, chunk: Chunk, interval: float, references: int
    ) -> list[Prediction | Failure]:
        ready = [item for item in chunk if isinstance(item, Prepared)]
        known = [item for item in ready if self._knows_source(item.source)]
        answers: dict[int, Prediction | Failure] = {
            answer.index: answer
            for answer in self.answer(known, interval=interval, references=references)
        }
        for item in chunk:
            if isinstance(item, Failure):
                answers[item.index] = item
            elif item.index not in answers:
                answers[item.index] = self._unknown_source(item)
        return [answers[item.index] for item in chunk]

    def _check(self, nuclei: Sequence[str], interval: float, references: int) -> None:
        check_level(interval)
        if not 0 <= references <= MAX_REFERENCES:
            raise ConfigError(
                f"{references} references are out of range", hint=f"Choose 0 to {MAX_REFERENCES}."
            )
        unknown = [nucleus for nucleus in nuclei if nucleus not in self.nuclei]
        if unknown or not nuclei:
            raise UnknownNucleusError(
                f"the model does not predict {', '.join(unknown) or 'an empty list of nuclei'}",
                hint=f"It predicts {', '.join(self.nuclei)}.",
            )

    def _check_query(self, query: Query) -> None:
        if not self._knows_source(query.source):
            raise ConfigError(
                f"the model knows no source {query.source!r}",
                hint=f"It knows {', '.join(self.sources)}.",
            )

    def _knows_source(self, source: str | None) -> bool:
        return source is None or source in self.sources

    def _unknown_source(self, item: Prepared) -> Failure:
        hint = f"The model knows {', '.join(self.sources)}."
        message = f"unknown source {item.source!r}"
        return Failure(item.index, item.text, item.name, "unknown_source", message, hint)


def _complete(query: "str | Chem.Mol | Query", solvent: str | None, source: str | None) -> Query:
    """Fill in what a query leaves to the call."""
    if not isinstance(query, Query):
        return Query(query, solvent=solvent, source=source)
    if query.solvent is None or query.source is None:
        return Query(
            query.structure,
            solvent=solvent if query.solvent is None else query.solvent,
            nuclei=query.nuclei,
            source=source if query.source is None else query.source,
            name=query.name,
        )
    return query
