"""The predictor: order, independence, failures as values, honest settings."""

from dataclasses import replace
from pathlib import Path

import pytest
from toy import SMILES

from nmrshift import Failure, Prediction, Predictor, Query
from nmrshift.chem.toolkit import Chem
from nmrshift.errors import (
    ArtifactError,
    ConfigError,
    InvalidTextError,
    NoTargetAtomsError,
    ParseError,
    UnknownNucleusError,
)
from nmrshift.model import kernels
from nmrshift.testing import (
    assert_atom_order_kept,
    assert_batch_independent,
    assert_equivalent_atoms_equal,
    assert_mirror_image_equal,
)

MOLECULES = (
    "CCO",
    "C",
    "FC(F)(F)c1ccc(OC)cc1",
    "C[C@H]1CC[C@@H](O)CC1",
    "F/C=C/Cl",
    "CC(=O)[O-].[Na+]",
    "[H]C([H])([H])O",
    "CN1CCC[C@H]1c1cccnc1",
    "OC[C@H]1O[C@@H](O)[C@H](O)[C@@H](O)[C@@H]1O",
    "CCOP(=O)(OCC)Cc1ccccc1",
    "OB(O)c1ccc(F)cc1",
)


@pytest.fixture(scope="module")
def predictor(toy_model: Path) -> Predictor:
    return Predictor.load(toy_model)


@pytest.mark.parametrize("smiles", MOLECULES)
def test_invariances(predictor: Predictor, smiles: str) -> None:
    assert_atom_order_kept(predictor, smiles)
    assert_equivalent_atoms_equal(predictor, smiles)
    assert_mirror_image_equal(predictor, smiles)


def test_alone_as_in_a_batch_of_64(predictor: Predictor) -> None:
    assert_batch_independent(predictor, (MOLECULES * 6)[:64])


def test_answers_carry_what_was_asked(predictor: Predictor) -> None:
    answer = predictor.predict("[CH3:7][OH:2]", solvent="Chloroform-D1 (CDCl3)", interval=0.5)
    assert answer.input == "[CH3:7][OH:2]"
    assert answer.solvent == "cdcl3"
    assert [atom.atom_index for atom in answer.atoms] == [0]
    assert answer.atoms[0].n_hydrogens == 3
    assert answer.model == predictor.identity
    wide = predictor.predict("CO", solvent="CDCl3", interval=0.99).atoms[0]
    narrow = answer.atoms[0]
    assert wide.shift_ppm == pytest.approx(narrow.shift_ppm, abs=1e-4)
    assert wide.high_ppm - wide.low_ppm >= narrow.high_ppm - narrow.low_ppm > 0
    assert narrow.low_ppm < narrow.shift_ppm < narrow.high_ppm


def test_mol_is_left_alone_and_hydrogens_keep_indices(predictor: Predictor) -> None:
    mol = Chem.AddHs(Chem.MolFromSmiles("OC"))
    before = mol.ToBinary()
    answer = predictor.predict(mol, nuclei=("13C", "1H"))
    assert mol.ToBinary() == before
    assert [(a.nucleus, a.atom_index) for a in answer.atoms] == [("13C", 1), ("1H", 0), ("1H", 1)]


def test_inchi_comes_with_the_order_of_its_atoms(predictor: Predictor) -> None:
    answer = predictor.predict("InChI=1S/C2H5F/c1-2-3/h2H2,1H3", nuclei=("13C", "19F"))
    assert answer.molblock is not None
    mol = Chem.MolFromMolBlock(answer.molblock)
    for atom in answer.atoms:
        assert mol.GetAtomWithIdx(atom.atom_index).GetSymbol() == atom.element
    assert "generated_order" in {notice.code for notice in answer.notices}
    assert predictor.predict("CF").molblock is None


def test_salts_are_answered_whole(predictor: Predictor) -> None:
    answer = predictor.predict("[Na+].CC(=O)[O-]")
    assert [atom.atom_index for atom in answer.of("13C")] == [1, 2]
    assert "mixture" in {notice.code for notice in answer.notices}


def test_fluorine_on_other_elements_is_flagged(predictor: Predictor) -> None:
    answer = predictor.predict("FS(F)(F)(F)(F)C(F)F", nuclei=("19F",))
    flags = {atom.atom_index: atom.flags for atom in answer.atoms}
    assert flags[0] == ("fluorine_on_S", "unseen_environment")
    assert not [flag for flag in flags[7] if flag.startswith("fluor")]
    assert predictor.predict("[F-].C", nuclei=("19F",)).atoms[0].flags[0] == "fluoride_ion"


