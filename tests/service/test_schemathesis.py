"""The whole API against its own schema, by schemathesis: no fault of ours, no undocumented answer.

``NMRSHIFT_SCHEMA_EXAMPLES=1000`` runs it at full size, ``NMRSHIFT_SCHEMA_PATHS`` on the routes
that a regular expression names.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from server import running

EXAMPLES = os.environ.get("NMRSHIFT_SCHEMA_EXAMPLES", "30")
PATHS = os.environ.get("NMRSHIFT_SCHEMA_PATHS", "")
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
    "allow_header_conformance",
    "use_after_free",
)

CONFIG = """
[checks.negative_data_rejection]
expected-statuses = [404, 405, 406, 409, 413, 415, 422]
"""


@pytest.mark.slow
def test_every_route_keeps_to_the_schema(toy_model, tmp_path):
    settings = {"max_jobs": 1_000_000, "allow_reload": "true", "read_timeout_s": 10}
    (tmp_path / "schemathesis.toml").write_text(CONFIG, "utf-8")
    with running(toy_model, data_dir=tmp_path / "data", **settings) as server:
        done = subprocess.run(
            [
                *(Path(sys.executable).with_name("schemathesis"), "run"),
                *(f"{server.url}/openapi.json", "--checks", ",".join(CHECKS)),
                *("--max-examples", EXAMPLES, "--seed", "6", "--generation-deterministic"),
                *("--suppress-health-check", "all", "--request-timeout", "60", "--no-color"),
                *("--warnings", "off", "--continue-on-failure"),
                *(("--include-path-regex", PATHS) if PATHS else ()),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        log = "".join(server.log)
    assert done.returncode == 0, done.stdout[-200_000:] + done.stderr[-2_000:]
    assert "unforeseen" not in log
