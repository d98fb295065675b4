"""Recorded findings that do not fit a run are refused before anything is written, not item by item."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path

from synnodtest.detectors.recorded import RecordedDetector, recorded_in
from synnodtest.detectors.resolve import names_record
from synnodtest.errors import SynnodError
from synnodtest.planning.cases import Case
from synnodtest.radiograph import Radiograph
from synnodtest.shell.run import Run


def fault_of_record(run: Run, cases: Sequence[Case]) -> str:
    """Return why recorded findings cannot be read, or fit none of the cases that plant something; empty if they do.

    The first scene of each case is made for it and asked for. What cannot be made is left to the item, which says more.
    """
    if not names_record(run.settings.detector):
        return ""
    try:
        detector = run.campaign.providers.detector
    except SynnodError as error:  # of a folder that is no record, the items tell
        return "" if Path(run.settings.detector).is_dir() else f"--detector: {error}"
    try:
        record = recorded_in(detector)
        if record is None:
            return ""
        return _namesakes(record, run, cases) or _fault(record, run, cases)
    except SynnodError:
        return ""


def _fault(record: RecordedDetector, run: Run, cases: Iterable[Case]) -> str:
    untouched: list[Radiograph] = []
    planted: list[Radiograph] = []
    for first in chain.from_iterable(_first_radiographs(run, case) for case in cases):
        synthetic = bool(first.nodules) or first.altered
        if synthetic and record.holds(first):
            return ""
        (planted if synthetic else untouched).append(first)
    asked = planted or untouched
    if not asked or any(record.holds(first) for first in asked):
        return ""
    what = "no scene in which something is planted or changed" if planted else "none of the radiographs"
    refusal = record.refusal(asked[0])
    return (
        f"--detector: {run.settings.detector} holds {what} of this run, by the first scene of each expectation\n"
        f"  {asked[0].background or asked[0].source}: {refusal}\n"
        "  hint: scenes are the same with the same version, spec, --backgrounds, --synthesizer and "
        f"--synnod-seed ({run.settings.seed}); choose with -k what the record has"
    )


def _namesakes(record: RecordedDetector, run: Run, cases: Iterable[Case]) -> str:
    """Return which name of the record stands for different films of the run's sets; empty if none does."""
    films: dict[str, tuple[str, str]] = {}
    for behaviour in (run.behaviour(case) for case in cases):
        for background in run.campaign.backgrounds(behaviour) if behaviour.scenes is not None else ():
            own = (background.film or background.content, behaviour.scenes.set if behaviour.scenes else "")
            film, of = films.setdefault(background.id, own)
            if film != own[0] and record.names(background.id):
                return (
                    f"--detector: {run.settings.detector} names {background.id!r} once, and it is a film of the set "
                    f"{of!r} and another of the set {own[1]!r}\n"
                    "  hint: run each set with a record of its own, or give every film a name of its own"
                )
    return ""


def _first_radiographs(run: Run, case: Case) -> list[Radiograph]:
    behaviour = run.behaviour(case)
    return [] if behaviour.fuzz is not None else list(run.campaign.first_radiographs(behaviour, case.variant))
