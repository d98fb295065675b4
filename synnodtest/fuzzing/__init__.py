"""Fuzzing: searches for the easiest nodule that fails, and proves that it is no accident."""

from synnodtest.fuzzing.campaign import CrashFound, FuzzGathered, fuzz, grounded
from synnodtest.fuzzing.failures import Failures, replay_failure

__all__ = ["CrashFound", "Failures", "FuzzGathered", "fuzz", "grounded", "replay_failure"]
