"""Detectors with planted holes, on small square backgrounds whose truth they may look at."""

from functools import cache, lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np
from scipy.ndimage import distance_transform_edt

from synnodtest import Finding, Identity, Radiograph, Truth
from synnodtest.attenuation import Display, resolved_scene
from synnodtest.canonical import sha256_of
from synnodtest.detectors.guard import Guard
from synnodtest.engine.campaign import Campaign
from synnodtest.engine.judgement import Providers
from synnodtest.evidence.ruling import Status
from synnodtest.fuzzing import fuzz
from synnodtest.geometry import disc_window, equal_area_diameter_mm
from synnodtest.planning.variants import variants
from synnodtest.ports import Background
from synnodtest.spec import load_spec
from synnodtest.store import Store

SIZE = 112
LUNG = slice(16, 96)


class Lungs:
    """Backgrounds of 112 x 112 pixels of 1 mm: one square lung, or two beside each other."""

    name = "squares"
    identity = Identity("squares", "1")

    def __init__(self, count, parts=1):
        self.backgrounds = tuple(
            Background(f"square-{i:03d}", strata={"view": "PA" if i % 2 else "AP"}, content=f"{i:064x}")
            for i in range(count)
        )
        mask = np.zeros((SIZE, SIZE), dtype=bool)
        mask[LUNG, LUNG] = True
        if parts == 2:
            mask[:, 52:60] = False
        self.mask = mask

    def load(self, background):
        return _square(background.id, int(background.content, 16), self.mask.tobytes())


@lru_cache(maxsize=256)
def _square(name, seed, mask):
    """Make each background once: a search reads it again and again, and most searches read the same."""
    pixels = (0.3 + 0.02 * np.random.default_rng(seed).standard_normal((SIZE, SIZE))).astype(np.float32)
    lung = np.frombuffer(mask, bool).reshape(SIZE, SIZE)
    return Radiograph(pixels, (1.0, 1.0), {"lung": lung}, background=name)


class Discs:
    """Plants even discs of the contrast asked for: a search plants hundreds, and its detector looks at their truth."""

    identity = Identity("discs", "1")
    sham_is_identity = True
    gives_pixels_away = True

    def synthesize(self, scenes, backgrounds):
        return [self._planted(*pair) if pair[0].nodules else pair[1] for pair in zip(scenes, backgrounds, strict=True)]

    def _planted(self, scene, background):
        scene, unit = resolved_scene(scene, background), Display.of(background).unit
        pixels, spacing, truths = background.pixels.copy(), background.spacing_mm, []
        for nodule in scene.nodules:
            truths.append(self._plant(pixels, nodule, scene, spacing, unit))
        return background.with_pixels(pixels, background.nodules + tuple(truths))

    def _plant(self, pixels, nodule, scene, spacing, unit):
        cut, disc = disc_window(pixels.shape, nodule.centre_mm, nodule.diameter_mm, spacing)
        if not scene.sham:
            pixels[cut][disc] += nodule.contrast * unit
        diameter, origin = equal_area_diameter_mm(float(disc.sum()), spacing), tuple(c.start for c in cut)
        return Truth(nodule.name, disc, origin, diameter, nodule.contrast, nodule.request())


class Holed:
    """Finds every planted nodule but those that ``misses(truth, radiograph)``; ``fires(radiograph)`` adds a mark."""

    def __init__(self, misses=None, fires=None, crashes=None, name="holed"):
        self.identity = Identity(name, "1")
        self.misses = misses or (lambda truth, radiograph: False)
        self.fires = fires or (lambda radiograph: False)
        self.crashes = crashes or (lambda truth, radiograph: False)
        self.images = 0

    def detect(self, radiographs):
        return [self._one(radiograph) for radiograph in radiographs]

    def _one(self, radiograph):
        self.images += 1
        found = []
        for truth in radiograph.nodules:
            if self.crashes(truth, radiograph):
                raise ValueError("index out of range")
            if not self.misses(truth, radiograph):
                found.append(Finding(truth.box, 0.9))
        return found + ([Finding((1.0, 1.0, 9.0, 9.0), 0.8)] if self.fires(radiograph) else [])


