"""Small invented SD files for tests of importers."""

from collections.abc import Mapping, Sequence

Atoms = Sequence[str]
Bonds = Sequence[tuple[int, int, int]]

FLUOROETHANOL: tuple[Atoms, Bonds] = (
    ("F", "O", "C", "C", "H", "H"),
    ((1, 3, 1), (2, 4, 1), (3, 4, 1), (4, 5, 1), (4, 6, 1)),
)
"""2-Fluoroethanol, F first, with the two hydrogens of CH2-O written: atoms 5 and 6 on atom 4."""


def molblock(title: str, molecule: tuple[Atoms, Bonds] = FLUOROETHANOL) -> str:
    """Return a V2000 block."""
    atoms, bonds = molecule
    rows = [title, "  test", "", f"{len(atoms):3d}{len(bonds):3d}  0  0  0  0  0  0  0  0999 V2000"]
    rows += [
        f"{float(n):10.4f}{float(n % 2):10.4f}{0.0:10.4f} {symbol:<3} 0  0" + "  0" * 10
        for n, symbol in enumerate(atoms)
    ]
    rows += [f"{first:3d}{second:3d}{order:3d}  0" for first, second, order in bonds]
    return "\n".join([*rows, "M  END", ""])


def record(
    title: str, fields: Mapping[str, str], molecule: tuple[Atoms, Bonds] = FLUOROETHANOL
) -> str:
    """Return an SD record without its delimiter."""
    text = "".join(f"> <{name}>\n{value}\n\n" for name, value in fields.items())
    return molblock(title, molecule) + text


def sd_file(*records: str) -> bytes:
    """Return an SD file."""
    return "".join(text + "$$$$\n" for text in records).encode()
