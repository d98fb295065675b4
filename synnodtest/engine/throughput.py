"""Seconds per scene as measured here, kept beside the store, for the expected minutes of a plan."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from synnodtest.engine.tally import Tally
from synnodtest.files import write_atomic

FILE = "throughput.json"


def measured(cache: Path, synthesizer_key: str, detector_key: str) -> tuple[float | None, float | None]:
    """Return seconds per synthesized scene and per inferred radiograph; None where nothing was measured."""
    table = _read(cache)
    return table.get(f"synthesizer:{synthesizer_key}"), table.get(f"detector:{detector_key}")


def remember(cache: Path, synthesizer_key: str, detector_key: str, tally: Tally) -> None:
    """Keep what a run measured; the newest run counts."""
    table = _read(cache)
    if tally.synthesized:
        table[f"synthesizer:{synthesizer_key}"] = tally.synthesis_seconds / tally.synthesized
    if tally.inferred:
        table[f"detector:{detector_key}"] = tally.detection_seconds / tally.inferred
    if not tally.synthesized and not tally.inferred:
        return
    with contextlib.suppress(OSError):  # a full or read-only disk costs a later plan its minutes, not this run its end
        write_atomic(cache / FILE, json.dumps(table))


def _read(cache: Path) -> dict[str, float]:
    try:
        data = json.loads((cache / FILE).read_text(encoding="utf-8"))
        return {str(k): float(v) for k, v in data.items()} if isinstance(data, dict) else {}
    except (OSError, ValueError, TypeError):  # whatever it holds, it costs a plan its minutes, not a run its report
        return {}
