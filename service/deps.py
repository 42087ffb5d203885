"""What routes ask for by name."""

from typing import Annotated, cast

from fastapi import Depends, Request

from service.engine import Engine
from service.settings import Settings


def get_engine(request: Request) -> Engine:
    """Return the application's engine."""
    return cast("Engine", request.app.state.engine)


def get_settings(request: Request) -> Settings:
    """Return the application's settings."""
    return cast("Settings", request.app.state.settings)


EngineDep = Annotated[Engine, Depends(get_engine)]
SettingsDep = Annotated[Settings, Depends(get_settings)]
