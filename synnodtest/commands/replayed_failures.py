"""Failures of a record, found by their ids, and run again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import synnodtest
from synnodtest.canonical import canonical_json, plain
from synnodtest.commands.recorded_run import feature_lines, id_of, settings_of
from synnodtest.counted import counted
from synnodtest.decoding import decode
from synnodtest.engine.campaign import Campaign
from synnodtest.engine.engine import Engine
from synnodtest.engine.executor import SceneSource
from synnodtest.errors import RecordError
from synnodtest.fuzzing import replay_failure
from synnodtest.matching import Matching
from synnodtest.record.model import Record
from synnodtest.record.model.run import IdentityEntry
from synnodtest.scene import Scene
from synnodtest.shell.quiet_passes import quiet_search, reported_of_conspicuous
from synnodtest.shell.run import Run

Failure = Mapping[str, Any]
"""A search of the record, plain JSON values: its example, trials, parameters and region."""


def find_failure(record: Record, wanted: str) -> Failure:
    """Return the stored failure whose id starts with ``wanted``, as :func:`id_of` finds it."""
    one = id_of((search.id for search in record.fuzzing), wanted, "failure")
    return next(search.raw for search in record.fuzzing if search.id == one)


def in_words(failure: Failure) -> str:
    """Return the example as the report words it: ``diameter 12 mm, place across -1, in the right lung``."""
    examples = (one["example"] for one in failure.get("counterexamples") or () if one["replay"] == failure["id"])
    return str(next(examples, failure["example"]))


def _first_scene(engine: Engine, trial: Failure) -> Iterator[str]:
    """Yield the nodules of the first scene, what was asked for of them and what is realised."""
    scene = Scene.from_dict(list(trial["scenes"].values())[-1]["recipe"])
    background = next(b for b in engine.backgrounds.backgrounds if b.id == trial["background"])
    radiograph = engine.radiograph(scene, background)
    for nodule in radiograph.nodules:
        yield f"nodule     {nodule.name}, in the first scene ({background.id})"
        yield from (f"           {line}" for line in feature_lines(radiograph, nodule))


def replayed(record: Record, cache: Path, detector: str | None, failure: Failure) -> int:
    """Run the scenes of a failure again and print what comes of it; return 0 where it is fixed, else 1."""
    settings = settings_of(record.run, cache, detector)
    print(f"detector   {settings.detector}")
    campaign = Run(settings).campaign
    if not failure["trials"]:
        raise RecordError(f"{failure['id']}: no counterexample was stored", hint="its search found none")
    name = str(failure.get("asked_for") or campaign.providers.default_synthesizer)
    engine = campaign.engine_on(SceneSource(failure["set"], int(failure["count"]), name))
    verdict, lines = replay_failure(engine, failure, only_rounded=_made_alike(record, engine))
    if verdict == "FIXED" and failure["status"] != "ERROR" and (doubt := _silent(campaign, failure, name)):
        verdict = "INCONCLUSIVE"
        lines.append(doubt)
    print(f"failure    {failure['id']}: {failure['behaviour']}::{failure['expectation']}")
    print(f"example    {in_words(failure)}")
    for line in _first_scene(engine, failure["trials"][0]):
        print(line)
    for line in lines:
        print(f"           {line}")
    print(f"verdict    {verdict}")
    return 0 if verdict == "FIXED" else 1


def _silent(campaign: Campaign, failure: Failure, synthesizer: str) -> str:
    """Return why a claim that is kept by reporting nothing is not shown to be mended; empty where it is."""
    if not quiet_search(failure["kind"]):
        return ""
    asked = failure["parameters"]
    matching, point = Matching.from_dict(asked.get("matching")), float(asked["operating_point"])
    probe, why = reported_of_conspicuous(campaign, failure["set"], point, matching, synthesizer)
    if probe.heard:
        return ""
    planted = f"of {counted(probe.pictures, 'conspicuous nodule')}, planted to find out"
    shown = why or f"{planted}, it reports {probe.reported or 'none'}"
    return f"mended or silent cannot be told: reporting nothing keeps the claim, and {shown}"


def _made_alike(record: Record, engine: Engine) -> bool:
    """Return whether synthesizer, radiographs and synnodtest itself are those of the run."""
    known = record.identification
    made_by = {_told(one) for one in known.synthesizers}
    sets = {_told(one.identity) for one in known.backgrounds if one.identity is not None}
    now = [decode(IdentityEntry, plain(of.identity.as_dict())) for of in (engine.synthesizer, engine.backgrounds)]
    return known.synnodtest == synnodtest.__version__ and _told(now[0]) in made_by and _told(now[1]) in sets


def _told(identity: IdentityEntry) -> str:
    return canonical_json([identity.name, identity.version, identity.sha256, identity.configuration])
