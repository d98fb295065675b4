"""``synnodtest replay fuzz-...``: a stored counterexample again: FIXED, FAILED or ERROR."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synnodtest.engine.campaign import Campaign
from synnodtest.engine.engine import Engine
from synnodtest.errors import RecordError
from synnodtest.fuzzing import replay_failure

__all__ = ["find_failure", "replay"]


def find_failure(data: Mapping[str, Any], wanted: str) -> dict[str, Any]:
    """Return the stored failure whose id starts with ``wanted``.

    Raises:
        RecordError: none or several do.
    """
    found = [entry for entry in data.get("fuzzing") or [] if entry["id"].startswith(wanted)]
    if len(found) != 1:
        raise RecordError(
            f"{len(found)} failures of the record start with {wanted!r}", hint="give the id that the report prints"
        )
    chosen: dict[str, Any] = found[0]
    return chosen


def replay(campaign: Campaign, failure: Mapping[str, Any]) -> int:
    """Run the scenes of a failure again and print what comes of it; return 0 where it is fixed, else 1."""
    if not failure["trials"]:
        raise RecordError(f"{failure['id']}: no counterexample was stored", hint="its search found none")
    name = str(failure.get("asked_for") or campaign.providers.default_synthesizer)
    engine = Engine(
        campaign.providers.backgrounds(failure["set"], int(failure["count"])),
        campaign.synthesizer(name),
        campaign.providers.detector,
        campaign.store,
    )
    verdict, lines = replay_failure(engine, failure)
    print(f"failure    {failure['id']}: {failure['behaviour']}::{failure['expectation']}")
    print(f"example    {failure['example']}")
    for line in lines:
        print(f"           {line}")
    print(f"verdict    {verdict}")
    return 0 if verdict == "FIXED" else 1
