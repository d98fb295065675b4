"""``synnodtest replay``: one scene or counterexample of a report again, with its pixels, truth and findings."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from synnodtest.commands.recorded_run import feature_lines, id_of, run_with, settings_of
from synnodtest.commands.replayed_failures import find_failure, replayed
from synnodtest.counted import counted
from synnodtest.decoding import decode
from synnodtest.engine.campaign import Campaign
from synnodtest.engine.engine import Engine
from synnodtest.engine.executor import SceneSource
from synnodtest.errors import RecordError, SynnodError
from synnodtest.finding import Finding
from synnodtest.radiograph import Radiograph
from synnodtest.record.entries import LEAST_SCORE
from synnodtest.record.model import FindingEntry, NoduleEntry, Record, SceneEntry
from synnodtest.report.crops import write_whole_pictures
from synnodtest.scene import Scene
from synnodtest.shell.baseline import kept_record
from synnodtest.shell.run import Run

MOST = 5
"""Findings that are printed of each detector."""
MOST_DETECTORS = 2
"""More could not be told apart in one picture."""


def configure(name: str, parser: argparse.ArgumentParser) -> None:
    """Add arguments."""
    add = parser.add_argument
    add("scene", help="scene id or failure (fuzz-...) as the report prints it, or its first digits")
    add(
        "--detector", action="append", default=[], metavar="D",
        help="another detector than the run's; given twice, both see the scene and are drawn into one picture",
    )  # fmt: skip
    add("--report", type=Path, help="folder of the run (default: the newest under reports/ with it)")
    add("--reports", type=Path, default=Path("reports"), help="parent folder of runs")
    add("--cache", type=Path, default=Path(".synnodtest"), help="store of finished work")
    add("--out", type=Path, help="folder of the pictures (default: replay/<scene>)")
    parser.epilog = (
        "exit code 0: a failure is FIXED; a scene's pixels and findings are as recorded, with --detector its pixels.\n"
        "1: a failure is FAILED still, INCONCLUSIVE (fixed, but on other pixels, or by a detector that\n"
        "finds nothing at all) or ERROR; a scene differs."
    )


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    record = kept_record(str(options.report or run_with(options.reports, options.scene)))
    if len(options.detector) > MOST_DETECTORS:
        raise SynnodError(
            f"{len(options.detector)} detectors are named", hint="name one, or two to see them side by side"
        )
    if options.scene.startswith("fuzz-"):
        failure = find_failure(record, options.scene)
        return max(replayed(record, options.cache, name, failure) for name in options.detector or [None])
    scene_id = id_of(record.scenes, options.scene, "scene")
    entry = record.scenes[scene_id]
    first, second = [*options.detector, None, None][:2]
    settings = settings_of(record.run, options.cache, first)
    engine = _engine(Run(settings).campaign, entry, record)
    scene = Scene.from_dict(entry.recipe)
    background = next((b for b in engine.backgrounds.backgrounds if b.id == scene.background), None)
    if background is None:
        raise RecordError(
            f"the background {scene.background!r} of the scene is not in the set",
            hint="run it where the run was made, with the same --backgrounds",
        )
    radiograph = engine.radiograph(scene, background)
    (findings,) = engine.detector.detect([radiograph])
    same = radiograph.content_sha256() == entry.radiograph_sha256
    equal = _as_recorded(findings, entry.findings)
    alike = same or _alike(radiograph, entry.nodules)
    _tell(scene_id, radiograph, pixels=SAME if same else ALIKE if alike else OTHER)
    print(f"findings   {_DIFFER[equal]}")
    _tell_findings(settings.detector, findings)
    others: list[Finding] | None = None
    if second is not None:
        (others,) = Run(settings_of(record.run, options.cache, second)).campaign.providers.detector.detect([radiograph])
        _tell_findings(second, others)
        print(f"drawn      {settings.detector} yellow and dashed, {second} blue and dotted, the planted nodule solid")
    folder = options.out or Path("replay") / scene_id[:12]
    untouched = engine.untouched(scene, background)
    for role, path in write_whole_pictures(folder, untouched, radiograph, findings, others or ()).items():
        print(f"{role:<10} {path}")
    return 0 if (same and options.detector) or (alike and equal) else 1


def _tell(scene_id: str, radiograph: Radiograph, *, pixels: str) -> None:
    print(f"scene      {scene_id}")
    print(f"pixels     {pixels} (sha256 {radiograph.content_sha256()[:12]})")
    for n in radiograph.nodules:
        print(f"nodule     {n.name}: {n.diameter_mm:.1f} mm, contrast {n.contrast:.2f}, box {_box(n.box)}")
        for line in feature_lines(radiograph, n):
            print(f"           {line}")


def _tell_findings(detector: str, findings: Sequence[Finding]) -> None:
    several = f", the first {MOST}" if len(findings) > MOST else ""
    print(f"detector   {detector}: {counted(len(findings), 'finding')}{several}")
    for finding in sorted(findings, key=lambda f: -f.score)[:MOST]:
        print(f"finding    {finding.score:.3f}, box {_box(finding.box)}")


SAME, OTHER = "as recorded", "DIFFER from the record"
ALIKE = "rounded otherwise than recorded, nodules as recorded; another batch or number of threads does that"
_DIFFER = {True: SAME, False: OTHER}


def _alike(radiograph: Radiograph, recorded: Sequence[NoduleEntry]) -> bool:
    """Return whether the nodules are those of the record, but for the rounding of a network's arithmetic."""
    now, then = {n.name: n for n in radiograph.nodules}, {n.name: n for n in recorded}
    if not then or now.keys() != then.keys():
        return False
    return all(
        _close(now[k].diameter_mm, n.diameter_mm, 0.05)
        and _close(now[k].contrast, n.contrast, 0.002)
        and all(_close(a, b, 1) for a, b in zip(now[k].box, n.box, strict=True))
        for k, n in then.items()
    )


