"""Settings of private learning, as the command line gives them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nmrshift.io.options import parse_nucleus

if TYPE_CHECKING:
    from nmrshift.adapt.private.settings import PrivacySettings


def privacy_settings(
    epsilon: float,
    delta: float,
    nuclei: Sequence[str],
    rounds: int | None,
    *,
    own_references: bool,
) -> "PrivacySettings":
    """Return the settings.

    Raises:
        ConfigError: one of them is out of range.
        UnknownNucleusError: a text is no nucleus.
    """
    from nmrshift.adapt.private.ledger import Budget
    from nmrshift.adapt.private.settings import PrivacySettings

    budget, names = Budget(epsilon, delta), tuple(parse_nucleus(text) for text in nuclei)
    if rounds is None:
        return PrivacySettings(budget, names, own_references=own_references)
    return PrivacySettings(budget, names, rounds, own_references=own_references)
