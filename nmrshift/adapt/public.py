"""Plain, diverse structures that stand for public knowledge: scaffolds times substituents."""

import hashlib
from typing import Final

SCAFFOLDS: Final = (
    "c1ccccc1",
    "c1ccc(C)cc1",
    "c1ccc(OC)cc1",
    "c1cccc(F)c1",
    "c1ccccc1Cl",
    "c1cccnc1",
    "c1ccco1",
    "c1cccs1",
    "c1ccc2ccccc2c1",
    "c1c[nH]c2ccccc12",
    "C1CCCCC1",
    "C1CCCC1",
    "N1CCOCC1",
    "C1CCOCC1",
    "CCCC",
    "CC(C)C",
    "C(C)C(=O)OC",
    "C=CC",
    "CC#C",
    "CCc1ccccc1",
    "C(F)(F)CC",
    "C[C@H](N)C(=O)O",
)
"""Each takes a substituent on its first atom."""

SUBSTITUENTS: Final = (
    "C",
    "CC",
    "F",
    "Cl",
    "Br",
    "FC(F)(F)",
    "FC(F)",
    "FCC",
    "FC(F)(F)C(F)(F)",
    "FC(F)(F)O",
    "CO",
    "O",
    "CC(=O)",
    "COC(=O)",
    "NC(=O)",
    "N#C",
    "CN(C)",
    "CS",
    "CP(C)",
    "COP(=O)(OC)",
    "OP(=O)(O)",
    "OB(O)",
    "CC1(C)OB(OC1(C)C)",
    "C[Si](C)(C)",
)
"""Each is bound by its last open atom."""

_KEPT_BACK: Final = 4


def public_smiles() -> tuple[str, ...]:
    """Return the structures, in an order that mixes scaffolds and substituents.

    A substituent is written in front of a scaffold, so its last atom outside of brackets is the
    one that is bound. Pairs that would be unstable (halogen or oxygen on nitrogen) are left out.
    """
    pairs = [
        substituent + scaffold
        for scaffold in SCAFFOLDS
        for substituent in SUBSTITUENTS
        if not (scaffold.startswith("N") and substituent in _NOT_ON_NITROGEN)
    ]
    return tuple(sorted(pairs, key=_digest))


def is_kept_back(number: int) -> bool:
    """Say whether a structure measures drift and is never rehearsed."""
    return number % _KEPT_BACK == 0


_NOT_ON_NITROGEN: Final = frozenset({"F", "Cl", "Br", "O", "CO", "FC(F)(F)O", "CS", "CN(C)"})


def _digest(smiles: str) -> bytes:
    return hashlib.blake2b(smiles.encode(), digest_size=8, person=b"public").digest()
