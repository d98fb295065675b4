"""One fuzzed example: flat parameters that say what to plant, wherever it is planted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from synnodtest.canonical import sha256_of
from synnodtest.spec.model import Location
from synnodtest.spec.plain import nested

_UNITS = {"diameter_mm": " mm", "distance_mm": " mm", "mimic_distance_mm": " mm", "rotate_deg": " degrees"}


@dataclass(frozen=True)
class Example:
    """Parameters by flat name, as in :class:`synnodtest.spec.model.Fuzz`.

    ``place.part`` (0, 1, .. from the image's left), ``place.height`` (1 top, 0 middle, -1 bottom) and ``place.across``
    (-1 image left, 1 image right) give the centre within a region, so that the same example can be planted in every
    radiograph. ``location`` restricts the region, ``background`` and ``seed`` pin a scene.
    """

    items: tuple[tuple[str, Any], ...]
    sides_of: str = field(default="", compare=False)
    """Region whose right and left ``place.part`` 0 and 1 are, for texts; empty where that is not known."""

    @classmethod
    def of(cls, values: Mapping[str, Any], sides_of: str = "") -> Example:
        """Return the example with these parameters; lists become tuples."""
        fixed = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items() if v is not None}
        return cls(tuple(sorted(fixed.items(), key=lambda pair: pair[0])), sides_of)

    @property
    def values(self) -> dict[str, Any]:
        """The parameters by name."""
        return dict(self.items)

    def get(self, name: str, default: Any = None) -> Any:
        """Return one parameter."""
        return self.values.get(name, default)

    def group(self, name: str) -> dict[str, Any]:
        """Return the parameters of a group: ``perturbations`` -> ``{"jpeg": 35}``."""
        head = f"{name}."
        return {key.removeprefix(head): value for key, value in self.items if key.startswith(head)}

    def plain(self) -> dict[str, object]:
        """Return the parameters as plain JSON values, nested as in specs."""
        return nested({name: list(value) if isinstance(value, tuple) else value for name, value in self.items})

    def key(self) -> str:
        """Return the sha256 of the parameters."""
        return sha256_of(self.plain())

    def __str__(self) -> str:
        words = [
            self._part(value) if name == "place.part" else _words(name, value)
            for name, value in self.items
            if not isinstance(value, Location)
        ]
        return ", ".join(words) or "the background as it is"

    def _part(self, part: Any) -> str:
        """Return ``in the right lung``: the image's left is the patient's right."""
        if self.sides_of and part in (0, 1):
            return f"in the {('right', 'left')[part]} {self.sides_of.replace('_', ' ')}"
        return f"in part {int(part) + 1} from the image's left"


def _words(name: str, value: Any) -> str:
    group, _, key = name.rpartition(".")
    unit = _UNITS.get(key, "")
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    label = key.removesuffix("_mm").removesuffix("_deg")
    return f"{group} {label} {text}{unit}".strip()
