"""Run as a program: writes the published schema, with every route that an installation may have."""

import json
import sys
import tempfile
from pathlib import Path

from service.app import create_app
from service.settings import Settings


def schema_text() -> str:
    """Return the schema as the file ``docs/openapi.json`` has it."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), api_keys=None)
        schema = create_app(settings).openapi()
    return json.dumps(schema, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
