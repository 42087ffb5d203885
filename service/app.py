"""The application, made from settings; nothing happens at import."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import anyio
from fastapi import FastAPI
from fastapi.routing import APIRoute

from nmrshift import __version__
from nmrshift.types import ShiftPredictor
from service.engine import Engine
from service.limits import BodyGate
from service.problems import add_handlers
from service.routes import draw, health, match, model, page, predict, solvents
from service.settings import Settings


def create_app(
    settings: Settings | None = None, predictor: ShiftPredictor | None = None
) -> FastAPI:
    """Return the application.

    Args:
        settings: by default, those of the environment.
        predictor: by default, the model of the settings, loaded once the application runs.
    """
    settings = settings or Settings()
    logging.getLogger("nmrshift").setLevel(settings.log_level.upper())
    engine = Engine(
        partial(_load, settings, predictor),
        threads=settings.threads,
        max_waiting=settings.max_waiting,
    )
    app = FastAPI(
        title="nmrshift",
        version=__version__,
        summary="NMR chemical shifts of small molecules, predicted from structure and solvent",
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=_operation_id,
    )
    app.state.settings = settings
    app.state.engine = engine
    app.add_middleware(
        BodyGate, max_bytes=settings.max_body_bytes, read_timeout_s=settings.read_timeout_s
    )
    add_handlers(app)
    for routes in (predict, match, draw, solvents, model, health, page):
        app.include_router(routes.router)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Load the model beside the running application: alive at once, ready when it is."""
    engine: Engine = app.state.engine
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(engine.load)
        yield
        tasks.cancel_scope.cancel()


def _load(settings: Settings, predictor: ShiftPredictor | None) -> ShiftPredictor:
    if predictor is not None:
        return predictor
    from nmrshift import Predictor

    return Predictor.load(settings.model)


def _operation_id(route: APIRoute) -> str:
    return f"{route.tags[0]}_{route.name}"
