"""From shifts of atoms to the sticks of a spectrum: one a signal."""

from dataclasses import dataclass
from statistics import fmean

from nmrshift.draw.numbers import half_width_text, shift_text
from nmrshift.types import AtomShift, Prediction


@dataclass(frozen=True, slots=True)
class Stick:
    """A signal.

    Attributes:
        nucleus: for example ``13C``.
        atoms: indices of its atoms in the input; for 1H of the atoms that carry the hydrogens.
        shift_ppm: where it stands, ppm: the mean over its atoms.
        low_ppm: lower end of the interval, ppm, the lowest of its atoms.
        high_ppm: upper end of the interval, ppm, the highest of its atoms.
        n_nuclei: nuclei that make the signal: its height.
    """

    nucleus: str
    atoms: tuple[int, ...]
    shift_ppm: float
    low_ppm: float
    high_ppm: float
    n_nuclei: int

    @property
    def half_width_ppm(self) -> float:
        """Half of the interval's width, ppm."""
        return (self.high_ppm - self.low_ppm) / 2


def sticks(prediction: Prediction, nucleus: str) -> tuple[Stick, ...]:
    """Return the sticks of one nucleus, from high to low shift.

    Args:
        prediction: what was predicted.
        nucleus: for example ``13C``.
    """
    signals: dict[int, list[AtomShift]] = {}
    for atom in prediction.of(nucleus):
        signals.setdefault(atom.signal, []).append(atom)
    found = [_stick(nucleus, atoms) for atoms in signals.values()]
    return tuple(sorted(found, key=lambda stick: (-stick.shift_ppm, stick.atoms)))


def nuclei_of(prediction: Prediction) -> tuple[str, ...]:
    """Return the nuclei that a prediction holds, in its order."""
    return tuple(dict.fromkeys(atom.nucleus for atom in prediction.atoms))


def stick_title(stick: Stick) -> str:
    """Describe a signal in words, for pointers and screen readers."""
    atoms = ", ".join(map(str, stick.atoms))
    return (
        f"{stick.nucleus} {shift_text(stick.nucleus, stick.shift_ppm)} ppm "
        f"{half_width_text(stick.nucleus, stick.half_width_ppm)}, "
        f"{stick.n_nuclei} {'nuclei' if stick.n_nuclei > 1 else 'nucleus'}, "
        f"{'atoms' if len(stick.atoms) > 1 else 'atom'} {atoms}"
    )


def _stick(nucleus: str, atoms: list[AtomShift]) -> Stick:
    hydrogens = sum(atom.n_hydrogens for atom in atoms)
    return Stick(
        nucleus,
        tuple(sorted(atom.atom_index for atom in atoms)),
        fmean(atom.shift_ppm for atom in atoms),
        min(atom.low_ppm for atom in atoms),
        max(atom.high_ppm for atom in atoms),
        hydrogens if nucleus == "1H" else len(atoms),
    )
