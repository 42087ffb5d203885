"""Settings from TOML files: frozen, and checked before anything runs."""

import tomllib
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from nmrshift.errors import ConfigError

EXAMPLES: Final = "See configs/ for a working example."


class Frozen(BaseModel):
    """Settings that never change, with no name that is not known."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Settings = TypeVar("Settings", bound=Frozen)


def read_toml(path: Path) -> dict[str, Any]:
    """Read a file of settings.

    Raises:
        ConfigError: it is missing or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {error}") from None


def checked(kind: type[Settings], values: dict[str, Any], hint: str | None = None) -> Settings:
    """Check settings.

    Args:
        kind: what they should be.
        values: as read from TOML.
        hint: what to do if they are not.

    Raises:
        ConfigError: a setting is missing, unknown or out of range; all of them are named.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise ConfigError("; ".join(lines), hint=hint) from None
