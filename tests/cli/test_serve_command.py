"""``nmrshift serve``: hands settings to uvicorn, imports nothing of the service."""

import os
import socket

import pytest
from click.testing import CliRunner
from uvicorn import Config

from nmrshift.cli.app import main
from nmrshift.cli.serve import APP, listen, log_config, run


@pytest.fixture(autouse=True)
def _logging_as_it_was(monkeypatch):
    """A server's logging would write to this test's captured streams for ever after."""
    monkeypatch.setattr("logging.config.dictConfig", lambda _: None)


@pytest.fixture
def started(monkeypatch):
    """Configurations of the servers that were to run."""
    configs = []
    monkeypatch.setattr(os, "environ", dict(os.environ))
    monkeypatch.setattr("nmrshift.cli.serve.run", lambda config: configs.append(config) or True)
    return configs


def test_settings_reach_server_and_application(started):
    result = CliRunner().invoke(
        main, ["serve", "--port", "9000", "--model", "some/model", "--workers", "2"]
    )
    assert result.exit_code == 0
    (config,) = started
    assert (config.app, config.factory) == (APP, True)
    assert (config.host, config.port, config.workers) == ("127.0.0.1", 9000, 2)
    assert os.environ["NMRSHIFT_PORT"] == "9000"
    assert os.environ["NMRSHIFT_MODEL"] == "some/model"


def test_settings_from_the_environment(started):
    result = CliRunner().invoke(
        main, ["serve"], env={"NMRSHIFT_HOST": "0.0.0.0", "NMRSHIFT_PORT": "8123"}
    )
    assert result.exit_code == 0
    assert (started[0].host, started[0].port) == ("0.0.0.0", 8123)


@pytest.mark.parametrize("options", [["--tier", "accurate"], []])
def test_the_model_of_a_tier(started, monkeypatch, options):
    monkeypatch.setattr("nmrshift.cli.options.shipped_model", lambda tier: f"models/{tier}")
    env = {} if options else {"NMRSHIFT_TIER": "accurate"}
    assert CliRunner().invoke(main, ["serve", *options], env=env).exit_code == 0
    assert os.environ["NMRSHIFT_MODEL"] == "models/accurate"


def test_a_folder_and_a_tier_exclude_one_another(started):
    result = CliRunner().invoke(main, ["serve", "--tier", "fast", "--model", "some/model"])
    assert result.exit_code == 2
    assert "not together with --tier" in result.output
    assert not started


def test_a_port_in_use_ends_with_an_error(monkeypatch):
    monkeypatch.setattr(os, "environ", dict(os.environ))
    monkeypatch.setattr("uvicorn.Server.run", lambda server, sockets=None: None)
    assert CliRunner().invoke(main, ["serve"]).exit_code == 1


def test_workers_answer_without_delay():
    with listen(Config(APP, host="127.0.0.1", port=0)) as listener:
        listener.listen()
        with socket.create_connection(listener.getsockname()):
            connection, _ = listener.accept()
            with connection:
                assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_several_workers_share_one_socket(monkeypatch):
    calls = []

    class Supervisor:
        def __init__(self, config, sockets):
            calls.append((config.workers, sockets))

        def run(self):
            calls.append("run")

    monkeypatch.setattr("uvicorn.supervisors.Multiprocess", Supervisor)
    assert run(Config(APP, host="127.0.0.1", port=0, workers=3))
    (workers, (listener,)), ran = calls
    listener.close()
    assert (workers, ran) == (3, "run")


def test_a_bad_port_is_a_usage_error(started):
    assert CliRunner().invoke(main, ["serve", "--port", "99999"]).exit_code == 2
    assert started == []


def test_the_application_named_exists():
    module, name = APP.split(":")
    assert callable(getattr(__import__(module, fromlist=[name]), name))


def test_our_loggers_are_configured():
    assert log_config("info")["loggers"]["nmrshift"]["level"] == "INFO"
