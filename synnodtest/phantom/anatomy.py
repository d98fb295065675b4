"""Anatomy: the numbers that make one chest, drawn from a seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synnodtest.canonical import seed_sequence

VERSION = "3"
"""Part of every identifier, seed and content key; raised whenever the chest of a phantom changes."""
RENDERING = 2
"""Of the arithmetic behind the pixels of one and the same chest: enters keys of stored work, but no seed."""


@dataclass(frozen=True)
class Anatomy:
    """One person and one pose, in millimetres. Frozen: equal anatomies give equal radiographs.

    Axes: x to the right of the image (the patient's left), y downwards from the lung apices, z from the detector's
    side of the chest (front, negative) to the back. ``side`` is -1 for the patient's right, +1 for the left.

    Args:
        seed: Seed of the person; also of vessels and parenchymal texture.
        sex: ``"F"`` or ``"M"``.
        age: Years, 20 to 89.
        pneumothorax: -1 or +1 for the side of the partially collapsed lung, 0 for none.
        collapse: Fraction of the hemithorax' half-width that the lung has withdrawn.
        width: Half of the greatest inner width of the rib cage.
        depth: Half of the greatest inner depth of the rib cage.
        height: From the apices to the costophrenic angles.
        wall_side, wall_depth: Thickness of the chest wall at the flank; front and back.
        breast: Thickness of a breast at its centre (0 without).
        breast_size: Half-width of a breast.
        breast_y: Height of the breasts' centres below the apices, as a fraction of ``height``.
        dome_right, dome_left: Height of the hemidiaphragms' tops below the apices, as fractions of ``height``.
        heart: Scale of the heart (1: cardiothoracic ratio of about 0.46).
        heart_tilt: Angle of the heart's long axis below the horizontal, in radians.
        knob: Radius of the aortic knob.
        aorta_shift: How far the descending aorta runs beside the midline.
        hilum: Depth of the right hilum below the apices, as a fraction of ``height``.
        gas: Half-width of the gastric bubble.
        bone: Scale of bone attenuation (falls with age).
        vessels: Scale of the vessels' calibre.
        haze: Amplitude of the parenchymal texture.
        lung_density: Attenuation of aerated lung as a fraction of soft tissue.
        rotation: Rotation about the vertical axis (x-shift per mm of depth).
        tilt: Lean in the image plane (x-shift per mm of height).
        shift: Off-centre position of the midline in the image.
        top: Distance from the image's upper edge to the lung apices.
        field: Side of the square field of view.
        shoulder: Height of the shoulders relative to the apices (positive: lower).
        scapula: How far the scapulae lie outside the ribs.
        curve: Amplitude of a sideward curve of the spine.
        latitude: Range of exposures that the display shows (larger: flatter).
        tone: Shift of the display towards dark (positive) or bright.
    """

    seed: int
    sex: str
    age: int
    pneumothorax: int
    collapse: float
    width: float
    depth: float
    height: float
    wall_side: float
    wall_depth: float
    breast: float
    breast_size: float
    breast_y: float
    dome_right: float
    dome_left: float
    heart: float
    heart_tilt: float
    knob: float
    aorta_shift: float
    hilum: float
    gas: float
    bone: float
    vessels: float
    haze: float
    lung_density: float
    rotation: float
    tilt: float
    shift: float
    top: float
    field: float
    shoulder: float
    scapula: float
    curve: float
    latitude: float
    tone: float


def sample_anatomy(seed: int, *, pneumothorax: bool = False) -> Anatomy:
    """Draw a person, a habitus and a pose.

    The person is the same with and without ``pneumothorax``: only the collapsed side and its extent are added.

    Args:
        seed: Any integer; equal seeds give equal anatomies on every platform.
        pneumothorax: Let one lung partially collapse.
    """
    rng = np.random.default_rng(seed_sequence("phantom", VERSION, seed))
    uniform, normal = rng.uniform, rng.normal
    female = bool(rng.random() < 0.5)
    age = int(rng.integers(20, 90))
    size = float(np.clip(normal(1.0, 0.045), 0.9, 1.1))
    fat = float(np.clip(normal(0.35 if female else 0.3, 0.22), 0.0, 1.0))
    aged = (age - 20) / 70
    width = (127 if female else 141) * size * uniform(0.97, 1.04)
    height = (252 if female else 280) * size * uniform(0.94, 1.05) * (1 - 0.05 * fat)
    wall_side = 17 + 34 * fat + uniform(0, 6)
    field = float(np.clip(2 * (width + wall_side) + uniform(5, 35), 350, 430))
    right = uniform(0.765, 0.815)
    person = {
        "sex": "F" if female else "M",
        "age": age,
        "width": width,
        "depth": width * uniform(0.62, 0.70) * (1 + 0.05 * aged),
        "height": height,
        "wall_side": wall_side,
        "wall_depth": 18 + 24 * fat + uniform(0, 5),
        "breast": uniform(20, 30) * (0.65 + 0.9 * fat) if female else 0.0,
        "breast_size": width * uniform(0.42, 0.50) * (0.88 + 0.3 * fat),
        "breast_y": uniform(0.54, 0.62) + 0.08 * aged,
        "dome_right": right,
        "dome_left": right + uniform(0.025, 0.07),
        "heart": float(np.clip(normal(1.0 + 0.06 * aged, 0.06), 0.86, 1.2)),
        "heart_tilt": uniform(0.5, 0.78) - 0.12 * fat,
        "knob": uniform(13, 15.5) + 5 * aged,
        "aorta_shift": uniform(13, 17) + 6 * aged,
        "hilum": uniform(0.42, 0.46),
        "gas": uniform(10, 25),
        "bone": (1.08 - 0.34 * aged * (1.15 if female else 0.85)) * uniform(0.93, 1.07),
        "vessels": uniform(0.88, 1.1) * (1 + 0.06 * aged),
        "haze": uniform(0.6, 1.1) * (1 + 0.5 * aged),
        "lung_density": uniform(0.22, 0.29),
        "rotation": float(np.clip(normal(0, 0.03), -0.07, 0.07)),
        "tilt": float(np.clip(normal(0, 0.012), -0.03, 0.03)),
        "shift": float(np.clip(normal(0, 5), -12, 12)),
        "top": (field - height) * uniform(0.30, 0.44),
        "field": field,
        "shoulder": uniform(-12, 12),
        "scapula": uniform(-16, 10),
        "curve": float(np.clip(normal(0, 2.5), -6, 6)),
        "latitude": uniform(0.9, 1.15),
        "tone": float(np.clip(normal(0, 0.12), -0.25, 0.25)),
    }
    side = int(rng.choice([-1, 1]))
    collapse = float(uniform(0.16, 0.45))
    return Anatomy(
        seed=int(seed),
        pneumothorax=side if pneumothorax else 0,
        collapse=collapse if pneumothorax else 0.0,
        **{name: value if isinstance(value, (str, int)) else round(float(value), 6) for name, value in person.items()},  # type: ignore[arg-type]
    )
