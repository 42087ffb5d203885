"""The Ray engine on local clusters, with a model that was really trained."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from toy import SMILES

from nmrshift.cli.app import main

ray = pytest.importorskip("ray", reason="ray is not installed: pip install nmrshift[ray]")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # Ray's own, of sockets and of its future settings
]


@pytest.fixture(scope="module")
def cluster():
    """One head without CPUs and two nodes of one CPU each, as processes on this machine."""
    from ray.cluster_utils import Cluster

    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    paths = [str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    memory = {"object_store_memory": 100 * 2**20}
    nodes = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False, **memory}
    )
    workers = [nodes.add_node(num_cpus=1, **memory) for _ in range(2)]
    ray.init(address=nodes.address, log_to_driver=False)
    yield nodes, workers
    ray.shutdown()
    nodes.shutdown()


def predict(library, model, out, *more):
    arguments = ["predict", library, "--model", model, "--out", out, "--part-rows", 20, *more]
    return CliRunner().invoke(main, list(map(str, arguments)))


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    path = tmp_path_factory.mktemp("library") / "in.smi"
    rows = [f"{SMILES[i % len(SMILES)]} n{i}" for i in range(400)]
    path.write_text("\n".join([*rows, "C1CC broken"]) + "\n")
    return path


def test_a_data_set_maps_to_the_long_form(cluster, toy_model):
    pytest.importorskip("pyarrow")
    from nmrshift import Predictor
    from nmrshift.batch import map_dataset

    rows = [{"id": f"n{i}", "smiles": smiles} for i, smiles in enumerate(SMILES[:20])]
    found = map_dataset(ray.data.from_items(rows), model=str(toy_model)).take_all()
    assert "index" not in found[0]
    queries = [row["smiles"] for row in rows]
    expected = {
        (f"n{answer.index}", atom.nucleus, atom.atom_index): atom.shift_ppm
        for answer in Predictor.load(toy_model).predict_many(queries)
        if hasattr(answer, "atoms")
        for atom in answer.atoms
    }
    shifts = {
        (row["name"], row["nucleus"], row["atom_index"]): row["shift_ppm"]
        for row in found
        if row["status"] == "ok"
    }
    assert shifts == pytest.approx(expected, abs=2e-3)


def test_a_node_lost_meanwhile_changes_nothing(cluster, library, toy_model, tmp_path, monkeypatch):
    nodes, workers = cluster
    whole, out = tmp_path / "whole", tmp_path / "out"
    assert predict(library, toy_model, whole).exit_code == 3
    lost = []

    def lose(report):
        if report.number >= 2 and not lost:
            lost.append(report.number)
            nodes.remove_node(workers[1], allow_graceful=False)

    from nmrshift.cli import predict_parts

    original = predict_parts.run_parts

    def watched(*args, on_part, **how):
        def both(report):
            lose(report)
            on_part(report)

        return original(*args, on_part=both, **how)

    monkeypatch.setattr(predict_parts, "run_parts", watched)
    result = predict(library, toy_model, out, "--engine", "ray", "--workers", 2)
    assert result.exit_code == 3, result.output
    assert lost
    assert "401 rows: 400 predicted, 1 failed (parse_error 1)" in result.stderr
    assert content(out) == content(whole)


def test_an_error_of_a_worker_arrives_as_it_is(cluster, library, toy_model, tmp_path, monkeypatch):
    from nmrshift.errors import BatchError
    from nmrshift.io.store import LocalStore
    from nmrshift.parallel.job import Job, Part
    from nmrshift.parallel.ray_data import RayEngine
    from nmrshift.types import Query

    part = Part(0, 0, (Query("C"),))
    nowhere = Job(LocalStore("/proc/nowhere"), str(toy_model))
    with pytest.raises(OSError, match="nowhere"):
        list(RayEngine(1).run(nowhere, [part]))
    no_model = Job(LocalStore(str(tmp_path)), str(tmp_path / "absent"))
    with pytest.raises(BatchError, match="no worker starts"):
        list(RayEngine(1).run(no_model, [part]))
