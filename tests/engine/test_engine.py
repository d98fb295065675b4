"""The engine makes each radiograph once, infers it once, and loses nothing."""

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace

import numpy as np
import pytest

from synnodtest.engine import Engine, Outcome, Unplaced
from synnodtest.errors import SynthesizerError
from synnodtest.planning.draw import own_recipes, untouched_recipes
from synnodtest.spec.model import ArmSpec, Behaviour, Location, NoduleSpec, PerturbationSpec, Scenes
from synnodtest.spec.values import Constant, Sweep, Uniform
from synnodtest.store import Store
from synnodtest.synthesizers.gaussian import GaussianSynthesizer
from tests.engine.parts import Bright, Counting, Squares

SIZES = Sweep((6.0, 10.0, 16.0))


def behaviour(**changes):
    nodule = NoduleSpec("nodule", SIZES, hold=frozenset({"location", "seed"}))
    scenes = Scenes("squares", 3, nodules=(nodule,))
    return Behaviour("b", "s", scenes=replace(scenes, **changes))


def run(tmp_path, recipes, *, squares=None, synthesizer=None, detector=None, batch=32, controls=()):
    engine = Engine(
        squares or Squares(),
        synthesizer or Counting(),
        detector or Bright(),
        Store(tmp_path),
        batch=batch,
        controls=controls,
    )
    return list(engine.run(recipes)), engine


def recipes_of(b, squares=None, seed=0):
    return list(own_recipes(b, (squares or Squares()).backgrounds, seed))


def test_a_second_run_synthesizes_infers_and_reads_nothing(tmp_path):
    first, _ = run(tmp_path, recipes_of(behaviour()))
    squares, synthesizer, detector = Squares(), Counting(), Bright()
    second, engine = run(tmp_path, recipes_of(behaviour()), squares=squares, synthesizer=synthesizer, detector=detector)
    assert (squares.loaded, synthesizer.scenes, detector.images) == (0, 0, 0)
    assert engine.tally.from_cache == len(second) == 9
    assert [o.snapshot.sha256 for o in first] == [o.snapshot.sha256 for o in second]
    assert [o.sightings for o in first] == [o.sightings for o in second]


@pytest.mark.parametrize(
    "spec", [PerturbationSpec("flip", Constant("horizontal")), PerturbationSpec("noise", Constant(0.02))]
)
def test_the_untouched_picture_of_a_scene_differs_from_it_where_something_was_planted_alone(tmp_path, spec):
    squares = Squares()
    made, engine = run(tmp_path, recipes_of(behaviour(perturbations=(spec,)), squares), squares=squares)
    for outcome in made:
        background = next(b for b in squares.backgrounds if b.id == outcome.scene.background)
        scene = engine.radiograph(outcome.scene, background)
        changed = np.abs(scene.pixels - engine.untouched(outcome.scene, background).pixels) > 1e-3
        rows, columns = np.nonzero(changed)
        (nodule,) = scene.nodules
        x_min, y_min, x_max, y_max = nodule.box
        assert changed.any()
        assert x_min - 4 <= columns.min() <= columns.max() <= x_max + 4
        assert y_min - 4 <= rows.min() <= rows.max() <= y_max + 4


def test_batch_size_changes_no_outcome(tmp_path):
    one, _ = run(tmp_path / "a", recipes_of(behaviour()), batch=1)
    many, _ = run(tmp_path / "b", recipes_of(behaviour()), batch=64)
    assert [o.snapshot.encode() for o in one] == [o.snapshot.encode() for o in many]


class Hashing(Bright):
    """Notes the content of what it is shown."""

    def __init__(self):
        super().__init__()
        self.shown = []

    def detect(self, radiographs):
        self.shown += [radiograph.content_sha256() for radiograph in radiographs]
        return super().detect(radiographs)


def test_the_sha256_in_an_outcome_is_that_of_what_the_detector_saw(tmp_path):
    plain = recipes_of(behaviour())
    both = [*plain, *(replace(recipe, perturbations=(PerturbationSpec("contrast", 0.9),)) for recipe in plain)]
    for stored in (False, True):
        for kind in ("snapshots", "findings") if stored else ():
            shutil.rmtree(tmp_path / "v1" / kind)
        seen = Hashing()
        outcomes, _ = run(tmp_path, both, detector=seen)
        assert sorted({o.snapshot.sha256 for o in outcomes}) == sorted(set(seen.shown))


def test_another_detector_costs_no_synthesis(tmp_path):
    run(tmp_path, recipes_of(behaviour()))
    synthesizer, detector = Counting(), Bright(name="other")
    run(tmp_path, recipes_of(behaviour()), synthesizer=synthesizer, detector=detector)
    assert (synthesizer.scenes, detector.images) == (0, 9)


def test_equal_scenes_of_one_call_are_made_once(tmp_path):
    synthesizer, detector = Counting(), Bright()
    twice = recipes_of(behaviour()) + recipes_of(behaviour())
    outcomes, _ = run(tmp_path, twice, synthesizer=synthesizer, detector=detector)
    assert (len(outcomes), synthesizer.scenes, detector.images) == (18, 9, 9)


