"""Runs in parts: whatever stops them, the folder ends up the same, byte for byte."""

import json
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from fakes import FakePredictor

import nmrshift
from nmrshift.errors import BatchError, FileFormatError, ResumeError
from nmrshift.io.store import LocalStore, RemoteStore
from nmrshift.io.tally import Tally
from nmrshift.parallel.job import Job, Settings
from nmrshift.parallel.local import LocalEngine
from nmrshift.parallel.manifest import InputFile, origin_of, read_manifest
from nmrshift.parallel.run import run_parts
from nmrshift.parallel.verify import verify_parts
from nmrshift.types import Failure, Query

ROWS = [
    Query("C" * (i % 7 + 1) + ("O" if i % 5 else "("), name=f"n{i}")
    if i % 11
    else Failure(99, "bad line", None, "file_format", "m", "h")
    for i in range(47)
]
MODEL = {"identity": "fake", "sha256": "0" * 64}
INPUT = InputFile("a.smi", "smi", "1" * 64, 10)


@pytest.fixture(autouse=True)
def fake(monkeypatch):
    """A predictor by rule, and no waiting for the disk, which no crash of a process needs."""
    monkeypatch.setitem(nmrshift.__dict__, "Predictor", FakePredictor)
    monkeypatch.setattr("os.fsync", lambda _: None)


def run(store, *, rows=ROWS, part_rows=5, inputs=(INPUT,), settings=None, kind="jsonl", **how):
    job = Job(store, None, settings or Settings(), kind, how.pop("packing", None))
    origin = origin_of(job, inputs, MODEL, part_rows)
    return run_parts(job, origin, rows, how.pop("engine", LocalEngine()), **how)


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def answers(folder: Path):
    return [
        json.loads(line)
        for path in sorted(folder.glob("part-*"))
        for line in path.read_text().splitlines()
    ]


@pytest.fixture
def whole(tmp_path):
    """The folder of a run that nothing stopped."""
    folder = tmp_path / "whole"
    run(LocalStore(str(folder)))
    return folder


class TestWhole:
    def test_one_answer_a_row_in_order(self, whole):
        rows = answers(whole)
        assert [row["index"] for row in rows] == list(range(47))
        failed = [i for i, row in enumerate(ROWS) if isinstance(row, Failure)]
        assert [row["index"] for row in rows if row.get("code") == "file_format"] == failed
        assert {row["index"] for row in rows if row.get("code") == "parse_error"} == {
            i for i in range(47) if i % 5 == 0 and i % 11
        }

    def test_parts_and_manifest_and_nothing_else(self, whole):
        names = [f"part-{number:06d}.jsonl" for number in range(10)]
        assert sorted(path.name for path in whole.iterdir()) == ["_manifest.json", *names]
        manifest = json.loads((whole / "_manifest.json").read_text())
        assert manifest["complete"] is True
        assert manifest["rows"] == 47
        assert manifest["options"]["part_rows"] == 5
        assert manifest["versions"]["nmrshift"] == nmrshift.__version__
        assert "CCC" not in json.dumps(manifest)

    def test_the_part_rows_do_not_change_the_answers(self, whole, tmp_path):
        run(LocalStore(str(tmp_path / "b")), part_rows=1000)
        assert answers(tmp_path / "b") == answers(whole)
        assert len(list((tmp_path / "b").glob("part-*"))) == 1

    def test_the_tally(self, tmp_path):
        tally = run(LocalStore(str(tmp_path / "b")))
        assert tally.rows == 47
        assert dict(tally.failed) == {"file_format": 5, "parse_error": 9}
        assert tally.summary().startswith(
            "47 rows: 33 predicted, 14 failed (parse_error 9, file_format 5)"
        )

    @pytest.mark.parametrize("kind", ["csv", "sdf", "parquet"])
    def test_formats_and_compression(self, tmp_path, kind):
        if kind == "parquet":
            pytest.importorskip("pyarrow")
        for folder in ("a", "b"):
            run(LocalStore(str(tmp_path / folder)), kind=kind, packing="gzip")
        assert content(tmp_path / "a") == content(tmp_path / "b")
        assert (tmp_path / "a" / f"part-000000.{kind}.gz").exists()

    def test_parts_of_parquet_are_one_data_set(self, tmp_path):
        parquet = pytest.importorskip("pyarrow.parquet")
        run(LocalStore(str(tmp_path / "a")), kind="parquet")
        table = parquet.read_table(tmp_path / "a")
        assert sorted(set(table.column("index").to_pylist())) == list(range(47))


