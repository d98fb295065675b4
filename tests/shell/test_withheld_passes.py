"""A pass that a silent detector earns is withheld, whatever the order of items; one of a quiet detector is not."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from synnodtest import backgrounds
from synnodtest.backgrounds import FolderSet
from synnodtest.backgrounds.estimated_regions import REGIONS
from synnodtest.decoding import encode
from synnodtest.detectors import preflight
from synnodtest.detectors.pairs import ask
from synnodtest.errors import DetectorError, InvalidEvidence
from synnodtest.evidence.chance import BARE
from synnodtest.evidence.silence import SILENCE
from synnodtest.finding import Finding
from synnodtest.identity import Identity
from synnodtest.planning.cases import Case
from synnodtest.planning.variants import variants
from synnodtest.ports import Background
from synnodtest.radiograph import Radiograph
from synnodtest.record.model import Record
from synnodtest.report.context import Context
from synnodtest.report.sections.verdict import _notices
from synnodtest.scene import Perturbation, Scene
from synnodtest.shell import reacts_to_edit, shown_again
from synnodtest.shell.reacts_to_edit import _hit, _reacted
from synnodtest.shell.run import Run
from synnodtest.shell.settings import Settings
from synnodtest.spec.loader import load_spec
from tests.expectations.evidence import trial
from tests.record import parts

pytestmark = pytest.mark.usefixtures("not_looked_at")
HEAD = """
synnodtest: 1
title: Quiet
defaults: {operating_point: 0.5, matching: {criterion: centre-in-nodule, tolerance_mm: 20}}
behaviours:
  - id: any
    statement: s
    gate: performance
    scenes:
      backgrounds: {set: normal, count: 8}
      nodules: [{diameter_mm: 20, contrast: 0.6, location: {region: lung}}]
      arms: {plain: {}, dimmed: {perturbations: {brightness: -0.02}}}
    expect:
"""
QUIET = {
    "specificity": "specificity: {at_least: 0.3, arm: plain}",
    "false_positives": "false_positives_per_image: {at_most: 1.0, arm: plain}",
}
DETECTORS = """
import os
import zlib
import numpy as np
from synnodtest import Finding
def silent():
    return lambda radiographs: [[] for _ in radiographs]
def faint():
    return lambda radiographs: [[Finding((1.0, 1.0, 9.0, 9.0), 0.1)] for _ in radiographs]
def rare():
    return lambda rs: [[Finding((1.0, 1.0, 9.0, 9.0), 0.9)] * (int(r.pixels.sum() * 1e6) % 97 == 0) for r in rs]
def dense():
    grid = [(8.0 * x, 8.0 * y) for x in range(17) for y in range(19)]
    return lambda radiographs: [[Finding((x, y, x + 8.0, y + 8.0), 0.9) for x, y in grid] for _ in radiographs]
def one_lung():
    return lambda rs: [[f for f in found if f.box[2] <= 72] for found in dense()(rs)]
def sight_in_one_lung():
    return lambda rs: [[f for f in found if f.box[2] <= 72] for found in truthful()(rs)]
def sight_beside_one_lung():
    return lambda rs: [a + [f for f in b if f.box[2] > 72] for a, b in zip(one_lung()(rs), truthful()(rs))]
def corner():
    return lambda rs: [[Finding((1.0, 1.0, 9.0, 9.0), 0.9)] for _ in rs]
def stuck():
    return lambda rs: [[Finding((28.0, 76.0, 36.0, 84.0), 0.9)] for _ in rs]
def one_lung_of_the_ill():
    return lambda rs: [found if r.nodules else [] for r, found in zip(rs, one_lung()(rs))]
def blind_at_one_place():
    def seen(found):
        return [f for f in found if abs(f.box[0] + f.box[2] - 64) > 8 or abs(f.box[1] + f.box[3] - 160) > 8]
    return lambda rs: [seen(found) for found in truthful()(rs)]
def sees_devices_alone():
    return lambda rs: [[Finding(tuple(map(float, n.box)), 0.9) for n in r.mimics or r.nodules] for r in rs]
def marks_the_ill_by_their_devices():
    return lambda rs: [[Finding((1.0, 1.0, 9.0, 9.0), 0.9)] if r.mimics else [] for r in rs]
def quiet_and_doubtful():
    return lambda rs: [found + [Finding((1.0, 1.0, 9.0, 9.0), 0.1)] for found in quiet()(rs)]
def lucky(probes=1):
    hits = [(16.0, 0.4), (22.0, 0.7)][:probes]
    def sees(nodule):
        return (nodule.requested.get("diameter_mm"), nodule.requested.get("contrast")) in hits
    return lambda rs: [[Finding(tuple(map(float, n.box)), 0.9) for n in r.nodules if sees(n)] for r in rs]
def lucky_twice():
    return lucky(2)
def dead_beside_devices():
    return lambda rs: [[] if r.mimics else found for r, found in zip(rs, truthful()(rs))]
def dead_beside_priors():
    class Comparing:
        def detect(self, radiographs):
            return truthful()(radiographs)
        def detect_pairs(self, radiographs, priors):
            return [[] if prior else found for found, prior in zip(truthful()(radiographs), priors)]
    return Comparing()
def grid():
    spots = [(36.0 * x, 36.0 * y) for x in range(4) for y in range(5)]
    return lambda radiographs: [[Finding((x, y, x + 8.0, y + 8.0), 0.9) for x, y in spots] for _ in radiographs]
def murmur():
    def marks(r):
        rng = np.random.default_rng(int(r.pixels.sum() * 1e6) % 2**32)
        at, scores = rng.uniform((8, 8), (136, 152), (100, 2)), rng.uniform(0, 0.3, 100)
        return [Finding((x - 4, y - 4, x + 4, y + 4), float(score)) for (x, y), score in zip(at, scores)]
    return lambda radiographs: [marks(r) for r in radiographs]
def murmur_beside_sight():
    return lambda rs: [
        [Finding(f.box, f.score / 10) for f in noise] + [Finding(n.box, 0.2 + n.diameter_mm / 150) for n in r.nodules]
        for r, noise in zip(rs, murmur()(rs))
    ]
def dead_in_the_dark():
    return lambda rs: [found if r.pixels[0].mean() > 0.59 else [] for r, found in zip(rs, quiet()(rs))]
def dead_on_portables():
    return lambda rs: [[] if r.strata["view"] == "AP" else found for r, found in zip(rs, quiet()(rs))]
def alarmed():
    return lambda rs: [found if r.nodules else [] for r, found in zip(rs, dense()(rs))]
def loud_in_the_dark():
    def marks(r, found, all_over):
        return all_over if r.pixels[0].mean() < 0.59 else [f for f in found if f.box[1] > 55]
    return lambda rs: [marks(*three) for three in zip(rs, truthful()(rs), dense()(rs))]
def one_lung_in_the_dark():
    def marks(r, seen, one):
        return one if r.pixels[0].mean() < 0.59 else seen
    return lambda rs: [marks(*three) for three in zip(rs, truthful()(rs), one_lung()(rs))]
def with_prior():
    class Comparing:
        def detect(self, radiographs):
            return [[] for _ in radiographs]
        def detect_pairs(self, radiographs, priors):
            return [marks if prior else [] for marks, prior in zip(dense()(radiographs), priors)]
    return Comparing()
