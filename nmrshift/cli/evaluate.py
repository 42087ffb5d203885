"""``nmrshift evaluate``: errors of a model, or of the HOSE baseline, on measured spectra."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nmrshift.cli import options
from nmrshift.errors import FileFormatError, RecordError

if TYPE_CHECKING:
    from nmrshift.evaluate.score import Selection

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("records", nargs=-1, required=True, type=_FILE)
@options.MODEL
@click.option("--baseline", type=click.Choice(["hose"]), help="Measure a baseline instead.")
@click.option("--train", multiple=True, type=_FILE, help="Spectra the baseline learns from.")
@click.option("--nucleus", "nuclei", multiple=True, help="Score this nucleus only; repeatable.")
@click.option(
    "--window", nargs=2, type=float, metavar="LOW HIGH", help="Score measured shifts in between."
)
@click.option("--bonded-to", metavar="ELEMENT", help="Score atoms bound to this element only.")
@click.option(
    "--ids",
    metavar="FILE[:KEY]",
    help="Score these molecules only: a JSON list, or the list under KEY of a JSON object.",
)
@click.option("--computed", is_flag=True, help="Score computed spectra too.")
@click.option(
    "--interval",
    type=click.FloatRange(0.5, 0.99),
    default=0.9,
    show_default=True,
    help="Nominal coverage of the intervals.",
)
@click.option("--json", "as_json", is_flag=True, help="Write the report as JSON.")
def evaluate(
    records: tuple[Path, ...],
    model: Path | None,
    baseline: str | None,
    train: tuple[Path, ...],
    nuclei: tuple[str, ...],
    window: tuple[float, float] | None,
    bonded_to: str | None,
    ids: str | None,
    *,
    computed: bool,
    interval: float,
    as_json: bool,
) -> None:
    """Compare predicted with measured shifts of RECORDS.

    RECORDS are files of shift records (.jsonl, .jsonl.gz) or anything `nmrshift data import`
    reads. Each molecule is predicted in its record's solvent. The errors are given for each
    nucleus, solvent and kind of atom, with the share of shifts inside their interval.
    """
    from nmrshift.data.importing import read_spectra
    from nmrshift.evaluate.score import Selection
    from nmrshift.evaluate.score import evaluate as measure

    if (baseline is None) != (not train):
        raise click.UsageError("--baseline and --train go together")
    if baseline is not None and model is not None:
        raise click.UsageError("give --model or --baseline, not both")
    selection = Selection(
        nuclei=nuclei,
        window_ppm=window,
        bonded_to=bonded_to,
        molecules=None if ids is None else read_ids(ids),
        computed=computed,
    )
    found = [record for path in records for record in read_spectra(path)]
    notes = _selection_notes(selection)
    if baseline is None:
        from nmrshift.predict.predictor import Predictor

        report = measure(
            found, Predictor.load(model), selection=selection, interval=interval, notes=notes
        )
    else:
        from nmrshift.data.records import ShiftRecord
        from nmrshift.evaluate.baseline import hose_baseline

        chosen = [r for r in found if isinstance(r, ShiftRecord) and selection.has_record(r)]
        if not chosen:
            raise RecordError("no spectrum is selected", hint="Check --nucleus and --ids.")
        wanted = tuple(dict.fromkeys(record.nucleus for record in chosen))
        training = (record for path in train for record in read_spectra(path))
        table, n_dropped = hose_baseline(training, chosen, nuclei=wanted)
        left_out = f"{n_dropped} training structures left out because they are evaluated"
        report = measure(
            found, table, selection=selection, interval=interval, notes=(*notes, left_out)
        )
    click.echo(json.dumps(report.to_dict(), indent=2) if as_json else report.to_text(), nl=as_json)


def read_ids(text: str) -> frozenset[str]:
    """Read identifiers of molecules from ``FILE`` or ``FILE:KEY``.

    Raises:
        FileFormatError: there is no such file, it is not JSON, or holds no list there.
    """
    path, key = Path(text), ""
    if not path.is_file():
        name, _, key = text.rpartition(":")
        path = Path(name)
        if not path.is_file():
            raise FileFormatError(f"there is no file {text}")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FileFormatError(f"{path.name} is not JSON: {error}") from error
    found = content.get(key) if key and isinstance(content, dict) else content
    if not isinstance(found, list):
        where = f"a list under {key!r}" if key else "a list"
        raise FileFormatError(f"{path.name} does not hold {where}")
    return frozenset(str(item) for item in found)


def _selection_notes(selection: "Selection") -> tuple[str, ...]:
    """Say what was selected, so that a report explains itself."""
    notes = []
    if selection.window_ppm is not None:
        low, high = selection.window_ppm
        notes.append(f"measured shifts from {low:g} to {high:g} ppm only")
    if selection.bonded_to is not None:
        notes.append(f"atoms bound to {selection.bonded_to} only")
    if selection.molecules is not None:
        notes.append(f"{len(selection.molecules)} molecules named in a list")
    return tuple(notes)
