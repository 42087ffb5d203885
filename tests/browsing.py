"""A real browser before the real service: what tests of the page share."""

import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fake_jobs import FakeJobs
from fakes import FakePredictor

from service.app import create_app
from service.settings import Settings

AXE = Path(__file__).parent / "page" / "vendor" / "axe.min.js"


@dataclass
class Site:
    """The service on a port of its own.

    Attributes:
        url: where the page is.
        jobs: its jobs.
    """

    url: str
    jobs: FakeJobs


@contextmanager
def site(settings: Settings | None = None) -> Iterator[Site]:
    """Run the service with the predictor by rule, and with jobs that wait for the test."""
    app = create_app(settings or Settings(), FakePredictor())
    jobs = FakeJobs()
    jobs.put_in_front_of(app)
    config = uvicorn.Config(app, port=0, log_level="error", ws="none", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        end = time.monotonic() + 20
        while not server.started:
            assert time.monotonic() < end
            time.sleep(0.02)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield Site(f"http://127.0.0.1:{port}/", jobs)
    finally:
        server.should_exit = True
        thread.join(20)


@contextmanager
def chromium() -> Iterator[Any]:
    """Start Chromium; skip the tests where playwright or the browser is absent."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        path = None
    if path is None:
        if os.environ.get("NMRSHIFT_REQUIRE_BROWSER") == "1":
            pytest.fail("NMRSHIFT_REQUIRE_BROWSER=1 but playwright or chromium is absent")
        pytest.skip("playwright (of pip) or chromium (of the system) is absent")
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=path, args=options)
        yield browser
        browser.close()


@dataclass
class Visit:
    """One page in a fresh context, and all that it asked for and complained of.

    Attributes:
        page: playwright's page.
        site: the service.
        requests: addresses asked for.
        complaints: errors of scripts and of the policy.
    """

    page: Any
    site: Site
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str = "") -> None:
        """Go to the page and wait until it can be used."""
        self.page.goto(self.site.url + path)
        if not path:
            self.page.wait_for_selector("#predict:enabled")

    def predict(self, structure: str) -> None:
        """Write a structure, send it with Enter and wait for the drawing or a problem."""
        self.page.fill("#structure", structure)
        self.page.press("#structure", "Enter") if "\n" not in structure else self.page.click(
            "#predict"
        )
        self.page.wait_for_selector("#result:not([aria-busy])")

    def change_answers(self, change: Any) -> None:
        """Let a function change the JSON of every prediction on its way to the page."""

        def handle(route: Any) -> None:
            response = route.fetch()
            document = response.json()
            change(document)
            route.fulfill(response=response, json=document)

        self.page.route("**/v1/predict", handle)

    def shoot(self, name: str) -> None:
        """Keep a screenshot where ``NMRSHIFT_SCREENSHOTS`` says."""
        folder = os.environ.get("NMRSHIFT_SCREENSHOTS")
        if folder:
            self.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)

    def violations(self) -> list[str]:
        """Return what axe-core finds wrong with the page as it is."""
        found = self.page.evaluate("() => axe.run()")
        assert len(found["passes"]) > 10
        return [
            f"{one['id']}: {one['nodes'][0]['html'][:120]}: {one['nodes'][0]['failureSummary']}"
            for one in found["violations"]
        ]


@contextmanager
def visiting(browser: Any, where: Site, *, axe: bool = False, **options: Any) -> Iterator[Visit]:
    """Open a fresh page; whatever leaves the origin or breaks a script fails the test."""
    context = browser.new_context(accept_downloads=True, **options)
    context.set_default_timeout(30_000)
    if axe:
        context.add_init_script(path=AXE)
    visit = Visit(context.new_page(), where)
    visit.page.on("request", lambda request: visit.requests.append(request.url))
    visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    visit.page.on("console", lambda message: _note(visit, message))
    try:
        yield visit
    finally:
        context.close()
    own = (where.url, "blob:", "data:")
    assert [url for url in visit.requests if not url.startswith(own)] == []
    assert visit.complaints == []


def _note(visit: Visit, message: Any) -> None:
    if message.type == "error" and "Failed to load resource" not in message.text:
        visit.complaints.append(message.text)
