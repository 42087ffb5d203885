"""The evidence table against a search through all labels, and what is made of it."""

from dataclasses import fields, replace

import numpy as np
import pytest

from nmrshift.chem.parse import parse
from nmrshift.errors import ArtifactError
from nmrshift.graph.features import V2
from nmrshift.graph.molgraph import mol_graph
from nmrshift.model.evidence import (
    N_SPHERES,
    EvidenceTable,
    Measured,
    NucleusTable,
    Support,
    atom_kinds,
)
from nmrshift.predict.domain import atom_verdicts, molecule_verdict, worst
from nmrshift.predict.judge import Answers, ErrorRule, Judge, combine, fit_judge

RNG = np.random.default_rng(5)


def nested_codes(n: int) -> np.ndarray:
    """Return codes whose larger spheres divide the smaller ones."""
    parts = RNG.integers(0, 4, size=(n, N_SPHERES))
    return np.cumsum(parts * 5 ** np.arange(N_SPHERES), axis=1) - 40


def measured(n: int = 400) -> Measured:
    return Measured(
        nested_codes(n), RNG.normal(-120, 30, n).astype(np.float32), RNG.integers(0, 50, n) * 2
    )


RECORD_IDS = np.array([f"spectra:{number:04d}/13C" for number in range(100)])


def table_of(item: Measured) -> EvidenceTable:
    kinds = np.unique(atom_kinds(mol_graph(parse("CCO").mol, V2).V))
    return EvidenceTable.build({"13C": item}, RECORD_IDS, kinds, 3)


def test_lookup_finds_what_a_search_finds() -> None:
    known = measured()
    table = NucleusTable.build(known)
    shallow = known.codes[:N_SPHERES].copy()
    for row in range(N_SPHERES):
        shallow[row, row:] = 999_999  # unknown from this sphere on
    asked = np.concatenate([known.codes[:50], nested_codes(200), shallow])
    support = table.lookup(asked)
    spheres = set()
    for row, codes in enumerate(asked):
        sphere = max(
            [s for s in range(1, 6) if (known.codes[:, s - 1] == codes[s - 1]).any()] or [0]
        )
        spheres.add(sphere)
        assert support.sphere[row] == sphere
        if not sphere:
            assert support.n_measured[row] == support.mean_ppm[row] == 0
            continue
        like = known.shift_ppm[known.codes[:, sphere - 1] == codes[sphere - 1]].astype(float)
        assert support.n_measured[row] == len(like)
        assert support.mean_ppm[row] == pytest.approx(like.mean(), abs=1e-6)
        expected = like.std(ddof=1) if len(like) > 1 else 0.0
        assert support.spread_ppm[row] == pytest.approx(expected, abs=1e-5)
        median = np.median(like) if sphere == N_SPHERES else 0.0
        assert support.median_ppm[row] == pytest.approx(median, abs=1e-5)
    assert spheres == {0, 1, 2, 3, 4, 5}


def test_table_survives_storage_and_names_its_records() -> None:
    known = measured()
    table = table_of(known)
    again = EvidenceTable.from_arrays(table.to_arrays())
    assert again.records == table.records
    assert set(table.records) == set(RECORD_IDS[np.unique(known.record)].tolist())
    support = again.support("13C", known.codes)
    assert (support.sphere == N_SPHERES).all()
    for row in range(20):
        found = again.references("13C", int(support.start[row]), int(support.n_measured[row]), 5)
        like = (known.codes == known.codes[row]).all(axis=1)
        pairs = {
            (RECORD_IDS[record], round(float(ppm), 3))
            for record, ppm in zip(known.record[like], known.shift_ppm[like], strict=True)
        }
        assert set(found) <= pairs
        assert len(found) == min(5, int(like.sum()))
        shifts = [shift for _, shift in found]
        assert shifts == sorted(shifts)
        assert shifts[0] == round(float(known.shift_ppm[like].min()), 3)


def test_nucleus_without_table_has_no_support() -> None:
    support = table_of(measured()).support("19F", nested_codes(4))
    assert not support.sphere.any()
    assert not support.n_measured.any()


