"""The fixture ``synnod``: one scene of a Python test, synthesized, shown to the detector and matched."""

from __future__ import annotations

import json
from collections.abc import Mapping

from synnodtest.engine.campaign import Campaign
from synnodtest.errors import InvalidEvidence, SynnodError
from synnodtest.evidence.trial import Trial
from synnodtest.fuzzing import on_set, plant
from synnodtest.matching import Matching
from synnodtest.planning.example import Example
from synnodtest.spec.build import BRIGHTNESS, Builder
from synnodtest.spec.expectations import matching as spec_matching
from synnodtest.spec.source import parse
from synnodtest.spec.validation import validate


class SceneFixture:
    """Plants examples on backgrounds; call it with one.

    Args:
        campaign: Detector, synthesizer, backgrounds and store of the run.
    """

    def __init__(self, campaign: Campaign) -> None:
        self._campaign = campaign

    def __call__(
        self,
        scene: Example | Mapping[str, object],
        *,
        backgrounds: str = "normal",
        background: int = 0,
        matching: Mapping[str, object] | None = None,
    ) -> Trial:
        """Return what came of a scene: ``trial.nodules[0].detected(0.25)``, ``trial.false_positives_at(0.25)``.

        Args:
            scene: Drawn by :mod:`synnodtest.strategies`, or parameters by flat name (``{"diameter_mm": 12}``).
            backgrounds: Name of the set.
            background: Number of the radiograph in it, from 0.
            matching: As in specs; default: the finding's centre within 5 mm of the nodule.

        Raises:
            SynnodError: a parameter is not known, is none, or has no place here.
            InvalidEvidence: it cannot be planted there, or what was synthesized is not what was asked for. Under
                Hypothesis the example is passed over instead.
            DetectorError: the detector crashed.
        """
        example = scene if isinstance(scene, Example) else _of_parameters(scene)
        rule = {"criterion": Matching.criterion, **(matching or {})}
        _refuse_unknown(rule, "matching")
        trial, reason = plant(
            self._campaign, example, on_set(backgrounds, background + 1), background, Matching.from_dict(rule)
        )
        if trial is not None:
            return trial
        from hypothesis import currently_in_test_context, reject

        if currently_in_test_context():
            reject()
        raise InvalidEvidence(f"{example}: {reason}")


def _of_parameters(scene: Mapping[str, object]) -> Example:
    flat: dict[str, object] = {}
    for name, value in scene.items():
        flat |= {f"{name}.{key}": one for key, one in value.items()} if isinstance(value, Mapping) else {name: value}
    example = Example.of(flat)
    if scene:
        _refuse_unknown(example.plain(), "explicit")
    if isinstance(scene.get("location"), Mapping):
        raise SynnodError("location of a scene", hint="let synnodtest.strategies draw in a region: nodules(region=..)")
    if film := {"background", "view"} & scene.keys():
        raise SynnodError(f"{' and '.join(sorted(film))} of a scene", hint="the film is chosen by background=NUMBER")
    if len(bright := [name for name in BRIGHTNESS if name in scene]) > 1:
        raise SynnodError(f"{' and '.join(bright)} each say how bright a nodule is", hint="give one of them")
    return example


def _refuse_unknown(given: Mapping[str, object], definition: str) -> None:
    """Refuse what a spec would be refused for: a misspelt size would else be any size.

    Raises:
        SynnodError: with every complaint.
    """
    node, problems = parse(json.dumps(given, default=float), "")
    problems += validate(node, definition)
    if definition == "matching" and not problems:
        spec_matching(Builder(problems, frozenset()), node)
    if problems:
        told = "; ".join(f"{problem.path}: {problem.message}".removeprefix(": ") for problem in problems)
        raise SynnodError(
            told,
            hint="parameters go by the names of 'explicit' and 'matching' of a spec, such as "
            "{'diameter_mm': 12, 'perturbations.blur': 2}",
        )
