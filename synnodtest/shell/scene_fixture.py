"""The fixture ``synnod``: one scene of a Python test, synthesized, shown to the detector and matched."""

from __future__ import annotations

from collections.abc import Mapping

from synnodtest.engine.campaign import Campaign
from synnodtest.errors import InvalidEvidence
from synnodtest.evidence.trial import Trial
from synnodtest.fuzzing import plant
from synnodtest.matching import Matching
from synnodtest.planning.example import Example


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
            InvalidEvidence: it cannot be planted there, or what was synthesized is not what was asked for. Under
                Hypothesis the example is passed over instead.
            DetectorError: the detector crashed.
        """
        example = scene if isinstance(scene, Example) else Example.of(scene)
        trial, reason = plant(self._campaign, example, backgrounds, background, Matching.from_dict(matching))
        if trial is not None:
            return trial
        from hypothesis import currently_in_test_context, reject

        if currently_in_test_context():
            reject()
        raise InvalidEvidence(f"{example}: {reason}")
