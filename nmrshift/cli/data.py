"""``nmrshift data``: import, check, mend, assign, teach and split spectra."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from nmrshift.cli import options
from nmrshift.cli.exits import ExitCode
from nmrshift.errors import ConfigError, FileFormatError

if TYPE_CHECKING:
    from nmrshift.data.importing import ImportFormat
    from nmrshift.data.records import RecordIssue, ShiftRecord
    from nmrshift.predict.predictor import Predictor

_ISSUES_SHOWN = 20
_EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)
_RECORDS_OUT = click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Records to write: .jsonl or .jsonl.gz.",
)
_FORCE = click.option("--force", is_flag=True, help="Replace the output file.")
_FORCE_ALL = click.option("--force", is_flag=True, help="Replace the output files.")


@click.group()
def data() -> None:
    """Import, check, mend, assign, teach and split spectra."""


@data.command("import")
@click.argument("file", type=_EXISTING)
@_RECORDS_OUT
@click.option(
    "--format",
    "kind",
    default="auto",
    show_default=True,
    type=click.Choice(["auto", "nmrshiftdb", "nmredata", "csv", "tsv"]),
    help="Format of FILE.",
)
@click.option("--source", help="Collection that the spectra of a table belong to.")
@click.option(
    "--first-atom",
    default="0",
    show_default=True,
    type=click.Choice(["0", "1"]),
    help="Number of the first atom in a table.",
)
@click.option("--all-issues", is_flag=True, help="Show every issue, not only the first ones.")
@_FORCE
def import_(
    file: Path,
    out: Path,
    kind: str,
    source: str | None,
    first_atom: str,
    *,
    all_issues: bool,
    force: bool,
) -> None:
    """Turn the spectra of FILE into records.

    Every record of FILE comes out, or is reported on standard error. The exit code is 3 where
    something was reported.
    """
    from nmrshift.data.importing import import_file
    from nmrshift.data.records import RecordIssue, only_records

    issues: list[RecordIssue] = []

    def records() -> Iterator["ShiftRecord"]:
        chosen = None if kind == "auto" else cast("ImportFormat", kind)
        count = 0
        entries = import_file(file, chosen, source=source, first_atom=int(first_atom))
        for record in only_records(entries, issues):
            count += 1
            yield record
        if not count and not issues:
            raise FileFormatError(f"{file} holds no record")

    _write(out, records(), issues, force=force, most=None if all_issues else _ISSUES_SHOWN)


@data.command()
@click.argument("files", nargs=-1, required=True, type=_EXISTING)
@click.option("--json", "as_json", is_flag=True, help="Write the whole report as JSON.")
@click.option("--most", default=10, show_default=True, help="Findings shown of each kind.")
@click.option("--ask-model", is_flag=True, help="Ask the model about outliers and exchanged pairs.")
@options.MODEL
def check(
    files: tuple[Path, ...], *, as_json: bool, most: int, ask_model: bool, model: Path | None
) -> None:
    """Report what FILES hold and what looks wrong in them.

    The report is about the data: the exit code is 0 whatever is found, 3 where rows of a file are
    no records.
    """
    from nmrshift.data.check import check_files

    report = check_files(files, _asked(model, ask=ask_model))
    if as_json:
        click.echo(json.dumps(report.to_dict(), indent=1, allow_nan=False))
    else:
        click.echo(report.to_text(most), nl=False)
    _leave(sum(number for _, number in report.issues))


@data.command()
@click.argument("files", nargs=-1, required=True, type=_EXISTING)
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the mended files, under their names.",
)
@click.option("--ask-model", is_flag=True, help="Change only what the model contradicts too.")
@options.MODEL
@_FORCE_ALL
def mend(
    files: tuple[Path, ...], out: Path, *, ask_model: bool, model: Path | None, force: bool
) -> None:
    """Write FILES again with exchanged pairs put right and doubtful shifts marked.

    What `nmrshift data check` calls an exchanged pair is exchanged; atoms with a shift far from the
    same environment in other molecules are listed as doubted, and training trusts their shifts
    less (`doubt_weight`). FILES are judged together; nothing is left out.
    """
    from nmrshift.data.mend import mend_files

    try:
        done = mend_files(files, out, _asked(model, ask=ask_model), force=force)
    except FileExistsError as error:
        raise _taken(error) from None
    summary = {
        "records": done.n_records,
        "changed": done.n_changed,
        "exchanged_pairs": done.n_exchanged,
        "doubted_atoms": done.n_doubted,
    }
    click.echo(json.dumps(summary, indent=1))
    _show(list(done.issues), _ISSUES_SHOWN)
    _leave(len(done.issues))


@data.command()
@click.argument("file", type=_EXISTING)
@_RECORDS_OUT
@options.MODEL
@_FORCE
def assign(file: Path, out: Path, *, model: Path | None, force: bool) -> None:
    """Put the peak lists of FILE on atoms by a model's predictions.

    For learning from them again, not for publication: such a spectrum is marked as uncertain, and
    atoms whose peak is farther off than the model expects as doubted. Assigned spectra stay as they
    are. Every record comes out or is reported on standard error; then the exit code is 3.
    """
    from nmrshift.data.records import RecordIssue, only_records, read_records
    from nmrshift.evaluate.assign_lists import assign_lists

    issues: list[RecordIssue] = []
    records = only_records(assign_lists(read_records(file), _load(model)), issues)
    _write(out, records, issues, force=force)


@data.command()
@click.argument("files", nargs=-1, required=True, type=_EXISTING)
@click.option(
    "--like",
    multiple=True,
    required=True,
    type=_EXISTING,
    help="Measured records: their nuclei, solvents and conventions are taught, as often as there.",
)
@_RECORDS_OUT
@options.MODEL
@click.option("--seed", default=0, show_default=True, help="Another number, other conditions.")
@_FORCE
def teach(
    files: tuple[Path, ...],
    like: tuple[Path, ...],
    out: Path,
    model: Path | None,
    seed: int,
    *,
    force: bool,
) -> None:
    """Write what a model says of the molecules of FILES as spectra to train another model on.

    FILES are molecules as `nmrshift predict` reads them, or records. Give --model several networks
    in one (`members`): the one that learns from their mean costs as much as one of them. Molecules
    that cannot be read are reported on standard error; then the exit code is 3.
    """
    from nmrshift.data.records import RecordIssue, only_records, read_records
    from nmrshift.evaluate.teach import Conditions, teach
    from nmrshift.io.formats import read_queries
    from nmrshift.predict.predictor import Predictor

    # Without its evidence: a molecule's own measurement would teach itself.
    predictor = Predictor(replace(_load(model).artifact, evidence=None))
    issues: list[RecordIssue] = []
    measured = only_records(chain.from_iterable(map(read_records, like)), issues)
    conditions = Conditions(measured, predictor.sources)
    molecules = chain.from_iterable(map(read_queries, files))
    records = only_records(teach(molecules, predictor, conditions, seed), issues)
    _write(out, records, issues, force=force)


@data.command()
@click.argument("files", nargs=-1, required=True, type=_EXISTING)
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for train, valid and test.",
)
@click.option("--fractions", default="0.8,0.1,0.1", show_default=True, help="Share of each part.")
@click.option("--folds", type=int, help="Write this many equal folds instead.")
@click.option("--seed", default=0, show_default=True, help="Another number, another split.")
@click.option("--exclude", type=_EXISTING, help="JSON list of connectivities to leave out.")
@click.option("--plain", is_flag=True, help="Write .jsonl instead of .jsonl.gz.")
@_FORCE_ALL
def split(
    files: tuple[Path, ...],
    out: Path,
    fractions: str,
    folds: int | None,
    seed: int,
    exclude: Path | None,
    *,
    plain: bool,
    force: bool,
) -> None:
    """Split FILES by connectivity, so that no molecule is in two parts.

    A molecule's part depends on its bonds and the seed alone: records added later move no other.
    """
    from nmrshift.data.splits import SplitPlan, fold_plan, read_connectivities, split_files

    excluded = frozenset() if exclude is None else read_connectivities(exclude)
    if folds is None:
        plan = SplitPlan(fractions=_fractions(fractions), seed=seed, excluded=excluded)
    else:
        plan = fold_plan(folds, seed=seed, excluded=excluded)
    suffix = ".jsonl" if plain else ".jsonl.gz"
    try:
        result = split_files(files, out, plan, suffix=suffix, force=force)
    except FileExistsError as error:
        raise _taken(error) from None
    summary = {
        name: {"records": number, "molecules": result.n_molecules[name]}
        for name, number in result.n_records.items()
    }
    click.echo(json.dumps(summary, indent=1))
    _show(list(result.issues), _ISSUES_SHOWN)
    _leave(len(result.issues))


def _asked(folder: Path | None, *, ask: bool) -> "Predictor | None":
    """Load the model that is asked, if one is: that of a folder, or the shipped one."""
    return _load(folder) if ask or folder is not None else None


def _load(folder: Path | None) -> "Predictor":
    from nmrshift.predict.predictor import Predictor

    return Predictor.load(folder)


def _write(
    out: Path,
    records: "Iterator[ShiftRecord]",
    issues: "list[RecordIssue]",
    *,
    force: bool,
    most: int | None = _ISSUES_SHOWN,
) -> None:
    """Write records, then show what was reported while they came; end with 3 if anything was."""
    from nmrshift.data.records import write_records

    try:
        count = write_records(out, records, force=force)
    except FileExistsError as error:
        raise _taken(error) from None
    _show(issues, most)
    click.echo(f"{count} records written to {out}, {len(issues)} reported", err=True)
    _leave(len(issues))


def _taken(error: FileExistsError) -> click.ClickException:
    return click.ClickException(f"{error}; use --force to replace it")


def _fractions(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise ConfigError(f"{text!r} are no fractions", hint="Write 0.8,0.1,0.1.") from None


def _show(issues: "list[RecordIssue]", most: int | None) -> None:
    """Write issues as a table on standard error, then their numbers by code."""
    if not issues:
        return
    click.echo(f"{'row':>7}  {'code':<20} message", err=True)
    for issue in issues[:most]:
        line = f"{issue.row:>7}  {issue.code:<20} {issue.message}"
        click.echo(line + (f" [{issue.text[:60]}]" if issue.text else ""), err=True)
    if most is not None and len(issues) > most:
        click.echo(f"    ...  {len(issues) - most} more", err=True)
    for code, number in Counter(issue.code for issue in issues).most_common():
        click.echo(f"{number:>7}  {code}", err=True)


def _leave(n_issues: int) -> None:
    """End with 3 where something was reported."""
    if n_issues:
        raise click.exceptions.Exit(ExitCode.SOME_FAILED)
