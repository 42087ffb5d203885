"""The service in this process, behind a client that raises where a server would log a fault."""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx
from anyio.from_thread import start_blocking_portal
from fakes import FakePredictor
from fastapi import FastAPI

from nmrshift.types import ShiftPredictor
from service.apart.crew import READ
from service.apart.drawers import DRAW
from service.app import create_app
from service.settings import Settings


class Client:
    """Sends requests and waits for the answers."""

    def __init__(self, app: FastAPI, portal: Any, client: httpx.AsyncClient) -> None:
        self.app = app
        self._portal = portal
        self._client = client

    def get(self, path: str, **kwargs: Any) -> httpx.Response:
        """Send GET, with the keyword arguments of httpx."""

        async def send() -> httpx.Response:
            return await self._client.get(path, **kwargs)

        return self._portal.call(send)

    def delete(self, path: str) -> httpx.Response:
        """Send DELETE."""
        return self._portal.call(self._client.delete, path)

    def post(self, path: str, **kwargs: Any) -> httpx.Response:
        """Send POST, with the keyword arguments of httpx."""

        async def send() -> httpx.Response:
            return await self._client.post(path, **kwargs)

        return self._portal.call(send)

    def in_background(self, path: str, **kwargs: Any) -> Any:
        """Send POST and return a future of the answer."""

        async def send() -> httpx.Response:
            return await self._client.post(path, **kwargs)

        return self._portal.start_task_soon(send)

    def wait_until_ready(self, deadline_s: float = 120.0) -> None:
        """Ask until the service is ready."""
        end = time.monotonic() + deadline_s
        while self.get("/health/ready").status_code != 200:
            assert time.monotonic() < end, "the service does not get ready"
            time.sleep(0.005)


@contextmanager
def serving(
    predictor: ShiftPredictor | None = None,
    settings: Settings | None = None,
    *,
    wait: bool = True,
    apart: bool = False,
    read: str = READ,
    draw: str = DRAW,
) -> Iterator[Client]:
    """Run the application, by default with the predictor by rule.

    Args:
        predictor: answers in this process.
        settings: by default those of the environment.
        wait: until it is ready.
        apart: the model of the settings answers instead, in processes of its own.
        read: reads one molecule there.
        draw: draws one picture.
    """
    asked = None if apart else predictor or FakePredictor()
    app = create_app(settings or Settings(), asked, read=read, draw=draw)
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(_running(app)) as client,
    ):
        wrapped = Client(app, portal, client)
        if wait:
            wrapped.wait_until_ready()
        yield wrapped


@asynccontextmanager
async def _running(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        yield client
