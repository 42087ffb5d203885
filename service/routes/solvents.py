"""What can be asked for: solvents and nuclei."""

from typing import Any, cast

from fastapi import APIRouter

from nmrshift.chem.solvents import Solvent, catalogue
from nmrshift.constants import ELEMENT_OF_NUCLEUS
from nmrshift.draw.certainty import step_ends_ppm
from nmrshift.draw.numbers import decimals_of
from nmrshift.types import DEFAULT_NUCLEI
from service.catalogue_schemas import NucleiOut, NucleusOut, SolventOut, SolventsOut
from service.deps import EngineDep
from service.schemas import ProblemOut
from service.strict import StrictRoute

router = APIRouter(prefix="/v1", tags=["catalogue"], route_class=StrictRoute)

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    503: {"model": ProblemOut, "description": "No model is loaded."}
}


@router.get("/solvents", response_model=SolventsOut, responses=_PROBLEMS)
async def solvents(engine: EngineDep) -> SolventsOut:
    """Return the catalogue of solvents, those with many training spectra first."""
    info = getattr(engine.about, "info", None)
    often = frozenset(getattr(info, "solvents", ()))
    found = [_solvent(one, many_spectra=one.key in often) for one in catalogue()]
    return SolventsOut(solvents=sorted(found, key=lambda one: not one.many_spectra))


@router.get("/nuclei", response_model=NucleiOut, responses=_PROBLEMS)
async def nuclei(engine: EngineDep) -> NucleiOut:
    """Return the nuclei that the model predicts."""
    return NucleiOut(nuclei=[_nucleus(one) for one in engine.about.nuclei])


def _solvent(entry: Solvent, *, many_spectra: bool) -> SolventOut:
    as_key = (name for name in entry.names if name.lower() == entry.key)
    return SolventOut(
        key=entry.key,
        name=entry.name,
        label=next(as_key, entry.name),
        kind=cast("Any", entry.kind),
        formula=entry.formula,
        deuterated=entry.deuterated,
        many_spectra=many_spectra,
    )


def _nucleus(nucleus: str) -> NucleusOut:
    return NucleusOut(
        nucleus=nucleus,
        element=ELEMENT_OF_NUCLEUS[nucleus],
        is_default=nucleus in DEFAULT_NUCLEI,
        decimals=decimals_of(nucleus),
        step_ends_ppm=list(step_ends_ppm(nucleus)),
    )
