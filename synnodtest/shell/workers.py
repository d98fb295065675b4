"""Workers of ``pytest -n``: which items go to one of them, and what they ruled on its way to the controller."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from synnodtest.spec.recognise import has_spec_suffix
from synnodtest.stages import STAGES

if TYPE_CHECKING:
    from synnodtest.shell.session import Session


def hand_over(session: Session) -> None:
    """Put into a worker's output all that it knows and the controller does not."""
    config: Any = session.config  # pytest-xdist gives that of a worker its output
    config.workeroutput["synnodtest"] = json.dumps(
        {
            "fragment": session.run.fragment.as_dict(),
            "baseline": None if session.second is None else session.second.fragment.as_dict(),
            "left_out": list(session.left_out),
            "due": list(session.due),
            "stages": STAGES.as_dict(),
            "speed": session.run.earlier_speed,
        }
    )


def take_over(session: Session, text: str) -> None:
    """Add to the controller's session what a worker handed over."""
    data = json.loads(text)
    session.run.fragment.merge(data["fragment"])
    if session.second is not None and data["baseline"]:
        session.second.fragment.merge(data["baseline"])
    session.left_out |= dict.fromkeys(data["left_out"])
    session.due |= dict.fromkeys(data["due"])
    STAGES.merge(data["stages"])
    session.run.earlier_speed = (data["speed"][0], data["speed"][1])
    session.workers += 1


class BehaviourScheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Hands out whole behaviours, the one with most items first, and all other tests one by one.

    Unlike pytest-xdist's, it asks nothing of a worker that has not collected yet, as one that takes a dead one's place
    while another dies, and has no item run again that a worker died of.
    """

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)

    def _assign_work_unit(self, node: Any) -> None:
        if node in self.registered_collections:
            super()._assign_work_unit(node)

    def add_node_collection(self, node: Any, collection: Sequence[str]) -> None:
        """Take in what a worker collected.

        Raises:
            pytest.UsageError: one that takes a dead one's place has other items.
        """
        super().add_node_collection(node, collection)
        if node not in self.registered_collections:
            raise pytest.UsageError("a worker died, and the one in its place collects other items: was a spec changed?")

    def remove_node(self, node: Any) -> str | None:
        """Let others have what a worker leaves; return the item that it died of, or None."""
        work: dict[str, dict[str, bool]] = self.assigned_work.pop(node)
        died_of = next(((unit, item) for unit in work.values() for item, done in unit.items() if not done), None)
        if died_of is None:
            return None
        unit, item = died_of
        unit[item] = True
        self.workqueue.update({scope: left for scope, left in work.items() if not all(left.values())})
        for other in self.nodes:
            self._reschedule(other)
        return item


def scope_of(node_id: str) -> str:
    """Return what shares a worker: the behaviour of an item of a spec, any other test alone."""
    file, _, rest = node_id.partition("::")
    if has_spec_suffix(Path(file)) and "::" in rest:
        return f"{file}::{rest.partition('::')[0]}"
    return node_id
