"""A search as record and report keep it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

import numpy as np

from synnodtest.fuzzing.claims import Claim
from synnodtest.fuzzing.confirm import Confirmation
from synnodtest.fuzzing.coverage import coverage
from synnodtest.fuzzing.describe import Neighbourhood
from synnodtest.fuzzing.failures import failure_id, trials_of
from synnodtest.fuzzing.judged import Judged, Replicate
from synnodtest.fuzzing.ruling import STOPPED, Findings, says
from synnodtest.fuzzing.search import Search
from synnodtest.fuzzing.setup import SearchSetup
from synnodtest.planning.difficulty import Dimension
from synnodtest.planning.example import Example
from synnodtest.planning.variants import Variant
from synnodtest.spec.model import Behaviour, Fuzz
from synnodtest.spec.plain import behaviour_dict, tidy

OF_SCENES = ("under", "companion")
"""Parameters of claims that say what scenes are made; those are stored."""
BINS = 4
"""Parts of either parameter in the table of failures; set by hand: of 100 examples described some six fall in a
cell."""
_NOTHING_MATTERS = {True: "nothing: it fails at its easiest", False: "not looked for: an explicit example"}


def entry_of(
    behaviour: Behaviour, variant: Variant, synthesizer: str, example: Example, replicates: Sequence[Replicate]
) -> dict[str, object]:
    """Return what replay and promotion need of one example; its status is still to be said."""
    fuzz = behaviour.fuzz
    assert fuzz is not None
    own = {f.name for f in fields(Claim(variant.expectation.kind, variant.parameters).about.parameters)}
    recorded = (own | {"matching", "alpha"}).difference(OF_SCENES)
    parameters = {k: v for k, v in variant.parameters.items() if k in recorded and v is not None}
    if "region" in parameters:
        parameters["region"] = tidy(parameters["region"])
    return {
        "id": _id(behaviour, variant, example),
        "behaviour": behaviour.id,
        "expectation": variant.id,
        "kind": variant.expectation.kind,
        "parameters": parameters,
        "status": "",
        "example": example.plain(),
        "set": fuzz.set,
        "count": fuzz.count + fuzz.confirm_trials,
        "synthesizer": synthesizer,
        "trials": trials_of(replicates),
    }


def _id(behaviour: Behaviour, variant: Variant, example: Example) -> str:
    return failure_id(behaviour_dict(behaviour), variant.id, example.plain())


def facts_of(
    setup: SearchSetup, search: Search, findings: Findings, seconds: Mapping[str, float]
) -> tuple[dict[str, object], dict[str, object]]:
    """Return the facts that the report prints, and the record's entry."""
    behaviour, variant, fuzz, space, around = setup.asked, setup.variant, setup.fuzz, setup.space, findings.around
    synthesizer = setup.confirm_stage.synthesizer
    ranked = sorted(findings.found, key=lambda c: (not c.confirmed, c.p_value))
    share, cells, whole = coverage(space, [p for p, judged in search.judged.items() if judged is not None])
    counterexamples = [_row(c, behaviour, variant) for c in ranked]
    first = ranked[0] if ranked else None
    if findings.rule is not None and counterexamples:
        counterexamples[0]["told_by"] = findings.rule.name
    shown_scenes = {} if first is None else _shown(first, findings)
    stored = search.phases.get("stored", 0)
    facts: dict[str, object] = {
        "space": "; ".join(_words(d) for d in space) or "the explicit examples alone",
        "examples_tried": sum(search.phases.get(p, 0) for p in ("explicit", "coverage", "hypothesis")),
        "of_them": ", ".join(f"{n} {phase}" for phase, n in search.phases.items() if phase != "stored"),
        **({"failing_examples_of_earlier_runs_tried_before": stored} if stored else {}),
        **({"first_failing_example": search.first_failing} if search.first_failing else {}),
        "pairs_of_parameter_bins_covered": f"{cells} of {whole} ({100 * share:.0f}%)",
        "scenes_per_example": fuzz.replicates,
        "search_ended_because": STOPPED[search.stopped],
        "synthesizer_of_the_search": fuzz.search_with or synthesizer,
        "seconds": ", ".join(f"{name} {value:.1f}" for name, value in seconds.items()),
        **_found_facts(findings, shown_scenes, counterexamples),
    }
    example, replicates = _kept(first, search, findings, fuzz)
    entry = entry_of(behaviour, variant, synthesizer, example, replicates)
    entry |= {
        "space": [{"name": d.name, "easiest": d.value(0), "range": _range(d)} for d in space],
        "tried": dict(search.phases),
        "first_failing": search.first_failing,
        "stopped": search.stopped,
        "coverage": {"share": share, "cells": cells, "of": whole, **tried_points(search)},
        "seconds": dict(seconds),
        "counterexamples": counterexamples,
        "confirmations": {str(c.candidate.example): [t.scene_id for r in c.replicates for t in r.trials.values()]
                          for c in ranked},
        "rule": None if findings.rule is None else asdict(findings.rule),
        "region": None if findings.region is None else findings.region.plain(),
        "swept": None if findings.swept is None else findings.swept.sentence(),
        "local": None if around is None else {"failed": around.failed, "of": len(around.replicates),
                                              "radii": around.radii, "telling": around.telling,
                                              "map": {"parameters": around.names, "points": around.points}},
        "shown": shown_scenes,
    }  # fmt: skip
    return facts, entry


