"""Parquet, gzip, zstd and URLs: in and out, whole or refused."""

import gzip
import io

import pytest
from fakes import FakePredictor
from oracles import long_rows

from nmrshift.errors import FileFormatError, MissingExtraError
from nmrshift.io import extras
from nmrshift.io.formats import format_of, read_queries
from nmrshift.io.long_form import LONG_COLUMNS
from nmrshift.io.source import open_bytes
from nmrshift.io.writers import OUTPUT_FORMATS, open_writer
from nmrshift.types import Failure, Query

SMILES = "".join(f"{'C' * (i % 60 + 1)}O m{i * 7919 % 10007}\n" for i in range(5000))
BAD = Failure(2, "C1\ud800", None, "parse_error", "m", "h")


def answers():
    queries = [Query("CCO", name="a"), Query("FC(F)F", name="é"), Query("C1CC")]
    return [*FakePredictor().predict_many(queries), BAD]


def written(kind, packing=None, values=None):
    stream = io.BytesIO()
    with open_writer(kind, stream, packing) as writer:
        for one in answers() if values is None else values:
            writer.write(one)
    assert not stream.closed
    return stream.getvalue()


class TestParquetOut:
    parquet = None

    @pytest.fixture(autouse=True)
    def arrow(self):
        self.parquet = pytest.importorskip("pyarrow.parquet")

    def test_every_row_and_number(self):
        table = self.parquet.read_table(io.BytesIO(written("parquet")))
        expected = [
            dict(zip(LONG_COLUMNS, row, strict=True)) for a in answers()[:3] for row in long_rows(a)
        ]
        assert table.to_pylist()[: len(expected)] == expected
        assert table.to_pylist()[-1]["input"] == "C1\\ud800"
        assert table.column_names == list(LONG_COLUMNS)

    def test_failures_are_rows(self):
        table = self.parquet.read_table(io.BytesIO(written("parquet")))
        codes = [row["error_code"] for row in table.to_pylist() if row["status"] == "error"]
        assert codes == ["parse_error", "parse_error"]

    def test_nothing_written_is_still_a_table(self):
        table = self.parquet.read_table(io.BytesIO(written("parquet", values=[])))
        assert table.num_rows == 0
        assert table.column_names == list(LONG_COLUMNS)

    def test_streams_in_row_groups(self):
        many = [Failure(i, "x", None, "c", "m", "h") for i in range(9000)]
        file = self.parquet.ParquetFile(io.BytesIO(written("parquet", values=many)))
        assert file.num_row_groups == 3
        assert file.read().column("index").to_pylist() == list(range(9000))

    def test_pandas_reads_it(self):
        pandas = pytest.importorskip("pandas")
        frame = pandas.read_parquet(io.BytesIO(written("parquet")))
        assert frame["shift_ppm"].notna().sum() == sum(
            len(a.atoms) for a in answers() if not isinstance(a, Failure)
        )


class TestParquetIn:
    @pytest.fixture
    def write(self, tmp_path):
        arrow = pytest.importorskip("pyarrow")
        parquet = pytest.importorskip("pyarrow.parquet")

        def make(columns, name="a.parquet"):
            parquet.write_table(arrow.table(columns), tmp_path / name)
            return tmp_path / name

        return make

    def test_columns_as_in_csv(self, write):
        path = write(
            {"Other": [1, 2], "ID": [7, None], "SMILES": ["CCO", "CC"], "solvent": ["D2O", None]}
        )
        assert list(read_queries(path)) == [Query("CCO", "D2O", name="7"), Query("CC")]

    def test_an_empty_cell_fails_in_its_row(self, write):
        one, bad, two = read_queries(write({"smiles": ["C", None, "CC"]}))
        assert (one.structure, two.structure) == ("C", "CC")
        assert (bad.code, bad.index) == ("invalid_text", 1)

    def test_many_rows_in_order(self, write):
        rows = list(read_queries(write({"smiles": [f"{'C' * (i % 9 + 1)}" for i in range(9000)]})))
        assert [len(row.structure) for row in rows] == [i % 9 + 1 for i in range(9000)]

    @pytest.mark.parametrize("columns", [{"a": ["C"]}, {"smiles": ["C"], "SMILES": ["C"]}])
    def test_columns_that_cannot_be_told(self, write, columns):
        (failure,) = read_queries(write(columns))
        assert failure.code == "file_format"

    def test_numbers_are_no_structures(self, write):
        assert [row.code for row in read_queries(write({"smiles": [1, 2]}))] == ["invalid_text"] * 2

    def test_a_broken_file(self, write, tmp_path):
        data = write({"smiles": ["C"] * 100}).read_bytes()
        for cut in (0, 5, len(data) // 2, len(data) - 1):
            (tmp_path / "b.parquet").write_bytes(data[:cut])
            (failure,) = read_queries(tmp_path / "b.parquet")
            assert failure.code == "file_format", cut

    def test_not_from_a_pipe(self, monkeypatch):
        pytest.importorskip("pyarrow")

        class Pipe(io.BytesIO):
            def seekable(self):
                return False

        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(Pipe(b"PAR1")))
        (failure,) = read_queries("-", kind="parquet")
        assert "pipe" in failure.message