def test_what_training_never_saw_is_outside_and_says_so(predictor: Predictor) -> None:
    answer = predictor.predict("FS(F)(F)(F)(F)C(F)F", nuclei=("19F",))
    assert answer.domain == answer.atoms[0].domain == "outside"
    odd = predictor.predict("CC[Se]C", nuclei=("13C",))
    assert odd.domain == "outside"
    assert "unseen_atom" in {notice.code for notice in odd.notices}


def test_atoms_of_an_unseen_kind_are_named_molecule_by_molecule(predictor: Predictor) -> None:
    answers = predictor.predict_many(["CC[Se]C", "CCO", "[Te]C"], nuclei=("13C",))
    told = [
        [notice.message.split("atom ")[1] for notice in answer.notices if "unseen" in notice.code]
        for answer in answers
        if isinstance(answer, Prediction)
    ]
    assert told == [["2."], [], ["0."]]


def test_conditions_are_those_of_each_molecule_or_of_all(predictor: Predictor) -> None:
    solvents = ["CDCl3", "DMSO-d6", None]
    queries = [Query("CCO", solvent=solvent) for solvent in solvents]
    mixed = [answer for answer in predictor.predict_many(queries) if isinstance(answer, Prediction)]
    assert [answer.solvent for answer in mixed] == ["cdcl3", "dmso-d6", "unknown"]
    alone = [predictor.predict("CCO", solvent=solvent) for solvent in solvents]
    together = [atom.shift_ppm for answer in mixed for atom in answer.atoms]
    assert together == pytest.approx(
        [atom.shift_ppm for answer in alone for atom in answer.atoms], abs=1e-4
    )
    assert len({round(shift_ppm, 2) for shift_ppm in together[::2]}) > 1


def test_evidence_is_what_was_measured(predictor: Predictor) -> None:
    n_seen = 0
    for answer in predictor.predict_many(SMILES, nuclei=("13C",), references=5):
        assert isinstance(answer, Prediction)
        for atom in answer.atoms:
            assert atom.evidence is not None
            shifts = [reference.shift_ppm for reference in atom.evidence.references]
            assert len(shifts) == min(5, atom.evidence.n_measured)
            if atom.evidence.sphere == 5:
                n_seen += 1
                assert atom.domain != "outside"
                assert min(shifts) - 1e-3 <= (atom.evidence.mean_ppm or 0) <= max(shifts) + 1e-3
    assert n_seen > 20
    bare = predictor.predict("CCO", nuclei=("13C",)).atoms[0].evidence
    assert bare is not None
    assert bare.references == ()


def test_references_are_bounded(predictor: Predictor) -> None:
    for references in (-1, 6):
        with pytest.raises(ConfigError, match="references"):
            predictor.predict("CCO", references=references)


def test_solvents_not_understood_or_not_seen_are_said(predictor: Predictor) -> None:
    def codes(solvent: str | None) -> set[str]:
        return {notice.code for notice in predictor.predict("CCO", solvent=solvent).notices}

    assert codes("phlogiston") == {"solvent_unknown"}
    assert codes("THF-d8") == {"solvent_unseen"}
    assert codes("CDCl3") == codes(None) == codes("Unreported") == set()


def test_single_calls_raise(predictor: Predictor) -> None:
    with pytest.raises(ParseError):
        predictor.predict("C1CC")
    with pytest.raises(InvalidTextError):
        predictor.predict("C C O")
    with pytest.raises(NoTargetAtomsError, match="19F"):
        predictor.predict("CCO", nuclei=("19F",))
    with pytest.raises(UnknownNucleusError, match="15N"):
        predictor.predict("CCN", nuclei=("15N",))
    with pytest.raises(ConfigError, match="interval"):
        predictor.predict("CCO", interval=0.2)
    with pytest.raises(ConfigError, match="no source"):
        predictor.predict("CCO", source="moon")
    with pytest.raises(UnknownNucleusError):
        predictor.predict_many([], nuclei=("bogus",))


