"""Sharing of items among workers of ``pytest -n``: those of one behaviour, on the same scenes, stay together."""

from __future__ import annotations

from pathlib import Path

from xdist.scheduler import LoadScopeScheduling

from synnodtest.spec.recognise import has_spec_suffix


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
