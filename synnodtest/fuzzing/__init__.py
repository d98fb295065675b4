"""Fuzzing: searches for the easiest nodule that fails, and proves that it is no accident."""

from synnodtest.fuzzing.failures import Failures, replay_failure
from synnodtest.fuzzing.fuzz_run import CrashFound, FuzzGathered, fuzz, most_scenes
from synnodtest.fuzzing.setup import on_set, plant, with_all_backgrounds

__all__ = [
    "CrashFound",
    "Failures",
    "FuzzGathered",
    "fuzz",
    "most_scenes",
    "on_set",
    "plant",
    "replay_failure",
    "with_all_backgrounds",
]
