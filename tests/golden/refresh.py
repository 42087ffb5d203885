"""Write the shifts of the shipped model anew: ``python tests/golden/refresh.py``.

Only for a release whose CHANGELOG says "Predictions changed".
"""

import json
from pathlib import Path

from test_shipped_model import GOLDEN, MOLECULES

from nmrshift import Predictor


def shifts(predictor: Predictor, smiles: str) -> dict[str, float]:
    """Return the shift of every atom of a molecule in CDCl3, by nucleus and atom."""
    answer = predictor.predict(smiles, solvent="CDCl3", nuclei=predictor.nuclei)
    return {f"{atom.nucleus}/{atom.atom_index}": round(atom.shift_ppm, 4) for atom in answer.atoms}


def main() -> None:
    """Predict and write."""
    predictor = Predictor.load()
    content = {
        "model": predictor.identity,
        "shifts_ppm": {smiles: shifts(predictor, smiles) for smiles in MOLECULES},
    }
    Path(GOLDEN).write_text(json.dumps(content, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
