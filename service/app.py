"""The application, made from settings; nothing happens at import."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, Final

import anyio
from anyio import to_thread
from fastapi import FastAPI
from fastapi.routing import APIRoute

from nmrshift import __version__
from nmrshift.types import ShiftPredictor
from service.admission import AdmissionGate
from service.engine import Engine
from service.jobs.manager import Jobs
from service.keys import KeyGate, read_keys
from service.limits import BodyGate, Uploads
from service.mapping import ProblemError
from service.metrics import Metrics
from service.observe import Observer
from service.pipeline import READ
from service.problems import add_handlers, describe_problems
from service.reading.drawers import DRAW
from service.routes import draw as drawings
from service.routes import health, jobs, match, metrics, model, models, page, predict, solvents
from service.settings import Settings
from service.signals import end_with_parent, handled

_ROUTES: Final = (predict, match, drawings, solvents, model, models, health, metrics, page)
_PREDICTING: Final[frozenset[str]] = frozenset({"/v1/predict", "/v1/match", "/v1/draw"})


_SWITCH_S: Final[float] = 0.0001
"""How long a thread may keep the interpreter from the others, seconds. With Python's 5 ms, the
network's thread, which lets go of it at every operation, waits that long each time while requests
come in, and a lone request, which passes through four threads, twice as long altogether."""


class _Described(FastAPI):
    """The application with a schema that says how requests are refused."""

    def openapi(self) -> dict[str, Any]:
        """Return the schema, made once."""
        if self.openapi_schema is None:
            describe_problems(super().openapi())
        return super().openapi()


def create_app(
    settings: Settings | None = None,
    predictor: ShiftPredictor | None = None,
    *,
    read: str = READ,
    draw: str = DRAW,
) -> FastAPI:
    """Return the application.

    Args:
        settings: by default, those of the environment.
        predictor: by default, the model of the settings, loaded once the application runs.
        read: ``module:function`` that reads one molecule in a reading process.
        draw: ``module:function`` that draws one picture in a drawing process.

    Raises:
        ConfigError: the file of API keys cannot be read.
    """
    settings = settings or Settings()
    logging.getLogger("nmrshift").setLevel(settings.log_level.upper())
    app = _Described(
        title="nmrshift",
        version=__version__,
        summary="NMR chemical shifts of small molecules, predicted from structure and solvent",
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=_operation_id,
    )
    state = app.state
    state.settings, state.metrics = settings, Metrics()
    load = partial(_load, settings, predictor)
    state.engine = Engine(load, settings, state.metrics, read=read, draw=draw)
    state.jobs = None
    if settings.data_dir is not None:
        state.jobs = Jobs(settings.data_dir, state.engine, settings, state.metrics)
    _add_middleware(app, settings)
    routers = [one.router for one in _ROUTES]
    if state.jobs is not None:
        routers.append(jobs.router)
    add_handlers(app, [*app.routes, *(route for router in routers for route in router.routes)])
    for router in routers:
        app.include_router(router)
    return app


def _add_middleware(app: FastAPI, settings: Settings) -> None:
    """Add what every request goes through, the innermost first."""
    uploads = Uploads(jobs.PATH, settings.max_upload_bytes, settings.upload_timeout_s)
    app.add_middleware(
        BodyGate,
        max_bytes=settings.max_body_bytes,
        read_timeout_s=settings.read_timeout_s,
        uploads=None if settings.data_dir is None else uploads,
    )
    admission = app.state.engine.admission
    app.add_middleware(AdmissionGate, admission=admission, paths=_PREDICTING)
    if settings.api_keys is not None:
        app.add_middleware(KeyGate, keys=read_keys(settings.api_keys))
    app.add_middleware(Observer, metrics=app.state.metrics)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Load the model beside the running application: alive at once, ready when it is."""
    engine: Engine = app.state.engine
    kept: Jobs | None = app.state.jobs
    reloads: set[asyncio.Task[None]] = set()

    def drain() -> None:
        engine.drain()
        if kept is not None:
            kept.stop()

    def reload() -> None:
        task = asyncio.ensure_future(_reload(engine))
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    sys.setswitchinterval(_SWITCH_S)
    end_with_parent()
    engine.start()
    if kept is not None:
        kept.start()
    delay_s = app.state.settings.drain_delay_s
    with handled(on_drain=drain, on_reload=reload, delay_s=delay_s):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(engine.load)
            yield
            tasks.cancel_scope.cancel()
    await to_thread.run_sync(_close, engine, kept)


def _close(engine: Engine, kept: Jobs | None) -> None:
    if kept is not None:
        kept.close()
    engine.close()


async def _reload(engine: Engine) -> None:
    with suppress(ProblemError):
        await engine.reload()


def _load(settings: Settings, predictor: ShiftPredictor | None) -> ShiftPredictor:
    if predictor is not None:
        return predictor
    from nmrshift import Predictor

    return Predictor.load(settings.model)


def _operation_id(route: APIRoute) -> str:
    return f"{route.tags[0]}_{route.name}"
