"""``nmrshift serve``: hands settings to uvicorn, imports nothing of the service."""

import os
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from nmrshift.cli.app import main
from nmrshift.cli.serve import APP, log_config


@pytest.fixture
def started(monkeypatch):
    calls = []
    monkeypatch.setattr(os, "environ", dict(os.environ))
    fake = SimpleNamespace(run=lambda app, **kwargs: calls.append((app, kwargs)))
    monkeypatch.setattr("uvicorn.run", fake.run)
    return calls


def test_settings_reach_server_and_application(started):
    result = CliRunner().invoke(
        main, ["serve", "--port", "9000", "--model", "some/model", "--workers", "2"]
    )
    assert result.exit_code == 0
    ((app, kwargs),) = started
    assert app == APP
    assert kwargs["factory"]
    assert (kwargs["host"], kwargs["port"], kwargs["workers"]) == ("127.0.0.1", 9000, 2)
    assert os.environ["NMRSHIFT_PORT"] == "9000"
    assert os.environ["NMRSHIFT_MODEL"] == "some/model"


def test_settings_from_the_environment(started):
    result = CliRunner().invoke(
        main, ["serve"], env={"NMRSHIFT_HOST": "0.0.0.0", "NMRSHIFT_PORT": "8123"}
    )
    assert result.exit_code == 0
    assert (started[0][1]["host"], started[0][1]["port"]) == ("0.0.0.0", 8123)


def test_a_bad_port_is_a_usage_error(started):
    assert CliRunner().invoke(main, ["serve", "--port", "99999"]).exit_code == 2
    assert started == []


def test_the_application_named_exists():
    module, name = APP.split(":")
    assert callable(getattr(__import__(module, fromlist=[name]), name))


def test_our_loggers_are_configured():
    assert log_config("info")["loggers"]["nmrshift"]["level"] == "INFO"
