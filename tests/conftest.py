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


@pytest.fixture(scope="session")
def toy_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny model, really trained on invented shifts."""
    from toy import write_laboratory

    from nmrshift.train.config import load_config
    from nmrshift.train.run import run_training

    folder = tmp_path_factory.mktemp("toy")
    config = load_config(write_laboratory(folder))
    artifact = run_training(config, folder / "run", resume=False, report=lambda _: None, quiet=True)
    return artifact.path
