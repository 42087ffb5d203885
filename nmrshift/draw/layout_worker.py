"""Run as a program: a molecule in RDKit's binary form in, its 2D coordinates out, as JSON."""

import json
import sys

from nmrshift.chem.toolkit import Chem
from nmrshift.draw.layout import compute


def main() -> None:
    """Read a molecule from standard input and write ``[[x, y], ...]``."""
    mol = Chem.Mol(sys.stdin.buffer.read())  # type: ignore[arg-type]  # RDKit's stubs say str
    compute(mol)
    places = mol.GetConformer().GetPositions()[:, :2]
    sys.stdout.write(json.dumps(places.round(5).tolist()))


if __name__ == "__main__":
    main()