class Crash(BaseException):
    """Stands for the end of the process."""


@dataclass(frozen=True, slots=True)
class CrashingStore(LocalStore):
    """A folder that ends the process at its n-th change, before or after it."""

    at: int = 0
    after: bool = False
    done: list[str] = field(default_factory=list)

    def _count(self, name):
        self.done.append(name)
        if len(self.done) == self.at:
            raise Crash

    @contextmanager
    def whole(self, name):
        if not self.after:
            self._count(name)
        with LocalStore.whole(self, name) as stream:
            yield stream
        if self.after:
            self._count(name)

    def remove(self, name):
        if not self.after:
            self._count(name)
        LocalStore.remove(self, name)
        if self.after:
            self._count(name)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(1, 33))
def test_a_crash_at_any_change_of_the_folder(tmp_path, whole, at, after):
    folder = tmp_path / "b"
    crashing = CrashingStore(str(folder), at, after)
    with pytest.raises(Crash):
        run(crashing, resume=True)
    tally = run(LocalStore(str(folder)), resume=True)
    assert content(folder) == content(whole)
    assert tally.rows == 47
    assert verify_parts(LocalStore(str(folder))).problems == ()


def test_crash_after_crash(tmp_path, whole):
    folder = tmp_path / "b"
    crashes = 0
    while True:
        try:
            run(CrashingStore(str(folder), 4), resume=True)
        except Crash:
            crashes += 1
            continue
        break
    assert crashes > 3
    assert content(folder) == content(whole)


