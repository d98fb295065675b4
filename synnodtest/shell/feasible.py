"""Settings that no run can work with, told before it begins: impossible numbers, nowhere to write the report."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from pathlib import Path

from synnodtest.devices import fault_of_device
from synnodtest.errors import SynnodError
from synnodtest.shell.settings import Settings


def faults_of_settings(settings: Settings, *, writes: bool) -> Iterator[str]:
    """Yield what is wrong with the settings, each with its remedy.

    Args:
        settings: What the user asked for.
        writes: Whether a report is to be written.
    """
    if settings.limit is not None and settings.limit < 1:
        yield f"--synnod-limit {settings.limit}: a behaviour needs at least 1 background"
    if not (math.isfinite(settings.timeout_s) and settings.timeout_s > 0):
        yield f"--synnod-timeout {settings.timeout_s:g}: seconds above 0 that one call of the detector may take"
    if settings.executor == "serial":
        fault = fault_of_device(settings.device)
        if fault:
            yield f"--synnod-device {fault}"
    else:
        from synnodtest.shell.ray_executor import RayOptions

        try:
            RayOptions.parse(settings.executor)
        except SynnodError as error:
            yield str(error)
    fault = _unwritable(settings.reports) if writes else ""
    if fault:
        where = f"--synnod-report: {settings.reports}"
        yield f"{where}: no report can be written there ({fault})\n  hint: name another folder"


def _unwritable(folder: Path) -> str:
    """Return why nothing can be written below a folder, which need not be there yet; empty if it can."""
    existing = next((one for one in (folder, *folder.absolute().parents) if one.exists()), folder)
    try:
        with tempfile.TemporaryFile(dir=existing):
            return ""
    except OSError as error:
        return error.strerror or str(error)
