"""What everybody who learns together begins with; made from the base and settings alone."""

from dataclasses import dataclass, replace

from nmrshift.adapt.grow import with_modulation
from nmrshift.adapt.private.learner import Plan
from nmrshift.adapt.private.settings import PrivacySettings
from nmrshift.adapt.private.space import Floats, Space, public_space
from nmrshift.adapt.private.updates import Asker
from nmrshift.adapt.public import public_smiles
from nmrshift.adapt.rehearsal import rehearse
from nmrshift.errors import ConfigError
from nmrshift.model.artifact import Artifact
from nmrshift.model.network import ShiftNetwork


@dataclass(frozen=True, slots=True)
class Ground:
    """A base that knows the convention to be learned, and where that is sought.

    Attributes:
        base: the model before it learns.
        name: of the convention.
        space: where it is sought.
    """

    base: Artifact
    name: str
    space: Space

    @classmethod
    def make(cls, base: Artifact, name: str, settings: PrivacySettings) -> "Ground":
        """Find the space by public structures.

        Raises:
            ConfigError: the base knows no conventions.
            UnknownNucleusError: it does not predict a nucleus that is asked for.
        """
        start = with_modulation(base.network, name)
        nuclei = settings.learned(base.network.config.nuclei)
        public = rehearse(base.network, public_smiles(), name)
        return cls(base, name, public_space(start, public, nuclei, settings.n_directions))

    def first(self, n_directions: int) -> "Ground":
        """Return the ground with the first, largest directions only."""
        return replace(self, space=self.space.first(n_directions))

    def asker(self, plan: Plan) -> Asker:
        """Return what asks contributors for their updates."""
        return Asker(with_modulation(self.base.network, self.name), self.space, plan)

    def learned(self, place: Floats) -> ShiftNetwork:
        """Return the network with the convention at a place ``[n_directions]``."""
        network = with_modulation(self.base.network, self.name)
        self.space.set(network, place)
        return network


def plan_of(settings: PrivacySettings, n_contributors: int) -> Plan:
    """Return the plan for so many contributors, without noise so far.

    Raises:
        ConfigError: ``delta`` would let a contributor be given away by bad luck.
    """
    delta = settings.budget.delta
    if delta >= 1 / n_contributors:
        raise ConfigError(
            f"--delta {delta:g} lets one in {n_contributors} contributors be given away",
            hint=f"Choose less than {0.1 / n_contributors:.1g}.",
        )
    return Plan(
        n_contributors,
        settings.rate,
        settings.n_rounds,
        settings.clip_norm,
        noise_multiplier=0.0,
        own_references=settings.own_references,
    )
