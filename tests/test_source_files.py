"""Somebody's code is the file that was named and all that it imports from beside it."""

import hashlib

import pytest

from synnodtest.detectors import resolve_detector
from synnodtest.source_files import code_sha256, imported_files

FACTORY = """
import numpy
from . import near
from .deep.er import score
import other.part as part

def factory():
    import late
    return lambda radiographs: [[] for _ in radiographs]
"""
FILES = {
    "mine/__init__.py": "",
    "mine/dets.py": FACTORY,
    "mine/near.py": "from ..mine.nearer import x\nfrom .dets import factory",
    "mine/nearer.py": "this is no Python",
    "mine/deep/er.py": "score = 1",
    "mine/unused.py": "import numpy",
    "other/__init__.py": "",
    "other/part.py": "",
    "late.py": "import synnodtest.finding",
    "numpyish.py": "",
}


@pytest.fixture
def folder(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_what_a_file_imports_from_its_package_and_from_beside_that(folder):
    names = [file.relative_to(folder).as_posix() for file in imported_files(folder / "mine" / "dets.py")]
    expected = ["late.py", "mine/__init__.py", "mine/deep/er.py", "mine/near.py", "mine/nearer.py"]
    assert names == [*expected, "other/__init__.py", "other/part.py"]
    alone = folder / "mine" / "unused.py"
    assert code_sha256(alone) == hashlib.sha256(alone.read_bytes()).hexdigest()


def test_installed_packages_are_known_by_the_named_file_alone(folder):
    installed = folder / "lib" / "site-packages"
    installed.mkdir(parents=True)
    (folder / "mine").rename(installed / "mine")
    assert imported_files(installed / "mine" / "dets.py") == []


@pytest.mark.parametrize("declared", ["", "factory.identity = {'name': 'mine', 'sha256': 'f' * 64}"])
@pytest.mark.parametrize("edited", ["dets.py", "helper.py"])
def test_edited_code_has_other_keys_whatever_identity_it_declares(tmp_path, declared, edited):
    (tmp_path / "helper.py").write_text("THRESHOLD = 0.5\n")
    text = f"def factory():\n    from helper import THRESHOLD\n    return lambda radiographs: []\n{declared}\n"
    (tmp_path / "dets.py").write_text(text.replace("from helper", "if False: from helper"))

    def identity():
        return resolve_detector(f"{tmp_path}/dets.py:factory").identity

    before = identity()
    assert identity().key() == before.key()
    (tmp_path / edited).write_text((tmp_path / edited).read_text() + "# edited\n")
    after = identity()
    assert after.key() != before.key()
    assert after.as_dict() != before.as_dict()
    assert (after.sha256 == before.sha256) == bool(declared)
    assert after.configuration == {}


@pytest.mark.parametrize("declared", ["{'name': 'mine'}", "{'name': 'mine', 'sha256': 'f' * 64}", "Identity('mine')"])
def test_two_factories_of_one_file_have_other_keys_though_they_declare_one_identity(tmp_path, declared):
    (tmp_path / "dets.py").write_text(
        "from functools import partial\nfrom synnodtest.identity import Identity\n"
        "def make(found):\n    detect = lambda radiographs: [found for _ in radiographs]\n"
        f"    detect.identity = {declared}\n    return detect\n"
        "new, old = partial(make, []), partial(make, [None])\n"
    )
    new, old = (resolve_detector(f"{tmp_path}/dets.py:{name}").identity for name in ("new", "old"))
    assert new.key() != old.key()
    assert new.as_dict() != old.as_dict()
    (tmp_path / "dets.py").write_text((tmp_path / "dets.py").read_text() + "# edited\n")
    assert resolve_detector(f"{tmp_path}/dets.py:new").identity.key() != new.key()


def test_a_sha256_that_is_none_says_nothing_of_the_weights(tmp_path):
    text = "def factory():\n    return lambda radiographs: []\nfactory.identity = {'name': 'mine', 'sha256': None}\n"
    (tmp_path / "dets.py").write_text(text)
    assert resolve_detector(f"{tmp_path}/dets.py:factory").detector.may_change_unseen
