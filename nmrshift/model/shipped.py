"""Where the models that come with the package lie."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from nmrshift.errors import ArtifactError

Tier = Literal["fast", "accurate"]

TIERS: Final[Mapping[Tier, str]] = {"fast": "nmrshift-base", "accurate": "nmrshift-accurate"}
"""The model of each tier: one network, or an ensemble."""


def shipped_model(tier: Tier = "fast") -> Path:
    """Return the folder of a shipped model.

    In a build of one's own the fast one may have any name, if it is alone.

    Raises:
        ArtifactError: there is none of the tier, or more than one.
    """
    package = Path(__file__).resolve().parents[1]
    for root in (package / "_models", package.parent / "models"):
        every = sorted(path.parent for path in root.glob("*/model.json"))
        found = [path for path in every if path.name.startswith(f"{TIERS[tier]}-")]
        if not found and tier == "fast":
            found = every
        if len(found) == 1:
            return found[0]
        if found:
            raise ArtifactError(f"{root} holds {len(found)} models", hint="Name one.")
    raise ArtifactError(f"no model of the tier {tier!r} is installed", hint="Name a model folder.")
