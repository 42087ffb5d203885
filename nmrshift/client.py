"""A service somewhere else, asked like a predictor: the methods of ``Predictor``, over HTTP."""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from email.message import Message
from http.client import HTTPException
from itertools import islice
from typing import TYPE_CHECKING, Any, Final
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from nmrshift.errors import DeadlineError, InputError, NmrshiftError, ServiceError, TooLargeError
from nmrshift.io.wire import answer_from_row, json_text
from nmrshift.types import DEFAULT_NUCLEI, Failure, Prediction, Query

if TYPE_CHECKING:
    from rdkit.Chem import Mol

_CHUNK: Final[int] = 200
_ATTEMPTS: Final[int] = 5
_AGAIN: Final[frozenset[int]] = frozenset({429, 503})
_MAX_MOL_ATOMS: Final[int] = 150
"""Heavy atoms up to which a molblock that we write has a layout, and with it stereochemistry."""

_LONGEST_WAIT_S: Final[float] = 30.0

Rows = list[Prediction | Failure]


class Client:
    """A running service.

    The order of atoms in every answer is the order of the input. Shifts are rounded to
    0.001 ppm on their way.

    Args:
        url: where the service answers, for example ``http://localhost:8000``.
        api_key: key of the service, if it wants one.
        timeout_s: seconds for one request.

    Raises:
        ValueError: the URL is not one of HTTP.
    """

    def __init__(self, url: str, *, api_key: str | None = None, timeout_s: float = 120.0) -> None:
        if urlsplit(url).scheme not in ("http", "https"):
            raise ValueError("a URL of http or https expected")
        self._url = url.rstrip("/")
        self._headers = {"accept": "application/json"}
        if api_key is not None:
            self._headers["authorization"] = f"Bearer {api_key}"
        self._timeout_s = timeout_s

    @property
    def info(self) -> dict[str, Any]:
        """What the model says of itself now: the answer of ``GET /v1/model``.

        Raises:
            ServiceError: the service cannot be reached, or refuses.
        """
        info: dict[str, Any] = self._ask("/v1/model", None)
        return info

    @property
    def identity(self) -> str:
        """Name, version and short hash of the model that answers now."""
        return str(self.info["identity"])

    @property
    def nuclei(self) -> tuple[str, ...]:
        """Nuclei that can be asked for."""
        return tuple(self.info["nuclei"])

    @property
    def sources(self) -> tuple[str, ...]:
        """Reference conventions that can be asked for."""
        return tuple(self.info["sources"])

    def predict(
        self,
        structure: "str | Mol",
        *,
        solvent: str | None = None,
        nuclei: Sequence[str] = DEFAULT_NUCLEI,
        source: str | None = None,
        interval: float = 0.9,
        references: int = 0,
    ) -> Prediction:
        """Predict one molecule.

        Args:
            structure: SMILES, InChI or molblock; an RDKit ``Mol`` travels as a molblock.
            solvent: solvent as written in a laboratory; ``None`` is unknown.
            nuclei: nuclei to predict.
            source: reference convention, one of :attr:`sources`; ``None`` is the general one.
            interval: nominal coverage of the interval, 0.5-0.99.
            references: measured shifts to name as evidence of each atom, 0-5.

        Raises:
            InputError: the molecule cannot be predicted; the subclass and its code say why.
            DeadlineError: reading the molecule took the service too long.
            ServiceError: the service cannot be reached, or refuses.
        """
        (answer,) = self.predict_many(
            [structure],
            solvent=solvent,
            nuclei=nuclei,
            source=source,
            interval=interval,
            references=references,
        )
        if isinstance(answer, Failure):
            raise _error_of(answer)
        return answer

    def predict_many(
        self,
        queries: "Iterable[str | Mol | Query]",
        *,
        solvent: str | None = None,
        nuclei: Sequence[str] = DEFAULT_NUCLEI,
        source: str | None = None,
        interval: float = 0.9,
        references: int = 0,
        workers: int = 0,
    ) -> Iterator[Prediction | Failure]:
        """Predict a stream: one answer a query, in order; what fails is a value in its place.

        Args:
            queries: structures, or :class:`~nmrshift.types.Query` with names and settings of
                their own.
            solvent: solvent of the queries that name none.
            nuclei: nuclei of the queries that name none.
            source: reference convention of the queries that name none.
            interval: nominal coverage of the interval, 0.5-0.99.
            references: measured shifts to name as evidence of each atom, 0-5.
            workers: has no meaning here: the service has workers of its own.

        Raises:
            ServiceError: the service cannot be reached, or refuses.
        """
        del workers
        settings = {
            "nuclei": [*nuclei],
            "solvent": solvent,
            "source": source,
            "interval": interval,
            "references": references,
        }
        first = 0
        rows = (one if isinstance(one, Query) else Query(one) for one in queries)
        while chunk := list(islice(rows, _CHUNK)):
            for index, answer in enumerate(self._chunk(chunk, settings), start=first):
                yield replace(answer, index=index)
            first += len(chunk)

    def _chunk(self, queries: list[Query], settings: dict[str, Any]) -> Rows:
        """Answer queries in order, in one request for each set of settings among them."""
        groups: dict[tuple[tuple[str, ...] | None, str | None], list[int]] = {}
        for place, query in enumerate(queries):
            groups.setdefault((query.nuclei, query.source), []).append(place)
        answers: dict[int, Prediction | Failure] = {}
        for (nuclei, source), places in groups.items():
            own = {**settings}
            if nuclei is not None:
                own["nuclei"] = [*nuclei]
            if source is not None:
                own["source"] = source
            found = self._predict([queries[place] for place in places], own)
            answers.update(zip(places, found, strict=True))
        return [answers[place] for place in range(len(queries))]

    def _predict(self, queries: list[Query], settings: dict[str, Any]) -> Rows:
        """Answer queries in one request; a ``Mol`` that cannot be sent fails in its place."""
        texts = [_text(query) for query in queries]
        molecules = [
            {"structure": text, "name": query.name, "solvent": query.solvent}
            for query, text in zip(queries, texts, strict=True)
            if isinstance(text, str)
        ]
        answers = iter(self._answers(molecules, settings) if molecules else [])
        return [text if isinstance(text, Failure) else next(answers) for text in texts]

    def _answers(self, molecules: list[dict[str, Any]], settings: dict[str, Any]) -> Rows:
        document = self._ask("/v1/predict", {"molecules": molecules, **settings})
        try:
            answers = [answer_from_row(row) for row in document["predictions"]]
        except (KeyError, TypeError):
            raise ServiceError("the answer of the service cannot be read") from None
        if len(answers) != len(molecules):
            raise ServiceError("the service gave another number of answers than queries")
        return answers

    def _ask(self, path: str, body: dict[str, Any] | None) -> Any:
        """Send one request; where the service is busy, again when it says so."""
        data = None if body is None else json_text(body).encode("ascii")
        headers = {
            **self._headers,
            **({} if data is None else {"content-type": "application/json"}),
        }
        request = Request(self._url + path, data, headers)  # noqa: S310 - http or https, see above
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with urlopen(request, timeout=self._timeout_s) as answer:  # noqa: S310
                    return json.load(answer)
            except HTTPError as error:
                with error:
                    if error.code not in _AGAIN or attempt == _ATTEMPTS:
                        raise _refusal(error) from None
                time.sleep(_wait_s(error.headers, attempt))
            except (OSError, HTTPException, ValueError) as error:
                message = f"the service cannot be reached ({type(error).__name__})"
                raise ServiceError(message) from None
        raise AssertionError("unreachable")


