"""``synnodtest replay``: one scene of a report again, with its pixels, truth and findings."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from synnodtest.commands.replay_failure import find_failure, replay
from synnodtest.engine.campaign import Campaign
from synnodtest.engine.engine import Engine
from synnodtest.errors import RecordError, SynnodError
from synnodtest.finding import Finding
from synnodtest.reporting import record as records
from synnodtest.scene import Scene
from synnodtest.shell.run import Run
from synnodtest.shell.settings import Settings

__all__ = ["configure", "find_scene", "newest_run"]


def configure(name: str, parser: argparse.ArgumentParser) -> None:
    """Add arguments and the function of the command."""
    parser.add_argument("scene", help="scene id or failure (fuzz-...) as the report prints it, or its first digits")
    parser.add_argument("--detector", help="another detector than the run's")
    parser.add_argument("--report", type=Path, help="folder of the run (default: the newest under reports/)")
    parser.add_argument("--reports", type=Path, default=Path("reports"), help="parent folder of runs")
    parser.add_argument("--cache", type=Path, default=Path(".synnodtest"), help="store of finished work")
    parser.add_argument("--out", type=Path, default=Path("."), help="where the 16-bit PNG goes")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    folder = options.report or newest_run(options.reports)
    data = records.read(folder / "results.json")
    if options.scene.startswith("fuzz-"):
        failure = find_failure(data, options.scene)
        return replay(Run(_settings(data["run"], options.cache, options.detector)).campaign, failure)
    scene_id, entry = find_scene(data["scenes"], options.scene)
    settings = _settings(data["run"], options.cache, options.detector)
    engine = _engine(Run(settings).campaign, entry, data)
    scene = Scene.from_dict(entry["recipe"])
    background = next((b for b in engine.backgrounds.backgrounds if b.id == scene.background), None)
    if background is None:
        raise RecordError(
            f"the background {scene.background!r} of the scene is not in the set",
            hint="run it where the run was made, with the same --backgrounds",
        )
    radiograph = engine.radiograph(scene, background)
    same = radiograph.content_sha256() == entry["radiograph_sha256"]
    path = options.out / f"{scene_id[:12]}.png"
    Image.fromarray(np.round(np.clip(radiograph.pixels, 0, 1) * 65535).astype(np.uint16)).save(path)
    (findings,) = engine.detector.detect([radiograph])
    print(f"scene      {scene_id}")
    print(
        f"pixels     {'as recorded' if same else 'DIFFER from the record'} (sha256 {radiograph.content_sha256()[:12]})"
    )
    for truth in radiograph.nodules:
        print(
            f"nodule     {truth.name}: {truth.diameter_mm:.1f} mm, contrast {truth.contrast:.2f}, box {_box(truth.box)}"
        )
    for finding in _strongest(findings):
        print(f"finding    {finding.score:.3f}, box {_box(finding.box)}")
    print(f"written    {path}")
    return 0 if same else 1


def find_scene(scenes: Mapping[str, Any], wanted: str) -> tuple[str, Any]:
    """Return id and entry of the scene whose id starts with ``wanted``.

    Raises:
        RecordError: none or several do.
    """
    found = [key for key in scenes if key.startswith(wanted)] if len(wanted) >= 6 else []
    if len(found) != 1:
        raise RecordError(
            f"{len(found)} scenes of the record start with {wanted!r}", hint="give the id that the report prints"
        )
    return found[0], scenes[found[0]]


def newest_run(reports: Path) -> Path:
    """Return the folder of the newest run under ``reports``.

    Raises:
        RecordError: there is none.
    """
    runs = sorted(path.parent for path in reports.glob("*/results.json"))
    if not runs:
        raise RecordError(f"{reports}: holds no run", hint="name one with --report")
    return runs[-1]


def _settings(run: Mapping[str, Any], cache: Path, detector: str | None) -> Settings:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--detector", default="")
    parser.add_argument("--synthesizer", default="diffusion")
    parser.add_argument("--backgrounds", type=Path)
    known, _ = parser.parse_known_args(run["command"])
    return Settings(
        root=Path.cwd(),
        detector=detector or known.detector,
        synthesizer=known.synthesizer,
        backgrounds=known.backgrounds,
        seed=int(run["seed"]),
        cache=cache,
    )


def _engine(campaign: Campaign, entry: Mapping[str, Any], data: Mapping[str, Any]) -> Engine:
    behaviour = next(b for b in data["behaviours"] if b["id"] == entry["behaviour"])
    scenes = behaviour["resolved"].get("scenes") or behaviour["resolved"].get("fuzz") or {}
    count = max(
        (b["count"] for b in data["identification"]["backgrounds"] if b["name"] == scenes.get("set")), default=0
    )
    if not count:
        raise SynnodError(f"the record does not say which background set the scene {entry['background']!r} is of")
    names = behaviour["resolved"].get("synthesizers") or [campaign.providers.default_synthesizer]
    name = next((n for n in names if campaign.synthesizer(n).identity.name == entry["synthesizer"]), names[0])
    return Engine(
        campaign.providers.backgrounds(scenes["set"], count),
        campaign.synthesizer(name),
        campaign.providers.detector,
        campaign.store,
    )


def _strongest(findings: Sequence[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda f: -f.score)[:5]


def _box(box: Sequence[float]) -> str:
    return "(" + ", ".join(f"{value:.0f}" for value in box) + ")"
