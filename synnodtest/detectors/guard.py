"""The guard around every detector: it times calls, checks what comes back, and names who is at fault.

A detector that crashes, hangs or returns rubbish ends in a :class:`DetectorError`, never in a miss.
"""

from __future__ import annotations

import math
import multiprocessing
import sysconfig
import threading
import traceback
import weakref
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import replace
from functools import cached_property
from multiprocessing.pool import ThreadPool
from pathlib import Path

import numpy as np

from synnodtest.counted import counted
from synnodtest.detectors.answer_forms import refuse_shares
from synnodtest.detectors.pairs import ask
from synnodtest.errors import DetectorError, DetectorHung
from synnodtest.finding import Finding
from synnodtest.geometry import Box, FloatArray
from synnodtest.masks import OwnMasks
from synnodtest.ports import Detector
from synnodtest.radiograph import Radiograph

EDGE_TOLERANCE_PX = 1.0
"""A box may pass the radiograph's edge by this much (rounding); it is clipped. Beyond it, it is an error."""


class Guard:
    """A detector whose every call is timed and whose every answer is checked.

    Args:
        detector: The detector under test.
        timeout_s: Seconds that one call of ``detect`` may take, whatever the number of radiographs.

    Raises:
        DetectorError: that are no seconds above 0.

    The detector runs on a thread of its own. One that does not come back in time is left behind, and every later call
    fails at once. Pixels and masks handed over are copies, so that no detector can spoil them for others; one that says
    ``only_reads_pixels = True`` is shown the pixels read-only, without a copy, and its findings stay those of a film
    when the manifest says something else of it.
    """

    hands_on_priors = True

    def __init__(self, detector: Detector, timeout_s: float) -> None:
        if not 0 < timeout_s < math.inf:
            raise DetectorError(
                f"{timeout_s:g} s are no time that a call of the detector may take", hint="seconds above 0, such as 300"
            )
        self.detector = detector
        self.timeout_s = timeout_s
        self.identity = detector.identity
        self._lock = threading.Lock()
        self._hung = ""

    def detect(self, radiographs: Sequence[Radiograph]) -> list[list[Finding]]:
        """Return one list of checked findings per radiograph, in order.

        Raises:
            DetectorError: the detector raised, exceeded its time, or returned something that is no list of findings.
        """
        return self._timed(radiographs, anywhere=False)

    def detect_anywhere(self, radiographs: Sequence[Radiograph]) -> list[list[Finding]]:
        """Return findings whose boxes may lie anywhere and be inverted, for finding out what an adapter does wrong.

        Raises:
            DetectorError: as for :meth:`detect`, the boxes' place aside.
        """
        return self._timed(radiographs, anywhere=True)

    def _timed(self, radiographs: Sequence[Radiograph], anywhere: bool) -> list[list[Finding]]:
        if not radiographs:
            return []
        where = f"detector {self.identity.name!r} on {_sources(radiographs)}"
        with self._lock:
            if self._hung:
                raise DetectorHung(self._hung, hint="it is not called again in this run")
            try:
                answer = self._pool.apply_async(self._call, (radiographs, where, anywhere))
                findings, error = answer.get(self.timeout_s)
            except multiprocessing.TimeoutError:
                self._hung = f"{where}: no answer within {self.timeout_s:g} s"
                raise DetectorHung(self._hung, hint="raise the time limit if the detector is only slow") from None
        if isinstance(error, DetectorError):
            kind = DetectorHung if isinstance(error, DetectorHung) else DetectorError
            named = error.message.startswith(where)
            raise error if named else kind(f"{where}: {error.message}", hint=error.hint) from error
        if error is not None:
            raise DetectorError(f"{where}: {type(error).__name__}: {error}{_raised_at(error)}") from error
        return findings

    @cached_property
    def _pool(self) -> ThreadPool:
        """One thread that takes one call after the other; it keeps no Python from ending while a detector hangs."""
        pool = ThreadPool(1)
        weakref.finalize(self, pool.terminate)
        return pool

    def _call(
        self, radiographs: Sequence[Radiograph], where: str, anywhere: bool
    ) -> tuple[list[list[Finding]], BaseException | None]:
        protected = _read_only if only_reads_pixels(self.detector) else np.copy
        try:
            radiographs_shown = [_apart(protected, radiograph) for radiograph in radiographs]
            return checked(ask(self.detector, radiographs_shown), radiographs, where, anywhere=anywhere), None
        except BaseException as error:  # a detector may well call sys.exit
            return [], error


def _apart(protected: Callable[[FloatArray], FloatArray], radiograph: Radiograph) -> Radiograph:
    prior = None if radiograph.prior is None else _apart(protected, radiograph.prior)
    regions, strata = OwnMasks(radiograph.regions), dict(radiograph.strata)
    return replace(radiograph, pixels=protected(radiograph.pixels), regions=regions, strata=strata, prior=prior)


def _read_only(pixels: FloatArray) -> FloatArray:
    view = pixels.view()
    view.flags.writeable = False
    return view


