"""Fuzzing: searches for the easiest nodule that fails, and proves that it is no accident."""

from synnodtest.fuzzing.campaign import CrashFound, FuzzGathered, fuzz, most_scenes
from synnodtest.fuzzing.failures import Failures, replay_failure
from synnodtest.fuzzing.ground import grounded
from synnodtest.fuzzing.single import plant

__all__ = ["CrashFound", "Failures", "FuzzGathered", "fuzz", "grounded", "most_scenes", "plant", "replay_failure"]
