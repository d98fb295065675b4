"""A warm store: it never gives a stale answer, and where all is in it a run asks its parts for their identity alone."""

import shutil
import subprocess
import sys
from dataclasses import replace
from functools import partial

import pytest

from synnodtest.identity import Identity
from synnodtest.spec.model import ArmSpec, NoduleSpec, PerturbationSpec
from synnodtest.spec.values import Constant, Sweep
from synnodtest.synthesizers.gaussian import GaussianSynthesizer
from tests.engine.parts import Bright, Counting, Squares
from tests.engine.test_engine import SIZES, behaviour, recipes_of, run
from tests.extras import needs

CODE = """
import sys
from synnodtest.detectors import resolve_detector
from synnodtest.synthesizers import resolve_synthesizer

synthesizer, detector = resolve_synthesizer("diffusion"), resolve_detector("demo")
assert len(synthesizer.identity.sha256) == len(detector.identity.sha256) == 64
synthesizer.sham_is_identity
print([m for m in ("torch", "diffusers", "transformers", "ultralytics", "torchvision") if m in sys.modules])
"""


def test_the_identity_of_the_shipped_models_loads_no_model_and_no_torch():
    needs("diffusers", "ultralytics")
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


class Told(Bright):
    """Its scores hang on all of its identity."""

    def __init__(self, **identity):
        super().__init__()
        self.identity = Identity(**{"name": "told", "version": "1", **identity})

    def detect(self, radiographs):
        score = int(self.identity.key()[:8], 16) / 2**32
        return [[replace(f, score=score) for f in found] for found in super().detect(radiographs)]


class Drawn(Counting):
    """The blur of its nodules hangs on all of its identity."""

    def __init__(self, **identity):
        told = Identity(**{"name": "drawn", "version": "1", **identity})
        super().__init__(GaussianSynthesizer(edge=0.1 + 0.4 * int(told.key()[:8], 16) / 2**32))
        self._identity = told

    identity = property(lambda self: self._identity)


class Edited(Squares):
    """Squares whose files were edited: same names, same shapes, another content."""

    def __init__(self, edit):
        super().__init__()
        self.edit = edit
        self.backgrounds = tuple(replace(b, content=f"edited {b.content}") for b in self.backgrounds)

    def load(self, background):
        plain = Squares().backgrounds[int(background.id[-1])]
        return self.edit(super().load(plain))


def brighter(radiograph):
    pixels = radiograph.pixels.copy()
    pixels[5, 5] = 0.9
    return radiograph.with_pixels(pixels)


def smaller(radiograph):
    lung = radiograph.regions["lung"].copy()
    lung[:, :60] = False
    return replace(radiograph, regions={"lung": lung})


def told_of(outcomes):
    """All that is known of outcomes, as plain values."""
    return [
        (o.scene.key(), o.levels, o.snapshot.encode(), [(s.finding, s.regions) for s in o.sightings]) for o in outcomes
    ]


def noisy(**scenes):
    return behaviour(perturbations=(PerturbationSpec("noise", Constant(0.01)),), **scenes)


ANEW = {"version": "2", "sha256": "f" * 64, "configuration": {"gain": 2}}
GROWN = NoduleSpec("nodule", Constant(20.0), doubling_days=Constant(100.0), interval_days=Constant(90.0))
MORE_NOISE, BLUR = PerturbationSpec("noise", Constant(0.02)), PerturbationSpec("blur", Constant(0.01))
TURNED = ArmSpec(("nodule",), (PerturbationSpec("flip", Constant("horizontal")),))
NOISY = noisy()
CHANGES = {
    **{f"detector {name}": {"detector": partial(Told, **{name: value})} for name, value in ANEW.items()},
    **{f"synthesizer {name}": {"synthesizer": partial(Drawn, **{name: value})} for name, value in ANEW.items()},
    "pixels": {"squares": partial(Edited, brighter)},
    "spacing": {"squares": partial(Edited, lambda radiograph: replace(radiograph, spacing_mm=(0.9, 0.9)))},
    "mask": {"squares": partial(Edited, smaller)},
    "seed": {"seed": 1},
    "value of a perturbation": {"asked": behaviour(perturbations=(MORE_NOISE,))},
    "kind of a perturbation": {"asked": behaviour(perturbations=(BLUR,))},
    "a further perturbation": {"asked": noisy(arms={"turned": TURNED})},
    "size": {"asked": noisy(nodules=(NoduleSpec("nodule", Sweep((6.0, 10.0, 17.0))),))},
    "margin": {"asked": noisy(nodules=(NoduleSpec("nodule", SIZES, margin=Constant("spiculated")),))},
    "a prior": {"asked": noisy(nodules=(GROWN,))},
    "another prior": {"asked": noisy(nodules=(replace(GROWN, interval_days=Constant(180.0)),))},
    "a region that is tested": {"controls": ("lung",)},
}


def outcomes_in(folder, detector=Told, synthesizer=Drawn, squares=Squares, seed=0, asked=NOISY, controls=()):
    """What a run tells with this store, and how many scenes it took from there."""
    there = squares()
    parts = {"squares": there, "synthesizer": synthesizer(), "detector": detector(), "controls": controls}
    made, engine = run(folder, recipes_of(asked, there, seed), **parts)
    return told_of(made), engine.tally.from_cache


@pytest.fixture(scope="module")
def warm(tmp_path_factory):
    """A store in which a run and one of nodules that grow were made, and what the first tells."""
    folder = tmp_path_factory.mktemp("warm")
    before, _ = outcomes_in(folder)
    outcomes_in(folder, asked=noisy(nodules=(GROWN,)))
    return folder, before


@pytest.mark.parametrize("changed", CHANGES)
def test_whatever_changes_a_warm_store_answers_as_an_empty_one(tmp_path, warm, changed):
    made, before = warm
    shutil.copytree(made, tmp_path / "warm")
    after, _ = outcomes_in(tmp_path / "warm", **CHANGES[changed])
    assert (after, 0) == outcomes_in(tmp_path / "empty", **CHANGES[changed])
    assert after != before
    assert outcomes_in(tmp_path / "warm") == (before, 9)


@pytest.mark.parametrize("kept", [0.0, 0.5, 0.99])
def test_a_store_of_which_every_entry_is_cut_short_answers_as_an_empty_one(tmp_path, kept):
    before = outcomes_in(tmp_path)
    entries = [path for path in (tmp_path / "v1").rglob("*") if path.is_file()]
    for path in entries:
        path.write_bytes(path.read_bytes()[: int(kept * path.stat().st_size)])
    assert before[1] == 0 < len(entries)
    assert outcomes_in(tmp_path) == before
