"""JCAMP-DX 5.01 out (doi 10.1366/0003702934067801): one block a molecule and nucleus."""

from collections.abc import Iterator
from typing import Final, TextIO

import numpy as np

from nmrshift.constants import FREQUENCY_MHZ
from nmrshift.errors import OutputError
from nmrshift.io.numbers import ppm_text
from nmrshift.io.sd_text import one_line
from nmrshift.spectrum import Stick, Trace, nuclei_of, sticks, trace
from nmrshift.types import Failure, Prediction

_FULL_SCALE: Final[int] = 1_000_000
_POINTS_A_LINE: Final[int] = 8


class JcampWriter:
    """Writes a trace a nucleus: lines of one width, no couplings, the shifts as a table besides.

    A failure is a comment in its place. A file of several blocks is read by programs that know
    them; nmrglue gives the first as data and the others under ``_datatype_NMRSPECTRUM``.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, answer: Prediction | Failure) -> None:
        """Write the blocks of one answer, or a comment.

        Raises:
            OutputError: a shift is not finite, or no frequency is known for its nucleus.
        """
        if isinstance(answer, Failure):
            text = one_line(f"{answer.code}: {answer.message}")
            self._stream.write(f"$$ row {answer.index} not predicted, {text}\n")
            return
        blocks = ["\n".join(_block(answer, nucleus)) for nucleus in nuclei_of(answer)]
        self._stream.writelines(block + "\n" for block in blocks)

    def close(self) -> None:
        """Nothing ends a file of blocks."""


def _block(answer: Prediction, nucleus: str) -> Iterator[str]:
    signals = sticks(answer, nucleus)
    table = [_signal(stick) for stick in signals]
    curve = trace(signals)
    yield f"##TITLE= {_value(_title(answer))}, {nucleus} predicted"
    yield "##JCAMP-DX= 5.01"
    yield "##DATA TYPE= NMR SPECTRUM"
    yield "##DATA CLASS= XYDATA"
    yield f"##ORIGIN= {_value(answer.model)}"
    yield "##OWNER= predicted, not measured"
    yield f"##.OBSERVE FREQUENCY= {_frequency(nucleus)}"
    yield f"##.OBSERVE NUCLEUS= ^{nucleus}"
    yield f"##.SOLVENT NAME= {_value(answer.solvent)}"
    yield f"##$NMRSHIFT INDEX= {answer.index}"
    yield "##$NMRSHIFT SIGNALS= (shift low high nuclei atoms; ppm, atoms from 0)"
    yield from table
    yield from _data(curve)
    yield "##END="


def _data(curve: Trace) -> Iterator[str]:
    """Yield the trace as integers, each line led by the abscissa of its first point."""
    n_points = len(curve.intensity)
    factor = float(curve.intensity.max()) / _FULL_SCALE
    heights = np.rint(curve.intensity / factor).astype(np.int64).tolist()
    yield "##XUNITS= PPM"
    yield "##YUNITS= ARBITRARY UNITS"
    yield f"##FIRSTX= {curve.first_ppm:.6f}"
    yield f"##LASTX= {curve.last_ppm:.6f}"
    yield f"##DELTAX= {(curve.last_ppm - curve.first_ppm) / (n_points - 1):.9f}"
    yield f"##MAXY= {max(heights) * factor:.9g}"
    yield f"##MINY= {min(heights) * factor:.9g}"
    yield "##XFACTOR= 1.0"
    yield f"##YFACTOR= {factor:.12g}"
    yield f"##FIRSTY= {heights[0] * factor:.9g}"
    yield f"##NPOINTS= {n_points}"
    yield "##XYDATA= (X++(Y..Y))"
    axis = curve.axis_ppm.tolist()
    for start in range(0, n_points, _POINTS_A_LINE):
        numbers = " ".join(map(str, heights[start : start + _POINTS_A_LINE]))
        yield f"{axis[start]:.6f} {numbers}"


def _signal(stick: Stick) -> str:
    shift, low, high = map(ppm_text, (stick.shift_ppm, stick.low_ppm, stick.high_ppm))
    return f"{shift} {low} {high} {stick.n_nuclei} {','.join(map(str, stick.atoms))}"


def _title(answer: Prediction) -> str:
    if answer.name and answer.name.strip():
        return answer.name
    is_block = "\n" in answer.input or "\r" in answer.input
    return f"row {answer.index}" if is_block else answer.input


def _frequency(nucleus: str) -> float:
    if nucleus not in FREQUENCY_MHZ:
        raise OutputError(f"no frequency is known for {nucleus}")
    return FREQUENCY_MHZ[nucleus]


def _value(text: str) -> str:
    """Return a value that no reader takes for a comment."""
    return one_line(text).replace("$$", "$ $").strip() or "-"