@pytest.mark.parametrize("change", ["records", "13C.record", "13C.count_2", "13C.codes_3"])
def test_broken_tables_are_refused(change: str) -> None:
    arrays = table_of(measured()).to_arrays()
    missing = {name: value for name, value in arrays.items() if name != change}
    with pytest.raises(ArtifactError):
        EvidenceTable.from_arrays(missing)
    arrays[change] = arrays[change][:-1]
    if change == "records":
        arrays[change] = arrays[change][:20]
    with pytest.raises(ArtifactError):
        EvidenceTable.from_arrays(arrays)


def support_of(sphere: list[int], n: list[int], mean: list[float], spread: list[float]) -> Support:
    counts = np.array(sphere), np.zeros(len(n), dtype=np.int64), np.array(n)
    return Support(*counts, np.array(mean), np.array(spread), np.array(mean))


def test_verdicts() -> None:
    support = support_of([0, 1, 2, 5, 5, 5], [0, 9, 9, 5, 5, 2], [0.0, *[100.0] * 5], [1.0] * 6)
    shift = np.array([50.0, 100, 100, 100, 130, 130])
    scale = np.array([1.0, 1, 9, 1, 1, 1])
    verdicts = atom_verdicts(support, shift, scale, uncertain_ppm=5.0)
    assert [verdict.domain for verdict in verdicts] == [
        *("outside", "edge", "edge", "inside", "inside", "inside")
    ]
    assert [verdict.flags for verdict in verdicts] == [
        ("unseen_environment",),
        ("rare_environment",),
        ("uncertain",),
        (),
        ("evidence_disagrees",),
        (),
    ]


def test_molecule_verdicts() -> None:
    assert molecule_verdict(3, 4, []) == ("inside", ())
    domain, notices = molecule_verdict(3, 4, [2])
    assert domain == "outside"
    assert [(one.code, "atom 2" in one.message) for one in notices] == [("unseen_atom", True)]
    domain, notices = molecule_verdict(5, 4, [])
    assert (domain, [one.code for one in notices]) == ("edge", ["large_molecule"])
    domain, notices = molecule_verdict(90, 4, list(range(30)))
    assert (domain, [one.code for one in notices]) == ("outside", ["large_molecule", "unseen_atom"])
    assert "8, 9 ..." in notices[1].message
    assert worst([]) == "inside"
    assert worst(["edge", "outside", "inside"]) == "outside"


def test_kinds_of_atoms_that_training_has() -> None:
    table = table_of(measured())
    for smiles, seen in [("OCC", [True] * 3), ("CCS", [True, True, False])]:
        assert table.seen(atom_kinds(mol_graph(parse(smiles).mol, V2).V)).tolist() == seen


def answers(n: int, *, evidence_error_ppm: float, informative: bool) -> Answers:
    """Return answers of a network with errors of 2 ppm, with or without a scale that knows them."""
    true = RNG.normal(0, 40, n)
    spread = np.where(RNG.random(n) < 0.5, 0.5, 5.0)
    error = RNG.laplace(0, 2 * spread if informative else 2.0, n)
    evidence = true + RNG.normal(0, evidence_error_ppm, n)
    support = Support(
        sphere=RNG.integers(1, 6, n),
        start=np.zeros(n, dtype=np.int64),
        n_measured=RNG.integers(1, 20, n),
        mean_ppm=evidence,
        spread_ppm=spread,
        median_ppm=evidence,
    )
    source = np.full(n, "toy")
    return Answers(np.arange(n) * 977, true, true + error, np.full(n, 2.0), support, source)


def test_good_evidence_takes_its_share_and_bad_evidence_none() -> None:
    judge, shift_ppm, _ = fit_judge(answers(600, evidence_error_ppm=0.1, informative=False))
    assert judge.evidence_weight == 0.8
    given = answers(600, evidence_error_ppm=30.0, informative=False)
    judge, shift_ppm, _ = fit_judge(given)
    assert judge.evidence_weight <= 0.1
    largest = given.support.sphere == N_SPHERES
    assert (shift_ppm[~largest] == given.shift_ppm[~largest]).all()


def test_error_rule_learns_what_the_scale_does_not_know() -> None:
    given = answers(2000, evidence_error_ppm=5.0, informative=True)
    judge, shift_ppm, scale_ppm = fit_judge(given)
    assert judge.error_rule is not None
    tight = given.support.spread_ppm < 1
    assert np.median(scale_ppm[tight]) < 0.4 * np.median(scale_ppm[~tight])
    again = Judge.from_dict(judge.to_dict())
    found_ppm, found_scale_ppm = again(given.shift_ppm, given.scale_ppm, given.support, given.mol)
    assert found_ppm == pytest.approx(shift_ppm)
    assert np.corrcoef(np.log(found_scale_ppm), np.log(scale_ppm))[0, 1] > 0.99


