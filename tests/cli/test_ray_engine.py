"""The Ray engine on local clusters, with a model that was really trained.

    pip install ".[dev,ray]" && NMRSHIFT_REQUIRE_RAY=1 pytest tests/cli/test_ray_engine.py

Without the variable the tests are skipped where Ray is not installed or its nodes do not start.
"""

import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner
from toy import SMILES

from nmrshift import Predictor
from nmrshift.batch import map_dataset
from nmrshift.cli import predict_parts
from nmrshift.cli.app import main
from nmrshift.errors import BatchError
from nmrshift.io.store import LocalStore
from nmrshift.parallel.job import Job, Part
from nmrshift.types import Query

REQUIRED = os.environ.get("NMRSHIFT_REQUIRE_RAY") == "1"

if REQUIRED:
    import ray
else:
    ray = pytest.importorskip("ray", reason="ray is not installed: pip install nmrshift[ray]")

from nmrshift.parallel.ray_data import RayEngine  # noqa: E402 - only where there is Ray

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # Ray's own, of sockets and of its future settings
]


MEMORY = 100 * 2**20


@pytest.fixture(autouse=True, scope="module")
def environment():
    """What the processes of a cluster need to know; they see this checkout, and report nothing."""
    patch = pytest.MonkeyPatch()
    patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    patch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]), prepend=os.pathsep)
    yield
    patch.undo()


@pytest.fixture(scope="class")
def one_node():
    """One node of two CPUs."""
    ray.init(num_cpus=2, object_store_memory=MEMORY, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


@pytest.fixture
def three_nodes():
    """One head without CPUs and two nodes of one CPU each, as processes on this machine."""
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 0, "include_dashboard": False, "object_store_memory": MEMORY}
    nodes = Cluster(initialize_head=True, head_node_args=head)
    try:
        others = [nodes.add_node(num_cpus=1, object_store_memory=MEMORY) for _ in range(2)]
    except Exception as error:
        nodes.shutdown()
        if REQUIRED:
            raise
        pytest.skip(f"this machine is too busy to start three Ray nodes: {error}")
    ray.init(address=nodes.address, log_to_driver=False)
    yield nodes, others
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


@pytest.fixture
def lose(monkeypatch):
    """Arrange that something is lost once three parts are finished; returns when it was."""

    def arrange(action):
        lost = []
        original = predict_parts.run_parts

        def watched(*args, on_part, **how):
            def both(report):
                on_part(report)
                if report.number >= 2 and not lost:
                    lost.append(report.number)
                    action()

            return original(*args, on_part=both, **how)

        monkeypatch.setattr(predict_parts, "run_parts", watched)
        return lost

    return arrange


def actors() -> list[int]:
    """Processes that work off parts."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            if b"PartActor" in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return found


class TestOneNode:
    def test_a_lost_actor_changes_nothing(self, one_node, library, toy_model, tmp_path, lose):
        whole, out = tmp_path / "whole", tmp_path / "out"
        assert predict(library, toy_model, whole).exit_code == 3
        killed = []

        def kill():
            killed.extend(actors()[:1])
            os.kill(killed[0], signal.SIGKILL)

        lost = lose(kill)
        result = predict(library, toy_model, out, "--engine", "ray")
        assert result.exit_code == 3, result.output
        assert len(lost) == len(killed) == 1
        assert "401 rows: 400 predicted, 1 failed (parse_error 1)" in result.stderr
        assert content(out) == content(whole)

    def test_an_error_of_a_worker_arrives_as_it_is(self, one_node, toy_model, tmp_path):
        part = Part(0, 0, (Query("C"),))
        nowhere = Job(LocalStore("/proc/nowhere"), str(toy_model))
        with pytest.raises(OSError, match="nowhere"):
            list(RayEngine(1).run(nowhere, [part]))
        no_model = Job(LocalStore(str(tmp_path)), str(tmp_path / "absent"))
        with pytest.raises(BatchError, match="no worker starts"):
            list(RayEngine(1).run(no_model, [part]))

    def test_a_data_set_maps_to_the_long_form(self, one_node, toy_model):
        pytest.importorskip("pyarrow")
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


def test_a_lost_node_changes_nothing(three_nodes, library, toy_model, tmp_path, lose):
    nodes, others = three_nodes
    whole, out = tmp_path / "whole", tmp_path / "out"
    assert predict(library, toy_model, whole).exit_code == 3
    lost = lose(lambda: nodes.remove_node(others[1], allow_graceful=False))
    result = predict(library, toy_model, out, "--engine", "ray", "--workers", 2)
    assert result.exit_code == 3, result.output
    assert lost
    assert content(out) == content(whole)
