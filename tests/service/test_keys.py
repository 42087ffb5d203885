"""API keys: none gets past without one, none faster than agreed, and no key is kept."""

import subprocess
import sys

import pytest
from client import serving

from nmrshift.errors import ConfigError
from service.app import create_app
from service.keys import hash_of, read_keys
from service.settings import Settings

KEY = "a-long-random-key"


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "keys"
    file.write_text(f"# laboratory\nanna {hash_of(KEY)} 6000\n\nben {hash_of('other')} 2 # slow\n")
    return file


def bearer(key):
    return {"authorization": f"Bearer {key}"}


def test_only_with_a_key(path):
    with serving(settings=Settings(api_keys=path)) as client:
        for headers in ({}, bearer("wrong"), {"authorization": KEY}, bearer(hash_of(KEY))):
            for response in (
                client.post("/v1/predict", json={"smiles": "C"}, headers=headers),
                client.get("/v1/model", headers=headers),
                client.get("/v1/jobs/x", headers=headers),
            ):
                assert (response.status_code, response.json()["code"]) == (401, "unauthorized")
                assert response.headers["www-authenticate"] == "Bearer"
        headers = bearer(KEY)
        assert client.post("/v1/predict", json={"smiles": "C"}, headers=headers).status_code == 200
        for route in ("/health/live", "/health/ready", "/metrics"):
            assert client.get(route).status_code == 200


def test_a_giant_body_without_a_key_is_refused_unread(path):
    async def parts():
        raise AssertionError("the body was read")
        yield b""

    with serving(settings=Settings(api_keys=path)) as client:
        assert client.post("/v1/predict", content=parts()).status_code == 401


def test_the_rate_is_each_keys_own(path):
    with serving(settings=Settings(api_keys=path)) as client:
        headers = bearer("other")
        codes = [client.get("/v1/model", headers=headers).status_code for _ in range(4)]
        assert codes == [200, 200, 429, 429]
        response = client.get("/v1/model", headers=headers)
        assert response.json()["code"] == "rate_limited"
        assert 1 <= int(response.headers["retry-after"]) <= 31
        assert client.get("/v1/model", headers=bearer(KEY)).status_code == 200


@pytest.mark.parametrize(
    "text",
    ["anna", f"anna {hash_of(KEY)}", "anna abc 5", f"anna {hash_of(KEY)} x", "a " * 4]
    + [f"anna {hash_of(KEY)} {rate}" for rate in ("0", "-1", "nan", "inf")],
)
def test_a_file_that_cannot_be_read_stops_the_service(tmp_path, text):
    file = tmp_path / "keys"
    file.write_text(text)
    with pytest.raises(ConfigError, match="line 1"):
        create_app(Settings(api_keys=file))
    with pytest.raises(ConfigError):
        read_keys(tmp_path / "absent")


def test_a_key_is_made(tmp_path):
    command = [sys.executable, "-m", "service.keys", "clara", "30"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    file = tmp_path / "keys"
    file.write_text(done.stdout)
    key = done.stderr.strip()
    (kept,) = read_keys(file).values()
    assert (kept.name, kept.sha256, kept.per_minute) == ("clara", hash_of(key), 30.0)
    assert len(key) >= 40
    assert key not in done.stdout
