"""Fixtures and strictness of all tests; specs, which run under the same ini section, are not subject to the latter."""

import os

import pytest

pytest_plugins = ["pytester", "tests.report.fixtures"]

LONGEST_S = 300
"""A test that takes longer hangs; the slowest takes a tenth of it on an idle machine."""


def pytest_configure(config):
    config.addinivalue_line("filterwarnings", "error")


def pytest_collection_modifyitems(config, items):
    if config.pluginmanager.hasplugin("timeout"):
        for item in items:
            if item.path.is_relative_to(config.rootpath / "tests") and item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(LONGEST_S))


@pytest.fixture(scope="session")
def read_before(tmp_path_factory):
    """A store in which the radiographs of ``write_radiographs`` were read: 6 seconds that few tests are about."""
    from synnodtest.backgrounds import open_backgrounds
    from tests.pytest_plugin.conftest import write_radiographs

    folder = tmp_path_factory.mktemp("read")
    write_radiographs(folder / "cxr")
    backgrounds = open_backgrounds(folder / "cxr", "normal", cache=folder / "store")
    for background in backgrounds.backgrounds:
        backgrounds.load(background)
    return folder / "store"


@pytest.fixture(scope="session", autouse=True)
def compiled_once(tmp_path_factory):
    """Let all processes that tests start share compiled modules, also where the environment says not to write any.

    A process that compiles every module of the package anew takes a second longer.
    """
    base = tmp_path_factory.getbasetemp()
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        patch.setenv("PYTHONPYCACHEPREFIX", str((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "pyc"))
        yield