@pytest.mark.parametrize("workers", [0, 1])
def test_streams_lose_no_row(predictor: Predictor, workers: int) -> None:
    good = ["CCO", "FC(F)F", "c1ccccc1"]
    bad = {
        "C1CC": "parse_error",
        "C C": "invalid_text",
        "[Na+].[Cl-]": "no_target_atoms",
        "C[Hg]C": "unsupported_element",
    }
    texts = [*good, *bad] * 60
    queries = [Query(text, name=f"row {number}") for number, text in enumerate(texts)]
    queries.append(Query("CC", nuclei=("15N",)))
    queries.append(Query("CC", source="moon"))
    answers = list(predictor.predict_many(queries, workers=workers))
    assert [answer.index for answer in answers] == list(range(len(queries)))
    for query, answer in zip(queries, answers, strict=True):
        assert answer.name == query.name
        assert answer.input == query.structure
    for text, answer in zip(texts, answers, strict=False):
        if text in bad:
            assert isinstance(answer, Failure)
            assert answer.code == bad[text]
            assert answer.message
            assert answer.hint
        else:
            assert isinstance(answer, Prediction)
    assert [getattr(answer, "code", None) for answer in answers[-2:]] == [
        "unknown_nucleus",
        "unknown_source",
    ]
    again = list(predictor.predict_many(queries[:7]))
    for first, second in zip(answers[:7], again, strict=True):
        if isinstance(first, Prediction):
            assert isinstance(second, Prediction)
            for a, b in zip(first.atoms, second.atoms, strict=True):
                assert a.shift_ppm == pytest.approx(b.shift_ppm, abs=1e-4)


def test_streaming_is_lazy(predictor: Predictor) -> None:
    taken = []

    def endless() -> "object":
        while True:
            taken.append(1)
            yield "CCO"

    stream = predictor.predict_many(endless())  # type: ignore[arg-type]
    assert isinstance(next(stream), Prediction)
    assert len(taken) < 2000


def test_query_settings_win_over_the_call(predictor: Predictor) -> None:
    queries = [Query("CF", solvent="DMSO-d6", nuclei=("1H",), source="toy"), Query("CF")]
    own, called = predictor.predict_many(queries, solvent="CDCl3", nuclei=("19F",))
    assert isinstance(own, Prediction)
    assert isinstance(called, Prediction)
    assert (own.solvent, own.atoms[0].nucleus) == ("dmso-d6", "1H")
    assert (called.solvent, called.atoms[0].nucleus) == ("cdcl3", "19F")


def test_both_kernels_give_the_same_shifts(toy_model: Path) -> None:
    if kernels.kernel_name() != "dgl":
        pytest.skip("dgl is not installed")
    fused, plain = (Predictor.load(toy_model, kernel=kernel) for kernel in ("dgl", "torch"))
    for smiles in MOLECULES:
        pairs = zip(
            fused.predict(smiles, nuclei=fused.nuclei[:1]).atoms,
            plain.predict(smiles, nuclei=fused.nuclei[:1]).atoms,
            strict=True,
        )
        assert all(a.shift_ppm == pytest.approx(b.shift_ppm, abs=1e-4) for a, b in pairs)


def test_results_are_plain_values(predictor: Predictor) -> None:
    values = predictor.predict("CCO").to_dict()
    assert values["atoms"][0]["nucleus"] == "13C"
    assert isinstance(values["atoms"][0]["shift_ppm"], float)
    (failure,) = predictor.predict_many(["C1"])
    assert failure.to_dict()["code"] == "parse_error"


def test_no_model_folder(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError):
        Predictor.load(tmp_path)


def test_intervals_are_those_of_the_source_asked_for(toy_model: Path) -> None:
    predictor = Predictor.load(toy_model)
    queries = [Query("CCO", source=source) for source in ("toy", None, "other-toy")]

    def widths_ppm() -> list[float]:
        answers = predictor.predict_many(queries, nuclei=("13C",), interval=0.8)
        found = [answer for answer in answers if isinstance(answer, Prediction)]
        return [answer.atoms[0].high_ppm - answer.atoms[0].low_ppm for answer in found]

    answerer = predictor._answerer
    before = widths_ppm()
    doubled = tuple(2 * factor for factor in answerer.calibration.source_factors["13C"]["toy"])
    calibration = replace(answerer.calibration, source_factors={"13C": {"toy": doubled}})
    predictor._answerer = replace(answerer, calibration=calibration)
    first, general, other = widths_ppm()
    assert first == pytest.approx(2 * before[0])
    assert general == before[1]
    shared = answerer.calibration.factor("13C", 0.8)
    own = answerer.calibration.factor("13C", 0.8, "other-toy")
    assert other == pytest.approx(before[2] * shared / own)
