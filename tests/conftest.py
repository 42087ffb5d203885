"""Fixtures that every kind of test shares."""

import os
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The project's shared data beside the checkout, where there is one."""
    if not (SHARED / "data" / "README.md").exists():
        if os.environ.get("NMRSHIFT_REQUIRE_SHARED") == "1":
            pytest.fail("NMRSHIFT_REQUIRE_SHARED=1 but ../shared/data is absent")
        pytest.skip("../shared/data is not beside this checkout")
    return SHARED
