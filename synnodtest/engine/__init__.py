"""The engine: plan -> evidence."""

from synnodtest.engine.engine import Engine, Tally, Unplaced
from synnodtest.engine.outcome import Outcome, Snapshot, to_trial

__all__ = ["Engine", "Outcome", "Snapshot", "Tally", "Unplaced", "to_trial"]
