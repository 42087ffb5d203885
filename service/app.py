"""The application, made from settings; nothing happens at import."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, Final

import anyio
from anyio import to_thread
from fastapi import FastAPI
from fastapi.routing import APIRoute

from nmrshift import __version__
from nmrshift.collector import collect_seldom
from nmrshift.types import ShiftPredictor
from service.admission import AdmissionGate, EarlyRefusal
from service.apart.crew import READ, Crew
from service.apart.drawers import DRAW
from service.engine import Engine
from service.jobs.manager import Jobs
from service.keys import KeyGate, read_keys
from service.limits import BodyGate, Uploads
from service.loaded import Answerers
from service.local import Local
from service.mapping import ProblemError
from service.metrics import Metrics
from service.observe import Observer
from service.problems import add_handlers, describe_problems
from service.routes import draw as drawings
from service.routes import health, jobs, match, metrics, model, models, page, predict, solvents
from service.settings import Settings
from service.signals import end_with_parent, handled, owns_process
from service.wire import REFUSAL

_ROUTES: Final = (predict, match, drawings, solvents, model, models, health, metrics, page)
_PREDICTING: Final[frozenset[str]] = frozenset({"/v1/predict", "/v1/match", "/v1/draw"})


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
        predictor: answers in this process; by default the model of the settings does, in processes
            of its own, once the application runs.
        read: ``module:function`` that reads one molecule in such a process.
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
    load = partial(_load, settings, state.metrics, predictor, read)
    state.engine = Engine(load, settings, state.metrics, draw=draw)
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
async def _lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
    """Load the model beside the running application: alive at once, ready when it is."""
    engine: Engine = app.state.engine
    kept: Jobs | None = app.state.jobs
    reloads: set[asyncio.Task[None]] = set()
    count = app.state.metrics.requests.labels("none", "POST", "429").inc

    def drain() -> None:
        engine.drain()
        if kept is not None:
            kept.stop()

    def reload() -> None:
        task = asyncio.ensure_future(_reload(engine))
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    end_with_parent()
    if owns_process():
        collect_seldom()  # a look at all objects takes 0.26 s on a slow machine
    engine.start()
    if kept is not None:
        kept.start()
    delay_s = app.state.settings.drain_delay_s
    with handled(on_drain=drain, on_reload=reload, delay_s=delay_s):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(engine.load)
            yield {REFUSAL: EarlyRefusal(engine.admission, _PREDICTING, count)}
            tasks.cancel_scope.cancel()
    if kept is not None:
        await to_thread.run_sync(kept.close)
    await engine.close()


async def _reload(engine: Engine) -> None:
    with suppress(ProblemError):
        await engine.reload()


async def _load(
    settings: Settings, metrics: Metrics, predictor: ShiftPredictor | None, read: str
) -> Answerers:
    if predictor is None:
        return await Crew.of(settings, metrics, read)
    return Local(predictor, settings, metrics)


def _operation_id(route: APIRoute) -> str:
    return f"{route.tags[0]}_{route.name}"