def test_arms_share_background_place_and_index_nodule_bit_for_bit(tmp_path):
    nodules = (
        NoduleSpec("index", Uniform(8, 14), Location()),
        NoduleSpec("companion", Constant(12.0), Location(min_distance_mm=40)),
    )
    arms = {"single": ArmSpec(("index",)), "double": ArmSpec(("index", "companion"))}
    outcomes, engine = run(tmp_path, recipes_of(behaviour(nodules=nodules, arms=arms)))
    for single, double in zip(outcomes[::2], outcomes[1::2], strict=True):
        assert single.scene.nodules[0] == double.scene.nodules[0]
        one = engine.radiograph(single.scene, single.background)
        two = engine.radiograph(double.scene, double.background)
        mask = one.nodules[0].mask(one.shape)
        assert np.array_equal(one.pixels[mask], two.pixels[mask])
        x, y = double.scene.nodules[1].centre_mm
        assert np.hypot(x - single.scene.nodules[0].centre_mm[0], y - single.scene.nodules[0].centre_mm[1]) >= 40


def test_a_stored_radiograph_is_shown_with_what_is_told_of_its_film_now(tmp_path):
    """A manifest was corrected since, or the film lies in another set, too: its pixels are the same."""

    class Told(Squares):
        view = "PA"

        def load(self, background):
            return replace(super().load(background), strata={"view": self.view}, patient=f"{self.view}-1")

    class Listening(Bright):
        def detect(self, radiographs):
            shown.extend((one.strata, one.patient, one.background) for one in radiographs)
            return super().detect(radiographs)

    shown, squares = [], Told()
    run(tmp_path, recipes_of(behaviour()), squares=squares)
    squares.view = "AP"
    outcomes, _ = run(tmp_path, recipes_of(behaviour()), squares=squares, detector=Listening(name="another"))
    assert shown == [({"view": "AP"}, "AP-1", outcome.scene.background) for outcome in outcomes]


@pytest.mark.parametrize("only_reads_pixels", [False, True])
def test_findings_of_a_film_of_which_the_manifest_says_something_else_since_are_asked_for_again(
    tmp_path, only_reads_pixels
):
    """Where the detector may read it: as shown now, not as it was when they were stored."""

    class Told(Squares):
        def load(self, background):
            return replace(super().load(background), strata=background.strata)

    class OnPA(Bright):
        def detect(self, radiographs):
            found = super().detect(radiographs)
            return [f if r.strata["view"] == "PA" else [] for f, r in zip(found, radiographs, strict=True)]

    counts = []
    for view in ("PA", "AP", "PA"):
        squares, detector = Told(), OnPA()
        squares.backgrounds = tuple(replace(one, strata={"view": view}) for one in squares.backgrounds)
        detector.only_reads_pixels = only_reads_pixels
        outcomes, _ = run(tmp_path, recipes_of(behaviour(), squares), squares=squares, detector=detector)
        counts.append((detector.images, sum(bool(outcome.sightings) for outcome in outcomes)))
    assert counts == [(9, 9), (0, 9) if only_reads_pixels else (9, 0), (0, 9)]


def test_held_places_are_equal_along_the_sweep_and_free_ones_differ(tmp_path):
    held, _ = run(tmp_path, recipes_of(behaviour()))
    places = {o.scene.nodules[0].centre_mm for o in held if o.scene.background == "square-0"}
    assert len(places) == 1
    free, _ = run(tmp_path, recipes_of(behaviour(nodules=(NoduleSpec("nodule", SIZES),))))
    assert len({o.scene.nodules[0].centre_mm for o in free if o.scene.background == "square-0"}) == 3


def test_a_missing_region_is_told_per_recipe(tmp_path):
    b = behaviour(nodules=(NoduleSpec("nodule", SIZES, Location(region="air_leak")),))
    outcomes, engine = run(tmp_path, recipes_of(b))
    assert all(isinstance(o, Unplaced) and o.missing_region == "air_leak" for o in outcomes)
    assert engine.tally.inferred == 0


def test_a_distance_that_no_place_satisfies_is_told(tmp_path):
    nodules = (NoduleSpec("a", Constant(8.0)), NoduleSpec("b", Constant(8.0), Location(min_distance_mm=300)))
    outcomes, _ = run(tmp_path, recipes_of(behaviour(nodules=nodules)))
    assert all(isinstance(o, Unplaced) and "'b'" in o.reason for o in outcomes)


def test_a_crash_keeps_what_was_finished(tmp_path):
    with pytest.raises(RuntimeError, match="out of order"):
        run(tmp_path, recipes_of(behaviour()), detector=Bright(crash_at=9), batch=2)
    synthesizer, detector = Counting(), Bright()
    outcomes, _ = run(tmp_path, recipes_of(behaviour()), synthesizer=synthesizer, detector=detector)
    assert len(outcomes) == 9
    assert detector.images == 1
    assert synthesizer.scenes == 0


