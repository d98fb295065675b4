"""Commands that a user copies: run one item again, replay and promote what a search found."""

from __future__ import annotations

import os
import shlex

from synnodtest.planning.cases import Case
from synnodtest.record.assemble import Fragment
from synnodtest.shell.settings import Settings


def reproduce(case: Case, settings: Settings, rootdir: str | None) -> str:
    """Return the command that runs one item again, in the folder in which this run was started.

    Args:
        case: The item.
        settings: Of this run.
        rootdir: Text of ``--rootdir``, if it was given.
    """
    item = f"{case.spec.path.as_posix()}::{case.behaviour.id}::{case.variant.id}"
    words = ["pytest", item, "--detector", settings.detector_told, "--synthesizer", settings.synthesizer]
    if settings.backgrounds is not None:
        words += ["--backgrounds", str(settings.backgrounds)]
    if settings.limit is not None:
        words += ["--synnod-limit", str(settings.limit)]
    for name, value in changed(settings).items():
        words += [name, value]
    if rootdir:
        words += ["--rootdir", rootdir]
    return shlex.join([*words, "--synnod-seed", str(settings.seed)])


def changed(settings: Settings) -> dict[str, str]:
    """Return the options without which an item could end otherwise, where this run's differ from the defaults."""
    usual, waivers = Settings(settings.root), settings.root / "waivers.yaml"
    options = {
        "--inconclusive": (settings.inconclusive, usual.inconclusive),
        "--synnod-waivers": (settings.waivers or waivers, waivers),
        "--synnod-conform": (settings.conform, "stop"),
        "--synnod-timeout": (settings.timeout_s, usual.timeout_s),
        "--synnod-device": (settings.device, usual.device),
        "--synnod-cache": (settings.cache, settings.root / usual.cache),
    }
    differing = {name: value for name, (value, default) in options.items() if value != default}
    return {name: f"{value:g}" if isinstance(value, float) else str(value) for name, value in differing.items()}


def follow_up(fragment: Fragment, settings: Settings, node_id: str) -> list[str]:
    """Return the commands that replay and promote what a search found; none for other items."""
    entry = next((e for e in fragment.fuzzing if e.expectation_id == node_id), None)
    if entry is None or not entry.trials:
        return []
    folder = os.path.relpath(settings.reports)
    where = "" if folder == "reports" else f" --reports {shlex.quote(folder)}"
    lines = [f"synnodtest replay {entry.id}{where}"]
    confirmed = entry.status in ("FAILED", "ERROR")
    return [*lines, f"synnodtest promote {entry.id}{where}"] if confirmed else lines
