"""Options that no run can work with, told before it begins: a slip is one usage error, not a failure of every item.

That is names to which nothing answers, impossible numbers, and nowhere to write the report.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from synnodtest.devices import fault_of_device
from synnodtest.errors import BackgroundError, SynnodError
from synnodtest.planning.cases import Case
from synnodtest.shell.baseline import is_record
from synnodtest.shell.settings import Settings


def faults_of_names(settings: Settings) -> list[str]:
    """Return what is wrong with the names of detector, baseline, synthesizer and backgrounds, with a remedy each."""
    return [fault for option, check in _checks(settings) if (fault := _fault(option, check))]


def fault_of_sets(settings: Settings, cases: Iterable[Case]) -> str:
    """Return why ``--backgrounds`` serves no set of the cases; empty where it may."""
    from synnodtest.backgrounds import check_sets

    behaviours = [case.behaviour for case in cases]
    names = {part.set for one in behaviours for part in (one.scenes, one.fuzz) if part is not None}
    folder = settings.backgrounds
    return "" if folder is None else _fault("--backgrounds", lambda: check_sets(folder, names))


def check_names(*settings: Settings) -> None:
    """Refuse settings that name nothing, for commands that would else find out when half of their work is done.

    Raises:
        SynnodError: a detector, synthesizer or folder that is named is not there; all such faults at once.
    """
    faults = dict.fromkeys(fault for one in settings for fault in faults_of_names(one))
    if faults:
        raise SynnodError("\n".join(faults))


def _checks(settings: Settings) -> Iterator[tuple[str, Callable[[], None]]]:
    from synnodtest.detectors import resolve
    from synnodtest.synthesizers import registry

    if settings.detector:
        yield "--detector", partial(resolve.check_named, settings.detector)
    if settings.baseline and not is_record(settings.baseline):
        yield "--baseline", partial(resolve.check_named, settings.baseline)
    yield "--synthesizer", partial(registry.check_named, settings.synthesizer)
    if settings.backgrounds is not None:
        yield "--backgrounds", partial(_check_backgrounds, settings.backgrounds)


def _check_backgrounds(folder: Path) -> None:
    """Refuse what is no folder, or one in which, and below which, no file can be a radiograph."""
    from synnodtest.backgrounds.file_formats import suffixes
    from synnodtest.backgrounds.folder_files import any_radiograph, check_pixel_size, unread_pictures

    if not folder.is_dir():
        what = "not a folder" if folder.exists() else "no such folder"
        raise BackgroundError(f"{folder}: {what}", hint="give a folder of chest radiographs")
    check_pixel_size(folder)
    if not any_radiograph(folder):
        hint = f"put files of type {', '.join(suffixes())} there, or a manifest.csv that names them"
        told = "; ".join([f"{folder}: no radiograph here, nor in a folder below", *unread_pictures(folder)])
        raise BackgroundError(told, hint=hint)


def _fault(option: str, check: Callable[[], None]) -> str:
    try:
        check()
    except SynnodError as error:
        return f"{option}: {error}"
    return ""


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
    if settings.cache.is_file():  # a folder that cannot be written serves what is in it
        yield f"--synnod-cache {settings.cache}: a file, and the store is a folder\n  hint: name another folder"
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
