"""pytest's hook for asserts leaves synnodtest's own modules alone, and still serves the tests."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys
import synnodtest.shell.items

def test_who_loaded():
    loaders = {n: type(m.__loader__).__name__ for n, m in sys.modules.items()
               if n.startswith("synnodtest.shell.") and n != "synnodtest.shell.plain_import"}
    assert loaders["synnodtest.shell.items"] == "SourceFileLoader"
    assert "AssertionRewritingHook" not in set(loaders.values())
    assert type(sys.modules[__name__].__loader__).__name__ == "AssertionRewritingHook"
"""


LIGHT = ["-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-p", "no:html", "-p", "no:allure_pytest"]
"""Plugins that say nothing of this, and take a third of the time in which pytest starts."""


def test_own_modules_are_not_rewritten(pytester):
    pytester.makepyfile(CODE)
    assert pytester.runpytest_subprocess(*LIGHT).parseoutcomes() == {"passed": 1}


def test_the_package_run_as_a_module_is_the_command():
    done = subprocess.run([sys.executable, "-m", "synnodtest", "--help"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("usage: synnodtest ")