def _text(query: Query) -> str | Failure:
    """Return the text of a structure; of a ``Mol``, one that keeps the order of its atoms."""
    if isinstance(query.structure, str):
        return query.structure
    from nmrshift.chem.inchi import write_molblock
    from nmrshift.chem.parse import parse

    try:
        mol = parse(query.structure).mol
        if mol.GetNumHeavyAtoms() > _MAX_MOL_ATOMS:
            message = f"an RDKit Mol of more than {_MAX_MOL_ATOMS} heavy atoms cannot be sent"
            raise TooLargeError(message, hint="Send it as SMILES or as a molblock.")
        return write_molblock(mol)
    except InputError as error:
        return Failure(0, "", query.name, error.code, error.message, error.hint)


def _wait_s(headers: Message, attempt: int) -> float:
    try:
        wait_s = float(headers.get("retry-after", ""))
    except ValueError:
        wait_s = float(attempt)
    return min(max(wait_s, 0.0), _LONGEST_WAIT_S)


def _refusal(error: HTTPError) -> NmrshiftError:
    """Return the error that a refused request is."""
    try:
        problem = json.load(error)
        code, detail = str(problem["code"]), str(problem["detail"])
    except (OSError, ValueError, KeyError, TypeError):
        return ServiceError(f"the service answered with status {error.code}")
    return ServiceError(f"the service refused ({code}): {detail}", problem=code)


def _error_of(failure: Failure) -> NmrshiftError:
    """Return the error of which a failure is the value."""
    kinds: list[type[NmrshiftError]] = [*InputError.__subclasses__(), DeadlineError]
    kind = next((one for one in kinds if one.code == failure.code), InputError)
    return kind(failure.message, hint=failure.hint)
