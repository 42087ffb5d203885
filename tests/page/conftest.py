"""A page that is served and a browser to look at it; a file's tests share both."""

import pytest
from browsing import chromium, site


@pytest.fixture(scope="module")
def where():
    with site() as running:
        yield running


@pytest.fixture(scope="module")
def browser():
    with chromium() as running:
        yield running
