"""Fixtures and strictness of all tests; specs, which run under the same ini section, are not subject to the latter."""

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
