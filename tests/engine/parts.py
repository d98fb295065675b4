"""Small honest parts for engine tests: three square backgrounds, counting wrappers."""

import numpy as np

from synnodtest import Finding, Identity, Radiograph
from synnodtest.ports import Background
from synnodtest.synthesizers.gaussian import GaussianSynthesizer


class Squares:
    """Backgrounds of 128 x 128 pixels at 1 mm with a lung in the middle."""

    name = "squares"
    identity = Identity("squares", "1")

    def __init__(self, count=3, regions=("lung",)):
        self.backgrounds = tuple(Background(f"square-{i}", content=f"{i:064x}") for i in range(count))
        self.loaded = 0
        self.regions = regions

    def load(self, background):
        self.loaded += 1
        rng = np.random.default_rng(int(background.content, 16))
        pixels = (0.3 + 0.02 * rng.standard_normal((128, 128))).astype(np.float32)
        mask = np.zeros((128, 128), dtype=bool)
        mask[20:108, 20:108] = True
        regions = {name: mask.copy() for name in self.regions}
        return Radiograph(pixels, (1.0, 1.0), regions, background=background.id)


class Counting:
    """Wraps a synthesizer and counts scenes."""

    def __init__(self, inner=None):
        self.inner = inner or GaussianSynthesizer()
        self.scenes = 0

    identity = property(lambda self: self.inner.identity)
    sham_is_identity = property(lambda self: self.inner.sham_is_identity)

    def synthesize(self, scenes, backgrounds):
        self.scenes += len(scenes)
        return self.inner.synthesize(scenes, backgrounds)


class Bright:
    """Reports the brightest place; crashes on request."""

    def __init__(self, crash_at=None, name="bright"):
        self.identity = Identity(name, "1")
        self.images = 0
        self.crash_at = crash_at

    def detect(self, radiographs):
        found = []
        for radiograph in radiographs:
            self.images += 1
            if self.crash_at is not None and self.images >= self.crash_at:
                raise RuntimeError("out of order")
            row, column = np.unravel_index(int(radiograph.pixels.argmax()), radiograph.shape)
            box = (float(column) - 3, float(row) - 3, float(column) + 4, float(row) + 4)
            found.append([Finding(box, float(radiograph.pixels.max()))])
        return found
