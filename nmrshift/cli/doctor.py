"""``nmrshift doctor``: is everything here that a prediction needs, and does it agree?"""

import json
import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from nmrshift import __version__
from nmrshift.cli import options
from nmrshift.cli.exits import ExitCode
from nmrshift.errors import NmrshiftError

if TYPE_CHECKING:
    from nmrshift.predict.predictor import Predictor

REQUIRED: Final[tuple[str, ...]] = ("rdkit", "torch", "numpy", "safetensors")
OPTIONAL: Final[tuple[str, ...]] = ("dgl",)


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report.

    Attributes:
        name: what was looked at.
        value: what was found.
        ok: whether it may be so.
    """

    name: str
    value: str
    ok: bool = True


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Write the report as JSON.")
@options.MODEL
def doctor(as_json: bool, model: Path | None) -> None:
    """Check versions, kernels and the model; exit with 1 if anything is wrong."""
    checks = [*check_packages(), *check_chemistry(), *check_model(model)]
    all_ok = all(check.ok for check in checks)
    if as_json:
        report = {"ok": all_ok, "checks": [asdict(check) for check in checks]}
        click.echo(json.dumps(report, indent=2))
    else:
        width = max(len(check.name) for check in checks)
        for check in checks:
            mark = "ok   " if check.ok else "WRONG"
            click.echo(f"{mark}  {check.name:<{width}}  {check.value}")
    raise click.exceptions.Exit(ExitCode.OK if all_ok else ExitCode.ERROR)


def check_packages() -> Iterator[Check]:
    """Yield the versions of Python, of nmrshift and of what it stands on."""
    yield Check("python", platform.python_version())
    yield Check("nmrshift", __version__)
    for name in REQUIRED:
        found = _version(name)
        yield Check(name, found or "absent", ok=found is not None)
    for name in OPTIONAL:
        yield Check(name, _version(name) or "absent")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def check_chemistry() -> Iterator[Check]:
    """Yield the ring finder in force, which must be the one that the models were made with."""
    try:
        from nmrshift.chem.toolkit import RING_FINDER, Chem
    except ImportError as error:
        yield Check("ring finder", f"rdkit cannot be imported: {error}", ok=False)
        return
    in_force = "legacy" if Chem.GetUseLegacyRingFinding() else "default"
    yield Check("ring finder", in_force, ok=in_force == RING_FINDER)


def check_model(path: Path | None) -> Iterator[Check]:
    """Yield the kernels, the model's identity, and how well it repeats its known answers."""
    try:
        from nmrshift import Predictor
        from nmrshift.model.kernels import kernel_name
    except ImportError as error:
        yield Check("model", f"cannot be loaded: {error}", ok=False)
        return
    yield Check("kernels", kernel_name())
    try:
        predictor = Predictor.load(path)
    except Exception as error:  # noqa: BLE001 - whatever is wrong, it belongs in the report
        yield Check("model", f"cannot be loaded: {_words(error)}", ok=False)
        return
    yield from _identity(predictor)
    yield from _golden(predictor)


def _identity(predictor: "Predictor") -> Iterator[Check]:
    info = predictor.info
    yield Check("model folder", info.path)
    yield Check("model", f"{info.name} {info.version}")
    yield Check("model hash", info.sha256)
    yield Check("model's rdkit", f"{info.rdkit_version}, ring finder {info.ring_finder}")
    yield Check("nuclei", ", ".join(info.nuclei))


def _golden(predictor: "Predictor") -> Iterator[Check]:
    try:
        report = predictor.verify()
    except Exception as error:  # noqa: BLE001 - whatever is wrong, it belongs in the report
        yield Check("known answers", f"cannot be predicted: {_words(error)}", ok=False)
        return
    text = f"{report.n_golden} molecules, within {report.max_deviation_ppm:.2g} ppm"
    yield Check("known answers", text, ok=report.ok)


def _words(error: Exception) -> str:
    """Return what an error says; one of ours explains itself, any other needs its name."""
    expected = isinstance(error, NmrshiftError | OSError)
    return str(error) if expected else f"{type(error).__name__}: {error}"