class TestZstd:
    @pytest.fixture(autouse=True)
    def arrow(self):
        pytest.importorskip("pyarrow")

    def compress(self, text):
        import pyarrow as pa

        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, "zstd") as stream:
            stream.write(text.encode())
        return sink.getvalue().to_pybytes()

    def test_in(self, tmp_path):
        (tmp_path / "a.smi").write_text(SMILES)
        (tmp_path / "a.smi.zst").write_bytes(self.compress(SMILES))
        assert list(read_queries(tmp_path / "a.smi.zst")) == list(read_queries(tmp_path / "a.smi"))

    def test_several_frames(self, tmp_path):
        half = SMILES.index("\n", len(SMILES) // 2) + 1
        path = tmp_path / "a.smi.zst"
        path.write_bytes(self.compress(SMILES[:half]) + self.compress(SMILES[half:]))
        assert sum(1 for _ in read_queries(path)) == 5000

    def test_a_broken_archive_ends_in_a_failure(self, tmp_path):
        path = tmp_path / "a.smi.zst"
        path.write_bytes(self.compress(SMILES)[:-40])
        *good, last = read_queries(path)
        assert all(isinstance(row, Query) for row in good)
        assert last.code == "file_format"
        assert len(good) < 5000


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
@pytest.mark.parametrize("kind", OUTPUT_FORMATS)
def test_packed_output_is_the_same_and_repeatable(tmp_path, kind, packing):
    if "parquet" in kind or packing == "zstd":
        pytest.importorskip("pyarrow")
    values = answers()[:3]
    path = tmp_path / "x"
    path.write_bytes(written(kind, packing, values))
    with open_bytes(path) as stream:
        content = stream.read()
    assert content == written(kind, None, values)
    assert written(kind, packing, values) == path.read_bytes()


class TestUrls:
    @pytest.fixture
    def memory(self):
        fsspec = pytest.importorskip("fsspec")
        system = fsspec.filesystem("memory")
        yield system
        system.rm("/", recursive=True)

    def test_read(self, memory):
        memory.pipe("/lib/a.smi.gz", gzip.compress(b"CCO x\n"))
        assert format_of("memory://lib/a.smi.gz?token=a.csv") == "smi"
        assert list(read_queries("memory://lib/a.smi.gz")) == [Query("CCO", name="x")]

    def test_absent(self, memory):
        with pytest.raises(FileFormatError, match=r"cannot open a\.smi"):
            list(read_queries("memory://secret/a.smi"))

    def test_an_unknown_kind_of_url(self, memory):
        with pytest.raises(FileFormatError, match="nowhere://"):
            list(read_queries("nowhere://x/a.smi"))


def test_how_much_was_read_is_told(tmp_path):
    path = tmp_path / "a.smi.gz"
    path.write_bytes(gzip.compress(SMILES.encode()))
    seen = []
    assert sum(1 for _ in read_queries(path, on_read=seen.append)) == 5000
    assert sum(seen) == path.stat().st_size


def test_an_absent_package_is_named():
    with pytest.raises(MissingExtraError, match="no_such_package") as caught:
        extras.load_extra("no_such_package.part", "parquet")
    assert "nmrshift[parquet]" in caught.value.hint
