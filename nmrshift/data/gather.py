"""From record files to graphs with labels and peak groups on their nodes."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from nmrshift.chem.parse import parse
from nmrshift.chem.policy import RECORD_LIMITS
from nmrshift.chem.solvents import normalise
from nmrshift.chem.symmetry import signal_classes
from nmrshift.chem.toolkit import Chem
from nmrshift.constants import ELEMENT_OF_NUCLEUS, PLAUSIBLE_RANGE_PPM
from nmrshift.data.connectivity import connectivity, fragment_connectivities
from nmrshift.data.peak_groups import Carrier, peak_groups
from nmrshift.data.peak_lists import MeasuredGroup
from nmrshift.data.records import Peak, RecordIssue, ShiftRecord, read_records
from nmrshift.data.scaffold import scaffold
from nmrshift.errors import InputError, RecordError
from nmrshift.graph.features import FeaturePreset, preset
from nmrshift.graph.molgraph import MolGraph, mol_graph


@dataclass(frozen=True, slots=True)
class DataPart:
    """One file of records and how far it is trusted.

    Attributes:
        path: a native record file.
        weight: trust in its labels.
        uncertain_weight: trust in labels whose atom order was recovered indirectly.
        list_weight: trust in its unassigned peak lists; 0 leaves them out.
        without: SMILES of records to leave out, because their structure is known to be wrong.
        doubt_weight: trust in doubted labels, times that in the others; 0 leaves them out.
    """

    path: Path
    weight: float = 1.0
    uncertain_weight: float = 0.5
    list_weight: float = 0.0
    without: tuple[str, ...] = ()
    doubt_weight: float = 0.25


class Condition(NamedTuple):
    """What a spectrum was measured under.

    Attributes:
        solvent: key of the solvent.
        source: reference convention.
        computed: whether it is a calculation.
    """

    solvent: str
    source: str
    computed: bool


class Label(NamedTuple):
    """A shift on an atom: input index or node, nucleus, condition, ppm, trust, and its record."""

    atom: int
    nucleus: int
    condition: Condition
    shift_ppm: float
    weight: float
    record: str


class PeakList(NamedTuple):
    """An unassigned spectrum: nucleus, condition, peaks and trust."""

    nucleus: int
    condition: Condition
    peaks: tuple[Peak, ...]
    weight: float


@dataclass(slots=True)
class Gathered:
    """What files say of one molecule text.

    Attributes:
        part: number of the file that named it first.
        labels: assigned shifts, by input index.
        lists: unassigned spectra.
    """

    part: int
    labels: list[Label] = field(default_factory=list)
    lists: list[PeakList] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Parsed:
    """A molecule as the data set needs it.

    Attributes:
        graph: its graph.
        signals: class of equivalent atoms of each node.
        connectivity: first InChIKey block.
        parent: that of its largest fragment.
        scaffold: name of the framework of that fragment.
    """

    graph: MolGraph
    signals: tuple[int, ...]
    connectivity: str
    parent: str
    scaffold: str


@dataclass(frozen=True, slots=True)
class Placed:
    """Labels and peak groups on the nodes of one molecule.

    Attributes:
        labels: their ``atom`` is a node.
        groups: conditions are still those of the records.
        n_misplaced: labels on atoms that cannot carry the nucleus.
    """

    labels: tuple[Label, ...]
    groups: tuple[tuple[MeasuredGroup, Condition], ...]
    n_misplaced: int


def gather(
    parts: Sequence[DataPart], nuclei: tuple[str, ...], report: Callable[[str], None]
) -> dict[str, Gathered]:
    """Read files, merging records by molecule text.

    Raises:
        RecordError: a row is no record.
    """
    molecules: dict[str, Gathered] = {}
    for number, part in enumerate(parts):
        used = skipped = outside = 0
        for record in read_records(part.path):
            if isinstance(record, RecordIssue):
                raise RecordError(f"{part.path.name}, row {record.row}: {record.message}")
            labels, lists, n_outside = _read(record, nuclei, part)
            outside += n_outside
            if not labels and not lists:
                skipped += 1
                continue
            entry = molecules.setdefault(record.smiles, Gathered(number))
            entry.labels += labels
            entry.lists += lists
            used += 1
        report(f"{part.path.name}: {used} spectra, {skipped} left out, {outside} shifts dropped")
    return molecules


def _read(
    record: ShiftRecord, nuclei: tuple[str, ...], part: DataPart
) -> tuple[list[Label], list[PeakList], int]:
    """Return what one record says, and how many of its shifts are out of range."""
    if record.nucleus not in nuclei or record.smiles in part.without:
        return [], [], 0
    nucleus = nuclei.index(record.nucleus)
    low, high = PLAUSIBLE_RANGE_PPM.get(record.nucleus, (-10_000.0, 10_000.0))
    weight = part.uncertain_weight if record.assignment == "order-uncertain" else part.weight
    condition = Condition(
        normalise(record.solvent).key, record.source or "", record.level is not None
    )
    doubted = frozenset(record.doubted or ())
    shifts = [
        (atom, shift_ppm, weight * (part.doubt_weight if atom in doubted else 1.0))
        for atom, shift_ppm in record.shifts or ()
    ]
    labels = [
        Label(atom, nucleus, condition, shift_ppm, trust, record.id)
        for atom, shift_ppm, trust in shifts
        if low <= shift_ppm <= high and trust
    ]
    peaks = (record.peaks or ()) if part.list_weight else ()
    kept = tuple(peak for peak in peaks if low <= peak.shift_ppm <= high)
    lists = [PeakList(nucleus, condition, kept, part.list_weight)] if kept else []
    return labels, lists, len(shifts) - len(labels) + len(peaks) - len(kept)


def parse_all(texts: list[str], features: FeaturePreset, workers: int) -> Iterator[Parsed | None]:
    """Parse and featurise texts in worker processes, in order; ``None`` for an unreadable one."""
    chunks = [texts[start : start + 256] for start in range(0, len(texts), 256)]
    if workers < 2 or len(chunks) < 2:
        for chunk in chunks:
            yield from _parse_chunk(chunk, features.name)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        for result in pool.map(_parse_chunk, chunks, [features.name] * len(chunks)):
            yield from result


def _parse_chunk(texts: list[str], features: str) -> list[Parsed | None]:
    return [_parse_one(text, preset(features)) for text in texts]


def _parse_one(text: str, features: FeaturePreset) -> Parsed | None:
    try:
        parsed = parse(text, kind="smiles", limits=RECORD_LIMITS)
    except InputError:
        return None
    graph = mol_graph(parsed.mol, features)
    classes = signal_classes(parsed.mol)
    return Parsed(
        graph=graph,
        signals=tuple(classes[atom] for atom in graph.atom_index.tolist()),
        connectivity=connectivity(parsed.mol),
        parent=fragment_connectivities(parsed.mol)[0],
        scaffold=scaffold(parsed.mol),
    )


def place(parsed: Parsed, entry: Gathered, nuclei: tuple[str, ...]) -> Placed:
    """Put labels and peak groups on nodes; labels whose atom cannot carry them are counted."""
    node_of = {int(atom): node for node, atom in enumerate(parsed.graph.atom_index)}
    carriers = [carriers_of(parsed, nucleus) for nucleus in nuclei]
    nodes = [{carrier.node for carrier in found} for found in carriers]
    labels = []
    for label in entry.labels:
        node = node_of.get(label.atom, -1)
        if node in nodes[label.nucleus]:
            labels.append(label._replace(atom=node))
    groups = [
        (MeasuredGroup(group, item.nucleus, 0, item.weight), item.condition)
        for item in entry.lists
        for group in peak_groups(carriers[item.nucleus], item.peaks, nuclei[item.nucleus])
    ]
    return Placed(tuple(labels), tuple(groups), len(entry.labels) - len(labels))


def carriers_of(parsed: Parsed, nucleus: str) -> list[Carrier]:
    """Return the nodes that can give a peak of a nucleus."""
    graph, element = parsed.graph, ELEMENT_OF_NUCLEUS[nucleus]
    if element == "H":
        chosen = graph.n_hydrogens > 0
    else:
        chosen = graph.atomic_number == Chem.GetPeriodicTable().GetAtomicNumber(element)
    return [
        Carrier(node, parsed.signals[node], int(graph.n_hydrogens[node]))
        for node in chosen.nonzero()[0].tolist()
    ]
