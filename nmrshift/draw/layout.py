"""2D coordinates within a deadline.

RDKit's layout has hung on macrocycles and long chains. Small molecules are laid out here; all
others in a process of their own, which is killed when its time is up.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from nmrshift.chem.toolkit import Chem, rdDepictor
from nmrshift.errors import DeadlineError, DrawingError

_SMALL_ATOMS: Final[int] = 60
_SMALL_RINGS: Final[int] = 8
"""The worst known growth doubles with every ring; eight of them take milliseconds."""

_WORKER: Final[tuple[str, ...]] = ("-m", "nmrshift.draw.layout_worker")


def lay_out(mol: Chem.Mol, *, deadline_s: float = 10.0) -> Chem.Mol:
    """Return a copy of a molecule with a 2D conformer.

    Args:
        mol: sanitised molecule; not changed.
        deadline_s: seconds that the layout of a large molecule may take.

    Raises:
        DeadlineError: the layout took longer and was stopped.
        DrawingError: the layout failed.
    """
    laid = Chem.Mol(mol)
    laid.RemoveAllConformers()
    n_rings = laid.GetNumBonds() - laid.GetNumAtoms() + len(Chem.GetMolFrags(laid))
    if laid.GetNumAtoms() <= _SMALL_ATOMS and n_rings <= _SMALL_RINGS:
        compute(laid)
        return laid
    conformer = Chem.Conformer(laid.GetNumAtoms())
    conformer.Set3D(False)
    for index, (x, y) in enumerate(_elsewhere(laid, deadline_s)):
        conformer.SetAtomPosition(index, (x, y, 0.0))
    laid.AddConformer(conformer, assignId=True)
    return laid


def compute(mol: Chem.Mol) -> None:
    """Lay a molecule out in place, its long side horizontal and its bonds 1.5 long."""
    rdDepictor.Compute2DCoords(mol, canonOrient=True, useRingTemplates=True)
    rdDepictor.NormalizeDepiction(mol)
    rdDepictor.StraightenDepiction(mol, minimizeRotation=True)


def _elsewhere(mol: Chem.Mol, deadline_s: float) -> list[tuple[float, float]]:
    """Compute coordinates in another process."""
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    try:
        done = subprocess.run(  # noqa: S603 - our own module, data on its standard input
            [sys.executable, *_WORKER],
            input=mol.ToBinary(int(Chem.PropertyPickleOptions.AllProps)),
            capture_output=True,
            timeout=deadline_s,
            check=True,
            env={**os.environ, "PYTHONPATH": path},
        )
        places = [(float(x), float(y)) for x, y in json.loads(done.stdout)]
    except subprocess.TimeoutExpired:
        raise DeadlineError(
            f"the 2D layout took longer than {deadline_s:g} s and was stopped"
        ) from None
    except (subprocess.CalledProcessError, ValueError) as error:
        raise DrawingError(f"the 2D layout failed ({type(error).__name__})") from None
    if len(places) != mol.GetNumAtoms():
        raise DrawingError("the 2D layout lost atoms")
    return places
