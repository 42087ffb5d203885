"""A model folder that holds nothing of the spectra but a noisy convention."""

from pathlib import Path
from typing import TypedDict

from nmrshift.adapt.finish import LICENCE, ToWrite, own_name, write
from nmrshift.adapt.private.ground import Ground
from nmrshift.adapt.private.learner import Plan, State
from nmrshift.adapt.private.space import Floats
from nmrshift.model.artifact import DataSource, ModelCard
from nmrshift.model.network import ShiftNetwork
from nmrshift.predict.predictor import Predictor

_CARD = """\
# {name} {version}

`{base}` with a reference convention that was learned privately from several contributors. Ask for
it with `--source {source}`; without it the model answers as the base does. Evidence and intervals
are the base's.

The unit of protection is the contributor with all of its spectra: had any one of the
{n_contributors} contributors had none, this model would have come out with a probability that
differs by a factor of exp({epsilon:.3f}) at most, but for a chance of {delta:g}. Sampled Gaussian
mechanism: {n_rounds} rounds, each contributor with a chance of {rate:g}, {n_directions} directions,
clip norm {clip_norm:.3g}, noise multiplier {noise_multiplier:.3f}; accounted in Renyi divergences
by dp-accounting. How many contributors there are, and the settings, are taken to be public.

No figure of accuracy stands here: it would be one of somebody's spectra.
"""


class SpentFigures(TypedDict):
    """What was spent and how; public, and the same in a card, a report and a federation's end."""

    epsilon: float
    delta: float
    noise_multiplier: float
    rate: float
    n_rounds: int
    n_directions: int
    clip_norm: float
    n_contributors: int


def spent_figures(plan: Plan, state: State, epsilon: float, delta: float) -> SpentFigures:
    """Return what a card and a report say of the privacy of a model.

    Args:
        plan: of its rounds.
        state: after the last one.
        epsilon: what has been spent.
        delta: probability with which more may have been.
    """
    return {
        "epsilon": epsilon,
        "delta": delta,
        "noise_multiplier": plan.noise_multiplier,
        "rate": plan.rate,
        "n_rounds": state.n_rounds,
        "n_directions": len(state.place),
        "clip_norm": plan.clip_norm,
        "n_contributors": plan.n_contributors,
    }


def write_private(
    out: Path, ground: Ground, place: Floats, spent: SpentFigures, *, force: bool
) -> Predictor:
    """Write the model folder; all that is not the base's comes from a place and public figures.

    Args:
        out: the folder to be.
        ground: what learning began with.
        place: the learned convention ``[n_directions]``.
        spent: figures of :func:`spent_figures`.
        force: whether a model there may be replaced.

    Raises:
        FolderTakenError: something stands there that must not be replaced.
    """
    network = ground.learned(place)
    card = _card(ground, network, spent)
    text = _CARD.format(
        name=card.name,
        version=card.version,
        base=ground.base.identity,
        source=ground.name,
        **spent,
    )
    model = ToWrite(network, ground.base.evidence, card, text)
    return write(out, ground.base, model, force=force)


def _card(ground: Ground, network: ShiftNetwork, spent: SpentFigures) -> ModelCard:
    base, name = ground.base, ground.name
    told = {"name": name, "base": base.identity, "base_sha256": base.sha256, "way": "private"}
    ours = DataSource(name=name, licence=LICENCE, n_molecules=0)
    sources = [source for source in base.card.sources if source.name != name]
    return base.card.model_copy(
        update={
            "name": own_name(base, name),
            "network": network.config.model_dump(mode="json"),
            "training": {"adaptation": {**told, "private": spent}, "base": base.card.training},
            "sources": (*sources, ours),
            "golden": (),
        }
    )
