"""Bodies of requests and answers; what is not named here is refused."""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from nmrshift.types import DEFAULT_NUCLEI, Domain
from service.settings import MAX_MOLECULES

PREDICT_EXAMPLES: Final[tuple[dict[str, Any], ...]] = (
    {"smiles": ["CCO", "FC(F)(F)c1ccccc1"], "solvent": "CDCl3"},
    {
        "molecules": [
            {"smiles": "CCO", "name": "ethanol", "solvent": "DMSO-d6"},
            {"inchi": "InChI=1S/CH4/h1H4"},
        ],
        "nuclei": ["13C", "h1"],
        "interval": 0.8,
    },
)

Label = Annotated[str, Field(max_length=200)]


class Strict(BaseModel):
    """Base of all requests: exact types, finite numbers, no further fields."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class MoleculeIn(Strict):
    """One molecule; exactly one of ``structure``, ``smiles``, ``inchi``, ``molblock``.

    ``structure`` finds out by itself which of the three it is.
    """

    structure: str | None = None
    smiles: str | None = None
    inchi: str | None = None
    molblock: str | None = None
    name: Label | None = Field(None, description="Your identifier, returned as given.")
    solvent: Label | None = Field(None, description="Solvent, if not the one of the request.")

    @model_validator(mode="after")
    def _one_structure(self) -> "MoleculeIn":
        given = (self.structure, self.smiles, self.inchi, self.molblock)
        if sum(one is not None for one in given) != 1:
            raise ValueError("exactly one of structure, smiles, inchi, molblock expected")
        return self


class PredictRequest(Strict):
    """Molecules to predict: either ``molecules``, or ``smiles`` for short."""

    model_config = ConfigDict(json_schema_extra={"examples": [*PREDICT_EXAMPLES]})

    molecules: Annotated[list[MoleculeIn], Field(min_length=1, max_length=MAX_MOLECULES)] | None = (
        None
    )
    smiles: Annotated[list[str], Field(min_length=1, max_length=MAX_MOLECULES)] | str | None = None
    nuclei: Annotated[list[Label], Field(min_length=1, max_length=20)] = Field(
        list(DEFAULT_NUCLEI), description="For example 13C or f19."
    )
    solvent: Label | None = Field(None, description="Solvent of molecules that name none.")
    source: Label | None = Field(None, description="Reference convention; see GET /v1/model.")
    interval: float = Field(
        0.9, ge=0.5, le=0.99, description="Share of true shifts that the intervals are to hold."
    )
    references: int = Field(
        0, ge=0, le=5, description="Measured shifts to name as evidence of each atom."
    )

    @model_validator(mode="after")
    def _one_list(self) -> "PredictRequest":
        if (self.molecules is None) == (self.smiles is None):
            raise ValueError("exactly one of molecules, smiles expected")
        return self

    def rows(self) -> list[dict[str, Any]]:
        """Return the molecules as plain fields, in order."""
        return fields_of(self.molecules, self.smiles)


def fields_of(
    molecules: list[MoleculeIn] | None, smiles: list[str] | str | None
) -> list[dict[str, Any]]:
    """Return molecules as plain fields, in order: either the long form or the short one."""
    if molecules is not None:
        return [molecule.model_dump(exclude_none=True) for molecule in molecules]
    texts = [smiles] if isinstance(smiles, str) else smiles or []
    return [{"smiles": text} for text in texts]


class ReferenceOut(Strict):
    """A measured shift of the same environment."""

    record: str = Field(description="Where it was measured.")
    shift_ppm: float


class EvidenceOut(Strict):
    """What training spectra say of atoms with the same environment."""

    sphere: int = Field(description="Bonds out to which the environment is the same, 0-5.")
    n_measured: int
    mean_ppm: float | None
    spread_ppm: float | None = Field(description="Standard deviation; null below two.")
    references: list[ReferenceOut] = Field(description="As many as were asked for.")


class AtomOut(Strict):
    """The shift of one atom, by its index in the input, from 0; ppm rounded to 0.001."""

    atom_index: int
    element: str
    nucleus: str
    shift_ppm: float
    low_ppm: float
    high_ppm: float
    signal: int = Field(description="Equivalent atoms of one nucleus share it.")
    n_hydrogens: int
    flags: list[str]
    domain: Domain
    evidence: EvidenceOut | None = Field(description="Null where the model keeps none.")


class NoticeOut(Strict):
    """A warning on the molecule."""

    code: str
    message: str


class PredictionOut(Strict):
    """The answer for one molecule."""

    status: Literal["ok"]
    index: int
    name: str | None
    input: str
    solvent: str
    interval: float
    model: str
    atoms: list[AtomOut]
    notices: list[NoticeOut]
    molblock: str | None = Field(
        None, description="Whose atom order is used, where the input has none (InChI)."
    )
    domain: Domain = Field(description="The worst verdict on an atom or the whole molecule.")


class FailureOut(Strict):
    """A molecule that could not be predicted."""

    status: Literal["error"]
    index: int
    name: str | None
    input: str
    code: str
    message: str
    hint: str


class CountsOut(Strict):
    """Numbers of answers."""

    ok: int
    error: int


class PredictResponse(Strict):
    """One answer a molecule, in the order of the request."""

    schema_version: int
    predictions: list[Annotated[PredictionOut | FailureOut, Field(discriminator="status")]]
    counts: CountsOut
    model: str | None = Field(description="Null if no molecule was predicted.")


class DataSourceOut(Strict):
    """A source of training data."""

    name: str
    licence: str
    n_molecules: int


class ModelOut(Strict):
    """The model that answers; a predictor that is not described has only name and nuclei."""

    identity: str = Field(description="Name, version and the first eight digits of the hash.")
    name: str
    version: str | None = None
    sha256: str | None = None
    units: Literal["ppm"] = "ppm"
    nuclei: list[str]
    sources: list[str] = Field([], description="Reference conventions that can be asked for.")
    solvents: list[str] = Field([], description="Solvents with many training spectra.")
    data: list[DataSourceOut] = []
    metrics: dict[str, Any] = Field({}, description="Scores on held-out molecules.")
    training_data_sha256: str | None = None
    rdkit_version: str | None = None
    ring_finder: str | None = None


class ModelCardOut(ModelOut):
    """A model with the texts that go with it."""

    card: str | None = Field(None, description="The model card, Markdown.")
    data_licence: str | None = Field(None, description="Licences of the training data.")


class ModelsOut(Strict):
    """The models that can be asked."""

    models: list[ModelCardOut]


class HealthOut(Strict):
    """A sign of life."""

    status: Literal["live", "ready"]


class FieldOut(Strict):
    """A place in the body, and what is wrong there."""

    place: str
    reason: str


class ProblemOut(Strict):
    """A request refused as a whole: problem details of RFC 9457."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    fields: list[FieldOut] = []
