"""Extras that a file of tests needs, asked for without loading them."""

from importlib.util import find_spec

import pytest


def needs(*modules: str, reason: str = "") -> None:
    """Skip the file of tests that calls this at its top unless these modules are installed.

    Every worker of ``pytest -n`` imports every file, and loading large libraries takes longer than all that the files
    themselves hold: a worker loads them with the first test of its own that uses them.

    Args:
        modules: Full names.
        reason: Why the tests are skipped, by default which module is missing.
    """
    for name in modules:
        if not installed(name):
            pytest.skip(reason or f"{name} is not installed", allow_module_level=True)


def installed(name: str) -> bool:
    """Return whether a module is there, without loading it: for tests that only start processes which use it."""
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # a package above it is missing
        return False
