"""Faults by which an answer is none: it failed, it holds less than it found, it is of several images."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from synnodtest.counted import counted
from synnodtest.decoding import JsonObject
from synnodtest.detectors.label_rule import folded
from synnodtest.errors import DetectorError

FAULTS = (
    "error", "errors", "exception", "traceback", "errormessage", "errmsg", "failed", "failures", "truncated", "partial",
    "incomplete", "rejected", "skipped", "timedout", "next", "nextpage", "nextpagetoken", "nextcursor", "hasmore",
)  # fmt: skip
"""Keys, folded, that hold what went wrong, are not true of an answer, or say that there is more of it elsewhere."""
CONSENTS = (
    "success", "succeeded", "ok", "valid", "isvalid", "accepted", "processed", "analyzed", "analysed", "completed",
    "complete", "done", "finished", "ready",
)  # fmt: skip
"""Keys, folded, that are true of an answer."""
STATES = ("status", "state", "statuscode", "code")
UNFINISHED = (
    "error", "errors", "fail", "failed", "failure", "pending", "processing", "queued", "running", "inprogress",
    "loading", "starting", "warmingup", "timeout", "busy", "accepted", "cancelled", "canceled", "unavailable",
    "notready", "initializing", "initialising", "partial", "incomplete", "skipped", "rejected", "refused", "invalid",
    "aborted", "crashed", "unsupported", "denied", "unauthorized", "throttled", "exception", "received", "started",
    "retry", "revoked", "submitted", "waiting", "scheduled", "inqueue", "timedout", "stopped", "terminated", "killed",
)  # fmt: skip
_LOOK = "it is no answer to a radiograph; look into the detector's log"


def refuse_failure(content: JsonObject) -> None:
    """Refuse an answer that says it failed or is not finished: its empty list is no radiograph without findings.

    Raises:
        DetectorError: it says so; shows what it says.
    """
    for key, value in content.items():
        if _says_failed(folded(key), value):
            says = str({key: value})[:200]
            raise DetectorError(f"the answer says that it failed or is not finished: {says}", hint=_LOOK)


def _says_failed(name: str, value: object) -> bool:
    word = folded(value) if isinstance(value, str) else ""
    number = int(word) if word.isdecimal() else value
    if name in FAULTS:
        return value not in (None, "", [], {}, 0, False)
    if name in CONSENTS:
        return value is False or word in ("false", "no")
    if name in STATES and isinstance(number, (int, float)):
        return number >= 400
    return name in STATES and (word in UNFINISHED or word.startswith(("error", "fail")))


REASONS = (
    "message", "messages", "msg", "statusmessage", "warning", "warnings", "reason", "detail", "details", "info", "note",
    "result", "quality", "comment", "comments", "remark", "remarks",
)  # fmt: skip
"""Keys, folded, of words that may say why a list is empty."""
_REFUSES = re.compile(
    r"(?<!\bno )(?<!without )\b(reject\w*|unsupported|not supported|invalid|fail\w*|errors?|cannot|can't|could not"
    r"|unable|not (a|an) |no chest|non[- ]?diagnostic|not diagnostic|skipped|unreadable|wrong|bad quality|poor quality"
    r"|insufficient|timed? ?out|exception|unavailable|out of (memory|scope)|oom|expired|exceeded|denied|forbidden"
    r"|corrupt\w*|abort\w*|crash\w*|try again|retry|busy|queued|not (authent|author)\w*"
    r"|not (yet |been )?(loaded|ready|analy\w*|process\w*))",
    re.IGNORECASE,
)


def refuse_reasons(content: JsonObject) -> None:
    """Refuse an empty answer that says in words, or in an object within it, why it looked for nothing.

    Raises:
        DetectorError: it does; shows what it says.
    """
    for part in objects_in(list(content.values())):
        reasons = {key: value for key, value in part.items() if not _is_count(value)}
        refuse_failure(reasons)
        refuse_reasons(reasons)
    for key, value in content.items():
        words = [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]
        if folded(key) in (*REASONS, *STATES) and any(map(_REFUSES.search, words)):
            raise DetectorError(f"the answer holds no findings and says {str({key: value})[:200]}", hint=_LOOK)


def objects_in(values: Sequence[object]) -> Iterator[JsonObject]:
    """Yield the objects among values and lists of them."""
    for value in values:
        if isinstance(value, dict):
            yield value
        elif isinstance(value, list):
            yield from objects_in(value)


def _is_count(value: object) -> bool:
    """Return whether a value is a number and no HTTP status of a failure: a count, a measure, a code of a view."""
    number = int(value) if isinstance(value, str) and value.isdecimal() else value
    return isinstance(number, (int, float)) and not isinstance(number, bool) and not 400 <= number < 600


_THINGS = "(finding|nodule|detection|prediction|box|boxe|bbox|bboxe|object|result|lesion)s?"
_COUNTS = re.compile(
    rf"count|total|totalcount|(n|no|nr|num|number|numberof|count|countof|total){_THINGS}"
    rf"|(total)?{_THINGS}(count|total|number|num|found|detected)"
)
"""Keys, folded, of the number of findings, which may be above that of those in the list."""


def refuse_fewer(content: JsonObject, held: int, pictures: int = 0) -> None:
    """Refuse an answer that counts more findings than it holds: they are of another page, or were lost.

    Args:
        content: The answer, or an object within an answer without findings.
        held: How many findings it holds.
        pictures: How many radiographs it is about, which it may count too.

    Raises:
        DetectorError: it does; shows what it says.
    """
    for key, value in content.items():
        counts = isinstance(value, int) and not isinstance(value, bool) and value > held and value != pictures
        if counts and _COUNTS.fullmatch(folded(key)):
            says = f"the answer holds {counted(held, 'finding')} and says {str({key: value})[:200]}"
            raise DetectorError(says, hint="answer with all findings at once, and count no others")
    if not held:
        for part in objects_in(list(content.values())):
            refuse_fewer(part, 0, pictures)


IMAGES = (
    "image", "imageid", "imagename", "filename", "file", "filepath", "frame", "frameindex", "slice", "sliceindex",
    "sopinstanceuid", "instanceuid", "study", "studyid", "timepoint",
)  # fmt: skip
"""Keys, folded, by which a finding may say on which image it lies."""


def refuse_other_images(items: Sequence[Any], others: Collection[str] = ()) -> None:
    """Refuse findings that lie on several images by their own word, or on another one: an answer is about one.

    Args:
        items: The findings of one radiograph.
        others: Names of the other radiographs that were given.

    Raises:
        DetectorError: they do.
    """
    named: dict[str, set[str]] = {}
    for item in items:
        for key, value in item.items() if isinstance(item, dict) else ():
            if folded(key) in IMAGES and isinstance(value, (str, int)):
                named.setdefault(key, set()).add(str(value))
    for key, values in named.items():
        if len(values) > 1 or not values.isdisjoint(others):
            of = f"several by their {key!r}" if len(values) > 1 else f"another by their {key!r}"
            raise DetectorError(
                f"the findings of one radiograph are of {of}: {', '.join(sorted(values)[:3])}",
                hint="answer with the findings of each radiograph under its own name, and of no other",
            )


_TAKEN_BACK = [
    *((key, "false") for key in ("positive", "reported", "shown", "visible", "accepted")),
    *((key, "true") for key in ("suppressed", "rejected", "discarded", "hidden", "ignored", "filtered", "removed")),
]
"""Keys of a finding that its program does not report."""


def refuse_taken_back(key: str, value: Any, where: str) -> None:
    """Refuse a finding that says of itself that it is not reported.

    Raises:
        DetectorError: it does.
    """
    if (folded(key), folded(value)) in _TAKEN_BACK:
        raise DetectorError(f"{where} says {key}: {value} of itself", hint="leave out what is not reported")