def _kept(
    first: Confirmation | None, search: Search, findings: Findings, fuzz: Fuzz
) -> tuple[Example, Sequence[Replicate]]:
    """Return the example that the entry keeps and its trials: the best candidate, else what failed and was left."""
    if first is not None:
        return first.candidate.example, first.replicates
    if findings.open:
        return findings.open[0].example, () if fuzz.search_with else findings.open[0].replicates
    return search.example_at(search.space.easiest), ()


def _found_facts(
    findings: Findings, shown: Mapping[str, str], counterexamples: Sequence[Mapping[str, object]]
) -> dict[str, object]:
    around = findings.around
    described = around if around is not None and around.replicates else None
    facts: dict[str, object] = {
        "local_failure_rate": described and described.sentence(),
        "tells_failing_from_finding": described and ", ".join(f"{n} {v:.2f}" for n, v in described.telling.items()),
        "largest_region_that_fails": findings.region and findings.region.sentence(),
        "what_failing_scenes_share": findings.rule and findings.rule.sentence(),
        "sweep": findings.swept and findings.swept.sentence(),
    }
    facts = {name: text for name, text in facts.items() if text is not None}
    if findings.open and not any(c.confirmed for c in findings.found):
        facts["failing_and_not_followed_up"] = "; ".join(str(candidate.example) for candidate in findings.open[:3])
    if counterexamples:
        facts["minimal_typical_and_worst_scene"] = ", ".join(f"{role} {i[:12]}" for role, i in shown.items())
        facts["replay"] = f"synnodtest replay {counterexamples[0]['replay']}"
        facts["counterexamples"] = list(counterexamples)
    if around is not None:
        title, table = _map_table(around)
        facts |= {title: table} if table else {}
    return facts


def tried_points(search: Search) -> dict[str, object]:
    """Return every example of the search for the coverage figure: its parameters, and what came of it.

    ``parameters`` names the columns and their ``levels`` (None for a continuous one, which has ``range``); ``points``
    holds a row per example: the values, then ``holds``, ``fails``, ``crashes`` or ``not planted``.
    """
    parameters = [
        {
            "name": d.name,
            "levels": [_level(level) for level in d.levels] or None,
            "range": None if d.levels else list(d.range),
            "logarithmic": d.logarithmic,
        }
        for d in search.space
    ]
    points = [
        [*(_level(d.value(k)) for d, k in zip(search.space, point, strict=True)), _came_of(judged)]
        for point, judged in search.judged.items()
    ]
    return {"parameters": parameters, "points": points}


def _level(value: Any) -> Any:
    return "left out" if value is None else value if isinstance(value, float) else str(value)


