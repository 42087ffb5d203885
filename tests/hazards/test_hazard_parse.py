"""The hazard corpus through the parser: typed refusals, no hang, no crash, no silent misread."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hazards import generators
from hazards.worker import DEADLINE_S, Worker
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

CASES = [
    case
    for line in (Path(__file__).parent / "cases.jsonl").read_text("ascii").splitlines()
    if (case := json.loads(line))["kind"] in ("smiles", "molblock", "inchi")
]
MAY_STOP_SHORT = {"v3-continuation"}
"""Cases answered with an accepted outcome instead of the preferred one, none else."""


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with Worker() as process:
        yield process


def outcomes_allowed(case: dict) -> set[str]:
    """Whether any target atom is there is the predictor's question, not the parser's."""
    allowed = {case.get("code", "ok"), *case.get("accept", [])}
    return allowed | {"ok"} if case["family"] == "no-targets" else allowed


@pytest.fixture(scope="module")
def outcomes(worker) -> dict[str, str]:
    """The outcome of every case by its id."""
    return {case["id"]: worker.ask(generators.materialise(case), case["kind"])[0] for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_hazard(case, outcomes):
    assert outcomes[case["id"]] in outcomes_allowed(case), case["why"]


def test_preferred_outcomes(outcomes):
    short = {
        case["id"]
        for case in CASES
        if outcomes[case["id"]] != case.get("code", "ok") and case["family"] != "no-targets"
    }
    assert short <= MAY_STOP_SHORT
    assert len(CASES) == 192


WITHIN_LIMITS = {
    "cycloparaphenylene": st.fixed_dictionaries({"n": st.integers(5, 46)}),
    "paracyclophane": st.fixed_dictionaries({"n": st.integers(3, 42)}),
    "cyclodextrin": st.fixed_dictionaries({"n": st.integers(4, 27), "dotted": st.booleans()}),
    "pillararene": st.fixed_dictionaries({"n": st.integers(3, 27)}),
    "cucurbituril": st.fixed_dictionaries({"n": st.integers(4, 24)}),
    "phenylene_cage": st.fixed_dictionaries(
        {"frame": st.sampled_from(("tetrahedron", "cube")), "m": st.integers(1, 3)}
    ),
    "polyol_ring": st.fixed_dictionaries({"n": st.integers(2, 90)}),
    "benzenoid": st.fixed_dictionaries({"n": st.integers(1, 11), "m": st.integers(1, 10)}),
    "graphene_flake": st.fixed_dictionaries({"n": st.integers(1, 6)}),
    "hypercube": st.fixed_dictionaries({"d": st.integers(2, 4), "symbol": st.just("C")}),
    "regular_graph": st.fixed_dictionaries(
        {
            "n": st.integers(4, 110).map(lambda half: 2 * half),
            "d": st.just(3),
            "seed": st.integers(0, 10_000),
        }
    ),
    "chain": st.fixed_dictionaries({"n": st.integers(1, 300)}),
    "nested": st.fixed_dictionaries({"n": st.integers(1, 290)}),
    "fragments": st.fixed_dictionaries({"n": st.integers(1, 20), "smiles": st.just("CC(C)C")}),
    "dendrimer": st.fixed_dictionaries({"depth": st.integers(0, 4)}),
    "polyene": st.fixed_dictionaries({"n": st.integers(1, 99)}),
    "polyyne": st.fixed_dictionaries({"n": st.integers(1, 150)}),
    "cumulene": st.fixed_dictionaries({"n": st.integers(1, 299)}),
    "chiral_chain": st.fixed_dictionaries({"n": st.integers(1, 130)}),
    "linked_cyclopropanes": st.fixed_dictionaries({"n": st.integers(1, 98)}),
    "peptide": st.fixed_dictionaries(
        {"n": st.integers(1, 24), "residue": st.sampled_from(("Gly", "Phe", "Asn"))}
    ),
    "molblock_chain": st.fixed_dictionaries({"n": st.integers(1, 300)}),
}


@st.composite
def hazards_within_limits(draw):
    name = draw(st.sampled_from(sorted(WITHIN_LIMITS)))
    return name, draw(WITHIN_LIMITS[name])


@given(hazard=hazards_within_limits())
@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_generators_within_limits_answer_in_time(worker, hazard):
    name, args = hazard
    kind = "molblock" if name == "molblock_chain" else "smiles"
    outcome, seconds = worker.ask(generators.GENERATORS[name](**args), kind)
    assert outcome in ("ok", "too_large", "parse_error"), hazard
    assert seconds < DEADLINE_S


DENSE = {
    "dense_star_graph": st.fixed_dictionaries(
        {"n": st.integers(2, 70), "symbol": st.sampled_from(("*", "[U]", "C", "P"))}
    ),
    "hypercube": st.fixed_dictionaries({"d": st.integers(5, 10)}),
    "cubic_lattice": st.fixed_dictionaries(
        {"n": st.integers(3, 8), "symbol": st.sampled_from(("*", "[Pt]", "S"))}
    ),
    "paley_graph": st.fixed_dictionaries({"q": st.sampled_from((13, 17, 29, 37))}),
    "crossed_rings": st.fixed_dictionaries({"n": st.integers(10, 300)}),
    "open_rings": st.fixed_dictionaries({"n": st.integers(1, 300)}),
}


@st.composite
def dense_graphs(draw):
    name = draw(st.sampled_from(sorted(DENSE)))
    return name, draw(DENSE[name])


@given(hazard=dense_graphs())
@settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_dense_graphs_are_answered_or_refused_in_time(worker, hazard):
    name, args = hazard
    outcome, seconds = worker.ask(generators.GENERATORS[name](**args), "smiles")
    assert outcome not in ("hang", "crash"), hazard
    assert seconds < DEADLINE_S