def _raised_at(error: BaseException) -> str:
    """Return the innermost line of the user's own files that an error came through, in brackets; else nothing."""
    others = (str(Path(__file__).parents[1]), sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"))
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if not frame.filename.startswith((*others, "<")):
            path = Path(frame.filename)
            place = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else Path(path.name)
            return f" ({place.as_posix()}:{frame.lineno})"
    return ""


def _sources(radiographs: Sequence[Radiograph]) -> str:
    first = radiographs[0]
    name = first.source or first.background or "a radiograph"
    return name if len(radiographs) == 1 else f"{name} and {len(radiographs) - 1} more"


def unguarded(detector: Detector) -> Detector:
    """Return the detector behind its guard; one without a guard as it is."""
    return detector.detector if isinstance(detector, Guard) else detector


def may_change_unseen(detector: Detector) -> bool:
    """Return whether a detector, within its guard, may become another one under the same identity."""
    return bool(getattr(unguarded(detector), "may_change_unseen", False))


def only_reads_pixels(detector: Detector) -> bool:
    """Return whether a detector, within its guard, says that of a radiograph it reads the content and changes none."""
    return bool(getattr(unguarded(detector), "only_reads_pixels", False))


def checked(
    result: object, radiographs: Sequence[Radiograph], where: str, *, anywhere: bool = False
) -> list[list[Finding]]:
    """Return ``result`` as lists of findings, clipped to the radiographs, or say what is wrong with it.

    Args:
        result: Whatever the detector returned.
        radiographs: What it was given.
        where: Begins every message.
        anywhere: Leave the boxes' place and order of edges unchecked.

    Raises:
        DetectorError: not one list per radiograph, an item that is no Finding, a number that is not finite, a negative
            score, an empty or inverted box, one that leaves the radiograph by more than a pixel, or boxes that all look
            like shares of its sides.
    """
    if not isinstance(result, (list, tuple)):
        raise DetectorError(f"{where}: returned {type(result).__name__}, not a list with one list per radiograph")
    if len(result) != len(radiographs):
        raise DetectorError(
            f"{where}: returned {counted(len(result), 'list')} for {counted(len(radiographs), 'radiograph')}"
        )
    findings = [
        _checked_image(item, radiograph, f"{where}: radiograph {index} ({_sources([radiograph])})", anywhere)
        for index, (item, radiograph) in enumerate(zip(result, radiographs, strict=True))
    ]
    if not anywhere:
        refuse_shares(findings, where)
    return findings


def _checked_image(item: object, radiograph: Radiograph, where: str, anywhere: bool) -> list[Finding]:
    if not isinstance(item, (list, tuple)):
        raise DetectorError(f"{where}: its findings are {type(item).__name__}, not a list")
    shape = None if anywhere else radiograph.shape
    findings: list[Finding] = []
    try:
        for found in item:
            findings.append(found if shape and _is_sound(found, shape) else _checked_finding(found, shape))
    except DetectorError as error:
        raise DetectorError(f"{where}, finding {len(findings)}: {error.message}", hint=error.hint) from error
    return findings


def _is_sound(found: object, shape: tuple[int, int]) -> bool:
    """Return whether a finding can stay as it is: plain numbers, a box inside the radiograph. Most of hundreds do.

    It takes a seventh of the time of a look at each number.
    """
    if type(found) is not Finding or type(found.box) is not tuple or len(found.box) != 4:
        return False
    (x_min, y_min, x_max, y_max), score = found.box, found.score
    if not (type(x_min) is type(y_min) is type(x_max) is type(y_max) is type(score) is float):
        return False
    return 0 <= x_min < x_max <= shape[1] and 0 <= y_min < y_max <= shape[0] and 0 <= score < math.inf


def _checked_finding(found: object, shape: tuple[int, int] | None) -> Finding:
    if not isinstance(found, Finding):
        raise DetectorError(
            f"is {type(found).__name__}, not a Finding",
            hint="return Finding(box=(x_min, y_min, x_max, y_max), score=0.9), box in pixels of the radiograph",
        )
    try:
        if isinstance(found.box, (str, bytes, Mapping, Set)):
            raise TypeError(f"its box is of the type {type(found.box).__name__}")
        x_min, y_min, x_max, y_max = map(float, found.box)
        score = float(found.score)
    except (TypeError, ValueError) as error:
        raise DetectorError(f"{found!r} does not hold four edges and a score ({error})") from error
    box = (x_min, y_min, x_max, y_max)
    if not all(map(math.isfinite, (*box, score))):
        raise DetectorError(f"{found!r} holds a number that is not finite")
    if score < 0:
        raise DetectorError(f"score {score:g} is negative", hint="0 is the score of a nodule without a finding")
    return Finding(box if shape is None else _inside(box, shape), score)


def _inside(box: Box, shape: tuple[int, int]) -> Box:
    height, width = shape
    x_min, y_min, x_max, y_max = box
    if x_min >= x_max or y_min >= y_max:
        raise DetectorError(f"box {_text(box)} is empty or inverted; it must be (x_min, y_min, x_max, y_max)")
    slack = EDGE_TOLERANCE_PX
    outside = x_min < -slack or y_min < -slack or x_max > width + slack or y_max > height + slack
    clipped = (max(x_min, 0.0), max(y_min, 0.0), min(x_max, float(width)), min(y_max, float(height)))
    if outside or clipped[0] >= clipped[2] or clipped[1] >= clipped[3]:
        raise DetectorError(
            f"box {_text(box)} lies outside the radiograph (width {width}, height {height})",
            hint="boxes are in pixels of the radiograph as given, x along columns; not in mm, not 0..1, not resized",
        )
    return clipped


def _text(box: Box) -> str:
    return "(" + ", ".join(f"{edge:.6g}" for edge in box) + ")"
