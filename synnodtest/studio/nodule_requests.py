"""A person's requests on the page: nodules as forms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from synnodtest.api.planting import Request
from synnodtest.errors import SynthesizerError
from synnodtest.radiograph import Radiograph
from synnodtest.radiomics_features import FEATURE_NAMES
from synnodtest.scene import Nodule

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class NoduleRequest:
    """One nodule as asked for.

    Args:
        name: Of the nodule.
        box: ``(x_min, y_min, x_max, y_max)`` in pixels: place and, without ``diameter_mm``, size.
        diameter_mm: None: as the box says.
        contrast: An order of brightness; it, the density and the attenuation exclude each other. With none of them
            the nodule is as bright as those that readers marked.
        density: Attenuation relative to soft tissue.
        attenuation: ``ground-glass``, ``part-solid``, ``solid``, ``calcified``, or empty.
        margin: ``smooth``, ``lobulated``, ``spiculated``, or empty.
        radiomics: Features by PyRadiomics name.
        seed: Of the appearance.
    """

    name: str
    box: Box
    diameter_mm: float | None = None
    contrast: float | None = None
    density: float | None = None
    attenuation: str = ""
    margin: str = ""
    radiomics: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0

    def nodule(self, radiograph: Radiograph) -> Nodule:
        """Return the nodule, its place held against the radiograph.

        Raises:
            SynthesizerError: the box leaves the radiograph or is empty, or a feature is not known.
        """
        for name in self.radiomics:
            if name not in FEATURE_NAMES:
                raise SynthesizerError(f"{name!r} is not one of the 67 radiomics features")
        request = Request(
            box=self.box,
            diameter_mm=self.diameter_mm,
            contrast=self.contrast,
            density=self.density,
            attenuation=self.attenuation,
            margin=self.margin,
        )
        return request.nodule(radiograph, radiomics=self.radiomics, name=self.name, seed=self.seed)

    def as_spec(self, radiograph: Radiograph) -> dict[str, object]:
        """Return the nodule as a spec writes it."""
        nodule = self.nodule(radiograph)
        bright = "contrast" if self.contrast is not None else "attenuation" if self.attenuation else "density"
        return {
            "name": self.name,
            "diameter_mm": nodule.diameter_mm,
            bright: getattr(nodule, bright),
            **({"margin": self.margin} if self.margin else {}),
            "location": {"at_mm": list(nodule.centre_mm)},
            **({"radiomics": dict(nodule.radiomics)} if self.radiomics else {}),
            "seed": self.seed,
        }
