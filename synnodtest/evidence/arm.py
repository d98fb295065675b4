"""Arms: under which conditions the scenes of a behaviour are shown."""

from __future__ import annotations

_PLANNED = "@"
"""Begins the names of arms that no spec can name."""


class Arm(str):
    """An arm by the name that records hold: ``single``, ``@untouched``, ``@under:single``.

    Those that a behaviour names are its own. The others begin with ``@``: expectations plan them by themselves, some of
    them from another arm, whose name follows the colon.
    """

    __slots__ = ()

    @property
    def is_own(self) -> bool:
        """True where the behaviour names it."""
        return not self.startswith(_PLANNED)

    @property
    def word(self) -> str:
        """Name for a reader: its own, or ``perturbed single`` of ``@under:single``."""
        if not self.startswith(_PLANNED):
            return self
        kind, _, arm = self.removeprefix(_PLANNED).partition(":")
        kind = "perturbed" if kind == "under" else kind
        return kind if arm in ("", DEFAULT_ARM) else f"{kind} {Arm(arm).word}"

    def of(self, arm: str) -> Arm:
        """Return what an expectation plans from another arm: ``UNDER_ARM.of("single")`` is ``@under:single``."""
        return Arm(f"{self}:{arm}")

    def is_from(self, planned: Arm) -> bool:
        """Return whether this is what an expectation plans, from whatever arm: ``@under:single`` is from ``@under``."""
        return self == planned or self.startswith(f"{planned}:")

    def before(self, planned: Arm) -> Arm:
        """Return the arm that this was planned from: ``single`` for ``@under:single``; itself where it was not."""
        return Arm(self.removeprefix(f"{planned}:"))


DEFAULT_ARM = Arm("default")
"""The arm of a behaviour that names none."""
OWN = Arm("own")
"""Stands for all arms of the behaviour itself."""
UNTOUCHED_ARM = Arm("@untouched")
"""The background as it is; ``@untouched:rotated`` under the perturbations of the arm ``rotated``."""
UNDER_ARM = Arm("@under")
"""The behaviour's scenes with a perturbation added; ``@under:single`` those of the arm ``single``."""
CONTROL_ARM = Arm("@outside")
"""The same nodules at a place of the lung outside the region under test."""
PRIOR_ARM = Arm("@prior")
"""The behaviour's scenes before its nodules grew; ``@prior:single`` those of the arm ``single``."""
SHAM_ARM = Arm("@sham")
"""The nodules' masks inpainted without a nodule."""
