"""The pages on the service name every setting, code, route and figure that there is."""

import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from service.mapping import STATUS
from service.metrics import Metrics
from service.settings import Settings

DOCS = Path(__file__).resolve().parents[2] / "docs"
SERVICE = (DOCS / "service.md").read_text("utf-8")
DEPLOYMENT = (DOCS / "deployment.md").read_text("utf-8")


def test_every_setting_with_its_default():
    rows = re.findall(r"^\| `(NMRSHIFT_\w+)` \| (\S+) \|", SERVICE, re.MULTILINE)
    written = dict(rows)
    for name, field in Settings.model_fields.items():
        variable = f"NMRSHIFT_{name.upper()}"
        assert f"`{variable}`" in SERVICE, variable
        default = field.default
        if variable not in written or isinstance(default, str):
            continue
        if isinstance(default, bool) or default is None:
            assert written[variable].lower() in (str(default).lower(), "the")
        else:
            assert float(written[variable]) == default, variable
    assert len(written) > 20


def test_every_code():
    for code, status in STATUS.items():
        if code != "bad_request":
            assert re.search(rf"^\| [\d, ]*{status}[\d, ]* \|.*`{code}`", SERVICE, re.MULTILINE), (
                code
            )


def test_every_figure():
    text = Metrics().text().decode()
    families = {family.name for family in text_string_to_metric_families(text)}
    names = {name for name in families if not name.endswith("_created")}
    written = {name.removesuffix("_total") for name in re.findall(r"`(nmrshift_\w+)", DEPLOYMENT)}
    assert written == names
