"""Pretraining: objectives are learned, runs resume, no test molecule is seen."""

import gzip
import json
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from structures import ALL, LARGER, write_computed, write_pretraining, write_structures
from toy import SMILES, records, write_laboratory

from nmrshift.chem.parse import parse
from nmrshift.chem.toolkit import Chem
from nmrshift.data.connectivity import connectivity, fragment_connectivities
from nmrshift.data.records import Peak, ShiftRecord
from nmrshift.data.splits import read_connectivities
from nmrshift.errors import ArtifactError, ConfigError
from nmrshift.graph.features import V1
from nmrshift.model.encoder_artifact import load_encoder
from nmrshift.pretrain import loop
from nmrshift.pretrain.config import MoleculeFile, PretrainConfig, load_pretrain_config
from nmrshift.pretrain.loop import Pretrainer
from nmrshift.pretrain.masking import PretrainBatch, make_batch
from nmrshift.pretrain.run import run_pretraining
from nmrshift.pretrain.shards import Preparation, Row, atom_properties, build_shard, prepare
from nmrshift.pretrain.stream import MoleculeStream, rows_of
from nmrshift.pretrain.text import BEGIN_PEAKS, BEGIN_SMILES, END, peak_text, tokens
from nmrshift.train.config import load_config
from nmrshift.train.run import run_training
from nmrshift.types import NUCLEI

HOW = Preparation("v1", frozenset(), 0.0, 100, 60)
OBJECTIVES = {
    "chemistry": "[objectives.chemistry]\nenvironment_buckets = 64",
    "hierarchy": "[objectives.hierarchy]\nwidth = 16",
    "contrast": "[objectives.contrast]\nwidth = 16",
    "generation": "[objectives.generation]\nwidth = 16",
    "shifts": "[objectives.shifts]\nwidth = 16\n[objectives.chemistry]\nenvironment_buckets = 64",
}


def silent(_: str) -> None:
    return


def config_of(folder: Path, objectives: str, epochs: int = 2) -> PretrainConfig:
    return load_pretrain_config(write_pretraining(folder, objectives, epochs))


def computed_file(folder: Path) -> MoleculeFile:
    return MoleculeFile(path=write_computed(folder), source_name="x", licence="y", computed=True)


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> PretrainBatch:
    bare = [Row(text) for text in LARGER]
    rows = [*bare, *islice(rows_of(computed_file(tmp_path_factory.mktemp("rows"))), 20)]
    shard = build_shard(rows, HOW, 1)
    assert shard is not None
    return make_batch(shard, np.arange(shard.graphs.n_mols), V1, torch.device("cpu"))


@pytest.mark.parametrize("name", OBJECTIVES)
def test_an_objective_is_learned_through_the_encoder(
    name: str, batch: PretrainBatch, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    network = Pretrainer(config_of(tmp_path, OBJECTIVES[name]))
    objective = dict(network.parts())[name]
    optimiser = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], 5e-3)
    losses = []
    for step in range(30):
        rng = np.random.default_rng(step)
        masked = network.masking(network.encoder, batch, rng) if objective.needs_mask else None
        loss = objective.loss(network.encoder, batch, masked, rng)
        optimiser.zero_grad()
        loss.backward()
        if step == 0:
            moved = {n for n, p in network.encoder.named_parameters() if p.grad is not None}
            used = {n for n, p in network.encoder.named_parameters() if p.grad.abs().sum() > 0}
            assert moved == {n for n, _ in network.encoder.named_parameters()}
            assert any(n.startswith("layers.0") for n in used)
            assert any(n.startswith("embed_atoms") for n in used)
        optimiser.step()
        objective.after_step(network.encoder)
        losses.append(float(loss.detach()))
    assert np.mean(losses[-5:]) < 0.9 * np.mean(losses[:5])


def test_the_slow_copy_follows_and_is_not_trained(batch: PretrainBatch, tmp_path: Path) -> None:
    network = Pretrainer(config_of(tmp_path, OBJECTIVES["hierarchy"]))
    ((_, objective),) = network.parts()
    rng = np.random.default_rng(0)
    objective.loss(
        network.encoder, batch, network.masking(network.encoder, batch, rng), rng
    ).backward()
    copy = dict(objective.teacher.named_parameters())
    assert all(p.grad is None for p in copy.values())
    name = "layers.0.aggregate.weight"
    before = copy[name].clone()
    with torch.no_grad():
        network.encoder.get_parameter(name).add_(1.0)
    objective.after_step(network.encoder)
    assert torch.allclose(copy[name] - before, torch.full_like(before, 0.005), atol=1e-6)


