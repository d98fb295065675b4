"""Folders and files of which a user may not read all: that is told, and never taken for nothing being there."""

import os
from contextlib import contextmanager
from pathlib import Path

import pytest

from synnodtest.backgrounds import check_sets, open_backgrounds
from synnodtest.backgrounds.folder_files import any_radiograph
from synnodtest.errors import BackgroundError

from .radiograph_files import chest, write_dicom, write_mha

NOBODY = 65534

pytestmark = pytest.mark.skipif(not hasattr(os, "setresuid"), reason="a system without such users")


@contextmanager
def without_rights(folder, monkeypatch, name, mode=0):
    """Work in a folder as a user who may not read what is called so; root, who may read everything, becomes nobody.

    Paths are those from the folder, since that user may not enter the folders above it.
    """
    monkeypatch.chdir(folder)
    folder.chmod(0o755)
    assert open_backgrounds("set", "normal").backgrounds  # what this imports is imported with rights
    path, user = folder / name, os.geteuid()
    before = path.stat().st_mode
    path.chmod(mode)
    if user == 0:
        os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        if user == 0:
            os.setresuid(0, 0, 0)
        path.chmod(before)


def films(folder):
    for seed, name in enumerate(("a.mha", "b.mha")):
        write_mha(folder / "set" / name, chest(seed=seed), spacing=(2.1, 2.1))


def tree(folder):
    pytest.importorskip("pydicom")
    for seed, patient in enumerate(("p0", "p1", "p2")):
        write_dicom(folder / "set" / patient / "s" / "a.dcm", chest(bits=12, seed=seed), PatientID=patient)


@pytest.mark.parametrize(("name", "mode"), [("set/annotations", 0), ("labels", 0), ("set", 0o711), ("set", 0o744)])
def test_a_folder_that_cannot_be_listed_is_named_since_it_may_tell_of_nodules(tmp_path, monkeypatch, name, mode):
    films(tmp_path)
    (tmp_path / name).mkdir(exist_ok=True)
    with without_rights(tmp_path, monkeypatch, name, mode), pytest.raises(BackgroundError) as told:
        open_backgrounds("set", "normal")
    assert str(told.value).startswith(f"{name}: cannot be listed: Permission denied")
    assert told.value.hint.startswith("allow it to be read")


def test_labels_that_cannot_be_read_are_not_taken_for_none(tmp_path, monkeypatch):
    films(tmp_path)
    (tmp_path / "set" / "labels").mkdir()
    (tmp_path / "set" / "labels" / "a.txt").write_text("")
    with (
        without_rights(tmp_path, monkeypatch, "set/labels/a.txt"),
        pytest.raises(BackgroundError, match=r"labels/a\.txt: cannot be read: Permission denied"),
    ):
        open_backgrounds("set", "normal")


@pytest.mark.parametrize(("name", "mode"), [("set/p1", 0), ("set/p1", 0o744), ("set/p1/s", 0), ("set/p1/s/a.dcm", 0)])
def test_films_of_a_tree_that_may_not_be_read_are_told(tmp_path, monkeypatch, name, mode):
    tree(tmp_path)
    with without_rights(tmp_path, monkeypatch, name, mode):
        served = open_backgrounds("set", "normal")
        assert [one.id for one in sorted(served.backgrounds, key=lambda b: b.id)] == ["p0/s/a.dcm", "p2/s/a.dcm"]
        assert any(note.startswith("1 path may not be read, such as set/p1") for note in served.notes)


def test_a_folder_below_that_cannot_be_listed_is_not_taken_for_empty(tmp_path, monkeypatch):
    films(tmp_path)
    (tmp_path / "data" / "top" / "set").mkdir(parents=True)
    with (
        without_rights(tmp_path, monkeypatch, "data/top/set"),
        pytest.raises(BackgroundError, match="data/top/set: cannot be listed"),
    ):
        any_radiograph(Path("data/top"))


def test_a_set_in_a_folder_that_may_not_be_entered_is_told(tmp_path, monkeypatch):
    films(tmp_path)
    with without_rights(tmp_path, monkeypatch, "set"), pytest.raises(BackgroundError, match="set: cannot be listed"):
        check_sets("set", ["normal"])
