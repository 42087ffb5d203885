"""Molecules for a measurement: a SMILES file, or one source of a table of molecules.

Standard library only: a rival's environment runs it too.
"""

import argparse
import csv
import gzip
import itertools
from pathlib import Path


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which molecules."""
    parser.add_argument("file", nargs="?", type=Path, help="one SMILES a line")
    parser.add_argument("--csv", type=Path, help="gzipped CSV with columns smiles,source")
    parser.add_argument("--source", default="deepchem_chembl", help="rows of --csv to take")


def check_options(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """End with a message if neither a file nor a table is named."""
    if not options.file and not options.csv:
        parser.error("name a SMILES file or --csv")


def read_smiles(options: argparse.Namespace, most: int | None) -> list[str]:
    """Return the first molecules of the file, or of one source of the table."""
    if options.file:
        lines = options.file.read_text("utf-8").splitlines()
        return [line.split()[0] for line in lines if line.strip()][:most]
    with gzip.open(options.csv, "rt", encoding="utf-8") as file:
        found = (row["smiles"] for row in csv.DictReader(file) if row["source"] == options.source)
        return list(itertools.islice(found, most))
