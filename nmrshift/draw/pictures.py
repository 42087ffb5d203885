"""``picture(prediction)``: a prediction to look at."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from nmrshift.draw.compose import compose
from nmrshift.draw.marks import Scene
from nmrshift.draw.png import to_png
from nmrshift.draw.svg import to_svg
from nmrshift.io.safe_file import whole_binary_file
from nmrshift.types import Prediction

SUFFIXES: Final[tuple[str, ...]] = (".svg", ".png")
DEADLINE_S: Final[float] = 10.0


@dataclass(frozen=True, slots=True)
class Picture:
    """A molecule with its predicted shifts, above one stick spectrum a nucleus.

    Shows itself in a notebook.

    Attributes:
        svg: the picture as an SVG document.
        width: pixels.
        height: pixels.
    """

    svg: str = field(repr=False)
    width: int
    height: int
    _scene: Scene = field(repr=False)

    def png(self, *, scale: float = 2.0) -> bytes:
        """Return the same picture as PNG.

        Args:
            scale: pixels of the PNG for a pixel of the picture, above 0 to 4.

        Raises:
            ValueError: the scale is outside these limits.
        """
        if not 0 < scale <= 4:
            raise ValueError("scale must be above 0 and at most 4")
        return to_png(self._scene, scale=scale)

    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Write the picture to a file that is whole or absent.

        Args:
            path: its suffix, ``.svg`` or ``.png``, chooses the format.
            force: whether a file of that name may be replaced.

        Raises:
            ValueError: another suffix.
            FileExistsError: the name is taken and ``force`` is off.
            OSError: the file cannot be written.
        """
        path = Path(path)
        suffix = path.suffix.lower()
        if suffix not in SUFFIXES:
            raise ValueError(f"{path.name}: the name of a picture ends in .svg or .png")
        content = self.svg.encode() if suffix == ".svg" else self.png()
        with whole_binary_file(path, force=force) as stream:
            stream.write(content)

    def _repr_svg_(self) -> str:
        return self.svg


def picture(
    prediction: Prediction, *, deadline_s: float = DEADLINE_S, spectra: bool = True
) -> Picture:
    """Draw a prediction.

    Atoms are those of the input, by index. Colour and ± say how certain a shift is: the interval
    of the prediction, ppm.

    Args:
        prediction: what was predicted.
        deadline_s: seconds that the 2D layout of a large molecule may take.
        spectra: whether title, spectra and notes stand around the molecule.

    Raises:
        InputError: the text of the prediction is no molecule.
        DrawingError: it cannot be drawn.
        DeadlineError: its 2D layout took too long and was stopped; code ``timeout``.
    """
    scene = compose(prediction, deadline_s=deadline_s, spectra=spectra)
    return Picture(to_svg(scene), scene.width, scene.height, scene)
