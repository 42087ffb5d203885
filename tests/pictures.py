"""Reading pictures back: predictions by rule, and what an SVG says of its atoms."""

import xml.etree.ElementTree as ET

from fakes import FakePredictor

from nmrshift.types import Prediction, Query

SVG = "{http://www.w3.org/2000/svg}"


def predicted(structure, *nuclei: str, **settings) -> Prediction:
    """Return the prediction of the predictor by rule."""
    queries = [Query(structure, **settings)]
    (answer,) = FakePredictor().predict_many(queries, nuclei=nuclei or ("13C",))
    assert isinstance(answer, Prediction), answer
    return answer


def read(svg: str) -> ET.Element:
    """Parse a picture, which must be well-formed."""
    return ET.fromstring(svg)


def groups(root: ET.Element, kind: str) -> list[ET.Element]:
    """Return the groups of a kind, ``stick`` or ``tag``, in the order of the document."""
    return [group for group in root.iter(f"{SVG}g") if group.get("class") == kind]


def atoms_of(group: ET.Element) -> list[int]:
    """Return the atoms that a group stands for."""
    return [int(word) for word in group.get("data-atoms").split()]


def words_of(group: ET.Element) -> list[str]:
    """Return the texts written in a group."""
    return ["".join(text.itertext()) for text in group.iter(f"{SVG}text")]


def middle_of(group: ET.Element) -> tuple[float, float]:
    """Return the middle of a group's first box, pixels."""
    box = next(group.iter(f"{SVG}rect"))
    x, y, width, height = (float(box.get(key)) for key in ("x", "y", "width", "height"))
    return x + width / 2, y + height / 2


def atom_places(root: ET.Element) -> dict[int, tuple[float, float]]:
    """Return the place of every atom as RDKit tagged it, pixels of the picture."""
    (molecule,) = groups(root, "molecule")
    left, top = map(float, molecule.get("transform")[len("translate(") : -1].split(","))
    places = {}
    for circle in molecule.iter(f"{SVG}circle"):
        kinds = circle.get("class", "").split()
        if "atom-selector" in kinds:
            index = int(kinds[-1].removeprefix("atom-"))
            places[index] = (left + float(circle.get("cx")), top + float(circle.get("cy")))
    return places