def test_masked_atoms_and_bonds_say_nothing_of_themselves(
    batch: PretrainBatch, tmp_path: Path
) -> None:
    network = Pretrainer(config_of(tmp_path, OBJECTIVES["chemistry"])).eval()
    found = network.masking(network.encoder, batch, np.random.default_rng(3))
    other = batch.tensors.V.clone()
    other[found.atoms] = other[found.atoms.roll(1)]
    bonds = batch.tensors.E.clone()
    bonds[found.edges] = bonds[found.edges.roll(2)]
    assert not torch.equal(other, batch.tensors.V)
    batch.tensors.V.copy_(other)
    batch.tensors.E.copy_(bonds)
    again = network.masking(network.encoder, batch, np.random.default_rng(3))
    assert torch.equal(again.depths[-1], found.depths[-1])


def test_bonds_are_masked_in_both_directions(batch: PretrainBatch, tmp_path: Path) -> None:
    network = Pretrainer(config_of(tmp_path, OBJECTIVES["chemistry"]))
    found = network.masking(network.encoder, batch, np.random.default_rng(1))
    src, dst = batch.graph.edge_src, batch.graph.edge_dst
    chosen = {(int(src[e]), int(dst[e])) for e in found.edges.tolist()}
    assert chosen == {(b, a) for a, b in chosen}
    assert 0 < len(chosen) < len(src)


