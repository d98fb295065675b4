"""Files are whole or not there, and what keeps one from being written is told under its own name."""

import pytest

from synnodtest.files import replacing, sweep, write_atomic


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
    assert str(told.value).endswith(f"{str(path)!r}")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.json", "old")]


def test_an_error_of_another_file_keeps_its_name(tmp_path):
    with pytest.raises(OSError, match="temporary"), replacing(tmp_path / "a.json"):
        full()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_writer_left_is_swept_and_nothing_else(tmp_path):
    path = tmp_path / "a[1].json"
    with replacing(path) as left:
        others = {tmp_path / name for name in (".a1.json.0123abcd", ".a[1].json.0123abcd.png", ".a[1].json.x")}
        for other in (path, *others):
            other.write_text("kept")
        sweep(path)
        assert set(tmp_path.iterdir()) == {path, *others}
        left.touch()