class TestResume:
    def test_finished_parts_are_not_predicted_again(self, tmp_path, monkeypatch):
        folder = tmp_path / "b"
        with pytest.raises(Crash):
            run(CrashingStore(str(folder), 8))
        seen = []
        original = FakePredictor.predict_many

        def watched(self, queries, **how):
            def tee():
                for query in queries:
                    seen.append(query.name)
                    yield query

            return original(self, tee(), **how)

        monkeypatch.setattr(FakePredictor, "predict_many", watched)
        run(LocalStore(str(folder)), resume=True)
        assert seen
        assert set(seen).isdisjoint({f"n{i}" for i in range(15)})
        assert "n46" in seen

    def test_a_complete_run_is_left_as_it_is(self, whole):
        before = content(whole)
        times = {path: path.stat().st_mtime_ns for path in whole.glob("part-*")}
        assert run(LocalStore(str(whole)), resume=True).rows == 47
        assert content(whole) == before
        assert {path: path.stat().st_mtime_ns for path in whole.glob("part-*")} == times

    @pytest.mark.parametrize("harm", ["gone", "shorter", "other"])
    def test_a_damaged_part_is_made_again(self, whole, harm):
        before = content(whole)
        part = whole / "part-000003.jsonl"
        if harm == "gone":
            part.unlink()
        elif harm == "shorter":
            part.write_bytes(part.read_bytes()[:-1])
        else:
            part.write_bytes(part.read_bytes().replace(b"1", b"2"))
        run(LocalStore(str(whole)), resume=True)
        assert content(whole) == before

    @pytest.mark.parametrize(
        ("how", "words"),
        [
            ({"part_rows": 6}, "options.part_rows was 5, is 6"),
            ({"settings": Settings(solvent="D2O")}, "options.solvent was None, is 'D2O'"),
            ({"settings": Settings(("13C",))}, "options.nuclei"),
            ({"settings": Settings(interval=0.5)}, "options.interval was 0.9, is 0.5"),
            ({"kind": "csv"}, "options.format was 'jsonl', is 'csv'"),
            ({"packing": "gzip"}, "options.packing"),
            ({"inputs": (InputFile("a.smi", "smi", "2" * 64, 10),)}, r"inputs\[0\].sha256"),
            ({"inputs": (INPUT, INPUT)}, "inputs"),
            ({"inputs": (replace(INPUT, format="csv"),)}, r"inputs\[0\].format"),
        ],
    )
    def test_another_run_is_refused_with_the_reason(self, whole, how, words):
        before = content(whole)
        with pytest.raises(ResumeError, match=words):
            run(LocalStore(str(whole)), resume=True, **how)
        assert content(whole) == before

    def test_another_version_is_refused(self, whole, monkeypatch):
        monkeypatch.setattr("nmrshift.parallel.manifest.__version__", "9.9")
        with pytest.raises(ResumeError, match=r"versions.nmrshift was .* is '9.9'"):
            run(LocalStore(str(whole)), resume=True)

    def test_an_input_that_grew_within_a_hash(self, whole):
        (whole / "part-000009.jsonl").unlink()
        with pytest.raises(ResumeError, match="part 0 has 5 rows, not 4"):
            run(LocalStore(str(whole)), rows=ROWS[:4], resume=True)

    def test_an_input_that_changes_meanwhile(self, tmp_path):
        with pytest.raises(BatchError, match="changed"):
            run(LocalStore(str(tmp_path / "b")), check_inputs=lambda: False)
        assert not read_manifest(LocalStore(str(tmp_path / "b")))[1]


class TestTheFolder:
    def test_another_run_is_not_replaced_unasked(self, whole):
        before = content(whole)
        with pytest.raises(FileExistsError, match="--resume"):
            run(LocalStore(str(whole)))
        assert content(whole) == before

    def test_force_replaces_a_run_and_leaves_what_is_not_of_it(self, whole):
        (whole / "notes.txt").write_text("mine")
        run(LocalStore(str(whole)), part_rows=40, force=True)
        assert sorted(path.name for path in whole.iterdir()) == [
            "_manifest.json",
            "notes.txt",
            "part-000000.jsonl",
            "part-000001.jsonl",
        ]

    @pytest.mark.parametrize("how", [{}, {"force": True}, {"resume": True}])
    def test_a_folder_of_something_else_is_never_touched(self, tmp_path, how):
        (tmp_path / "part-000000.jsonl").write_text("mine")
        with pytest.raises(FileExistsError, match="no run"):
            run(LocalStore(str(tmp_path)), **how)
        assert content(tmp_path) == {"part-000000.jsonl": b"mine"}

    def test_what_a_killed_run_left_half_is_removed(self, whole):
        before = content(whole)
        (whole / "part-000004.jsonl").rename(whole / ".part-000004.jsonl.0123abcd.tmp")
        (whole / ".mine.tmp").write_text("x")
        run(LocalStore(str(whole)), resume=True)
        assert content(whole) == before | {".mine.tmp": b"x"}

    def test_what_a_lost_worker_left_half_is_removed_at_the_end(self, tmp_path, whole):
        folder = tmp_path / "b"

        class Losing(LocalEngine):
            def run(self, job, parts):
                yield from LocalEngine.run(self, job, parts)
                (folder / ".part-000004.jsonl.0123abcd.tmp").write_text("half")

        run(LocalStore(str(folder)), engine=Losing())
        assert content(folder) == content(whole)

    def test_a_file_in_the_place_of_the_folder(self, tmp_path):
        (tmp_path / "x").write_text("mine")
        with pytest.raises(FileExistsError):
            run(LocalStore(str(tmp_path / "x")), force=True)
        assert (tmp_path / "x").read_text() == "mine"

    def test_two_runs_at_once(self, tmp_path):
        store = LocalStore(str(tmp_path / "b"))
        with store.lock(), pytest.raises(BatchError, match="another run"):
            run(store, resume=True)

    def test_a_damaged_manifest(self, whole):
        for text in ("", "[]", "{}", '{"schema_version": 1}'):
            (whole / "_manifest.json").write_text(text)
            with pytest.raises(FileFormatError):
                run(LocalStore(str(whole)), resume=True)

    def test_an_error_of_the_system_says_what_is_kept(self, tmp_path, monkeypatch):
        store = LocalStore(str(tmp_path / "b"))
        original = LocalStore.whole

        @contextmanager
        def full(self, name):
            if name == "part-000004.jsonl":
                raise OSError(28, "No space left on device")
            with original(self, name) as stream:
                yield stream

        monkeypatch.setattr(LocalStore, "whole", full)
        with pytest.raises(BatchError, match="No space left on device; 4 finished") as caught:
            run(store)
        assert "--resume" in caught.value.hint
        assert verify_parts(store).n_parts == 4

    def test_at_a_url(self, whole):
        fsspec = pytest.importorskip("fsspec")
        system = fsspec.filesystem("memory")
        store = RemoteStore("memory://bucket/run")
        run(store)
        assert {name: system.cat(f"/bucket/run/{name}") for name in store.names()} == content(whole)
        system.rm("/bucket/run/part-000002.jsonl")
        assert verify_parts(store).problems == ("part-000002.jsonl is missing",)
        run(store, resume=True)
        assert verify_parts(store).problems == ()
        system.rm("/bucket", recursive=True)


