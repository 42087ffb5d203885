"""Settings of the service, from the environment, prefix ``NMRSHIFT_``."""

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

MAX_MOLECULES: Final[int] = 1000
"""Most molecules of one request in any installation; the published schema says so."""


class Settings(BaseSettings):
    """What an installation may choose.

    Attributes:
        host: address that ``nmrshift serve`` listens on.
        port: its port.
        model: model folder; the shipped model if absent.
        max_molecules: molecules of one request.
        max_body_bytes: size of a request body.
        read_timeout_s: seconds within which a request body must have arrived.
        threads: requests predicted at the same time.
        max_waiting: requests that may wait for their turn; more get 429.
        log_level: least severe level that is logged.
    """

    model_config = SettingsConfigDict(env_prefix="NMRSHIFT_", frozen=True, extra="ignore")

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    model: Path | None = None
    max_molecules: Annotated[int, Field(ge=1, le=MAX_MOLECULES)] = MAX_MOLECULES
    max_body_bytes: Annotated[int, Field(ge=1000)] = 4 * 1024 * 1024
    read_timeout_s: Annotated[float, Field(gt=0, le=600)] = 10.0
    threads: Annotated[int, Field(ge=1, le=64)] = 1
    max_waiting: Annotated[int, Field(ge=0)] = 64
    log_level: Literal["critical", "error", "warning", "info", "debug"] = "info"