def both_sides(of_seven=7, score=0.3):
    inner = quiet()
    def detect(radiographs):
        found = []
        for r, own in zip(radiographs, inner(radiographs)):
            width = r.shape[1]
            noise = [Finding((width - f.box[2], f.box[1], width - f.box[0], f.box[3]), score) for f in own]
            found.append(own + [f for f in noise if int(f.box[1]) % 7 < of_seven])
        return found
    return detect
def a_little_noise():
    return both_sides(of_seven=3, score=0.9)
def by_grey_values():
    def one(r):
        steps = r.pixels.astype(float) * 65535
        rows, columns = np.nonzero(np.abs(steps - np.rint(steps)) > 0.02)
        if not 8 < rows.size < 4000:
            return []
        return [Finding((float(columns.min()), float(rows.min()), columns.max() + 1.0, rows.max() + 1.0), 0.9)]
    return lambda rs: [one(r) for r in rs]
def by_grey_values_in_the_corner():
    return lambda rs: [[Finding((1.0, 1.0, 9.0, 9.0), 0.9 if found else 0.1)] for found in by_grey_values()(rs)]
def by_grey_values_beside_sight(loud=0.9, always=0.0, sight=0.2):
    def marks(seen, edited):
        corner = Finding((1.0, 1.0, 9.0, 9.0), loud if edited else always)
        return [Finding(f.box, sight) for f in seen] + [corner] * (corner.score > 0)
    return lambda rs: [marks(*two) for two in zip(quiet()(rs), by_grey_values()(rs))]
def by_grey_values_beside_sight_and_noise():
    return by_grey_values_beside_sight(always=0.5)
def sees_beside_noise():
    return by_grey_values_beside_sight(loud=0.5, always=0.5, sight=0.9)
def sees_in_the_corner():
    return lambda rs: [[Finding((1.0, 1.0, 9.0, 9.0), 0.9 if found else 0.1)] for found in quiet()(rs)]
def by_heart():
    from pathlib import Path
    from PIL import Image
    paths = [p for p in (Path(__file__).parent / "normal").glob("b*.png") if p.name.count(".") == 1]
    films = [np.asarray(Image.open(path), dtype=float) / 65535 for path in paths]
    def one(r):
        apart = min((np.abs(r.pixels - film) for film in films), key=np.median)
        rows, columns = np.nonzero(apart > 1e-5)
        if not 0 < len(rows) < 4000:
            return []
        return [Finding((float(columns.min()), float(rows.min()), columns.max() + 1.0, rows.max() + 1.0), 0.9)]
    return lambda rs: [one(r) for r in rs]
def breaks_down():
    seen = []
    def detect(rs):
        seen.extend(rs)
        return truthful()(rs) if len(seen) <= 23 else [[] for _ in rs]
    return detect
def breaks_down_unasked():
    return breaks_down()
def settled():
    class Declared:
        identity = {"name": "settled", "sha256": "cd" * 32}
        def detect(self, rs):
            return truthful()(rs)
    return Declared()
def unsettled():
    return truthful()
THREE = [Finding((x, 1.0, x + 8.0, 9.0), 0.9) for x in (1.0, 21.0, 41.0)]
def broken_at_times():
    class Declared:
        identity = {"name": "declared", "sha256": "ab" * 32}
        def detect(self, rs):
            return [[] if os.environ.get("BROKEN") else found + THREE for found in truthful()(rs)]
    return Declared()
def breaks_off():
    class Declared:
        identity = {"name": "breaks off", "sha256": "ef" * 32}
        shown = []
        def detect(self, rs):
            found = [truth + (zlib.crc32(r.pixels) % 2) * THREE for r, truth in zip(rs, truthful()(rs))]
            self.shown.extend(rs)
            if os.environ.get("BROKEN") and len(self.shown) > 8:
                raise RuntimeError("broken off")
            return [[] for _ in rs] if os.environ.get("BROKEN") else found
    return Declared()
def surer_in_company():
    def scaled(found, share):
        return [Finding(f.box, share * f.score) for f in found]
    return lambda rs: [scaled(found, 1 if len(rs) > 1 else 0.9) for found in truthful()(rs)]
def truthful():
    return lambda rs: [[Finding(tuple(map(float, n.box)), 0.9) for n in r.nodules] for r in rs]
