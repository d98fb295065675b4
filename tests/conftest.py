"""Fixtures and strictness of all tests; specs, which run under the same ini section, are not subject to the latter."""

import contextlib
import gc
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from synnodtest.shell.garbage import collect_seldom
from tests import remembered
from tests.shared_folders import for_all_workers, shared_folder
from tests.warm_python import run_python

pytest_plugins = ["pytester", "tests.report.fixtures"]

ROOT = Path(__file__).parents[1]
LONGEST_S = 600
"""A test that takes longer hangs; the slowest takes a twentieth of it on an idle machine, and may wait for another
worker that makes what both need."""


MEMORY_DISK = Path("/dev/shm")
ROOM_BYTES = 4 << 30
"""Several times what temporary folders hold at once. Containers often have a smaller one."""


def pytest_configure(config):
    config.addinivalue_line("filterwarnings", "error")
    # highdicom leaves its tables of frames open; Python 3.13 tells of them in whatever test collects them
    config.addinivalue_line("filterwarnings", "ignore:unclosed database in <sqlite3:ResourceWarning")
    keep_temporary_folders_in_memory()


def keep_temporary_folders_in_memory():
    """Let ``tmp_path`` lie on a disk in memory where there is one: stores of searches are thousands of small files."""
    with contextlib.suppress(OSError):
        if os.access(MEMORY_DISK, os.W_OK) and shutil.disk_usage(MEMORY_DISK).free >= ROOM_BYTES:
            os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY_DISK))


@pytest.hookimpl(tryfirst=True)
def pytest_collection():
    """Look for no garbage while a million objects are imported, all of which stay: it takes a quarter of the time."""
    gc.disable()


def pytest_collection_finish():
    gc.freeze()
    gc.enable()
    collect_seldom()


BEGUN_FIRST = ("test_bare_environment.py",)
"""Files of one long test that would come last: it would leave the other workers without work until it ends."""


def pytest_collection_modifyitems(config, items):
    items.sort(key=lambda item: item.path.name not in BEGUN_FIRST)
    if config.pluginmanager.hasplugin("timeout"):
        ours = {path for path in {item.path for item in items} if path.is_relative_to(config.rootpath / "tests")}
        for item in items:
            if item.path in ours and item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(LONGEST_S))


@pytest.fixture(scope="session")
def read_before(tmp_path_factory):
    """A store in which the radiographs of ``write_radiographs`` were read, and in which what a report draws was drawn.

    No scene is in it. Reading takes 6 seconds and drawing 3 that few tests are about.
    """
    from tests.pytest_plugin.conftest import KEPT, often_run

    def fill(folder):
        for kind in KEPT:
            shutil.copytree(often_run(tmp_path_factory) / "v1" / kind, folder / "v1" / kind)

    return shared_folder(tmp_path_factory, "read", fill)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """The wheel of a copy of the project, so that the checkout stays as it is: built without an index, stored."""

    def fill(folder):
        for name in ("synnodtest", "models", "specs"):
            shutil.copytree(ROOT / name, folder / "copy" / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(ROOT / name, folder / "copy" / name)
        build = "from setuptools import build_meta\n"
        build += "build_meta.build_wheel('..', {'--build-option': ['--compression', 'stored']})"
        subprocess.run([sys.executable, "-c", build], cwd=folder / "copy", check=True, capture_output=True)

    return next(shared_folder(tmp_path_factory, "wheel", fill).glob("*.whl"))


@pytest.fixture(scope="session", autouse=True)
def phantoms_and_regions_made_once(tmp_path_factory):
    """See :mod:`tests.remembered`."""
    remembered.remember()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(remembered.FOLDER, str(shared_folder(tmp_path_factory, "remembered", lambda folder: None)))
        yield


@pytest.fixture
def not_looked_at(monkeypatch):
    """Leave out how visible each nodule is, for tests that do not ask: it takes a sixth of a search."""
    from synnodtest.conspicuity import Visibility

    monkeypatch.setattr(
        "synnodtest.engine.outcome.visibilities",
        lambda radiograph, unit=None: (Visibility(),) * len(radiograph.nodules),
    )


@pytest.fixture
def unturned(monkeypatch):
    """Ask of no film whether it would look better on its side, on its head or as a negative, which is four more looks.

    Films of tests are a few shades, in which nobody surely sees a chest; ``TestOrientationAndPolarity`` asks it.
    """
    from synnodtest.backgrounds import plausible

    monkeypatch.setattr(plausible, "best_turn", lambda seen, *, turned, inverted: "")


@pytest.fixture
def made_anew(monkeypatch):
    """Let phantoms and regions be made anew, for tests of whether that gives the same."""
    monkeypatch.delenv(remembered.FOLDER)


@pytest.fixture(scope="session", autouse=True)
def compiled_once(tmp_path_factory):
    """Let the processes that tests start keep the modules that they compile, also where the environment says not to.

    A process that compiles every module of the package anew takes a second longer. They lie beside the sources, where
    those of installed packages are already; in a checkout that cannot be written all processes share another folder.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        if not os.access(ROOT / "synnodtest", os.W_OK):
            patch.setenv("PYTHONPYCACHEPREFIX", str(for_all_workers(tmp_path_factory) / "pyc"))
        yield
        run_python.close()
