"""Children that start warm: each is forked from a process that has imported what a run needs, and is else a new one.

So are the workers of a child that is ``pytest -n``.

Importing pytest, the plugin, what it runs and what draws a report takes longer than most runs of tests themselves. What
a child is given (words, folder, environment, standard streams) and what it leaves (files, exit code) are those of
``python -m``; which modules a process imports when is a matter of tests that start one by themselves.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

OWN = (
    "exports.junit",
    "exports.markdown",
    "exports.parquet",
    "exports.sarif",
    "fuzzing",
    "integrity.inputs",
    "record.complete",
    "record.environment",
    "report.figures.kept",
    "report.figures.kinds",
    "report.html",
    "report.pictures",
    "report.publish",
    "shell.ending",
    "shell.items",
    "shell.option_faults",
    "shell.session",
)
WHOLE = ("expectations.kinds", "expectations.claims", "mimics.kinds", "detectors", "report.figures", "report.sections")
"""Packages of which a run imports every module, in this order."""
OTHERS = (
    "hypothesis.strategies",
    "jsonschema",
    "matplotlib.backends.backend_svg",
    "matplotlib.figure",
    "pyarrow.parquet",
    "scipy.ndimage",
    "scipy.optimize",
    "xdist",
)
"""What nearly every run imports; where an extra is missing, its modules are left out."""


def start_python(
    words: Sequence[object], *, cwd: Path, env: Mapping[str, str], timeout: float
) -> subprocess.CompletedProcess[str]:
    """Run ``python -m module words`` in a process that has imported nothing, for tests of what is imported."""
    whole = [sys.executable, "-m", *map(str, words)]
    return subprocess.run(whole, cwd=cwd, env=dict(env), timeout=timeout, capture_output=True, text=True)


class WarmPython:
    """Runs ``python -m module words`` in a child that starts warm, one at a time."""

    def __init__(self) -> None:
        self._server: subprocess.Popen[str] | None = None

    def __call__(
        self, words: Sequence[object], *, cwd: Path, env: Mapping[str, str], timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """Run a module in a folder and an environment.

        Args:
            words: The module and its arguments: what comes after ``python -m``.
            cwd: Where it runs.
            env: The whole environment.
            timeout: After how many seconds it is killed.

        Raises:
            subprocess.TimeoutExpired: if it took longer.
        """
        if sys.platform != "linux":  # elsewhere a fork of a process with loaded libraries is not safe, or not there
            return start_python(words, cwd=cwd, env=env, timeout=timeout)
        named = [str(word) for word in words]
        with tempfile.TemporaryDirectory() as folder:
            out, err = Path(folder) / "out", Path(folder) / "err"
            told = {"words": named, "cwd": str(cwd), "env": dict(env), "out": str(out), "err": str(err)}
            code = self._asked(told, timeout)
            return subprocess.CompletedProcess(named, code, *(p.read_text(errors="replace") for p in (out, err)))

    def _asked(self, told: dict[str, Any], timeout: float) -> int:
        if self._server is None:
            own = {"PYTHONPATH": str(Path(__file__).parents[1]), "OMP_NUM_THREADS": "1"}
            words = [sys.executable, "-u", __file__]
            env = os.environ | own
            self._server = subprocess.Popen(words, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        server = self._server
        assert server.stdin is not None
        assert server.stdout is not None
        print(json.dumps(told), file=server.stdin, flush=True)
        child = int(server.stdout.readline())
        if not select.select([server.stdout], [], [], timeout)[0]:
            os.kill(child, signal.SIGKILL)
            server.stdout.readline()
            raise subprocess.TimeoutExpired(told["words"], timeout)
        return int(server.stdout.readline())

    def close(self) -> None:
        """End the process that children are forked from; the next call starts another."""
        if self._server is not None:
            self._server.communicate()
            self._server = None


run_python = WarmPython()
"""The one of this process."""


def _warm() -> None:
    """Import what children need, the plugins of pytest by pytest itself, which compiles their assertions anew."""
    import gc
    import importlib

    import pytest
    from _pytest.assertion.rewrite import AssertionRewritingHook

    from tests.remembered import remember

    gc.disable()
    _read_packages_once()
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        pytest.main(["--version", "--version", "--noconftest"])  # else that of the first test is everybody's
    for name in (*(f"synnodtest.{name}" for name in OWN), *_modules_of_packages(), *OTHERS):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    _read_templates_and_constants()
    remember()
    # A run's pytest would warn that plugins are there already, which a new process has not imported yet.
    AssertionRewritingHook._warn_already_imported = lambda self, name: None
    gc.freeze()
    gc.enable()


def _read_packages_once() -> None:
    """Let what an installed package says of itself be read once: pytest asks all of them, and some several times."""
    from importlib.metadata import PathDistribution

    def once(read: Callable[[Any], Any]) -> property:
        known: dict[str, Any] = {}

        def said(package: Any) -> Any:
            path = str(package._path)
            if path not in known:
                known[path] = read(package)
            return known[path]

        return property(said)

    for name in ("entry_points", "files", "metadata"):
        setattr(PathDistribution, name, once(getattr(PathDistribution, name).fget))


def _modules_of_packages() -> Iterator[str]:
    import importlib
    import pkgutil

    for name in WHOLE:
        package = importlib.import_module(f"synnodtest.{name}")
        yield from (found.name for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."))


def _read_templates_and_constants() -> None:
    """Do what a process does once: compile templates and schemas, and parse what Hypothesis parses.

    Hypothesis reads the constants of every module outside of site-packages, which takes longer than most searches.
    What installed packages bring is forgotten again: a child may see others.
    """
    from synnodtest.decoding import encode
    from synnodtest.expectations import registry
    from synnodtest.exports import markdown
    from synnodtest.record import results
    from synnodtest.record.environment import environment
    from synnodtest.report.page import templates
    from synnodtest.spec.loader import load_spec

    environment()
    root = Path(__file__).parents[1]
    for spec in (root / "specs").glob("*.yaml"):
        load_spec(spec)
    record = results.load(root / "reports" / "example")
    for fill in (encode, markdown.summary, markdown.badge):
        fill(record)
    for name in templates().list_templates():
        templates().get_template(name)
    for kinds in (registry._KINDS, registry._CLAIMS):
        kinds.forget()
    with contextlib.suppress(ImportError, AttributeError), warnings.catch_warnings():
        from hypothesis.internal.conjecture.providers import _get_local_constants

        warnings.simplefilter("ignore")  # it fears for the time of plugins
        _get_local_constants()


def _serve() -> Callable[[], None] | None:
    """Fork a child for each line read; the child is returned what it has to do."""
    installed = [path for path in sys.path if path != os.path.dirname(__file__)]
    _warm()
    for line in sys.stdin:
        told = json.loads(line)
        child = os.fork()
        if not child:
            return lambda: _be(told, installed)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
    return None


def _be(told: dict[str, Any], installed: list[str]) -> None:
    """Become ``python -m`` of these words."""
    import importlib
    import runpy

    from synnodtest.stages import STAGES

    STAGES.started = time.perf_counter()
    streams = (os.devnull, os.O_RDONLY), *((told[name], os.O_WRONLY | os.O_CREAT) for name in ("out", "err"))
    for number, (path, flags) in enumerate(streams):
        opened = os.open(path, flags)
        os.dup2(opened, number)
        os.close(opened)
    os.chdir(told["cwd"])
    os.environ.clear()
    os.environ.update(told["env"])
    sys.path[:] = [told["cwd"], *_pythonpath(told["env"]), *installed]
    sys.argv[:] = told["words"]
    sys.dont_write_bytecode = bool(told["env"].get("PYTHONDONTWRITEBYTECODE"))
    importlib.invalidate_caches()
    with _warm_workers() if "-n" in told["words"] else contextlib.nullcontext() as bare:
        if bare is not None:
            exec(eval(bare.readline()), vars(sys.modules["__main__"]))  # as execnet begins a worker
            _leave(0)
        try:
            runpy.run_module(told["words"][0], run_name="__main__", alter_sys=True)
        except SystemExit as ended:
            if isinstance(ended.code, str):
                raise
            _leave(int(ended.code or 0))


def _leave(code: int) -> None:
    """End as an interpreter does, but take nothing to pieces: that copies every page shared with the server."""
    import atexit
    import threading

    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code & 0xFF)


@contextlib.contextmanager
def _warm_workers() -> Iterator[IO[str] | None]:
    """Let the workers of ``pytest -n`` start warm too: a copy of this process, from before pytest, forks them.

    In a worker this gives its standard input, from which execnet tells it what to do.
    """
    import execnet.gateway_base

    ours, theirs = socket.socketpair()
    nursery = os.fork()
    if not nursery:
        ours.close()
        yield _worker(theirs)
        return
    theirs.close()

    class Started:
        """What execnet asks of a process."""

        def __init__(self, *_: object, **__: object) -> None:
            (given, self._stdin), (self._stdout, told) = os.pipe(), os.pipe()
            socket.send_fds(ours, [b"+"], [given, told])
            self.pid = int(ours.recv(64))
            os.close(given)
            os.close(told)
            self.stdin, self.stdout = os.fdopen(self._stdin, "wb"), os.fdopen(self._stdout, "rb")

        def wait(self) -> None:
            with contextlib.suppress(ProcessLookupError):
                while True:
                    os.kill(self.pid, 0)
                    time.sleep(0.01)

        def kill(self) -> None:
            os.kill(self.pid, signal.SIGKILL)

    class Starts:
        Popen, PIPE = Started, subprocess.PIPE

    model: Any = execnet.gateway_base.ThreadExecModel
    model.subprocess = Starts
    try:
        yield None
    finally:
        ours.close()
        os.waitpid(nursery, 0)


def _worker(asked: socket.socket) -> IO[str] | None:
    """Fork a worker whenever one is asked for, until nobody asks any more; return its standard input in each."""
    while True:
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if not select.select([asked], [], [], 0.02)[0]:
            continue
        told, streams, *_ = socket.recv_fds(asked, 1, 2)
        if not told:
            break
        worker = os.fork()
        if not worker:
            asked.close()
            for number, stream in enumerate(streams):
                os.dup2(stream, number)
                os.close(stream)
            sys.argv[:] = ["-c"]
            sys.stdin, sys.stdout = os.fdopen(0, closefd=False), os.fdopen(1, "w", closefd=False)
            return sys.stdin
        for stream in streams:
            os.close(stream)
        asked.send(str(worker).encode())
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)
    os._exit(0)


def _pythonpath(env: Mapping[str, str]) -> list[str]:
    return [path for path in env.get("PYTHONPATH", "").split(os.pathsep) if path]


if __name__ == "__main__":
    task = _serve()
    if task is not None:
        task()
