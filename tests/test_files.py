"""Files are whole or not there, and what keeps one from being written is told under its own name."""

import pytest

from synnodtest.files import replacing, write_atomic


def full(*names):
    raise OSError(28, "No space left on device", "/somewhere/.temporary")


@pytest.mark.parametrize("where", ["tempfile.mkstemp", "pathlib.Path.write_bytes", "os.replace"])
def test_a_file_that_cannot_be_written_is_named_and_the_old_one_stays(tmp_path, monkeypatch, where):
    path = write_atomic(tmp_path / "a.json", "old")
    with monkeypatch.context() as only:
        only.setattr(where, lambda *names, **options: full())
        with pytest.raises(OSError, match="No space left") as told:
            write_atomic(path, "new")
    assert (told.value.filename, told.value.filename2) == (str(path), None)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.json", "old")]


def test_an_error_of_another_file_keeps_its_name(tmp_path):
    with pytest.raises(OSError, match="temporary"), replacing(tmp_path / "a.json"):
        full()
    assert list(tmp_path.iterdir()) == []
