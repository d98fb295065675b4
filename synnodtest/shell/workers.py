"""Workers of ``pytest -n``: which items go to one of them, and what they ruled on its way to the controller."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    """Hands out whole behaviours, the one with most items first, and all other tests one by one."""

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)


def scope_of(node_id: str) -> str:
    """Return what shares a worker: the behaviour of an item of a spec, any other test alone."""
    file, _, rest = node_id.partition("::")
    if has_spec_suffix(Path(file)) and "::" in rest:
        return f"{file}::{rest.partition('::')[0]}"
    return node_id
