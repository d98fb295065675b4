"""The engine: plan -> evidence."""

from synnodtest.engine.engine import Engine
from synnodtest.engine.job import Unplaced
from synnodtest.engine.outcome import Outcome, Snapshot, to_trial
from synnodtest.engine.tally import Tally

__all__ = ["Engine", "Outcome", "Snapshot", "Tally", "Unplaced", "to_trial"]
