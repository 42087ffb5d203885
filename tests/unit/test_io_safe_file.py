"""Output files: whole or absent."""

import pytest

from nmrshift.io.safe_file import whole_binary_file, whole_file


def test_complete_file_takes_its_name(tmp_path):
    path = tmp_path / "out.csv"
    with whole_file(path) as stream:
        stream.write("é\n")
        assert not path.exists()
    assert path.read_bytes() == "é\n".encode()
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.csv"]


def test_bytes_are_written_as_they_are(tmp_path):
    path = tmp_path / "out.png"
    with whole_binary_file(path) as stream:
        stream.write(b"\r\n\xff")
        assert not path.exists()
    assert path.read_bytes() == b"\r\n\xff"
    with pytest.raises(FileExistsError), whole_binary_file(path):
        pass


def write_and_raise(path, error, *, force=False):
    with whole_file(path, force=force) as stream:
        stream.write("half")
        raise error


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_nothing_is_left_of_a_failed_run(tmp_path, error):
    with pytest.raises(error):
        write_and_raise(tmp_path / "out.csv", error)
    assert list(tmp_path.iterdir()) == []


def test_no_overwrite_without_force(tmp_path):
    path = tmp_path / "out.csv"
    path.write_text("old")
    with pytest.raises(FileExistsError), whole_file(path):
        pass
    with whole_file(path, force=True) as stream:
        stream.write("new")
    assert path.read_text() == "new"


def test_a_file_that_appears_meanwhile_is_kept(tmp_path):
    path = tmp_path / "out.csv"
    with pytest.raises(FileExistsError), whole_file(path):
        path.write_text("theirs")
    assert path.read_text() == "theirs"
    assert len(list(tmp_path.iterdir())) == 1


def test_what_is_no_file_is_never_replaced(tmp_path):
    with pytest.raises(FileExistsError, match="is no file"), whole_file(tmp_path, force=True):
        pass


def test_the_old_file_survives_a_failed_replacement(tmp_path):
    path = tmp_path / "out.csv"
    path.write_text("old")
    with pytest.raises(ValueError):
        write_and_raise(path, ValueError, force=True)
    assert path.read_text() == "old"


def test_file_then_name_go_to_disk(tmp_path, monkeypatch):
    path, seen = tmp_path / "out.csv", []
    monkeypatch.setattr("os.fsync", lambda handle: seen.append((handle, path.exists())))
    with whole_file(path) as stream:
        stream.write("x")
        handle = stream.fileno()
    assert seen[0] == (handle, False)
    assert [renamed for _, renamed in seen] == [False, True]
