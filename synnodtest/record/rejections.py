"""Exclusions of scenes, by kind: reasons name a nodule and its numbers, a reader counts the kinds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping


def kind_of_rejection(reason: str) -> str:
    """Return what a nodule was rejected for, without name and numbers: ``too much of its mask is white``.

    A reason that begins with no nodule is of the scene or the set, and comes back as it is.
    """
    words = re.sub(r"^nodule '[^']*':? ", "", reason)
    return reason if words == reason else without_numbers(words)


def without_numbers(words: str) -> str:
    """Return a reason without its numbers; earlier versions filed it so, but for what is said in their place."""
    words = re.sub(r"^lies [0-9.]+ mm from", "lies away from", words)
    words = re.sub(r"^[0-9.]*% of its mask is white", "too much of its mask is white", words)
    words = re.sub(r"^(realised \w+) [-0-9.]*(?: mm)?, requested.*$", r"\1 far from the one requested", words)
    return " ".join(re.sub(r"[0-9.]+(?: mm)?", "", words).split())


def by_kind(reasons: Mapping[str, int]) -> dict[str, int]:
    """Return how many scenes were excluded for each kind of reason, the most frequent first."""
    counts: Counter[str] = Counter()
    for reason, count in reasons.items():
        counts[kind_of_rejection(reason)] += count
    return dict(counts.most_common())
