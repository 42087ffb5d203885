"""The models of this installation, and how to replace the one that answers."""

from pathlib import Path
from typing import Any

from anyio import to_thread
from fastapi import APIRouter

from service.deps import EngineDep, SettingsDep
from service.loaded import About
from service.mapping import ProblemError
from service.routes.model import model_out
from service.schemas import ModelCardOut, ModelOut, ModelsOut, ProblemOut
from service.strict import StrictRoute

router = APIRouter(prefix="/v1/models", tags=["models"], route_class=StrictRoute)

_NOT_READY: dict[int | str, dict[str, Any]] = {
    503: {"model": ProblemOut, "description": "No model is loaded."}
}
_RELOAD: dict[int | str, dict[str, Any]] = {
    403: {"model": ProblemOut, "description": "This installation does not allow it."},
    409: {"model": ProblemOut, "description": "The new model cannot be loaded."},
}


@router.get("", response_model=ModelsOut, responses=_NOT_READY)
async def describe(engine: EngineDep) -> ModelsOut:
    """Return the models that can be asked: card, hash, scores, licences."""
    card = await to_thread.run_sync(_described, engine.about)
    return ModelsOut(models=[card])


@router.post("/reload", response_model=ModelOut, responses=_RELOAD)
async def reload(engine: EngineDep, settings: SettingsDep) -> ModelOut:
    """Load the model folder again.

    The new model answers once it has been verified; if it cannot be, the old one goes on.
    Requests under way end with the model that they began with.
    """
    if not settings.allow_reload:
        raise ProblemError("forbidden", "Reloading over HTTP is off; send SIGHUP.")
    return model_out((await engine.reload()).about)


def _described(about: About) -> ModelCardOut:
    """Return the description with the text of the model's card."""
    info = getattr(about, "info", None)
    folder = None if info is None else Path(info.path)
    return ModelCardOut(
        **model_out(about).model_dump(),
        card=None if folder is None else _text(folder / "CARD.md"),
        data_licence=None if folder is None else _text(folder / "LICENSE-DATA"),
    )


def _text(path: Path) -> str | None:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return None
