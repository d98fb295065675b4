"""A child that starts warm is told and leaves what one does that ``python -m`` starts."""

import importlib.util
import os
import subprocess
import sys

import pytest

from tests.warm_python import OWN, WHOLE, run_python

TOLD = """
import atexit, json, os, sys
atexit.register(print, "at exit")
paths = [path for path in sys.path if "site-packages" not in path]
print(json.dumps([os.getcwd(), sys.argv, paths[:2], dict(os.environ), __name__, sys.stdin.read()]))
print("a fault", file=sys.stderr)
sys.exit(3)
"""


def test_words_folder_environment_streams_and_exit_code_are_those_of_any_other(tmp_path):
    (tmp_path / "told.py").write_text(TOLD)
    env = os.environ | {"PYTHONPATH": str(tmp_path / "more"), "COLUMNS": "77"}
    where = {"cwd": tmp_path, "env": env, "timeout": 60}
    words = ["told", "-x", "two words"]
    plain = subprocess.run([sys.executable, "-m", *words], input="", capture_output=True, text=True, **where)
    for _ in range(2):
        warm = run_python(words, **where)
        assert (warm.returncode, warm.stdout, warm.stderr) == (3, plain.stdout, plain.stderr)


def test_one_that_takes_too_long_is_killed_and_the_next_one_runs(tmp_path):
    (tmp_path / "waits.py").write_text("import sys, time; time.sleep(float(sys.argv[1]))")
    where = {"cwd": tmp_path, "env": os.environ}
    with pytest.raises(subprocess.TimeoutExpired):
        run_python(["waits", "60"], timeout=0.2, **where)
    assert run_python(["waits", "0"], timeout=60, **where).returncode == 0


def test_workers_of_pytest_start_warm_too_and_one_that_dies_is_replaced(tmp_path):
    (tmp_path / "pytest.ini").touch()
    (tmp_path / "test_it.py").write_text(
        "import os, sys\n\n\ndef test_dies():\n    os._exit(3)\n\n\n"
        "def test_lives():\n    assert 'matplotlib.figure' in sys.modules\n    assert not sys.stdin.read()\n"
    )
    words = ["pytest", "-n", "1", "-p", "no:cacheprovider", "-p", "no:randomly", "-s"]
    done = run_python(words, cwd=tmp_path, env=os.environ, timeout=60)
    assert (done.returncode, done.stderr) == (1, "")
    assert "worker 'gw0' crashed while running 'test_it.py::test_dies'" in done.stdout
    assert "1 failed, 1 passed" in done.stdout


def test_the_modules_that_are_named_are_there():
    assert [name for name in (*OWN, *WHOLE) if importlib.util.find_spec(f"synnodtest.{name}") is None] == []
