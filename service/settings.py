"""Settings of the service, from the environment, prefix ``NMRSHIFT_``."""

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

MAX_MOLECULES: Final[int] = 1000
"""Most molecules of one request in any installation; the published schema says so."""


BYTES_PER_MB: Final[int] = 1_000_000


class Settings(BaseSettings):
    """What an installation may choose.

    Attributes:
        host: address that ``nmrshift serve`` listens on.
        port: its port.
        model: model folder; the shipped model if absent.
        max_molecules: molecules of one request.
        max_body_bytes: size of a request body.
        read_timeout_s: seconds within which a request body must have arrived.
        request_timeout_s: seconds after which a request for predictions is given up (504).
        max_waiting: requests that may wait for their turn; more get 429.
        max_waiting_atoms: atoms of all requests inside, from which on new ones get 429.
        processes: processes that answer molecules.
        batch_molecules: molecules that one of them answers together.
        molecule_timeout_s: seconds for reading one molecule; then its process is killed.
        draw_timeout_s: seconds for drawing one picture; then its process is killed.
        process_memory_mb: address space of such a process, megabytes.
        cache_atoms: shifts kept for being asked again; 0 keeps none.
        data_dir: folder of jobs; without one there are no jobs.
        max_jobs: jobs kept at a time, ended ones included.
        max_upload_bytes: size of a job's file.
        max_storage_bytes: size of all jobs together.
        max_job_rows: molecules of a job.
        upload_timeout_s: seconds within which a job's file must have arrived.
        job_ttl_s: seconds after its end at which a job is removed.
        api_keys: file of hashed keys; without one everybody may ask.
        allow_reload: whether POST /v1/models/reload is allowed; SIGHUP always is.
        drain_delay_s: seconds between SIGTERM and the end of listening, in which the service says
            that it is not ready.
        log_level: least severe level that is logged.
    """

    model_config = SettingsConfigDict(env_prefix="NMRSHIFT_", frozen=True, extra="ignore")

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    model: Path | None = None
    max_molecules: Annotated[int, Field(ge=1, le=MAX_MOLECULES)] = MAX_MOLECULES
    max_body_bytes: Annotated[int, Field(ge=1000)] = 4 * 1024 * 1024
    read_timeout_s: Annotated[float, Field(gt=0, le=600)] = 10.0
    request_timeout_s: Annotated[float, Field(gt=0, le=3600)] = 60.0
    max_waiting: Annotated[int, Field(ge=0)] = 64
    max_waiting_atoms: Annotated[int, Field(ge=1)] = 20_000
    processes: Annotated[int, Field(ge=1, le=64)] = 2
    batch_molecules: Annotated[int, Field(ge=1, le=1024)] = 32
    molecule_timeout_s: Annotated[float, Field(gt=0, le=600)] = 2.0
    draw_timeout_s: Annotated[float, Field(gt=0, le=600)] = 15.0
    process_memory_mb: Annotated[int, Field(ge=1000)] = 3000
    cache_atoms: Annotated[int, Field(ge=0)] = 100_000
    data_dir: Path | None = None
    max_jobs: Annotated[int, Field(ge=1)] = 100
    max_upload_bytes: Annotated[int, Field(ge=1000)] = 200_000_000
    max_storage_bytes: Annotated[int, Field(ge=1000)] = 10_000_000_000
    max_job_rows: Annotated[int, Field(ge=1)] = 1_000_000
    upload_timeout_s: Annotated[float, Field(gt=0, le=3600)] = 300.0
    job_ttl_s: Annotated[float, Field(gt=0)] = 7 * 24 * 3600.0
    api_keys: Path | None = None
    allow_reload: bool = False
    drain_delay_s: Annotated[float, Field(ge=0, le=60)] = 0.0
    log_level: Literal["critical", "error", "warning", "info", "debug"] = "info"
