"""What all ways of learning begin with, and each of them tried."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from nmrshift.adapt.answers import Answered, Judgement, answer, encode
from nmrshift.adapt.checks import Offset, check_against, offsets
from nmrshift.adapt.choice import Trial
from nmrshift.adapt.control import Control
from nmrshift.adapt.finish import judgement_of, known_calibration
from nmrshift.adapt.fit import Start, fit
from nmrshift.adapt.grow import (
    with_neighbours,
    with_nuclei,
    with_offset,
    with_solvents,
    with_source,
)
from nmrshift.adapt.laboratory import Laboratory
from nmrshift.adapt.lead_back import lead_back
from nmrshift.adapt.neighbours import errors_of, neighbours_of, residuals_of
from nmrshift.adapt.new_head import Solved, answer_middle, labels_of, solve
from nmrshift.adapt.rehearsal import rehearse
from nmrshift.adapt.settings import AdaptSettings
from nmrshift.adapt.ways import BASE, NEW_HEAD, Way
from nmrshift.chem.solvents import UNKNOWN, normalise
from nmrshift.data.records import ShiftRecord
from nmrshift.errors import TooFewSpectraError
from nmrshift.model.artifact import Artifact
from nmrshift.model.network import NetworkConfig, ShiftNetwork
from nmrshift.train.objective import dataset_conditions

_LEAST_IN_SOLVENT: Final = 10
"""Molecules measured in a solvent from which it gets an embedding of its own."""

_LEAST_LEARNED: Final = 5
"""Molecules that must be left to learn a new nucleus from once some are held out."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What all ways begin with, and what they are compared to.

    Attributes:
        start: the network that learns, with the laboratory's convention, solvents and nuclei.
        base: answers of the base; of a new nucleus, the middle of the laboratory's own shifts.
        solved: the base with heads of the new nuclei solved for; ``None`` where there are none.
        judgement: what evidence makes of answers.
        offsets: constant distances between the laboratory's shifts and the base's; clear ones are
            the convention's from the start.
    """

    start: Start
    base: Trial
    solved: Trial | None
    judgement: Judgement | None
    offsets: tuple[Offset, ...]


def make_plan(
    base: Artifact,
    laboratory: Laboratory,
    solvents: Sequence[str],
    settings: AdaptSettings,
    public: Sequence[str],
) -> Plan:
    """Compare all spectra with the base, and make what the ways begin with.

    Args:
        base: the model before it learns.
        laboratory: the spectra; nuclei that the base does not have are the last ones.
        solvents: those that are new to the base.
        settings: of the adaptation.
        public: structures that stand for public knowledge.

    Raises:
        LaboratoryError: the spectra contradict the base as a whole, or too few of them are left
            to learn a new nucleus from.
    """
    config, dataset = base.network.config, laboratory.dataset
    network = with_source(base.network, settings.name, shared_convention(base))
    network = with_solvents(network, solvents)
    h = encode(network, dataset.graphs)
    table = dataset_conditions(dataset, network.config)
    everything = answer(network, dataset, np.arange(dataset.n_mols), table, h=h)
    check_against(everything, config.nuclei, config.shift_scale_ppm)
    names = tuple(dataset.nuclei.tolist())
    new = names[len(config.nuclei) :]
    judgement = judgement_of(known_calibration(base, new), base.evidence)
    heads = _heads(laboratory, h, new, settings.seed)

    def tried(solved: Mapping[str, Solved], way: Way) -> Trial:
        grown = with_nuclei(network, {name: item.new for name, item in solved.items()})
        found = answer(grown, dataset, laboratory.held_out, table, h=h, judgement=judgement)
        off = residuals_of(network, dataset, laboratory.learned, settings.seed)
        learned = errors_of(network, dataset, off) if way is BASE else None
        return Trial(way.name, grown, found, {}, solved=solved, left_out=learned)

    apart = offsets(everything.on(laboratory.learned), config.nuclei)
    clear_ppm = {one.nucleus: one.offset_ppm for one in apart if one.is_clear}
    moved = with_neighbours(with_offset(network, settings.name, clear_ppm), settings.name, {})
    own = sorted({*dataset.label_nucleus.tolist(), *dataset.lists.nucleus.tolist()})
    start = Start(
        network=with_nuclei(moved, {name: item.new for name, item in heads.learned.items()}),
        laboratory=laboratory,
        h=h,
        rehearsal=rehearse(base.network, public, settings.name),
        nuclei=tuple(names[number] for number in own),
        n_solvents=len(solvents),
        settings=settings,
    )
    return Plan(
        start=start,
        base=tried(heads.middle, BASE),
        solved=tried(heads.learned, NEW_HEAD) if new else None,
        judgement=judgement,
        offsets=apart,
    )


def shared_convention(base: Artifact) -> str | None:
    """Return the convention that contributors learned together privately, if the base has one.

    What a laboratory learns for itself begins with it.
    """
    told = base.card.training.get("adaptation", {})
    return str(told["name"]) if told.get("way") == "private" else None


def new_solvents(records: Sequence[ShiftRecord], config: NetworkConfig) -> tuple[str, ...]:
    """Return the solvents that many molecules were measured in and that the base does not know.

    Nuclei with a response to solvents take any solvent by its descriptors: they do not count.

    Args:
        records: the laboratory's.
        config: of the base's network.
    """
    pairs = {
        (normalise(record.solvent).key, record.smiles)
        for record in records
        if record.nucleus not in config.response_nuclei
    }
    counts = Counter(key for key, _ in pairs)
    return tuple(
        key
        for key, n_molecules in sorted(counts.items())
        if n_molecules >= _LEAST_IN_SOLVENT and key not in config.solvents and key != UNKNOWN.key
    )


def trials(
    plan: Plan, ways: Sequence[Way], watch: Control, report: Callable[[str], None]
) -> Iterator[Trial]:
    """Yield the ways, from cautious to free.

    The freer ones begin with the convention that the first one learned, so that a constant offset
    does not go into weights that the public shares. What costs too much public knowledge is led
    back to where it began, until it does not. What a way is still off by on its own molecules then
    corrects atoms alike, under the laboratory's convention.

    Args:
        plan: what they begin with.
        ways: which to try.
        watch: measures what they cost public knowledge.
        report: told in words how it goes.
    """
    if plan.solved is not None:
        yield plan.solved
    start = plan.start
    dataset, held_out = start.laboratory.dataset, start.laboratory.held_out
    table = dataset_conditions(dataset, start.network.config)
    for way in ways:
        if way.name == "solvent" and not start.n_solvents:
            continue
        fitted = fit(start, way, report)
        led = lead_back(start.network, fitted.network, watch)
        network, left_out = corrected(led.network, start, start.laboratory.learned)
        if way.name in ("convention", "solvent"):
            start = replace(start, network=led.network)
        answered = answer(network, dataset, held_out, table, judgement=plan.judgement)
        yield Trial(
            way.name,
            network,
            answered,
            led.growth,
            share=led.share,
            epochs=fitted.epochs,
            seconds=fitted.seconds,
            left_out=None if way.epochs else left_out,  # steps have seen them
        )


def corrected(
    network: ShiftNetwork, start: Start, mols: NDArray[np.int64]
) -> tuple[ShiftNetwork, Answered]:
    """Return a network with the corrections that molecules of a laboratory give.

    Args:
        network: the weights.
        start: the laboratory and its name.
        mols: molecules that are learned from.

    Returns:
        The network, and the errors of these molecules with each left out of the corrections.
    """
    settings, dataset = start.settings, start.laboratory.dataset
    found = neighbours_of(network, dataset, mols, settings.seed)
    if found.neighbours:
        network = with_neighbours(network, settings.name, found.neighbours)
    return network, found.left_out


@dataclass(frozen=True, slots=True)
class _Heads:
    """Heads of new nuclei twice: the middle of what was learned, and solved for."""

    middle: Mapping[str, Solved]
    learned: Mapping[str, Solved]


def _heads(laboratory: Laboratory, h: Tensor, new: Sequence[str], seed: int) -> _Heads:
    dataset = laboratory.dataset
    first = len(dataset.nuclei) - len(new)

    labels = {
        name: labels_of(dataset, h, laboratory.learned, first + n) for n, name in enumerate(new)
    }
    for name, item in labels.items():
        if item.n_molecules < _LEAST_LEARNED:
            raise TooFewSpectraError(
                f"{name}: assigned shifts of {item.n_molecules} molecules are left to learn "
                f"from; {_LEAST_LEARNED} are needed",
                hint="Stereoisomers and salts count as one molecule. Add spectra of others.",
            )
    return _Heads(
        {name: answer_middle(item, seed) for name, item in labels.items()},
        {name: solve(item, seed) for name, item in labels.items()},
    )