def smaller(scene, above_mm=0.0):
    sizes = [n.diameter_mm / (1 + (n.diameter_mm > above_mm)) for n in scene.nodules]
    return replace(scene, nodules=tuple(replace(n, diameter_mm=d) for n, d in zip(scene.nodules, sizes, strict=True)))


def test_a_scene_that_misses_what_was_asked_for_is_rejected_before_any_detector_sees_it(tmp_path):
    class Small(Counting):
        def synthesize(self, scenes, backgrounds):
            return super().synthesize([smaller(scene) for scene in scenes], backgrounds)

    detector = Bright()
    outcomes, _ = run(tmp_path, recipes_of(behaviour()), synthesizer=Small(), detector=detector)
    assert all("realised diameter" in o.snapshot.rejected for o in outcomes if isinstance(o, Outcome))
    assert detector.images == 0


def test_why_a_scene_is_rejected_is_the_same_just_made_and_read_from_the_store(tmp_path):
    class SomeSmall(Counting):
        def synthesize(self, scenes, backgrounds):
            return super().synthesize([smaller(scene, above_mm=12) for scene in scenes], backgrounds)

    first, _ = run(tmp_path, recipes_of(behaviour()), synthesizer=SomeSmall())
    shutil.rmtree(tmp_path / "v1" / "snapshots")
    again, engine = run(tmp_path, recipes_of(behaviour()), synthesizer=SomeSmall())
    assert engine.tally.synthesized == 0
    assert [o.snapshot.rejected for o in again] == [o.snapshot.rejected for o in first]
    assert {bool(o.snapshot.rejected) for o in first} == {True, False}


def test_a_synthesizer_may_use_its_arrays_again_unless_it_says_that_it_gives_them_away(tmp_path):
    class Reusing(Counting):
        made = ()

        def synthesize(self, scenes, backgrounds):
            for radiograph in self.made:
                radiograph.pixels[:] = 0
            self.made = super().synthesize(scenes, backgrounds)
            return self.made

    class Slow(Bright):
        def detect(self, radiographs):
            time.sleep(0.05)  # the next batch is made meanwhile
            self.seen = [*getattr(self, "seen", []), *(one.content_sha256() for one in radiographs)]
            return super().detect(radiographs)

    detector = Slow()
    outcomes, _ = run(tmp_path, recipes_of(behaviour()), synthesizer=Reusing(), detector=detector, batch=3)
    assert sorted(detector.seen) == sorted(o.snapshot.sha256 for o in outcomes)


def test_a_synthesizer_that_touches_far_pixels_is_rejected(tmp_path):
    class Careless(Counting):
        def synthesize(self, scenes, backgrounds):
            made = super().synthesize(scenes, backgrounds)
            for radiograph in made:
                radiograph.pixels[[0, 0, -1, -1], [0, -1, 0, -1]] += 0.1
            return made

    outcomes, _ = run(tmp_path, recipes_of(behaviour()), synthesizer=Careless())
    assert {o.snapshot.rejected for o in outcomes} == {"pixels changed far from the nodules"}


def test_untouched_backgrounds_need_no_synthesizer(tmp_path):
    synthesizer = Counting()
    outcomes, _ = run(tmp_path, untouched_recipes(behaviour(), Squares().backgrounds), synthesizer=synthesizer)
    assert synthesizer.scenes == 0
    assert [o.snapshot.nodules for o in outcomes] == [()] * 3


KILLED = """
    import sys, time
    from synnodtest.engine import Engine
    from synnodtest.store import Store
    from tests.engine.parts import Bright, Counting, Squares
    from tests.engine.test_engine import behaviour, recipes_of

    class Slow(Bright):
        def detect(self, radiographs):
            time.sleep(0.05)
            return super().detect(radiographs)

    squares = Squares(12)
    b = behaviour(count=12)
    for outcome in Engine(squares, Counting(), Slow(), Store(sys.argv[1]), batch=1).run(recipes_of(b, squares)):
        print("done", flush=True)
"""


def test_a_run_killed_at_any_point_resumes_without_redoing_finished_work(tmp_path):
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    for _ in range(12):
        assert child.stdout.readline() == "done\n"
    time.sleep(0.03)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    squares, detector = Squares(12), Bright()
    outcomes, _ = run(tmp_path, recipes_of(behaviour(count=12), squares), squares=squares, detector=detector)
    assert len(outcomes) == 36
    assert detector.images <= 36 - 12


class Forgetful(GaussianSynthesizer):
    """Plants nodules and forgets one."""

    def synthesize(self, scenes, backgrounds):
        return [replace(made, nodules=made.nodules[1:]) for made in super().synthesize(scenes, backgrounds)]


def test_a_nodule_whose_truth_vanishes_is_a_fault_of_the_synthesizer(tmp_path):
    with pytest.raises(SynthesizerError, match=r"returned the truth of \[\] where \['nodule'\] was asked for"):
        run(tmp_path, recipes_of(behaviour()), synthesizer=Forgetful())
