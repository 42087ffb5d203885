"""Predict the molecules of measured spectra and set both side by side."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from nmrshift.chem.parse import parse
from nmrshift.chem.policy import RECORD_LIMITS
from nmrshift.chem.solvents import normalise
from nmrshift.chem.toolkit import Chem
from nmrshift.data.records import Peak, RecordIssue, ShiftRecord
from nmrshift.errors import RecordError
from nmrshift.evaluate.environment import bonded_elements, environment
from nmrshift.evaluate.matching import match_peaks
from nmrshift.evaluate.metrics import Score
from nmrshift.evaluate.report import Counts, Report, count, rows_of
from nmrshift.types import AtomShift, Failure, Prediction, Query, ShiftPredictor


@dataclass(frozen=True, slots=True)
class Selection:
    """Which labels are scored.

    Attributes:
        nuclei: nuclei to score; all that the predictor has where empty.
        window_ppm: lowest and highest measured shift; ``None`` keeps all.
        bonded_to: element that the labelled atom must be bound to; ``None`` keeps all.
        molecules: identifiers of molecules (or of records) to score; ``None`` keeps all.
        computed: score computed spectra (those with a level of theory) too.
    """

    nuclei: tuple[str, ...] = ()
    window_ppm: tuple[float, float] | None = None
    bonded_to: str | None = None
    molecules: frozenset[str] | None = None
    computed: bool = False

    def has_record(self, record: ShiftRecord) -> bool:
        """Say whether a spectrum is wanted."""
        if self.nuclei and record.nucleus not in self.nuclei:
            return False
        wanted = self.molecules
        return wanted is None or record.id in wanted or molecule_number(record.id) in wanted

    def has_label(self, mol: Chem.Mol, atom_index: int, shift_ppm: float) -> bool:
        """Say whether a label is wanted."""
        if self.bonded_to is not None and self.bonded_to not in bonded_elements(mol, atom_index):
            return False
        return self.window_ppm is None or self.window_ppm[0] <= shift_ppm <= self.window_ppm[1]


def molecule_number(record_id: str) -> str:
    """Return a record's molecule: ``20172866`` of ``nmrshiftdb2:20172866/1H/0``."""
    return record_id.rpartition(":")[2].partition("/")[0]


@dataclass(slots=True)
class _Tally:
    """Scores and counts as they come in."""

    scores: list[Score] = field(default_factory=list)
    matched: list[Score] = field(default_factory=list)
    failed: Counter[str] = field(default_factory=Counter)
    n_unplaced: int = 0
    n_unmatched_peaks: int = 0
    n_missing_signals: int = 0


def evaluate(
    records: Iterable[ShiftRecord | RecordIssue],
    predictor: ShiftPredictor,
    *,
    selection: Selection | None = None,
    interval: float = 0.9,
    notes: tuple[str, ...] = (),
) -> Report:
    """Measure a predictor on spectra.

    Every molecule is predicted in its record's solvent and, where the predictor knows it, by its
    record's source. For 1H every label of a carrying atom is scored against that atom. Unassigned
    spectra are matched to the predictions first and reported apart: their errors are lower bounds.

    Args:
        records: the spectra; read once.
        predictor: network or table.
        selection: labels to score, all by default.
        interval: nominal coverage of the intervals.
        notes: sentences to put on the report.

    Raises:
        RecordError: no label is left to score.
    """
    chosen = selection or Selection()
    issues: Counter[str] = Counter()
    skipped: Counter[str] = Counter()
    groups: dict[tuple[str, str | None, str | None], list[ShiftRecord]] = {}
    n_records = 0
    for record in records:
        if isinstance(record, RecordIssue):
            issues[record.code] += 1
        elif chosen.has_record(record):
            n_records += 1
            if record.level is not None and not chosen.computed:
                skipped["computed"] += 1
            elif record.nucleus not in predictor.nuclei:
                skipped[record.nucleus] += 1
            else:
                key = (record.smiles, record.solvent, record.source)
                groups.setdefault(key, []).append(record)
    tally = _Tally()
    model = ""
    for group, answer in _predict(list(groups.values()), predictor, interval):
        if isinstance(answer, Failure):
            tally.failed[answer.code] += len(group)
        else:
            model = answer.model
            _score(group, answer, chosen, tally)
    if not tally.scores and not tally.matched:
        raise RecordError(
            f"nothing to score in {n_records} spectra",
            hint="Check the nucleus, the window, the identifiers and the model's nuclei.",
        )
    return Report(
        model=model,
        interval=interval,
        rows=rows_of(tally.scores, tally.matched),
        counts=Counts(
            n_records=n_records,
            n_issues=count(issues.elements()),
            n_skipped=count(skipped.elements()),
            n_failed=count(tally.failed.elements()),
            n_unplaced=tally.n_unplaced,
            n_unmatched_peaks=tally.n_unmatched_peaks,
            n_missing_signals=tally.n_missing_signals,
        ),
        notes=notes,
    )


def _predict(
    groups: list[list[ShiftRecord]], predictor: ShiftPredictor, interval: float
) -> Iterator[tuple[list[ShiftRecord], Prediction | Failure]]:
    """Predict each molecule once for all its spectra in one solvent from one source."""
    sources: tuple[str, ...] = getattr(predictor, "sources", ())
    queries = [
        Query(
            structure=group[0].smiles,
            solvent=group[0].solvent,
            nuclei=tuple(dict.fromkeys(record.nucleus for record in group)),
            source=group[0].source if group[0].source in sources else None,
        )
        for group in groups
    ]
    answers = predictor.predict_many(queries, nuclei=predictor.nuclei[:1], interval=interval)
    return zip(groups, answers, strict=True)


def _score(
    group: list[ShiftRecord], answer: Prediction, selection: Selection, tally: _Tally
) -> None:
    """Score the spectra of one molecule in one solvent."""
    mol = parse(group[0].smiles, kind="smiles", limits=RECORD_LIMITS).mol
    for record in group:
        atoms = {atom.atom_index: atom for atom in answer.of(record.nucleus)}
        for atom_index, shift_ppm in record.shifts or ():
            if atom_index not in atoms:
                tally.n_unplaced += 1
            elif selection.has_label(mol, atom_index, shift_ppm):
                tally.scores.append(_beside(record, mol, atoms[atom_index], shift_ppm))
        if record.peaks:
            _match(record, mol, list(atoms.values()), selection, tally)


def _match(
    record: ShiftRecord,
    mol: Chem.Mol,
    atoms: list[AtomShift],
    selection: Selection,
    tally: _Tally,
) -> None:
    """Score an unassigned spectrum after matching its peaks."""
    peaks: tuple[Peak, ...] = record.peaks or ()
    matching = match_peaks(atoms, peaks, record.nucleus)
    tally.n_unmatched_peaks += matching.n_extra_peaks
    tally.n_missing_signals += matching.n_missing_signals
    for pair in matching.pairs:
        if selection.has_label(mol, pair.atom.atom_index, pair.peak.shift_ppm):
            tally.matched.append(_beside(record, mol, pair.atom, pair.peak.shift_ppm))


def _beside(record: ShiftRecord, mol: Chem.Mol, atom: AtomShift, shift_ppm: float) -> Score:
    return Score(
        record=record.id,
        structure=record.smiles,
        nucleus=record.nucleus,
        solvent=normalise(record.solvent).key,
        environment=environment(mol, atom.atom_index, record.nucleus),
        observed_ppm=shift_ppm,
        predicted_ppm=atom.shift_ppm,
        low_ppm=atom.low_ppm,
        high_ppm=atom.high_ppm,
    )
