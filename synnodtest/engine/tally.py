"""Count of an engine's scenes, and of the seconds they took."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Tally:
    """Counts of scenes, and seconds of synthesis and detection."""

    requested: int = 0
    synthesized: int = 0
    inferred: int = 0
    from_cache: int = 0
    synthesis_seconds: float = 0.0
    detection_seconds: float = 0.0

    def add(self, other: Tally) -> None:
        """Add what another engine has done."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)