def _close(now: float, then: float | None, most: float) -> bool:
    return then is not None and abs(now - then) <= most


def _as_recorded(findings: Sequence[Finding], recorded: Sequence[FindingEntry]) -> bool:
    """Return whether the findings that a record keeps are these, but for what the shape of a batch may change."""
    now, then = (sorted((f.score, *f.box) for f in some if f.score >= LEAST_SCORE) for some in (findings, recorded))
    return len(now) == len(then) and all(
        _close(one, other, most)
        for some, others in zip(now, then, strict=True)
        for one, other, most in zip(some, others, (0.001, 0.5, 0.5, 0.5, 0.5), strict=True)
    )


@dataclass(frozen=True)
class _Drawn:
    """Source of a behaviour's backgrounds."""

    set: str = ""


@dataclass(frozen=True)
class _Resolved:
    """The part of a behaviour that says who made its scenes of what."""

    scenes: _Drawn | None = None
    fuzz: _Drawn | None = None
    synthesizers: tuple[str, ...] = ()


def _engine(campaign: Campaign, entry: SceneEntry, record: Record) -> Engine:
    behaviour = decode(_Resolved, next(b for b in record.behaviours if b.id == entry.behaviour).resolved)
    set_name = (behaviour.scenes or behaviour.fuzz or _Drawn()).set
    count = max((b.count for b in record.identification.backgrounds if b.name == set_name), default=0)
    if not count:
        raise SynnodError(f"the record does not say which background set the scene {entry.background!r} is of")
    names = behaviour.synthesizers or (campaign.providers.default_synthesizer,)
    name = next((n for n in names if campaign.synthesizer(n).identity.name == entry.synthesizer), names[0])
    return campaign.engine_on(SceneSource(set_name, count, name))


def _box(box: Sequence[float]) -> str:
    return "(" + ", ".join(f"{value:.0f}" for value in box) + ")"
