"""Arms: under which conditions the scenes of a behaviour are shown."""

__all__ = ["CONTROL_ARM", "DEFAULT_ARM", "OWN", "SHAM_ARM", "UNDER_ARM", "UNTOUCHED_ARM"]

DEFAULT_ARM = "default"
"""The arm of a behaviour that names none."""
OWN = "own"
"""Stands for all arms of the behaviour itself."""
UNTOUCHED_ARM = "@untouched"
"""The background as it is; ``@untouched:rotated`` under the perturbations of the arm ``rotated``."""
UNDER_ARM = "@under"
"""The behaviour's scenes with a perturbation added; ``@under:single`` those of the arm ``single``."""
CONTROL_ARM = "@outside"
"""The same nodules at a place of the lung outside the region under test."""
SHAM_ARM = "@sham"
"""The nodules' masks inpainted without a nodule."""