def test_a_killed_run_resumes_to_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_of(tmp_path, ALL)
    straight = run_pretraining(config, tmp_path / "a", resume=False, report=silent, quiet=True)
    frequent = config.model_copy(update={"checkpoint_seconds": 1e-9})
    real_step, calls = loop._step, []

    def mortal_step(*args: object) -> dict[str, float]:
        calls.append(1)
        if len(calls) in (3, 9):
            raise KeyboardInterrupt
        return real_step(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(loop, "_step", mortal_step)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            run_pretraining(frequent, tmp_path / "b", resume=bool(calls), report=silent, quiet=True)
    resumed = run_pretraining(frequent, tmp_path / "b", resume=True, report=silent, quiet=True)
    expected = load_file(straight.path / "weights.safetensors")
    found = load_file(resumed.path / "weights.safetensors")
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_a_run_of_other_settings_is_not_gone_on_with(tmp_path: Path) -> None:
    config = config_of(tmp_path, OBJECTIVES["chemistry"], epochs=1)
    run_pretraining(config, tmp_path / "run", resume=False, report=silent, quiet=True)
    with pytest.raises(ConfigError, match="already holds a run"):
        run_pretraining(config, tmp_path / "run", resume=False, report=silent, quiet=True)
    other = config.model_copy(update={"seed": 4})
    with pytest.raises(ConfigError, match="another configuration"):
        run_pretraining(other, tmp_path / "run", resume=True, report=silent, quiet=True)


def test_training_starts_from_an_encoder(tmp_path: Path) -> None:
    pretraining = config_of(tmp_path, OBJECTIVES["chemistry"], epochs=1)
    folder = run_pretraining(
        pretraining, tmp_path / "run", resume=False, report=silent, quiet=True
    ).path
    config = load_config(write_laboratory(tmp_path)).model_copy(update={"start_from": folder})
    frozen = config.optimisation.model_copy(update={"freeze_encoder": True, "epochs": 1})
    config = config.model_copy(update={"optimisation": frozen})
    model = run_training(config, tmp_path / "model", resume=False, report=silent, quiet=True)
    trained, pretrained = model.network.state_dict(), load_encoder(folder).encoder.state_dict()
    assert all(torch.equal(trained[name], value) for name, value in pretrained.items())
    assert set(load_encoder(folder).card.sources) <= set(model.card.sources)
    wider = config.network.model_copy(update={"d_ffn": 64})
    with pytest.raises(ConfigError, match="d_ffn"):
        run_training(
            config.model_copy(update={"network": wider}),
            tmp_path / "wider",
            resume=False,
            report=silent,
            quiet=True,
        )


def test_an_altered_encoder_is_refused(tmp_path: Path) -> None:
    config = config_of(tmp_path, OBJECTIVES["chemistry"], epochs=1)
    folder = run_pretraining(config, tmp_path / "run", resume=False, report=silent, quiet=True).path
    card = (folder / "encoder.json").read_text().replace('"n_layers": 2', '"n_layers": 3')
    (folder / "encoder.json").write_text(card)
    with pytest.raises(ArtifactError, match="not the file that was released"):
        load_encoder(folder)


def test_test_molecules_and_their_salts_are_left_out(tmp_path: Path) -> None:
    banned = ["Oc1ccccc1", "CC(=O)O"]
    keys = [connectivity(parse(text).mol) for text in banned]
    (tmp_path / "banned.json").write_text(json.dumps(keys))
    text = write_pretraining(tmp_path, OBJECTIVES["chemistry"]).read_text()
    path = tmp_path / "pretrain.toml"
    path.write_text('exclude_connectivities = "banned.json"\n' + text)
    stream = MoleculeStream(load_pretrain_config(path))
    shards = [s for s in stream.shards(range(len(stream.places))) if s is not None]
    n_kept = sum(shard.graphs.n_mols for shard in shards)
    names = [fragment_connectivities(parse(text).mol) for text in (*LARGER, *SMILES)]
    single = sum(parse(text).mol.GetNumHeavyAtoms() < 2 for text in (*LARGER, *SMILES))
    expected = sum(set(keys).isdisjoint(found) for found in names) - single
    assert n_kept == expected < len(names)


@pytest.mark.shared
def test_no_test_molecule_in_the_shared_structures(shared_dir: Path) -> None:
    banned = read_connectivities(shared_dir / "data" / "test_connectivities.json")
    how = Preparation("v1", banned, 0.0, 100, 60)
    rows = list(islice(_shared_rows(shared_dir), 600))
    kept = [row for number, row in enumerate(rows) if prepare(row, how, number) is not None]
    assert len(kept) > 500
    assert all(banned.isdisjoint(fragment_connectivities(parse(row.smiles).mol)) for row in kept)


def _shared_rows(shared_dir: Path):
    from nmrshift.pretrain.config import MoleculeFile

    path = shared_dir / "data" / "unlabelled" / "molecules.csv.gz"
    return rows_of(MoleculeFile(path=path, source_name="lists", licence="mixed"))


def test_a_stream_never_holds_more_than_it_is_asked_for(tmp_path: Path) -> None:
    config = config_of(tmp_path, OBJECTIVES["chemistry"])
    stream = MoleculeStream(config)
    assert stream.n_rows == len(LARGER) + len(SMILES)
    assert len(stream.places) == -(-stream.n_rows // config.shard_molecules)
    first = next(iter(stream.shards([0])))
    assert first is not None
    assert first.graphs.n_mols <= config.shard_molecules
    again = next(iter(stream.shards([0])))
    assert again is not None
    assert np.array_equal(first.text, again.text)


def test_texts_of_molecules_and_spectra(tmp_path: Path) -> None:
    peaks = (Peak(170.6, "S"), Peak(129.1, "D"), Peak(21.4, "Q"))
    record = ShiftRecord("x:1", "CC(=O)c1ccccc1", "13C", peaks=peaks)
    assert peak_text(record) == "C171S129D21Q"
    assert peak_text(ShiftRecord("x:2", "FC", "19F", shifts=((0, -61.6),))) == "F-62"
    written = tokens("CCO", BEGIN_SMILES, 2)
    assert len(written) == 4
    assert (written[0], written[-1]) == (BEGIN_SMILES, END)
    shown = prepare(Row("CCO", "C58T18Q"), HOW, 1)
    assert shown is not None
    assert shown.text[0] == BEGIN_PEAKS
    held_out = Preparation("v1", frozenset(), 0.999999, 100, 60)
    assert prepare(Row("CCO", "C58T18Q"), held_out, 1) is None
    assert prepare(Row("CCO"), held_out, 1) is not None


def test_spectra_as_text_come_from_record_files(tmp_path: Path) -> None:
    path = tmp_path / "spectra.jsonl.gz"
    with gzip.open(path, "wt") as stream:
        stream.writelines(json.dumps(record) + "\n" for record in islice(records(), 6))
    rows = list(rows_of(MoleculeFile(path=path, source_name="x", licence="y", peaks=True)))
    assert len(rows) == 6
    assert all(row.peaks and row.peaks[0] in "CHFPB" for row in rows)


def test_computed_spectra_of_a_molecule_are_one_row(tmp_path: Path) -> None:
    rows = list(rows_of(computed_file(tmp_path)))
    assert [row.smiles for row in rows] == SMILES[10:40]
    fluorobenzene = rows[0]
    assert {nucleus for nucleus, _, _ in fluorobenzene.computed} == {"13C", "19F", "1H"}
    measured = tmp_path / "measured.jsonl.gz"
    with gzip.open(measured, "wt") as stream:
        stream.writelines(json.dumps(record) + "\n" for record in islice(records(), 6))
    file = MoleculeFile(path=measured, source_name="x", licence="y", computed=True)
    assert all(row.computed == () for row in rows_of(file))


def test_targets_stand_at_their_atoms(batch: PretrainBatch) -> None:
    targets = batch.targets
    carriers = batch.graph.V[targets.atom.numpy(), 0]
    for nucleus, symbol in (("13C", "C"), ("19F", "F"), ("31P", "P")):
        number = Chem.GetPeriodicTable().GetAtomicNumber(symbol)
        code = V1.atom[0].choices.index(number)
        chosen = (targets.nucleus == NUCLEI.index(nucleus)).numpy()
        assert chosen.any() == (nucleus != "31P")
        assert (carriers[chosen] == code).all()
    first_computed = batch.graph.first_atom[len(LARGER)] if len(LARGER) else 0
    assert int(targets.atom.min()) >= first_computed


def test_shifts_that_cannot_be_right_are_no_targets() -> None:
    right = (("13C", 1, 71.0), ("19F", 0, -160.0), ("1H", 1, 4.2), ("1H", 2, 3.0))
    element = (("13C", 0, 70.0), ("19F", 1, -60.0), ("1H", 0, 3.0))
    other = (("13C", 1, 500.0), ("13C", 9, 1.0), ("29Si", 1, 1.0))
    row = Row("FCO", computed=(*element, *right, *other))
    found = prepare(row, HOW, 1)
    assert found is not None
    told = [(NUCLEI[nucleus], shift_ppm) for _, nucleus, shift_ppm in found.targets]
    assert told == [(nucleus, shift_ppm) for nucleus, _, shift_ppm in right]
    held_out = Preparation("v1", frozenset(), 0.999999, 100, 60)
    assert prepare(row, held_out, 1) is None


def test_a_pass_shows_a_file_as_often_as_it_says(tmp_path: Path) -> None:
    config = config_of(tmp_path, OBJECTIVES["shifts"])
    stream = MoleculeStream(config)
    assert stream.n_rows == len(LARGER) + len(SMILES) + 2 * 30
    assert [rows for _, rows in stream.rows_by_file()] == [len(LARGER) + len(SMILES), 30]
    last = len(stream.places) - 1
    shards = list(stream.shards([last, 0, last - 1]))
    assert shards[0] is not None
    assert shards[2] is not None
    assert shards[0].target_ppm.tolist() == shards[2].target_ppm.tolist() != []


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (("computed = true", "computed = false"), "need each other"),
        (("[objectives.shifts]\nwidth = 16\n", ""), "need each other"),
        (("[objectives.chemistry]\nenvironment_buckets = 64", ""), "learns nothing"),
    ],
)
def test_shifts_and_computed_files_need_each_other(
    tmp_path: Path, change: tuple[str, str], word: str
) -> None:
    path = write_pretraining(tmp_path, OBJECTIVES["shifts"])
    path.write_text(path.read_text("utf-8").replace(*change), "utf-8")
    with pytest.raises(ConfigError, match=word):
        load_pretrain_config(path)


def test_properties_are_finite_and_tell_fluorine_from_carbon() -> None:
    found = atom_properties(parse("FC(F)(F)c1ccccc1").mol)
    assert found.shape == (10, 3)
    assert np.isfinite(found).all()
    assert found[0, 0] < found[1, 0]
    unknown = atom_properties(parse("[Na+].[Cl-]").mol)
    assert np.isfinite(unknown).all()
    assert np.abs(found).max() <= 5
    assert np.abs(unknown).max() <= 5


@pytest.mark.parametrize(
    ("broken", "word"),
    [
        ("[objectives]", "needs an objective"),
        ("[objectives.chemistry]\nweigth = 2.0", "weigth"),
        ('[objectives.contrast]\nviews = "left-right"', "views"),
    ],
)
def test_wrong_settings_are_named(tmp_path: Path, broken: str, word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        config_of(tmp_path, broken)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    config = config_of(tmp_path, OBJECTIVES["chemistry"])
    write_structures(tmp_path).unlink()
    with pytest.raises(ConfigError, match=r"structures\.csv\.gz"):
        MoleculeStream(config)
