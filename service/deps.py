"""What routes ask for by name; asynchronous, since FastAPI would send the rest to a thread each."""

from typing import Annotated, cast

from fastapi import Depends, Request

from service.engine import Engine
from service.jobs.manager import Jobs
from service.metrics import Metrics
from service.settings import Settings


async def get_engine(request: Request) -> Engine:
    """Return the application's engine."""
    return cast("Engine", request.app.state.engine)


async def get_settings(request: Request) -> Settings:
    """Return the application's settings."""
    return cast("Settings", request.app.state.settings)


async def get_metrics(request: Request) -> Metrics:
    """Return the application's figures."""
    return cast("Metrics", request.app.state.metrics)


async def get_jobs(request: Request) -> Jobs:
    """Return the application's jobs; routes that ask for them exist only where there are any."""
    return cast("Jobs", request.app.state.jobs)


EngineDep = Annotated[Engine, Depends(get_engine)]
SettingsDep = Annotated[Settings, Depends(get_settings)]
MetricsDep = Annotated[Metrics, Depends(get_metrics)]
JobsDep = Annotated[Jobs, Depends(get_jobs)]
