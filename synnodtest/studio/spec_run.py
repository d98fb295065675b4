"""A spec of the studio run by pytest in a process of its own, exactly as a user would; ends in a report."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from synnodtest.errors import SynnodError
from synnodtest.studio.session import Session

LONGEST_S = 3600
"""Seconds that a run may take; set by hand: longer ones belong to pytest in a terminal. It can be stopped before."""
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class SpecRun:
    """Outcome of a run: pytest's exit status, its last lines, and the folder of the report (None without one)."""

    status: int
    lines: tuple[str, ...]
    report: Path | None


def run_spec(session: Session, text: str, name: str, stopped: Callable[[], bool]) -> SpecRun:
    """Run a spec on the case with pytest.

    Args:
        session: Its case, detector and synthesizer.
        text: The spec.
        name: File name of the spec.
        stopped: Asked twice a second whether to give up.

    Raises:
        SynnodError: it was given up.
    """
    case, folder = session.opened, session.opened.folder
    spec = folder / name
    spec.write_text(text, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    reports = folder / "reports"
    command = [
        *(sys.executable, "-m", "pytest", str(spec), "-c", str(folder / "pytest.ini"), f"--rootdir={folder}"),
        *(f"--backgrounds={case.films}", f"--detector={session.detectors[0]}", f"--synthesizer={session.synthesizer}"),
        *(f"--synnod-report={reports}", f"--synnod-cache={session.folder / 'store'}", "-p", "no:cacheprovider"),
        *("-q", "--color=no", f"--synnod-device={session.bench.device}"),
    ]
    output, earlier = folder / f"{name}.log", {*reports.glob("*/report.html")}
    with session.working():
        status = _run(command, output, stopped)
    lines = tuple(_COLOUR.sub("", line) for line in output.read_text(encoding="utf-8", errors="replace").splitlines())
    reports_made = sorted({*reports.glob("*/report.html")} - earlier)
    return SpecRun(status, lines, reports_made[-1].parent if reports_made else None)


def _run(command: Sequence[str], output: Path, stopped: Callable[[], bool]) -> int:
    """Run a command in a process group of its own, which ends as a whole when it is stopped; return its status."""
    with output.open("w", encoding="utf-8") as stream:
        process = subprocess.Popen(
            command, stdout=stream, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, process_group=0
        )
        try:
            for _ in range(2 * LONGEST_S):
                try:
                    return process.wait(0.5)
                except subprocess.TimeoutExpired:
                    if stopped():
                        break
        finally:
            if process.poll() is None:
                _kill(process)
    raise SynnodError("the run was stopped before its end")


def _kill(process: subprocess.Popen[bytes]) -> None:
    if hasattr(os, "killpg"):
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def bundle(session: Session, text: str, name: str) -> Path:
    """Return a zip of the spec and the film it stands on, ready to run."""
    case = session.opened
    path = session.folder / f"{Path(name).stem}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text)
        for file in sorted(case.films.iterdir()):
            archive.write(file, f"cxr/{file.name}")
    return path