def _came_of(judged: Judged | None) -> str:
    if judged is None:
        return "not planted"
    return "crashes" if judged.crash else "fails" if judged.fails else "holds"


def _row(c: Confirmation, behaviour: Behaviour, variant: Variant) -> dict[str, object]:
    return {
        "says": says(c),
        "example": str(c.candidate.example),
        "holds": f"{sum(r.holds for r in c.replicates)} of {len(c.replicates)}",
        "upper_bound": c.estimate.upper,
        "p": c.p_value,
        "p_holm": c.p_holm,
        "matters": ", ".join(c.candidate.matters) or _NOTHING_MATTERS[c.candidate.origin == "search"],
        "found_by": c.candidate.origin,
        "replay": _id(behaviour, variant, c.candidate.example),
    }


def _shown(first: Confirmation, findings: Findings) -> dict[str, str]:
    """Return the scenes to show: of the minimal example, a typical failure around it, and the worst failure seen."""
    around = findings.around
    failing = [r for r in first.replicates if not r.holds] or list(first.replicates)
    if not failing:
        return {}
    scene_ids = {"minimal": _easiest(failing, findings).scene_id}
    near = sorted((r for r in around.replicates if not r.holds), key=lambda r: r.margin) if around else []
    if near:
        scene_ids["typical"] = near[len(near) // 2].scene_id

    def mildest(replicate: Replicate) -> tuple[float, float, str]:
        """Return the margin, then how prominent its largest nodule is: the worst failure has least of the one."""
        nodules = [n for t in replicate.trials.values() for n in t.nodules]
        prominence = max((float(n.truth.contrast) * n.requested_mm for n in nodules), default=0.0)
        return replicate.margin, -prominence, replicate.scene_id

    worst = min((*failing, *near), key=mildest)
    scene_ids["worst"] = worst.scene_id
    return scene_ids


def _easiest(failing: Sequence[Replicate], findings: Findings) -> Replicate:
    """Return the failing scene nearest to where failing ends, as the rule tells; the first where there is no rule."""
    rule = findings.rule
    if rule is None:
        return failing[0]
    values = {r.scene_id: rule.value(r, findings.surroundings) for r in failing}
    explained = [r for r in failing if rule.tells_failing(values[r.scene_id])]
    return min(explained or failing, key=lambda r: (abs(values[r.scene_id] - rule.threshold), r.scene_id))


def _words(dimension: Dimension) -> str:
    if dimension.name == "place.part" and len(dimension.levels) == 2:
        return "side right, left (easiest right)"
    easiest = dimension.value(0)
    value = "left out" if easiest is None else f"{easiest:g}" if isinstance(easiest, float) else str(easiest)
    return f"{dimension.name} {_range(dimension)} (easiest {value})"


def _range(dimension: Dimension) -> str:
    if dimension.levels:
        return ", ".join("left out" if level is None else str(level) for level in dimension.levels)
    low, high = dimension.range
    return f"{low:g} to {high:g}"


def _map_table(around: Neighbourhood) -> tuple[str, list[dict[str, object]]]:
    """Return the failure map over the two most telling parameters as a table of counts."""
    names, points = around.names, around.points
    if len(names) < 2 or not points:
        return "", []
    down, across = names
    table = np.array(points, dtype=float)
    edges = [np.linspace(table[:, k].min(), table[:, k].max(), BINS + 1) for k in (0, 1)]
    every, failing = (
        np.histogram2d(table[:, 0], table[:, 1], edges, weights=weights)[0].astype(int)
        for weights in (None, table[:, 2])
    )
    rows: list[dict[str, object]] = []
    for i in range(BINS):
        rows.append({down: f"{edges[0][i]:.3g} to {edges[0][i + 1]:.3g}"})
        for j in range(BINS):
            rows[i][f"{across} {edges[1][j]:.3g} to {edges[1][j + 1]:.3g}"] = f"{failing[i, j]} of {every[i, j]}"
    return f"failing examples by {down} and {across}", rows