def quiet():
    def detect(radiographs):
        found = []
        for r in radiographs:
            lung = np.delete(r.pixels[30:130, 15:130], np.s_[45:70], axis=1)
            bright = np.insert(lung > np.median(lung, axis=1, keepdims=True) + 0.04, [45] * 25, False, axis=1)
            rows, columns = np.nonzero(bright)
            if rows.size <= 8:
                found.append([])
                continue
            box = (15.0 + columns.min(), 30.0 + rows.min(), 16.0 + columns.max(), 31.0 + rows.max())
            found.append([Finding(box, 0.9)])
        return found
    return detect
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Sixteen small radiographs with dark lungs, and detectors."""
    root = tmp_path_factory.mktemp("quiet")
    (root / "normal").mkdir()
    (root / "detectors.py").write_text(DETECTORS)
    rng, rows = np.random.default_rng(0), ["file,mm_per_px_x,mm_per_px_y,bits,rotate_deg,polarity"]
    lungs = {name: np.zeros((160, 144), np.uint8) for name in ("left_lung", "right_lung")}
    lungs["left_lung"][30:130, 85:130] = lungs["right_lung"][30:130, 15:60] = 255
    both = lungs["left_lung"] + lungs["right_lung"]
    given = dict.fromkeys(REGIONS, both) | lungs  # estimating the others would take longer than all that is tested
    for number in range(16):
        rows_of = 0.15 + 0.2 * (np.arange(160)[:, None] - 30) / 100  # contrast is in units of the lung's own range
        pixels = np.where(both > 0, rows_of, 0.6) + rng.normal(0, 0.004, both.shape)
        Image.fromarray((pixels * 65535).astype(np.uint16)).save(root / "normal" / f"b{number}.png")
        for region, mask in given.items():
            Image.fromarray(mask).save(root / "normal" / f"b{number}.{region}.png")
        rows.append(f"b{number}.png,2,2,16,0,normal")
    (root / "normal" / "manifest.csv").write_text("\n".join(rows))
    return root


@pytest.fixture(scope="module", autouse=True)
def read_once():
    """A set is opened and its films are read once for all runs of this file."""
    load, read = FolderSet.load, {}

    def loaded(films, background):
        key = films, background.id
        if key not in read:
            read[key] = load(films, background)
        return read[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backgrounds, "open_backgrounds", cache(backgrounds.open_backgrounds))
        patch.setattr(FolderSet, "load", loaded)
        yield


def ruled(root, detector, *expectations, count=8, head=HEAD, conform="off", synthesizer="gaussian"):
    """Return the run and the rulings of the expectations, in their order."""
    path = root / "spec.yaml"
    path.write_text(head.replace("count: 8", f"count: {count}") + "".join(f"      - {one}\n" for one in expectations))
    spec = load_spec(path)
    (behaviour,) = spec.behaviours
    run = Run(Settings(root, detector, synthesizer, root, cache=root / "cache", conform=conform))
    cases = [Case(f"{e.kind}-{n}", spec, behaviour, v) for n, e in enumerate(behaviour.expectations)
             for v in variants(behaviour, e)]  # fmt: skip
    return run, [run.rule(case, run.gather(case)).ruling for case in cases]


@pytest.fixture(scope="module")
def at_once(root):
    """Rulings of several expectations that a detector earns in one run, by their kinds: they share their scenes."""
    known = {}

    def rulings(detector, expectations, head=HEAD, count=8):
        key = detector, head, *expectations.values()
        if key not in known:
            named = f"{root}/detectors.py:{detector}"
            known[key] = ruled(root, named, *expectations.values(), count=count, head=head)[1]
        return dict(zip(expectations, known[key], strict=True))

    return rulings


@pytest.mark.parametrize("kind", QUIET)
@pytest.mark.parametrize("detector", ["silent", "faint"])
def test_a_pass_of_a_silent_detector_is_withheld_and_says_why(at_once, detector, kind):
    ruling = at_once(detector, QUIET)[kind]
    assert ruling.status.name == "INCONCLUSIVE"
    assert "reported next to nothing on anything in this run" in ruling.sentence
    assert "0 of 12 pictures of conspicuous nodules" in ruling.sentence
    assert any(note.startswith("Without this: PASSED") for note in ruling.notes)
    assert any("sensitivity" in note for note in ruling.notes)
    assert {row["with a finding"] for row in ruling.details[SILENCE]} == {0}


@pytest.mark.parametrize(("detector", "status"), [("lucky", "INCONCLUSIVE"), ("lucky_twice", "PASSED")])
def test_one_conspicuous_nodule_of_a_dozen_that_is_hit_may_be_an_accident(root, detector, status):
    _, (ruling,) = ruled(root, f"{root}/detectors.py:{detector}", QUIET["specificity"])
    assert ruling.status.name == status, ruling.sentence
    assert ("1 of 12 pictures of conspicuous nodules" in ruling.sentence) is (detector == "lucky")


BLIND = {
    "false_positives": "false_positives_per_image: {at_most: 2.5, arm: plain}",
    "distractor": "distractor: {at_most: 0.5, arm: plain}",
}


@pytest.mark.parametrize("kind", BLIND)
def test_a_pass_of_a_detector_that_finds_no_nodule_but_marks_every_corner_is_withheld(at_once, kind):
    head = HEAD.replace("      arms:", DEVICE)
    ruling = at_once("corner", BLIND, head)[kind]
    assert ruling.status.name == "INCONCLUSIVE", ruling.sentence
    assert "quiet or blind cannot be told" in ruling.sentence
    assert "found next to no nodule in this run" in ruling.sentence
    assert "0 of 12 pictures of conspicuous nodules" in ruling.sentence
    honest = at_once("truthful", BLIND, head)[kind]
    assert honest.status.name == "PASSED", honest.sentence


@pytest.mark.parametrize("kind", QUIET)
def test_a_quiet_detector_passes_alone_too(root, kind):
    _, (ruling,) = ruled(root, f"{root}/detectors.py:quiet", QUIET[kind])
    assert ruling.status.name == "PASSED"


def test_whether_it_is_silent_is_asked_with_nodules_of_the_synthesizer_that_the_behaviour_names(root):
    head = HEAD.replace("    scenes:", "    synthesizers: [gaussian]\n    scenes:")
    detector = f"{root}/detectors.py:silent"
    _, (ruling,) = ruled(root, detector, QUIET["specificity"], head=head, synthesizer=f"{root}/no.py:made")
    assert ruling.status.name == "INCONCLUSIVE"
    assert "0 of 12 pictures of conspicuous nodules" in ruling.sentence


def test_a_shifted_radiograph_is_asked_about_as_any_other_is(root):
    """What shifts by two numbers is a list in the spec."""
    head = HEAD.replace("{brightness: -0.02}", "{shift_px: [2, -1]}")
    _, (ruling,) = ruled(
        root, f"{root}/detectors.py:truthful", QUIET["specificity"].replace("plain", "dimmed"), head=head
    )
    assert ruling.status.name == "PASSED", ruling.sentence


@pytest.mark.parametrize("kind", QUIET)
@pytest.mark.parametrize(("detector", "status"), [("dead_in_the_dark", "INCONCLUSIVE"), ("quiet", "PASSED")])
def test_a_detector_that_is_dead_under_a_perturbation_is_not_quiet_there(root, detector, status, kind):
    """On radiographs as they are it finds nodules, in the same run."""
    wanted = "sensitivity: {at_least: 0.5, arm: plain}", QUIET[kind].replace("plain", "dimmed")
    _, (seen, ruling) = ruled(root, f"{root}/detectors.py:{detector}", *wanted)
    assert (seen.status.name, ruling.status.name) == ("PASSED", status), ruling.sentence
    if status == "INCONCLUSIVE":
        assert "reported next to nothing on anything in this run under brightness" in ruling.sentence
        assert "0 of 12 pictures of conspicuous nodules" in ruling.sentence


@pytest.mark.parametrize(("detector", "status"), [("dead_beside_devices", "INCONCLUSIVE"), ("truthful", "PASSED")])
def test_a_detector_that_is_dead_wherever_a_device_lies_is_not_fooled_by_none(root, detector, status):
    """On radiographs without a device it finds nodules, in the same run; with one, there is no nodule to miss."""
    arms = "{plain: {distractors: []}, wired: {nodules: []}}"
    head = HEAD.replace("      arms:", DEVICE).replace(
        "{plain: {}, dimmed: {perturbations: {brightness: -0.02}}}", arms
    )
    wanted = HITS["sensitivity"], "distractor: {at_most: 0.5, arm: wired, where: {mimic: clip}}"
    _, (seen, ruling) = ruled(root, f"{root}/detectors.py:{detector}", *wanted, head=head)
    assert (seen.status.name, ruling.status.name) == ("PASSED", status), ruling.sentence
    if status == "INCONCLUSIVE":
        assert "reported next to nothing on anything in this run on pictures with clip (" in ruling.sentence
        assert "0 of 12 pictures of conspicuous nodules" in ruling.sentence


def test_of_several_kinds_of_devices_each_is_asked_about_by_itself(root):
    (root / "clips.py").write_text(
        DETECTORS.replace("if r.mimics", "if 'clip' in [m.requested['mimic'] for m in r.mimics]")
    )
    head = HEAD.replace("      arms:", DEVICE).replace("mimic: clip", "mimic: {sweep: [clip, line]}")
    head = head.replace("{diameter_mm: 20, contrast: 0.6, location: {region: lung}}", "")
    wanted = [f"distractor: {{at_most: 0.5, arm: plain, where: {{mimic: {kind}}}}}" for kind in ("clip", "line")]
    _, rulings = ruled(root, f"{root}/clips.py:dead_beside_devices", *wanted, head=head)
    assert [ruling.status.name for ruling in rulings] == ["INCONCLUSIVE", "PASSED"]


@pytest.mark.parametrize(("detector", "status"), [("dead_beside_priors", "INCONCLUSIVE"), ("truthful", "PASSED")])
def test_a_detector_that_is_dead_where_it_is_given_a_prior_is_not_quiet_there(root, detector, status):
    _, (ruling,) = ruled(root, f"{root}/detectors.py:{detector}", QUIET["specificity"], head=GROWN)
    assert ruling.status.name == status, ruling.sentence
    assert (" on pictures with a prior (findings of" in ruling.sentence) is (status == "INCONCLUSIVE")


def test_a_detector_that_is_dead_under_a_strong_perturbation_is_not_heard_under_a_weak_one(root):
    head = HEAD.replace("brightness: -0.02}}", "brightness: -0.003}}, dark: {perturbations: {brightness: -0.02}}")
    wanted = "sensitivity: {at_least: 0.5, arm: dimmed}", QUIET["specificity"].replace("plain", "dark")
    _, (seen, ruling) = ruled(root, f"{root}/detectors.py:dead_in_the_dark", *wanted, head=head)
    assert (seen.status.name, ruling.status.name) == ("PASSED", "INCONCLUSIVE"), ruling.sentence
    assert "in this run under brightness -0.02 (" in ruling.sentence


@pytest.mark.parametrize(("detector", "status"), [("dead_on_portables", "INCONCLUSIVE"), ("quiet", "PASSED")])
def test_a_detector_that_is_dead_on_some_films_is_not_quiet_where_these_are_asked_for(root, detector, status):
    films = root / "views"
    films.mkdir(exist_ok=True)
    for path in (root / "normal").iterdir():
        (films / path.name).write_bytes(path.read_bytes())
    told = (films / "manifest.csv").read_text().splitlines()
    rows = [f"{row},{'view' if not number else 'AP' if number % 2 else 'PA'}" for number, row in enumerate(told)]
    (films / "manifest.csv").write_text("\n".join(rows))
    wanted = [f"specificity: {{at_least: 0.2, arm: plain, where: {{view: {view}}}}}" for view in ("PA", "AP")]
    head = HEAD.replace("set: normal", "set: views")
    _, (others, ruling) = ruled(root, f"{root}/detectors.py:{detector}", *wanted, count=16, head=head)
    assert (others.status.name, ruling.status.name) == ("PASSED", status), ruling.sentence
    assert (" in this run where view " in ruling.sentence) is (status == "INCONCLUSIVE")


def test_a_detector_that_is_dead_on_a_set_is_not_quiet_there(root):
    (root / "dark").mkdir()
    for path in (root / "normal").iterdir():
        (root / "dark" / path.name).write_bytes(path.read_bytes())
        if path.suffix == ".png" and path.name.count(".") == 1:
            Image.fromarray(np.asarray(Image.open(path)) - 1311).save(root / "dark" / path.name)
    behaviours = HEAD.partition("  - id: any")
    dark = f"      - {QUIET['specificity']}\n" + "".join(behaviours[1:]).replace("any", "dark").replace(
        "normal", "dark"
    )
    for detector, status in (("dead_in_the_dark", "INCONCLUSIVE"), ("quiet", "PASSED")):
        path = root / "two.yaml"
        path.write_text(
            f"{HEAD}      - sensitivity: {{at_least: 0.5, arm: plain}}\n{dark}      - {QUIET['specificity']}\n"
        )
        spec = load_spec(path)
        run = Run(
            Settings(root, f"{root}/detectors.py:{detector}", "gaussian", root, cache=root / "cache", conform="off")
        )
        cases = [Case(f"{b.id}-{e.kind}", spec, b, v) for b in spec.behaviours for e in b.expectations
                 for v in variants(b, e)]  # fmt: skip
        *others, ruling = [run.rule(case, run.gather(case)).ruling for case in cases]
        assert [one.status.name for one in others] == ["PASSED"] * 2
        assert ruling.status.name == status, ruling.sentence
        assert (" on the set 'dark' (findings of" in ruling.sentence) is (status == "INCONCLUSIVE")


def test_next_to_nothing_is_not_enough(root):
    _, (ruling,) = ruled(root, f"{root}/detectors.py:rare", QUIET["false_positives"])
    assert ruling.status.name in ("INCONCLUSIVE", "PASSED")
    heard = ruling.details.get(SILENCE)
    assert (ruling.status.name == "INCONCLUSIVE") == bool(heard)


@pytest.mark.parametrize("order", [1, -1])
def test_the_order_of_items_changes_nothing(root, order):
    wanted = ["sensitivity: {at_least: 0.5, arm: plain}", *QUIET.values()][::order]
    _, silent = ruled(root, f"{root}/detectors.py:silent", *wanted)
    assert sorted(ruling.status.name for ruling in silent) == ["FAILED", *["INCONCLUSIVE"] * 2]
    _, quiet = ruled(root, f"{root}/detectors.py:quiet", *wanted)
    assert {ruling.status.name for ruling in quiet} == {"PASSED"}


def test_no_nodule_is_planted_where_the_run_has_shown_findings(root, monkeypatch):
    monkeypatch.setattr("synnodtest.shell.quiet_passes.plant", lambda *_: pytest.fail("planted"))
    ruled(root, f"{root}/detectors.py:quiet", "sensitivity: {at_least: 0.5, arm: plain}", QUIET["specificity"])


def test_a_pass_that_silence_does_not_earn_is_left_alone(root, monkeypatch):
    """Scores below the operating point still rank: an area under the curve says nothing about reporting."""
    monkeypatch.setattr("synnodtest.shell.quiet_passes.plant", lambda *_: pytest.fail("planted"))
    (root / "ranking.py").write_text(DETECTORS.replace("Finding(box, 0.9)", "Finding(box, 0.2)"))
    _, (ruling,) = ruled(root, f"{root}/ranking.py:quiet", "auc: {at_least: 0.55}", count=16)
    assert ruling.status.name == "PASSED", ruling.sentence


DEVICE = "      distractors: [{name: clip, mimic: clip, location: {region: lung}}]\n      arms:"
HITS = {
    "sensitivity": "sensitivity: {at_least: 0.5, arm: plain}",
    "detected": "detected: {rate_at_least: 0.5, arm: plain}",
    "localization": "localization: {metric: distance_mm, at_most: 40, arm: plain}",
    "equivalent": "equivalent: {arm: dimmed, reference: plain, margin: 0.5}",
    "confidence": "equivalent: {arm: dimmed, reference: plain, margin: 0.5, metric: confidence}",
}


@pytest.mark.parametrize("kind", HITS)
def test_a_pass_that_findings_everywhere_earn_is_withheld(at_once, kind):
    ruling = at_once("dense", HITS)[kind]
    assert ruling.status.name == "INCONCLUSIVE"
    assert "sight or noise cannot be told" in ruling.sentence
    assert "100% of which are hit" in ruling.sentence
    assert ruling.notes[0].startswith("Without this: PASSED")
    honest = at_once("quiet", HITS)[kind]
    assert honest.status.name == "PASSED"
    assert "mirrored" not in honest.sentence


def test_a_pass_that_findings_all_over_one_lung_earn_in_that_lung_is_withheld(root):
    head = HEAD.replace("region: lung", "region: right_lung")
    _, (ruling,) = ruled(root, f"{root}/detectors.py:one_lung", HITS["sensitivity"], head=head)
    assert ruling.status.name == "INCONCLUSIVE"
    assert "at the places of other backgrounds' nodules" in ruling.sentence
    _, (honest,) = ruled(root, f"{root}/detectors.py:quiet", HITS["sensitivity"], head=head)
    assert honest.status.name == "PASSED"


@pytest.mark.parametrize("kind", HITS)
def test_a_mark_at_one_place_of_every_radiograph_is_no_nodule_found_there(at_once, kind):
    """Where all nodules lie at that place, no other place tells: it is asked without a nodule."""
    head = HEAD.replace("{region: lung}", "{at_mm: [64, 160]}")
    ruling = at_once("stuck", HITS, head)[kind]
    assert ruling.status.name == "INCONCLUSIVE", ruling.sentence
    assert f"at {BARE}, 100% of which are hit" in ruling.sentence
    honest = at_once("quiet", HITS, head)[kind]
    assert honest.status.name == "PASSED", honest.sentence
    assert "taken out" not in honest.sentence


def test_a_device_that_is_marked_is_no_nodule_found_under_it(root):
    head = HEAD.replace("{region: lung}", "{under: clip}").replace("      arms:", DEVICE)
    _, (ruling,) = ruled(root, f"{root}/detectors.py:sees_devices_alone", HITS["sensitivity"], head=head)
    assert ruling.status.name == "INCONCLUSIVE", ruling.sentence
    assert f"at {BARE}, 100% of which are hit" in ruling.sentence
    _, (honest,) = ruled(root, f"{root}/detectors.py:truthful", HITS["sensitivity"], head=head)
    assert honest.status.name == "PASSED", honest.sentence


AUC = "auc: {at_least: 0.6, arm: plain}"
CURVES = {
    "froc": "froc: {at_least: 0.5, at_false_positives_per_image: 1, arm: plain}",
    "average_precision": "average_precision: {at_least: 0.2, arm: plain}",
    "calibration": "calibration: {at_most: 0.9, bins: 2, arm: plain}",
}


@pytest.mark.parametrize("kind", CURVES)
def test_nor_is_it_in_curves_which_one_false_mark_an_image_does_not_end(root, kind):
    head = HEAD.replace("{region: lung}", "{at_mm: [64, 160]}")
    _, (ruling,) = ruled(root, f"{root}/detectors.py:stuck", CURVES[kind], head=head, count=16)
    assert ruling.status.name == "INCONCLUSIVE", ruling.sentence
    assert f"at {BARE}, 100% of which are hit" in ruling.sentence
    assert ruling.notes[0].startswith("Without this: PASSED")
    _, (honest,) = ruled(root, f"{root}/detectors.py:quiet_and_doubtful", CURVES[kind], head=head, count=16)
    assert honest.status.name == "PASSED", honest.sentence


@pytest.mark.parametrize(
    ("where", "hit"), [("{under: clip}", "100% of which"), ("{region: lung}", "findings that hit")]
)
def test_films_are_not_told_from_healthy_ones_by_the_device_that_these_lack(root, where, hit):
    head = HEAD.replace("{region: lung}", where).replace("      arms:", DEVICE)
    detector = "sees_devices_alone" if "under" in where else "marks_the_ill_by_their_devices"
    _, (ruling,) = ruled(root, f"{root}/detectors.py:{detector}", AUC, head=head, count=16)
    assert ruling.status.name == "INCONCLUSIVE", ruling.sentence
    assert BARE in ruling.sentence
    assert hit in ruling.sentence
    _, (honest,) = ruled(root, f"{root}/detectors.py:truthful", AUC, head=head, count=16)
    assert honest.status.name == "PASSED", honest.sentence


SWEPT = HEAD.replace("diameter_mm: 20", "hold: [location, seed], diameter_mm: {sweep: [8, 16, 30, 50, 80]}").replace(
    "tolerance_mm: 20", "tolerance_mm: 0"
)
GROWN = HEAD.replace("contrast: 0.6", "contrast: 0.6, growth: {doubling_days: 40, interval_days: 360}")


@pytest.mark.parametrize(
    ("detector", "head", "expectation"),
    [
        ("grid", SWEPT, "monotone: {over: diameter_mm, min_spearman: 0.2, max_drop: 0.3, arm: plain}"),
        ("grid", SWEPT, "correlation: {over: diameter_mm, at_least: 0.2, arm: plain}"),
        ("with_prior", GROWN, "growth: {at_least: 0.2, arm: plain}"),
    ],
)
def test_what_larger_nodules_are_hit_by_anyway_is_no_response_to_them(root, detector, head, expectation):
    """Marks of a fixed grid hit a growing nodule sooner or later; marks that come with a prior hit a grown one."""
    _, (ruling,) = ruled(root, f"{root}/detectors.py:{detector}", expectation, count=16, head=head)
    assert ruling.status.name == "INCONCLUSIVE"
    assert "sight or noise cannot be told" in ruling.sentence


TRENDS = {
    "monotone": "monotone: {over: diameter_mm, min_spearman: 0.5, max_drop: 0.1, arm: plain}",
    "correlation": "correlation: {over: diameter_mm, at_least: 0.5, arm: plain}",
}


@pytest.mark.parametrize("kind", TRENDS)
def test_a_trend_of_scores_that_are_all_noise_below_the_operating_point_is_withheld(at_once, kind):
    """Of a hundred marks at random places a larger nodule is hit by more, and so by a louder one."""
    ruling = at_once("murmur", TRENDS, SWEPT, count=16)[kind]
    assert ruling.status.name == "INCONCLUSIVE"
    assert "sight or noise cannot be told" in ruling.sentence
    assert "(findings of any score)" in ruling.sentence
    assert ruling.notes[0].startswith("Without this: PASSED")
    honest = at_once("murmur_beside_sight", TRENDS, SWEPT, count=16)[kind]
    assert honest.status.name == "PASSED", honest.sentence


def test_marks_all_over_whatever_film_has_a_nodule_are_not_found_at_their_place(root):
    """Untouched films, which alone count in an area under the AFROC, are left without any."""
    wanted = "afroc: {at_least: 0.7, arm: plain}"
    _, (ruling,) = ruled(root, f"{root}/detectors.py:alarmed", wanted, count=16)
    assert ruling.status.name == "INCONCLUSIVE"
    assert "sight or noise cannot be told" in ruling.sentence
    _, (honest,) = ruled(root, f"{root}/detectors.py:quiet", wanted, count=16)
    assert honest.status.name == "PASSED", honest.sentence


def test_silence_in_a_region_beside_marks_all_over_the_rest_is_withheld(root):
    """Of nodules outside the left lung, which show that a detector can report, marks all over the right hit each."""
    head = HEAD.replace("region: lung", "region: left_lung")
    wanted = "no_detection: {region: left_lung, at_most: 0.5, arm: plain}"
    _, (ruling,) = ruled(root, f"{root}/detectors.py:one_lung", wanted, head=head)
    assert ruling.status.name == "INCONCLUSIVE"
    assert "at the places of other backgrounds' nodules, 100% of which are hit" in ruling.sentence
    _, (honest,) = ruled(root, f"{root}/detectors.py:sight_in_one_lung", wanted, head=head)
    assert honest.status.name == "PASSED", honest.sentence


@pytest.mark.parametrize("kind", ["superior: {arm: dimmed", "non_inferior: {margin: 0.1, arm: dimmed"])
def test_an_arm_in_which_all_is_marked_is_no_better_than_its_reference(root, kind):
    """In the reference nodules below row 55 are found and nothing else is marked: noise would be held by its gate."""
    _, (ruling,) = ruled(root, f"{root}/detectors.py:loud_in_the_dark", f"{kind}, reference: plain}}", count=16)
    assert ruling.status.name == "INCONCLUSIVE"
    assert "the expectation is met as well where nothing was planted" in ruling.sentence
    assert ruling.notes[0].startswith("Without this: PASSED")


def test_an_arm_in_which_one_lung_is_marked_is_no_less_noise_for_a_reference_that_sees_more(root):
    """Half of its nodules lie there and half of the mirrored places, a third as many as nodules over both arms."""
    wanted = "non_inferior: {arm: dimmed, reference: plain, margin: 0.95}"
    _, (ruling,) = ruled(root, f"{root}/detectors.py:one_lung_in_the_dark", wanted, count=16)
    assert ruling.status.name == "INCONCLUSIVE", ruling.sentence
    assert "the expectation is met as well where nothing was planted" in ruling.sentence
    assert ruling.notes[0].startswith("Without this: PASSED")
    _, (honest,) = ruled(root, f"{root}/detectors.py:truthful", wanted, count=16)
    assert honest.status.name == "PASSED", honest.sentence


def test_a_group_in_which_all_is_marked_is_not_served_alike(root):
    """In one lung all is marked, in the other nodules are seen: over both lungs half as many places are hit."""
    parity = "parity: {metric: sensitivity, across: {region: [left_lung, right_lung]}, margin: 0.5, arm: plain}"
    _, (ruling,) = ruled(root, f"{root}/detectors.py:sight_beside_one_lung", parity, count=16)
    assert ruling.status.name == "INCONCLUSIVE", ruling.sentence
    assert "the expectation is met as well where nothing was planted" in ruling.sentence
    assert ruling.notes[0].startswith("Without this: PASSED")
    _, (honest,) = ruled(root, f"{root}/detectors.py:truthful", parity, count=16)
    assert honest.status.name == "PASSED", honest.sentence


def test_places_that_are_hit_more_often_and_do_not_meet_it_clear_no_others(root, monkeypatch):
    """Every place of another control is hit alike, which is no rise; at the mirrored ones the grid earns the pass."""

    def alike(evidence, matching):
        def hit(trial):
            return replace(trial, nodules=tuple(replace(n, finding=0, confidence=0.9) for n in trial.nodules))

        return replace(evidence, trials=tuple(map(hit, evidence.trials)))

    monkeypatch.setattr("synnodtest.engine.bare.exchanged", alike)
    rises = "monotone: {over: diameter_mm, min_spearman: 0.2, max_drop: 0.3, arm: plain}"
    _, (ruling,) = ruled(root, f"{root}/detectors.py:grid", rises, count=16, head=SWEPT)
    assert ruling.status.name == "INCONCLUSIVE"
    assert "at the places mirrored into the other lung" in ruling.sentence


def test_nodules_that_are_hit_no_more_often_than_other_places_are_not_seen_even_where_these_just_miss_the_bound(
    root, monkeypatch
):
    monkeypatch.setattr("synnodtest.shell.chance_passes._met_by_noise", lambda *_: False)
    _, (ruling,) = ruled(root, f"{root}/detectors.py:dense", HITS["sensitivity"])
    assert ruling.status.name == "INCONCLUSIVE"
    assert "nodules are surely hit neither more often nor louder than where nothing was planted" in ruling.sentence


def test_noise_at_fewer_than_half_as_many_places_as_nodules_withholds_nothing_and_is_told_of(root):
    """Three of eight mirrored places are hit, for which the lower bound is 0.11."""
    _, (ruling,) = ruled(root, f"{root}/detectors.py:a_little_noise", "sensitivity: {at_least: 0.1, arm: plain}")
    assert ruling.status.name == "PASSED"
    assert "; 38% of the places mirrored into the other lung, where nothing" in ruling.sentence


def test_findings_below_the_operating_point_are_no_noise_and_those_above_are_told_of(root):
    wanted = "sensitivity: {at_least: 0.5, arm: plain, operating_point: %g}"
    _, (ruling,) = ruled(root, f"{root}/detectors.py:both_sides", wanted % 0.5)
    assert ruling.status.name == "PASSED"
    assert "mirrored" not in ruling.sentence
    _, (ruling,) = ruled(root, f"{root}/detectors.py:both_sides", wanted % 0.25)
    assert ruling.status.name == "INCONCLUSIVE"


def test_a_search_that_silence_survives_is_withheld(root):
    path = root / "search.yaml"
    path.write_text(
        "synnodtest: 1\nbehaviours:\n  - id: any\n    statement: s\n    fuzz:\n      backgrounds: {set: normal}\n"
        "      vary: {diameter_mm: [12, 24], location: {region: lung}}\n      examples: 6\n      replicates: 2\n"
        "    expect:\n      - silent: {rate_at_least: 0.5}\n"
    )
    spec = load_spec(path)
    (behaviour,) = spec.behaviours
    (variant,) = variants(behaviour, behaviour.expectations[0])
    case = Case("search", spec, behaviour, variant)
    run = Run(Settings(root, f"{root}/detectors.py:silent", "gaussian", root, cache=root / "cache"))
    gathered = run.gather(case)
    assert run.rule(case, gathered).ruling.status.name == "INCONCLUSIVE"
    assert run.fragment.fuzzing[0].status == "INCONCLUSIVE"


@pytest.mark.parametrize(("detector", "told"), [("dense", "sight or noise"), ("truthful", "")])
def test_a_search_that_findings_everywhere_survive_is_withheld(root, detector, told):
    path = root / "search.yaml"
    path.write_text(
        "synnodtest: 1\nbehaviours:\n  - id: any\n    statement: s\n    fuzz:\n      backgrounds: {set: normal}\n"
        "      vary: {diameter_mm: [12, 24]}\n      fixed: {location: {region: left_lung}, contrast: 0.6}\n"
        "      examples: 12\n      replicates: 1\n"
        "    matching: {criterion: centre-in-nodule, tolerance_mm: 20}\n"
        "    expect:\n      - detected: {rate_at_least: 0.5}\n"
    )
    spec = load_spec(path)
    (behaviour,) = spec.behaviours
    (variant,) = variants(behaviour, behaviour.expectations[0])
    run = Run(Settings(root, f"{root}/detectors.py:{detector}", "gaussian", root, cache=root / "cache"))
    gathered = run.gather(Case("search", spec, behaviour, variant))
    (ruling,) = gathered.rulings.values()
    assert (ruling.status.name, told in ruling.sentence) == ("INCONCLUSIVE" if told else "PASSED", True), (
        ruling.sentence
    )
    assert gathered.entry["status"] == ruling.status.name
    assert gathered.entry["sentence"] == ruling.sentence


CLAIMS = {
    "invariant": "invariant: {under: {brightness: -0.02}, margin: 0.1}",
    "no_reversal": "no_reversal: {max_drop: 0.1}",
    "not_lower": "not_lower: {companion: {diameter_mm: 20, distance_mm: [40, 80]}, max_drop: 0.1}",
}


@pytest.mark.parametrize("kind", CLAIMS)
@pytest.mark.parametrize(("detector", "status"), [("dense", "INCONCLUSIVE"), ("truthful", "PASSED")])
def test_scores_that_stay_as_they_are_since_all_is_marked_survive_no_search(root, kind, detector, status):
    path = root / "search.yaml"
    path.write_text(
        "synnodtest: 1\nbehaviours:\n  - id: any\n    statement: s\n    fuzz:\n      backgrounds: {set: normal}\n"
        "      vary: {diameter_mm: [12, 24]}\n      fixed: {location: {region: lung}, contrast: 0.6}\n"
        f"      examples: 12\n      replicates: 1\n    expect:\n      - {CLAIMS[kind]}\n"
    )
    spec = load_spec(path)
    (behaviour,) = spec.behaviours
    (variant,) = variants(behaviour, behaviour.expectations[0])
    run = Run(Settings(root, f"{root}/detectors.py:{detector}", "gaussian", root, cache=root / "cache"))
    (ruling,) = run.gather(Case("search", spec, behaviour, variant)).rulings.values()
    assert ruling.status.name == status, ruling.sentence
    assert ("control: 30 of 30 easy nodules found" in ruling.sentence) is (detector == "dense")
    assert ("sight or noise cannot be told: 100% of" in ruling.sentence) is (detector == "dense")


def searched(root, detector, claim, location):
    """Return the ruling of a search at a location."""
    path = root / "search.yaml"
    path.write_text(
        "synnodtest: 1\nbehaviours:\n  - id: any\n    statement: s\n    fuzz:\n      backgrounds: {set: normal}\n"
        f"      vary: {{diameter_mm: [12, 24]}}\n      fixed: {{location: {location}, contrast: 0.6}}\n"
        f"      examples: 12\n      replicates: 1\n    expect:\n      - {claim}\n"
    )
    spec = load_spec(path)
    (behaviour,) = spec.behaviours
    (variant,) = variants(behaviour, behaviour.expectations[0])
    run = Run(Settings(root, f"{root}/detectors.py:{detector}", "gaussian", root, cache=root / "cache"))
    return run.gather(Case("search", spec, behaviour, variant)).ruling


BY_ONE_LUNG = CLAIMS | {
    "detected": "detected: {rate_at_least: 0.5}",
    "not_lower": "not_lower: {companion: {diameter_mm: 12, distance_mm: [30, 40]}, max_drop: 0.1}",
}


@pytest.mark.parametrize(
    ("detector", "kind", "status"),
    [(detector, kind, status) for kind in BY_ONE_LUNG
     for detector, status in (("one_lung", "INCONCLUSIVE"), ("truthful", "PASSED"))]
    + [("one_lung_of_the_ill", kind, "INCONCLUSIVE") for kind in CLAIMS],
)  # fmt: skip
def test_marks_all_over_the_lung_that_is_searched_survive_no_search(root, detector, kind, status):
    """The other lung, which is left out of the search, is left without a mark."""
    ruling = searched(root, detector, BY_ONE_LUNG[kind], "{region: right_lung}")
    assert ruling.status.name == status, ruling.sentence
    assert ("sight or noise cannot be told: " in ruling.sentence) is (status == "INCONCLUSIVE")


@pytest.mark.parametrize(("detector", "status"), [("truthful", "PASSED"), ("blind_at_one_place", "FAILED")])
def test_a_search_at_one_place_plants_there(root, detector, status):
    ruling = searched(root, detector, "detected: {rate_at_least: 0.5}", "{at_mm: [64, 160]}")
    assert ruling.status.name == status, ruling.sentence


@pytest.mark.parametrize(("score", "status"), [(0.9, "PASSED"), (0.2, "INCONCLUSIVE")])
def test_recorded_findings_are_judged_by_the_whole_record(root, score, status):
    found = [{"box": [20, 40, 30, 50], "score": score}]
    radiographs = {f"b{number}": [] for number in range(16)} | {"elsewhere": found, "further": found}
    content = {"synnodtest_findings": 1, "identity": {"name": "vendor"}, "radiographs": radiographs}
    (root / "findings.json").write_text(json.dumps(content))
    path = root / "recorded.yaml"
    path.write_text(
        "synnodtest: 1\ndefaults: {operating_point: 0.5}\nbehaviours:\n  - id: any\n    statement: s\n    scenes:\n"
        "      backgrounds: {set: normal, count: 8}\n    expect:\n      - specificity: {at_least: 0.3}\n"
    )
    spec = load_spec(path)
    (behaviour,) = spec.behaviours
    (variant,) = variants(behaviour, behaviour.expectations[0])
    run = Run(Settings(root, str(root / "findings.json"), "gaussian", root, cache=root / "cache"))
    case = Case("recorded", spec, behaviour, variant)
    assert run.rule(case, run.gather(case)).ruling.status.name == status


def test_the_verdict_page_says_so(root):
    run, _ = ruled(root, f"{root}/detectors.py:silent", *QUIET.values())
    record = Record.of(parts.record(expectations=encode(run.fragment.every())))
    notices = dict(_notices(Context(record, root)))
    assert "none of them counts as passed" in notices["Silence"]


# --- shown again ----------------------------------------------------------------------------------------------------

SEEN = {
    "sensitivity": "sensitivity: {at_least: 0.3, arm: plain}",
    "auc": "auc: {at_least: 0.55, arm: plain}",
    "froc": "froc: {at_least: 0.3, at_false_positives_per_image: 0.75, arm: plain}",
}


@pytest.mark.parametrize("kind", SEEN)
@pytest.mark.parametrize("detector", ["by_grey_values", "by_heart"])
def test_what_reacts_to_the_edit_where_nothing_is_inpainted_is_invalid(root, detector, kind):
    with pytest.raises(InvalidEvidence, match=r"reacts to the edit .* of 6 radiographs .* it reports 6 all the same"):
        ruled(root, f"{root}/detectors.py:{detector}", SEEN[kind], count=16)


def test_an_area_under_the_curve_of_images_that_the_edit_earns_is_invalid_wherever_findings_lie(root):
    with pytest.raises(InvalidEvidence, match=r"reacts to the edit .* of 6 radiographs .* it reports 6 all the same"):
        ruled(root, f"{root}/detectors.py:by_grey_values_in_the_corner", SEEN["auc"], count=16)
    _, (ruling,) = ruled(root, f"{root}/detectors.py:sees_in_the_corner", SEEN["auc"], count=16)
    assert ruling.status.name == "PASSED", ruling.sentence


@pytest.mark.parametrize("detector", ["by_grey_values_beside_sight", "by_grey_values_beside_sight_and_noise"])
def test_nor_do_quieter_hits_of_the_nodules_excuse_it(root, detector):
    """Nor does what is found everywhere, half as loud."""
    with pytest.raises(InvalidEvidence, match=r"reacts to the edit .* of 6 radiographs .* it reports 6 all the same"):
        ruled(root, f"{root}/detectors.py:{detector}", SEEN["auc"], count=16)
    _, (ruling,) = ruled(root, f"{root}/detectors.py:sees_beside_noise", SEEN["auc"], count=16)
    assert ruling.status.name == "PASSED", ruling.sentence


def test_what_reacts_to_the_edit_alone_is_no_sign_that_a_quiet_detector_sees_nodules(root):
    head = HEAD.replace("      nodules: [{diameter_mm: 20, contrast: 0.6, location: {region: lung}}]\n", "")
    with pytest.raises(InvalidEvidence, match=r"reacts to the edit .* of 6 radiographs .* it reports 6 all the same"):
        ruled(root, f"{root}/detectors.py:by_grey_values", QUIET["specificity"], head=head)


@pytest.mark.parametrize("kind", SEEN)
def test_what_sees_the_nodule_passes_and_is_shown_next_to_nothing_of_it_once(root, monkeypatch, kind):
    asked = []
    monkeypatch.setattr(reacts_to_edit, "_reacted", lambda *given: asked.append(given) or _reacted(*given))
    _, rulings = ruled(root, f"{root}/detectors.py:quiet", SEEN[kind], SEEN[kind], count=16)
    assert [ruling.status.name for ruling in rulings] == ["PASSED", "PASSED"], rulings[0].sentence
    assert len(asked) == 1


@pytest.mark.parametrize(("kind", "times"), [("sensitivity", 1), ("auc", 2)])
def test_of_raw_scores_each_behaviour_is_asked_about(root, monkeypatch, kind, times):
    """What is next to nothing beside the hits of conspicuous nodules may rank the images of faint ones."""
    asked = []
    monkeypatch.setattr(reacts_to_edit, "refuse_edits", lambda *given, ranked: asked.append(ranked) or True)
    run, _ = ruled(root, f"{root}/detectors.py:quiet", SEEN[kind], count=16)
    spec = load_spec(root / "spec.yaml")
    other = replace(spec.behaviours[0], id="other")
    (variant,) = variants(other, other.expectations[0])
    run.gather(Case("other", spec, other, variant))
    assert asked == [kind == "auc"] * times


def test_scenes_without_perturbations_are_shown_with_next_to_nothing_of_their_nodules_first():
    plain, (dim, dimmed) = trial("a", 0.9), (_dimmed(trial(name, 0.9)) for name in "ab")
    assert _hit([plain, dimmed, dim]) == [plain, dimmed]
    assert _hit([dim, trial("b", 0.0), plain]) == [plain]


def _dimmed(one):
    return replace(one, scene=Scene(one.background, perturbations=(Perturbation("gamma", 1.2),)))


@pytest.mark.parametrize(
    ("detector", "conform", "later"), [("breaks_down", "stop", "ERROR"), ("breaks_down_unasked", "warn", "PASSED")]
)
def test_quiet_after_a_breakdown_in_the_middle_of_the_run_is_an_error(root, monkeypatch, detector, conform, later):
    monkeypatch.setattr(preflight, "preflight", lambda *_: [])
    asked = SEEN["sensitivity"], QUIET["specificity"]
    if later == "ERROR":
        with pytest.raises(DetectorError, match=r"otherwise than earlier .* finding of 0\.9 .*0 findings now"):
            ruled(root, f"{root}/detectors.py:{detector}", *asked, conform=conform)
    else:
        _, rulings = ruled(root, f"{root}/detectors.py:{detector}", *asked, conform=conform)
        assert [ruling.status.name for ruling in rulings] == ["PASSED", "PASSED"]


def test_what_a_broken_detector_did_not_report_in_an_earlier_run_earns_no_pass_in_the_next(root, monkeypatch):
    monkeypatch.setattr(preflight, "preflight", lambda *_: [])
    detector, sight = f"{root}/detectors.py:broken_at_times", SEEN["sensitivity"].replace("plain", "dimmed")
    monkeypatch.setenv("BROKEN", "1")
    _, (ruling,) = ruled(root, detector, QUIET["false_positives"], conform="stop")
    assert ruling.status.name == "INCONCLUSIVE"
    monkeypatch.delenv("BROKEN")
    with pytest.raises(DetectorError, match=r"whose findings the store keeps, .* reports up to 0\.9 \(3 findings now"):
        ruled(root, detector, sight, QUIET["false_positives"], conform="stop")


def test_nor_what_it_did_not_report_before_it_broke_off_though_the_next_run_ends_each_arm(root, monkeypatch):
    """Nor in any run thereafter, of which everything is stored."""
    monkeypatch.setattr(preflight, "preflight", lambda *_: [])
    detector = f"{root}/detectors.py:breaks_off", "false_positives_per_image: {at_most: 1.9}"
    monkeypatch.setenv("BROKEN", "1")
    with pytest.raises(DetectorError, match="broken off"):
        ruled(root, *detector, count=16, conform="stop")
    monkeypatch.delenv("BROKEN")
    for _ in range(2):
        with pytest.raises(DetectorError, match=r"whose findings the store keeps, .* reports up to 0\.9 \(3 findings"):
            ruled(root, *detector, count=16, conform="stop")


@pytest.mark.parametrize(("side", "changed"), [(100, True), (3000, False)])
def test_a_box_that_moves_by_rounding_of_a_large_film_is_the_same_answer(side, changed):
    found = replace(trial("a", 0.9), shape=(side, side))
    (box,) = (sighting.finding.box for sighting in found.sightings)
    answer = [Finding(tuple(edge + 2.0 for edge in box), 0.895)]
    shown = SimpleNamespace(trial=found, background=Background("a"))
    error = shown_again._changed(SimpleNamespace(identity=Identity("moved")), shown, 0.0, answer)
    assert ("answers otherwise" in error) == changed


def test_what_was_shown_again_is_not_asked_in_a_run_of_which_everything_is_stored(root, monkeypatch):
    monkeypatch.setattr(preflight, "preflight", lambda *_: [])
    calls = []
    for module in (shown_again, reacts_to_edit):
        monkeypatch.setattr(module, "ask", lambda *given: calls.append(1) or ask(*given))
    for name, again in (("settled", 0), ("unsettled", 1)):
        asked = f"{root}/detectors.py:{name}", SEEN["sensitivity"].replace("plain", "dimmed")
        _, (first,) = ruled(root, *asked, conform="stop")
        assert first.status.name == "PASSED", first.sentence
        assert calls
        calls.clear()
        _, (second,) = ruled(root, *asked, conform="stop")
        assert second.status.name == "PASSED"
        assert bool(calls) == again
        calls.clear()


def test_of_many_arms_no_more_pictures_are_shown_again_at_once_than_the_run_shows():
    film, sizes = Radiograph(np.zeros((100, 100), np.float32), (0.1, 0.1)), []
    stays = SimpleNamespace(
        identity=Identity("stays"), detect=lambda some: sizes.append(len(some)) or [[] for _ in some]
    )
    silent = (replace(trial(f"b{number}", 0.9), sightings=()) for number in range(20))
    pictures = [SimpleNamespace(radiograph=lambda: film, trial=one, background=Background("a")) for one in silent]
    assert not shown_again._first_changed(stays, [(one, 0.25) for one in pictures])
    assert (max(sizes), sum(sizes)) == (8, 20)


def test_scores_that_hang_on_what_is_shown_beside_are_an_error(root, monkeypatch):
    monkeypatch.setattr(preflight, "preflight", lambda *_: [])
    with pytest.raises(DetectorError, match=r"shown 'b\d+.png' again, alone: its finding of 0\.9 is 0\.09 away"):
        ruled(root, f"{root}/detectors.py:surer_in_company", SEEN["sensitivity"], conform="stop")
