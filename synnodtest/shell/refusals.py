"""Refusals before a run starts: no detector, names to which nothing answers, a baseline that cannot be used."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from synnodtest.counted import counted
from synnodtest.errors import SynnodError, likely
from synnodtest.integrity.waivers import Waivers
from synnodtest.planning.cases import Case
from synnodtest.record.credibility import read as read_credibility
from synnodtest.record.limit import Limit, parse_limit
from synnodtest.record.model import ExpectationEntry
from synnodtest.shell.settings import Settings

HINT = (
    "pytest --detector best.pt          a YOLO checkpoint with one class\n"
    "       pytest --detector package.module:factory   your own Python function\n"
    "       pytest --detector demo             the small detector that comes with synnodtest"
)


def fault_of_missing_detector(cases: Sequence[Case], settings: Settings) -> str:
    """Return why cases cannot be run without a detector, where none was named."""
    if not cases or settings.detector:
        return ""
    files = ", ".join(sorted({str(case.spec.path) for case in cases}))
    need = counted(len(cases), "expectation needs", "expectations need")
    return f"no detector was named, but {need} one: {files}\n\n  try: {HINT}"


def refuse(faults: Iterable[str]) -> None:
    """Refuse to run where something is wrong; empty texts are no faults.

    Raises:
        pytest.UsageError: there is a fault; tells all of them.
    """
    message = "\n".join(filter(None, faults))
    if message:
        raise pytest.UsageError(message)


def fault_of_detectors(words: Sequence[str]) -> str:
    """Return why a command line cannot be meant that names several detectors, of which pytest keeps the last."""
    after = [new for word, new in pairwise(words) if word == "--detector"]
    named = dict.fromkeys([*after, *(w.partition("=")[2] for w in words if w.startswith("--detector="))])
    if len(named) < 2:
        return ""
    return (
        f"--detector: {' and '.join(named)} are named, and a run has one detector\n"
        "  hint: run pytest once for each, or compare two: --detector new.pt --baseline old.pt"
    )


def fault_of_forks(option: object) -> str:
    """Return why items cannot run in processes of their own, as pytest-forked has it: their verdicts would be lost."""
    forked = getattr(option, "forked", False) or getattr(option, "boxed", False)
    return "--forked: verdicts and their record do not leave a forked process\n  hint: -n 2" if forked else ""


def faults_of_empty(option: object) -> Iterator[str]:
    """Yield options that are given and name nothing: their defaults would be taken, and nobody would be told."""
    for name in ("backgrounds", "baseline"):
        if getattr(option, name) == "":
            yield f"--{name}: empty\n  hint: is a variable of the shell not set? To go without, leave the option away"


def refuse_baseline(settings: Settings, read: Callable[[], object]) -> None:
    """Refuse a baseline, a limit, a credibility report or a list of waivers that cannot be used.

    Args:
        settings: What the user asked for.
        read: Reads the earlier record, where one is named, and the waivers.

    Raises:
        pytest.UsageError: a file cannot be read, a limit cannot be understood, or there is nothing to limit.
    """
    if settings.compare_fail and not settings.baseline:
        raise pytest.UsageError("--compare-fail needs --baseline: a second detector, or an earlier results.json")
    try:
        limits_of(settings)
        read()
        for path in settings.credibility:
            read_credibility(path)
    except SynnodError as error:
        raise pytest.UsageError(str(error)) from None


def refuse_ambiguous(waivers: Waivers | None, cases: Sequence[Case], *, is_worker: bool) -> Waivers | None:
    """Refuse waivers of which nobody can say what they accept.

    Args:
        waivers: Of the run.
        cases: All that were collected.
        is_worker: In a worker of ``-n``, which cannot end the run, they are left out with a warning instead.

    Returns:
        The waivers that hold.

    Raises:
        pytest.UsageError: one covers behaviours of several specs.
    """
    faults = waivers.ambiguous((case.node_id, case.behaviour.id) for case in cases) if waivers else {}
    if waivers is None or not faults:
        return waivers
    message = "\n".join([*faults.values(), "  hint: expectation: specs/size.yaml::behaviour"])
    if not is_worker:
        raise pytest.UsageError(message)
    warnings.warn(pytest.PytestWarning(message), stacklevel=2)
    return replace(waivers, entries=tuple(w for w in waivers.entries if w.id not in faults))


def limits_of(settings: Settings) -> tuple[Limit, ...]:
    """Return the limits of ``--compare-fail``.

    Raises:
        SynnodError: one cannot be understood.
    """
    return tuple(map(parse_limit, settings.compare_fail))


def idle_waivers(
    waivers: Waivers, path: Path, entries: Iterable[ExpectationEntry], left_out: Collection[str], root: Path
) -> Iterator[str]:
    """Yield a warning for each waiver that names nothing in the specs of a run, with file, line and the nearest name.

    What may stand in a spec that was not to run is not warned of.

    Args:
        waivers: Of the run.
        path: Their file.
        entries: Of all that the specs of the run hold.
        left_out: Files of specs that were collected and do not run.
        root: The folder from which node ids count.
    """
    names = [(entry.id, entry.behaviour) for entry in entries]
    files = {node_id.partition("::")[0] for node_id, _ in names}
    elsewhere = set(left_out) - files
    behaviours = {name for node_id, behaviour in names for name in (behaviour, node_id.rpartition("::")[0])}
    known = sorted(behaviours | {node_id for node_id, _ in names})
    for waiver in waivers.idle(names):
        file, _, item = waiver.expectation.partition("::")
        met = any(f"/{one}".endswith(f"/{file}") for one in files)
        if elsewhere if not item else not met and ((root / file).is_file() or file in elsewhere):
            continue
        hint = likely(waiver.expectation, known, "name an item or a behaviour as pytest --collect-only does")
        yield (
            f"{path}:{waiver.line}: the waiver {waiver.id!r} covers nothing, for no spec of this run has "
            f"{waiver.expectation!r}; {hint}"
        )
