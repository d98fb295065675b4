"""Conformance before a run: a few questions to the adapter, once per detector, so that a wrong one costs no hour."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from synnodtest.canonical import sha256_of
from synnodtest.detectors.conform import conform, scores_check
from synnodtest.detectors.conform_check import Check
from synnodtest.detectors.conform_pictures import blind, conspicuous_radiographs
from synnodtest.detectors.guard import may_change_unseen, unguarded
from synnodtest.detectors.recorded import recorded_in
from synnodtest.detectors.resolve import in_guard
from synnodtest.errors import DetectorError
from synnodtest.ports import Detector
from synnodtest.store import Store

FORMAT = 9
"""Version of the questions, part of their key: raised when they change, so that kept answers to older ones do not
count."""
COUNT, SIZE = 4, 512
"""Phantoms shown, and their side in pixels; set by hand: half of those of ``synnodtest conform`` each way, an eighth of
its time. Fewer would let more readings fit by chance."""
GLANCE = 256
"""Pixels of the phantom by which a detector is known again."""
STOPPING = ("answer", "box", "size", "grey values", "empty radiograph", "black picture", "repeatable", "batch", "pair")
"""Questions whose failure makes every verdict meaningless. The others only warn of a detector's limits."""


def reads_truth(detector: Detector) -> bool:
    """Return whether a detector reads the planted truth and no pixel, as the positive control ``oracle`` does."""
    return bool(getattr(unguarded(detector), "reads_truth", False))


def preflight(detector: Detector, store: Store) -> list[Check]:
    """Ask a detector the questions of :mod:`synnodtest.detectors.conform` on four phantoms of 512 pixels.

    Answers are kept in the store under the detector's identity. Of recorded findings the scores alone are looked at:
    they know only the radiographs that they were recorded on. The positive control, which is told the truth, is asked
    nothing.

    Args:
        detector: From ``resolve_detector``.
        store: Keeps the answers.
    """
    if recorded := recorded_in(detector):
        check = scores_check(recorded.scores())
        return [check] if check.passed is False else []
    if reads_truth(detector):
        return []
    key = sha256_of(["conform", FORMAT, detector.identity.key(), *_seen(detector)])
    return _kept(store, key) or _asked(detector, store, key)


def _seen(detector: Detector) -> list[object]:
    """Return what a detector that may change behind its identity finds on one phantom, in whole pixels and percents.

    A server that was mended, or broken, since it was asked gives other findings, and is asked anew.
    """
    if not may_change_unseen(detector):
        return []
    pictures = [blind(one) for one in conspicuous_radiographs(1, size=GLANCE)]
    try:
        (findings,) = in_guard(detector).detect_anywhere(pictures)
    except DetectorError as error:
        return [error.message]
    return [[*map(round, one.box), round(100 * one.score)] for one in findings]


def _kept(store: Store, key: str) -> list[Check]:
    return [Check(**entry) for entry in json.loads(store.get("conform", key) or b"[]")]


def _asked(detector: Detector, store: Store, key: str) -> list[Check]:
    """Ask, one worker of a run for all; answers are kept unless the detector failed to give any."""
    with store.turn("conform", key):
        checks = _kept(store, key)
        if not checks:
            checks = conform(detector, conspicuous_radiographs(COUNT, size=SIZE))
            if checks[0].passed is not False:
                store.put("conform", key, json.dumps([asdict(check) for check in checks]).encode())
        return checks


def refuse_misfits(name: str, checks: Sequence[Check]) -> None:
    """Stop where an answer makes every verdict meaningless.

    Raises:
        DetectorError: one does; says what was seen and what to change.
    """
    wrong = [check for check in checks if check.passed is False and check.name in STOPPING]
    if not wrong:
        return
    if wrong[0].name == "answer":
        raise DetectorError(wrong[0].says, hint=wrong[0].remedy)
    raise DetectorError(
        f"detector {name!r} does not conform: " + "; ".join(f"{check.name}: {check.says}" for check in wrong),
        hint=f"{'; '.join(check.remedy for check in wrong if check.remedy)} ('synnodtest conform' shows all answers, "
        "--synnod-conform=warn goes on all the same)",
    )
