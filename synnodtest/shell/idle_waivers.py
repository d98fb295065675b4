"""Waivers that cover nothing: a mistyped one accepts no failure, and is told before somebody relies on it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from synnodtest.errors import likely
from synnodtest.integrity.waivers import Waivers
from synnodtest.record.model import ExpectationEntry


def idle_waivers(
    waivers: Waivers, path: Path, entries: Iterable[ExpectationEntry], left_out: Collection[str], root: Path
) -> Iterator[str]:
    """Yield a warning for each waiver that names nothing in the specs of a run, with file, line and the nearest name.

    What may stand in a spec that was not to run is not warned of.

    Args:
        waivers: Of the run.
        path: Their file.
        entries: Of all that the specs of the run hold.
        left_out: Files of specs that were collected and do not run.
        root: The folder from which node ids count.
    """
    names = [(entry.id, entry.behaviour) for entry in entries]
    files = {node_id.partition("::")[0] for node_id, _ in names}
    elsewhere = set(left_out) - files
    behaviours = {name for node_id, behaviour in names for name in (behaviour, node_id.rpartition("::")[0])}
    known = sorted(behaviours | {node_id for node_id, _ in names})
    for waiver in waivers.idle(names):
        file, _, item = waiver.expectation.partition("::")
        met = any(f"/{one}".endswith(f"/{file}") for one in files)
        if elsewhere if not item else not met and ((root / file).is_file() or file in elsewhere):
            continue
        hint = likely(waiver.expectation, known, "name an item or a behaviour as pytest --collect-only does")
        yield (
            f"{path}:{waiver.line}: the waiver {waiver.id!r} covers nothing, for no spec of this run has "
            f"{waiver.expectation!r}; {hint}"
        )
