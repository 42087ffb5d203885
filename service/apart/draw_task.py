"""What goes to a process that draws, and what it does; nothing here needs torch."""

from dataclasses import dataclass
from importlib import import_module
from typing import cast

from nmrshift.draw import picture
from nmrshift.errors import NmrshiftError
from nmrshift.types import Failure, Prediction
from service.apart.frames import Channel
from service.apart.nursery import Ready, alarm
from service.apart.page import Page
from service.apart.task import GRACE_S, Draw, Fault
from service.places import places_of


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture that is wanted.

    Attributes:
        prediction: what it shows.
        spectra: whether title, spectra and notes stand around the molecule.
        png: PNG instead of SVG.
    """

    prediction: Prediction
    spectra: bool
    png: bool


def draw(drawing: Drawing) -> bytes | Failure:
    """Return a picture, or why there is none."""
    one = drawing.prediction
    try:
        drawn = picture(one, spectra=drawing.spectra)
        return drawn.png() if drawing.png else drawn.svg.encode()
    except NmrshiftError as error:
        return Failure(one.index, one.input, one.name, error.code, error.message, error.hint)


def load(spec: str) -> Ready:
    """Return the work of a process that draws with ``module:function``."""
    module, name = spec.split(":")
    chosen = cast("Draw", getattr(import_module(module), name))

    def work(channel: Channel, _: Page) -> None:
        drawing, deadline_s = channel.receive()
        alarm(deadline_s + GRACE_S)
        try:
            answer: object = chosen(drawing)
        except Exception as error:  # noqa: BLE001 - one picture's fault is that picture's
            answer = Fault(type(error).__name__, places_of(error))
        alarm(0)
        channel.send(answer)

    return Ready(work, None)
