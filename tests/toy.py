"""A toy laboratory: small molecules with invented shifts that follow a simple rule."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nmrshift.chem.toolkit import Chem
from nmrshift.model.network import NetworkConfig

SMILES = [
    "CCO",
    "CCN",
    "CCC",
    "CC(C)O",
    "CC(=O)O",
    "CC(=O)C",
    "c1ccccc1",
    "Cc1ccccc1",
    "Oc1ccccc1",
    "Nc1ccccc1",
    "Fc1ccccc1",
    "FC(F)(F)c1ccccc1",
    "FCC",
    "FC(F)C",
    "FC(F)(F)C",
    "FC=C",
    "OCC(F)(F)F",
    "Fc1ccncc1",
    "CC(F)(F)C",
    "FC1CCCCC1",
    "CCOC",
    "CCCC",
    "C=CC",
    "C#CC",
    "CC#N",
    "CCCl",
    "CCBr",
    "CS",
    "CSC",
    "CC=O",
    "COC(=O)C",
    "CNC(=O)C",
    "c1ccncc1",
    "c1ccoc1",
    "c1ccsc1",
    "CP(C)C",
    "CP(=O)(C)C",
    "COP(=O)(OC)OC",
    "CCP(CC)CC",
    "OP(=O)(O)c1ccccc1",
    "CB(O)O",
    "OB(O)c1ccccc1",
    "CB(C)C",
    "C1CCCCC1",
    "C1CCOC1",
    "C1CCNC1",
    "O=C1CCCC1",
    "CC1CCCCC1",
    "C[C@H](O)CC",
    "C/C=C/C",
    "C/C=C\\C",
    "OCCO",
    "NCCN",
    "CC(=O)Nc1ccccc1",
    "COc1ccccc1",
    "Clc1ccccc1",
    "Brc1ccccc1",
    "N#Cc1ccccc1",
    "CC(C)C",
    "CC(C)(C)C",
    "CCCCC",
    "CCCO",
    "FC(F)F",
    "FCF",
    "ClC(F)F",
    "FC(F)(F)C(F)(F)F",
    "CCF",
    "OC(=O)C(F)(F)F",
    "Fc1cccc(F)c1",
    "Fc1ccc(F)cc1",
    "OB(O)c1ccncc1",
    "CCB(O)O",
    "CC(C)B(O)O",
    "CB1OCCO1",
    "OB(O)c1ccccc1F",
    "CCCB(O)O",
    "OB(O)C=C",
    "CB(C)O",
    "CCP(C)C",
    "CP(C)c1ccccc1",
    "CCOP(=O)(C)C",
    "COP(C)OC",
    "CCP(=O)(O)O",
    "OP(O)(=O)CCN",
    "CP(Cl)Cl",
    "COP(=O)(C)OC",
]

_BASE_PPM = {"C": 30.0, "F": -120.0, "P": 20.0, "B": -60.0}
_NUCLEUS = {"C": "13C", "F": "19F", "P": "31P", "B": "11B"}
_SOLVENTS = ("CDCl3", "Chloroform-D1 (CDCl3)", "DMSO-d6", None, "Unreported")


def invented_shift_ppm(atom: Chem.Atom) -> float:
    """A rule that a small network can learn: element, unsaturation and neighbours."""
    around = sum(n.GetAtomicNum() - 6 for n in atom.GetNeighbors())
    unsaturated = atom.GetIsAromatic() or atom.GetHybridization() != Chem.HybridizationType.SP3
    return _BASE_PPM[atom.GetSymbol()] + 10.0 * around + (90.0 if unsaturated else 0.0)


def records(smiles: tuple[str, ...] | list[str] = tuple(SMILES)) -> Iterator[dict[str, Any]]:
    """One record a molecule and nucleus, in the project's native form."""
    for number, text in enumerate(smiles):
        mol = Chem.MolFromSmiles(text)
        spectra: dict[str, list[list[float]]] = {}
        for atom in mol.GetAtoms():
            index = atom.GetIdx()
            if atom.GetSymbol() in _BASE_PPM:
                row = [index, round(invented_shift_ppm(atom), 2)]
                spectra.setdefault(_NUCLEUS[atom.GetSymbol()], []).append(row)
            if atom.GetTotalNumHs():
                shift_ppm = 1.0 + 0.4 * atom.GetDegree() + (5.0 if atom.GetIsAromatic() else 0.0)
                spectra.setdefault("1H", []).append([index, round(shift_ppm, 2)])
        for nucleus, shifts in spectra.items():
            yield {
                "id": f"toy:{number}/{nucleus}",
                "smiles": text,
                "nucleus": nucleus,
                "solvent": _SOLVENTS[number % len(_SOLVENTS)],
                "source": "toy" if number % 2 else "other-toy",
                "assignment": "file",
                "shifts": shifts,
            }


CONFIG = """
name = "toy"
version = "0.0.1"
seed = 5
validation_fraction = 0.25
solvent_min_labels = 20
checkpoint_seconds = 1000
threads = 1
cache = "cache"

[network]
n_layers = 2
d_h = 32
d_e = 16
d_ffn = 32
d_c = 8
d_head = 16

[optimisation]
epochs = 6
batch_atoms = 60
learning_rate = 0.01
bfloat16 = false

[[data]]
path = "toy.jsonl"
source_name = "toy laboratory"
licence = "Apache-2.0"
"""


def write_laboratory(folder: Path) -> Path:
    """Write records and a configuration; return the configuration's path."""
    import json

    lines = [json.dumps(record) for record in records()]
    (folder / "toy.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    config = folder / "toy.toml"
    config.write_text(CONFIG, "utf-8")
    return config


def carbon_network(**settings: Any) -> NetworkConfig:
    """Return the settings of a network of 13C alone that knows no solvent and no source."""
    return NetworkConfig(
        nuclei=("13C",),
        shift_mean_ppm=(0.0,),
        shift_scale_ppm=(1.0,),
        solvent_dim=3,
        solvents=(),
        sources=(),
        **settings,
    )
