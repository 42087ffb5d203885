"""The files of the page as they are served, without a browser."""

import gzip
import hashlib
import re
from pathlib import Path

import pytest
from client import serving

from service.routes.page import WEB, web_files

VENDORED = (WEB / "vendor", Path(__file__).parent / "vendor")


@pytest.fixture(scope="module")
def client():
    with serving() as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_pages_and_their_policy(client, path):
    response = client.get(path)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    policy = dict(
        part.split(" ", 1) for part in response.headers["content-security-policy"].split("; ")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert ("unsafe" in policy["style-src"]) is (path == "/docs")
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["x-content-type-options"] == "nosniff"
    for place in re.findall(r'(?:src|href)="(web/[^"]+)"', response.text):
        assert client.get(f"/{place}").status_code == 200, place
    assert not re.search(r"<script(?![^>]*\ssrc=)|\son\w+=|\sstyle=", response.text)


def test_every_file_is_served_as_it_is(client):
    assert len(web_files()) > 20
    for name, path in web_files().items():
        if path.suffix == ".html":
            continue
        response = client.get(f"/web/{name}")
        assert response.status_code == 200, name
        assert response.content == path.read_bytes()
        assert response.headers["content-security-policy"] == "default-src 'none'"


def test_modules_are_all_there():
    for path in (WEB / "js").glob("*.js"):
        for target in re.findall(r'(?:from|import\()\s*"(\.[^"]+)"', path.read_text()):
            assert (path.parent / target).is_file(), f"{path.name}: {target}"


def test_a_file_is_sent_once(client):
    headers = dict(client.get("/web/js/main.js").headers)

    async def again():
        return await client._client.get(
            "/web/js/main.js", headers={"if-none-match": headers["etag"]}
        )

    response = client._portal.call(again)
    assert (response.status_code, response.content) == (304, b"")


@pytest.mark.parametrize(
    ("accepted", "packed"), [("gzip, br", True), ("gzip;q=0", False), ("", False)]
)
def test_packed_where_it_can_be_unpacked(client, accepted, packed):
    async def raw():
        request = client._client.build_request(
            "GET", "/web/js/main.js", headers={"accept-encoding": accepted}
        )
        response = await client._client.send(request, stream=True)
        parts = [part async for part in response.aiter_raw()]
        return response, b"".join(parts)

    response, body = client._portal.call(raw)
    assert (response.headers.get("content-encoding") == "gzip") is packed
    content = (WEB / "js" / "main.js").read_bytes()
    assert (gzip.decompress(body) if packed else body) == content


@pytest.mark.parametrize(
    "path",
    ["/web/", "/web/index.html", "/web/nothing.js", "/web/../app.py", "/web/%2e%2e/app.py",
     "/web//etc/passwd", "/web/vendor/SHA256SUMS"],
)  # fmt: skip
def test_nothing_else_is_served(client, path):
    assert client.get(path).status_code == 404


def test_pages_are_no_part_of_the_api(client):
    paths = client.get("/openapi.json").json()["paths"]
    assert not {"/", "/docs"} & set(paths)
    assert not any(path.startswith("/web") for path in paths)


@pytest.mark.parametrize("folder", VENDORED, ids=lambda path: path.parent.name)
def test_vendored_files_are_unchanged(folder):
    named = set()
    for line in (folder / "SHA256SUMS").read_text().splitlines():
        digest, _, name = line.partition("  ")
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name
        named.add(name)
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert there - named == {"README.txt", "SHA256SUMS"}
    assert any("LICENSE" in name for name in named)


def test_own_files_are_small_and_name_no_other_host():
    own = [path for path in WEB.rglob("*") if path.is_file() and "vendor" not in path.parts]
    for path in own:
        text = path.read_text()
        assert len(text.splitlines()) <= 200, path
        assert "innerHTML" not in text, path
        hosts = set(re.findall(r"https?://([\w.]+)", text))
        assert hosts <= {"www.w3.org"}, path
    assert sum(path.stat().st_size for path in own) < 150_000