def centre(truth):
    x_min, y_min, x_max, y_max = truth.box
    return (x_min + x_max) / 2, (y_min + y_max) / 2


def depth_mm(truth, radiograph):
    """Distance of a nodule's centre from the lung's border."""
    x, y = centre(truth)
    lung = radiograph.regions["lung"]
    return float(_depths(lung.tobytes(), lung.shape)[int(y), int(x)])


@cache
def _depths(lung, shape):
    """Distance of every pixel of a mask, given as bytes, from its border: the same lung for all scenes of a search."""
    return distance_transform_edt(np.pad(np.frombuffer(lung, bool).reshape(shape), 1))[1:-1, 1:-1]


def asked(truth, name):
    return float(truth.requested[name])


def roughness(radiograph):
    """How much finer structure a radiograph has than its 8 x 8 blocks; JPEG takes it away."""
    return float(np.abs(np.diff(radiograph.pixels, axis=1)).mean())


def noisy(rate, seed=0):
    """A detector without a hole that finds this share of nodules, by the content of the radiograph and ``seed``."""

    def misses(truth, radiograph):
        return int(sha256_of([seed, radiograph.content_sha256(), truth.name])[:8], 16) / 16**8 >= rate

    return misses


class Held(Store):
    """A store whose entries are held in memory for one test: a search writes thousands, and few tests ask for files.

    Stores of the same folder hold the same entries.
    """

    ENTRIES: ClassVar[dict[Path, dict[tuple[str, str], bytes]]] = {}

    def __init__(self, root):
        super().__init__(root)
        self.held = self.ENTRIES.setdefault(self.root, {})

    def get(self, kind, key):
        return self.held.get((kind, key))

    def has(self, kind, key):
        return (kind, key) in self.held

    def put(self, kind, key, data):
        return self.held.setdefault((kind, key), data)


SPEC = """\
synnodtest: 1
behaviours:
  - id: found
    statement: Every nodule is found.
    fuzz:
      vary: {vary}
      examples: {examples}
      replicates: {replicates}
      backgrounds: {{set: squares, count: 6}}
{more}
    expect:
      - {expect}
"""


def hunt(
    folder: Path,
    detector,
    *,
    vary="{diameter_mm: [10, 30], contrast: [0.2, 1.0], location: {region: lung}}",
    expect="detected: {rate_at_least: 0.8}",
    examples=60,
    replicates=2,
    more="",
    parts=1,
    seed=0,
    store="store",
    keep=Held,
    synthesizers=None,
    guarded=True,
    timeout_s=30.0,
    run=fuzz,
):
    """Run one search, whose store is of the class ``keep``; return what it gathered."""
    path = folder / "fuzz.yaml"
    more = "\n".join("      " + line for line in more.splitlines())
    path.write_text(SPEC.format(vary=vary, expect=expect, examples=examples, replicates=replicates, more=more))
    behaviour = load_spec(path).behaviours[0]
    providers = Providers(
        detector=Guard(detector, timeout_s) if guarded else detector,
        synthesizer=(synthesizers or {"gaussian": Discs()}).__getitem__,
        backgrounds=lambda name, count: Lungs(count, parts),
        default_synthesizer="gaussian",
    )
    campaign = Campaign(providers, keep(folder / store), seed=seed)
    (variant,) = variants(behaviour, behaviour.expectations[0])
    return run(campaign, behaviour, variant)


def ruling(gathered):
    (only,) = gathered.rulings.values()
    return only


def confirmed(gathered):
    """Return the example that a search confirmed and what matters in it."""
    verdict = ruling(gathered)
    assert verdict.status is Status.FAILED, verdict.sentence
    assert verdict.sentence.startswith("FAILED counterexample confirmed")
    assert gathered.entry["counterexamples"][0]["says"] == "confirmed"
    assert sum(gathered.entry["tried"].values()) <= 200
    assert len(gathered.entry["trials"]) >= 60
    return gathered.entry["example"], gathered.entry["counterexamples"][0]["matters"].split(", ")