def test_error_rule_is_not_kept_where_it_does_not_help() -> None:
    true = RNG.normal(0, 40, 400)
    scale = np.exp(RNG.normal(0, 1, 400))
    base = answers(400, evidence_error_ppm=50.0, informative=False)
    error = RNG.laplace(0, scale)
    given = Answers(base.mol, true, true + error, scale, base.support, base.source)
    judge, _, scale_ppm = fit_judge(given)
    if judge.error_rule is None:
        assert (scale_ppm == scale).all()
    else:
        assert np.corrcoef(np.log(scale_ppm), np.log(scale))[0, 1] > 0.9


def test_few_labels_change_nothing() -> None:
    given = answers(20, evidence_error_ppm=0.1, informative=True)
    judge, shift_ppm, scale_ppm = fit_judge(given)
    assert judge == Judge()
    assert (shift_ppm == given.shift_ppm).all()
    assert (scale_ppm == given.scale_ppm).all()


def test_a_nucleus_with_few_labels_borrows_a_rule_that_is_not_clearly_worse() -> None:
    many = answers(2000, evidence_error_ppm=5.0, informative=True)
    rule = fit_judge(many)[0].error_rule
    few = answers(60, evidence_error_ppm=5.0, informative=True)
    judge, shift_ppm, scale_ppm = fit_judge(few, rule)
    assert rule is not None
    assert judge.error_rule is not None
    assert judge.error_rule.weights == rule.weights
    assert judge.error_rule.floor_ppm != rule.floor_ppm
    assert (shift_ppm == few.shift_ppm).all()
    tight = few.support.spread_ppm < 1
    assert np.median(scale_ppm[tight]) < 0.4 * np.median(scale_ppm[~tight])
    known = np.abs(few.shift_ppm - few.observed_ppm) + 0.1
    misled = replace(few, scale_ppm=known)
    wrong = ErrorRule(tuple(-weight for weight in rule.weights), 0.1)
    judge, _, scale_ppm = fit_judge(misled, wrong)
    assert judge == Judge()
    assert (scale_ppm == known).all()


def test_the_rest_of_the_molecule_says_something_of_an_atom() -> None:
    base = answers(3000, evidence_error_ppm=50.0, informative=False)
    mol = np.repeat(np.arange(300) * 977, 10)
    hard = np.repeat(RNG.random(300) < 0.5, 10)
    scale = np.exp(RNG.normal(0, 0.5, 3000)) * np.where(hard, 1.5, 1.0)
    error = RNG.laplace(0, np.where(hard, 9.0, 1.0))
    shift = base.observed_ppm + error
    given = replace(base, mol=mol, shift_ppm=shift, scale_ppm=scale)
    judge, _, expected = fit_judge(given)
    assert judge.error_rule is not None
    assert np.median(expected[hard]) > 2 * np.median(expected[~hard])
    blind = replace(
        judge, error_rule=replace(judge.error_rule, weights=judge.error_rule.weights[:-4])
    )
    alone = np.arange(len(mol))
    _, first = blind(shift, scale, given.support, mol)
    _, again = blind(shift, scale, given.support, alone)
    assert (first == again).all()
    _, knowing = judge(shift, scale, given.support, mol)
    part = mol == mol[-1]
    few = Support(*(getattr(given.support, item.name)[part] for item in fields(Support)))
    _, own = judge(shift[part], scale[part], few, mol[part])
    assert own == pytest.approx(knowing[part])


def test_combine_keeps_smaller_spheres() -> None:
    support = support_of([4, 5], [3, 3], [10.0, 10.0], [1.0, 1.0])
    mixed = combine(np.array([20.0, 20.0]), np.ones(2), support, 0.3)
    assert mixed.tolist() == [20.0, 17.0]


def test_evidence_that_contradicts_itself_has_no_share() -> None:
    support = support_of([5, 5, 5], [2, 2, 1], [10.0] * 3, [8.0, 2.9, 0.0])
    mixed = combine(np.full(3, 20.0), np.ones(3), support, 0.5)
    assert mixed.tolist() == [20.0, 15.0, 15.0]
