"""Scenes, sweeps and maps as specs: the text that a user copies is the text that the studio itself plans and runs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from synnodtest.spec.plain import flow
from synnodtest.studio.case import SET

Entry = Mapping[str, Any]
BRIGHTNESS = ("contrast", "density", "attenuation")
"""Each says how bright a nodule is; a nodule has one of them."""
LEAST_LEVELS = 5
"""That ``monotone`` asks for."""

_HEAD = """\
# {what}, from the studio. One film is one background: a rate on it ends INCONCLUSIVE, never PASSED.
# Run it:  pytest {file} --backgrounds cxr --detector {detector} --synthesizer {synthesizer}
# with the film alone in the folder cxr; more films make evidence of it: raise count and take away at_mm.
synnodtest: 1
title: {title}
behaviours:
"""


@dataclass(frozen=True)
class Named:
    """Names in a spec: the file of the film, the detector and the synthesizer of its command."""

    film: str
    detector: str
    synthesizer: str


def _head(of: Named, what: str, title: str, file: str) -> str:
    text = json.dumps(title, ensure_ascii=False)
    return _HEAD.format(what=what, title=text, file=file, detector=of.detector, synthesizer=of.synthesizer)


def scene_spec(of: Named, nodules: Sequence[Entry]) -> str:
    """Return the present nodules as a spec of one behaviour."""
    head = _head(of, "The present scene", f"Nodules placed by hand in {of.film}", "scene.yaml")
    statement = f"The nodules placed by hand in {of.film} are found."
    return head + _behaviour("studio-scene", statement, nodules, ["sensitivity: {at_least: 0.5}"])


def sweep_spec(of: Named, nodule: Entry, over: str, levels: Sequence[float]) -> str:
    """Return one nodule with one quantity swept, everything else held."""
    head = _head(of, f"A sweep over {over}", f"{over} of one nodule in {of.film}", "sweep.yaml")
    swept = {**_with_value(nodule, over, {"sweep": list(levels)}), "hold": ["location", "seed"]}
    trend = f"monotone: {{over: {over}, direction: increasing, min_spearman: 0.5, max_drop: 0.1}}"
    rising = [trend] if len(levels) >= LEAST_LEVELS else []
    statement = f"The confidence for one nodule in {of.film} rises with {over}."
    return head + _behaviour("studio-sweep", statement, [swept], [*rising, "sensitivity: {at_least: 0.5}"])


def map_spec(of: Named, nodule: Entry, region: str, places: int) -> str:
    """Return the same nodule at many places of a region."""
    head = _head(of, "A map of confidence", f"Confidence over the {region} of {of.film}", "map.yaml")
    placed = _with_value(nodule, "location", {"region": region})
    statement = f"A nodule is found wherever in the {region} of {of.film} it lies."
    return head + _behaviour("studio-map", statement, [placed], ["sensitivity: {at_least: 0.5}"], replicates=places)


def companion_spec(of: Named, index: Entry, companion_mm: float, distance_mm: float) -> str:
    """Return one nodule alone and with a second one."""
    head = _head(of, "A companion", f"One nodule in {of.film}, alone and with a companion", "companion.yaml")
    second = {
        "name": "companion",
        "diameter_mm": companion_mm,
        "contrast": 0.6,
        "location": {"region": "lung", "min_distance_mm": distance_mm},
    }
    arms = {"single": {"nodules": ["index"]}, "double": {"nodules": ["index", "companion"]}}
    statement = f"A second nodule does not lower the sensitivity for the first in {of.film}."
    expect = ["non_inferior: {of: index, arm: double, reference: single, margin: 0.10}"]
    return head + _behaviour("studio-companion", statement, [{**index, "name": "index"}, second], expect, arms=arms)


def leak_spec(of: Named, nodule: Entry, places: int) -> str:
    """Return nodules within the air leak, where nothing may be reported."""
    head = _head(of, "An air leak", f"Nodules in the air leak of {of.film}", "leak.yaml")
    placed = _with_value(nodule, "location", {"region": "air_leak"})
    statement = f"Nothing is reported in the air leak of {of.film}, where no nodule can be."
    expect = ["no_detection: {region: air_leak, at_most: 0.05}"]
    return head + _behaviour("studio-air-leak", statement, [placed], expect, replicates=places)


def fuzz_spec(of: Named, nodule: Entry) -> str:
    """Return a search that always tries this very nodule first."""
    head = _head(of, "An explicit example", f"Nodules like the one in {of.film}", "fuzz.yaml")
    varied = ("diameter_mm", "contrast", "density", "attenuation", "margin", "location", "radiomics")
    example = {key: nodule[key] for key in varied if key in nodule}
    example |= {"background": of.film, "seed": nodule["seed"]}
    return head + "\n".join(
        [
            "  - id: studio-search",
            f"    statement: {flow(f'Nodules like the one placed by hand in {of.film} are found.', _word)}",
            "    gate: exploratory",
            "    fuzz:",
            "      vary: {diameter_mm: [12, 40], contrast: [0.4, 1.0], location: {region: lung}}",
            "      explicit:",
            f"        - {flow(example, _word)}",
            f"      backgrounds: {{set: {SET}, count: 1}}",
            "      examples: 40",
            "    expect:",
            "      - detected: {rate_at_least: 0.8}",
            "",
        ]
    )


def _behaviour(
    name: str,
    statement: str,
    nodules: Sequence[Entry],
    expect: Sequence[str],
    *,
    replicates: int = 1,
    arms: Mapping[str, object] | None = None,
) -> str:
    lines = [
        f"  - id: {name}",
        f"    statement: {flow(statement, _word)}",
        "    gate: exploratory",
        "    scenes:",
        f"      backgrounds: {{set: {SET}, count: 1}}",
        *([f"      replicates: {replicates}"] if replicates > 1 else []),
        "      nodules:",
        *(f"        - {flow(nodule, _word)}" for nodule in nodules),
        *(["      arms:"] if arms else []),
        *(f"        {arm}: {flow(content, _word)}" for arm, content in (arms or {}).items()),
        "    expect:",
        *(f"      - {entry}" for entry in expect),
    ]
    return "\n".join(lines) + "\n"


def _with_value(nodule: Entry, name: str, value: Any) -> dict[str, object]:
    """Return the nodule with one quantity replaced; a feature stands under ``radiomics``."""
    if name in ("diameter_mm", "contrast", "density", "location"):
        others = {key: item for key, item in nodule.items() if name not in BRIGHTNESS or key not in BRIGHTNESS}
        return others | {name: value}
    return {**nodule, "radiomics": {**nodule.get("radiomics", {}), name: value}}


def _word(value: Any) -> str:
    """Return a plain value as a person would write it."""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, str) and value.isidentifier():
        return value
    return json.dumps(value, ensure_ascii=False)


def python_text(of: Named, mm_per_px: tuple[float, float], calls: Sequence[Entry]) -> str:
    """Return the lines of Python that make these very nodules."""
    x, y = mm_per_px
    size = f"{x:.6g}" if x == y else f"({x:.6g}, {y:.6g})"
    planted = "\n".join(
        f"    Nodule({', '.join(f'{key}={value!r}' for key, value in call.items())})," for call in calls
    )
    return f"""\
from synnodtest import Nodule, open_detector, plant, read_radiograph, write_radiograph

film = read_radiograph({f"cxr/{of.film}"!r}, mm_per_px={size})
nodules = [
{planted}
]
made = plant(film, nodules=nodules, synthesizer={of.synthesizer!r})
for truth in made.nodules:
    print(truth.name, truth.box, truth.diameter_mm, truth.contrast)
(findings,) = open_detector({of.detector!r}).detect([made])
print(sorted(findings, key=lambda finding: -finding.score)[:5])
write_radiograph(made, "made.png")
"""
