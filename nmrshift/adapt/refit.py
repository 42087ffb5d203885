"""The chosen way once more, from all molecules: those that chose it teach too."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from nmrshift.adapt.answers import answer
from nmrshift.adapt.choice import MOST_GROWTH, Trial
from nmrshift.adapt.control import Control
from nmrshift.adapt.fit import fit
from nmrshift.adapt.lead_back import lead_back
from nmrshift.adapt.plan import Plan, corrected
from nmrshift.adapt.ways import Way
from nmrshift.model.network import ShiftNetwork
from nmrshift.train.objective import dataset_conditions


def refit(
    plan: Plan,
    ways: Sequence[Way],
    tried: Sequence[Trial],
    chosen: Trial,
    watch: Control,
    report: Callable[[str], None],
) -> ShiftNetwork | None:
    """Learn in the chosen way from all molecules.

    Nuclei that are new to the base have heads that are calibrated on molecules left out of them,
    so they stay as they are.

    Args:
        plan: what the ways began with.
        ways: all that were tried.
        tried: what they came to.
        chosen: one of those.
        watch: measures what it costs public knowledge.
        report: told in words how it goes.

    Returns:
        The network; ``None`` where no way was chosen, and where the second run failed: it cost too
        much public knowledge, or ended above the base's error on its own molecules.
    """
    names = {trial.way for trial in tried}
    if plan.solved is not None or chosen.way not in names:
        return None
    start = replace(plan.start, laboratory=plan.start.laboratory.whole)
    for way in ways:
        if way.name not in {"convention", "solvent", chosen.way} & names:
            continue
        fitted = fit(start, way, report)
        led = lead_back(start.network, fitted.network, watch)
        if max(led.growth.values(), default=0.0) > MOST_GROWTH:
            return None
        start = replace(start, network=led.network)
        if way.name == chosen.way:
            break
    network, _ = corrected(start.network, start, start.laboratory.learned)
    return network if _error(plan, network) < _error(plan, plan.base.network) else None


def _error(plan: Plan, network: ShiftNetwork) -> float:
    """Return the mean error on all molecules, in units of the spread of their nucleus."""
    dataset = plan.start.laboratory.dataset
    table = dataset_conditions(dataset, network.config)
    found = answer(network, dataset, np.arange(dataset.n_mols), table)
    spread_ppm = np.array(network.config.shift_scale_ppm)[found.nucleus]
    return float((found.error_ppm / spread_ppm).mean())