class TestVerify:
    def test_a_whole_run(self, whole):
        found = verify_parts(LocalStore(str(whole)))
        assert (found.n_parts, found.tally.rows, found.problems) == (10, 47, ())

    def test_what_differs_is_missing_or_strange(self, whole):
        part = whole / "part-000001.jsonl"
        part.write_bytes(part.read_bytes().replace(b"13C", b"13D", 1))
        (whole / "part-000002.jsonl").unlink()
        (whole / "part-000777.jsonl").write_text("x")
        found = verify_parts(LocalStore(str(whole)))
        assert found.problems == (
            "part-000001.jsonl differs",
            "part-000002.jsonl is missing",
            "part-000777.jsonl is in no list",
        )

    def test_a_run_that_stopped(self, tmp_path):
        with pytest.raises(Crash):
            run(CrashingStore(str(tmp_path / "b"), 6))
        found = verify_parts(LocalStore(str(tmp_path / "b")))
        assert found.problems == ("the run is not complete; 2 parts are finished",)

    def test_what_a_kill_after_the_end_leaves_is_no_problem(self, tmp_path, whole):
        with pytest.raises(Crash):
            run(CrashingStore(str(tmp_path / "b"), 24))
        assert list((tmp_path / "b").glob("_part-*"))
        assert verify_parts(LocalStore(str(tmp_path / "b"))).problems == ()

    def test_a_manifest_cannot_name_files_elsewhere(self, whole):
        path = whole / "_manifest.json"
        path.write_text(path.read_text().replace("part-000003.jsonl", "../part-000003.jsonl"))
        with pytest.raises(FileFormatError, match="damaged"):
            verify_parts(LocalStore(str(whole)))

    def test_no_run(self, tmp_path):
        with pytest.raises(FileFormatError, match="no _manifest"):
            verify_parts(LocalStore(str(tmp_path)))


def test_tallies_add_up():
    total = Tally(2, {"b": 1}) + Tally(3, {"a": 1, "b": 2})
    assert (total.rows, list(total.failed.items())) == (9, [("a", 1), ("b", 3)])
