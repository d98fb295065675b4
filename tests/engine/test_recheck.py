"""Findings of the store are not judged as those of a detector whose weights were replaced since."""

import json
import shlex
import sys
import textwrap
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest

from synnodtest.detectors import resolve_detector
from synnodtest.detectors.callables import CallableDetector
from synnodtest.detectors.guard import Guard
from synnodtest.engine import Engine
from synnodtest.engine.job import Job
from synnodtest.engine.recheck import Recheck, SynthesisRecheck
from synnodtest.engine.sightings import sightings_of
from synnodtest.errors import DetectorError, SynthesizerError
from synnodtest.finding import Finding
from synnodtest.identity import Identity
from synnodtest.ports import Background
from synnodtest.radiograph import Radiograph
from synnodtest.scene import Nodule, Scene
from synnodtest.store import Store
from synnodtest.synthesizers import resolve_synthesizer
from synnodtest.synthesizers.gaussian import GaussianSynthesizer
from tests.engine.parts import Squares
from tests.engine.test_engine import behaviour, recipes_of

LOADING = """
    import json
    from pathlib import Path
    from synnodtest import Finding

    asked = []

    class Loaded:
        {identity}
        def __init__(self):
            self.score = json.loads(Path({weights!r}).read_text())

        def detect(self, radiographs):
            asked.extend(radiographs)
            return [[Finding((40.0, 40.0, 60.0, 60.0), self.score)] if self.score else [] for _ in radiographs]

    def factory():
        return Loaded()
"""
PROGRAM = """
    import json, sys
    from pathlib import Path
    files = [one["file"] for one in json.loads((Path(sys.argv[2]) / "radiographs.json").read_text())]
    score = json.loads(Path(sys.argv[1]).read_text())
    found = [{"box": [40, 40, 60, 60], "score": score}] if score else []
    Path(sys.argv[3]).write_text(json.dumps({file: found for file in files}))
"""


DRAWING = """
    from pathlib import Path
    from synnodtest.synthesizers.gaussian import GaussianSynthesizer

    drawn = []

    class Mine:
        {identity}
        sham_is_identity = True

        def synthesize(self, scenes, backgrounds):
            drawn.append(len(scenes))
            edge = eval(Path({weights!r}).read_text())
            return GaussianSynthesizer(edge=edge).synthesize(scenes, backgrounds)

    def factory():
        return Mine()
"""


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "weights.json"
    path.write_text("0.9")
    return path


def loading(tmp_path, weights, identity=""):
    source = textwrap.dedent(LOADING).format(identity=identity, weights=str(weights))
    path = tmp_path / "mine.py"
    path.write_text(source)
    return resolve_detector(f"{path}:factory")


def outcomes(tmp_path, detector):
    engine = Engine(Squares(), GaussianSynthesizer(), detector, Store(tmp_path / "store"))
    return list(engine.run(recipes_of(behaviour())))


def test_a_factory_whose_weights_were_replaced_is_not_answered_from_the_store(tmp_path, weights):
    assert len(outcomes(tmp_path, loading(tmp_path, weights))) == 9
    assert len(outcomes(tmp_path, loading(tmp_path, weights))) == 9
    weights.write_text("0")
    with pytest.raises(DetectorError, match="answers otherwise than when its findings in the store were made"):
        outcomes(tmp_path, loading(tmp_path, weights))


def test_nor_for_later_expectations_of_the_run(tmp_path, weights):
    outcomes(tmp_path, loading(tmp_path, weights))
    weights.write_text("0.8")
    engine = Engine(Squares(), GaussianSynthesizer(), loading(tmp_path, weights), Store(tmp_path / "store"))
    for _ in range(4):
        with pytest.raises(DetectorError, match="answers otherwise"):
            list(engine.run(recipes_of(behaviour())))


def test_nor_where_a_later_version_takes_its_snapshots_anew(tmp_path, weights, monkeypatch):
    outcomes(tmp_path, loading(tmp_path, weights))
    weights.write_text("0.8")
    monkeypatch.setattr("synnodtest.engine.job.SNAPSHOT", 1000)
    with pytest.raises(DetectorError, match="answers otherwise"):
        outcomes(tmp_path, loading(tmp_path, weights))


@pytest.mark.parametrize(("side", "same"), [(100, False), (3000, True)])
def test_a_box_that_moves_by_rounding_of_a_large_film_is_the_same_answer(side, same):
    film = Radiograph(np.zeros((side, side), np.float32), (0.1, 0.1))
    detector = CallableDetector(lambda _: [[Finding((32.0, 32.0, 52.0, 52.0), 0.9)]], Identity("mine"))
    job = Job(Scene("film"), Background("film"), radiograph=film)
    known = sightings_of(film, [Finding((30.0, 30.0, 50.0, 50.0), 0.9)])
    with nullcontext() if same else pytest.raises(DetectorError, match="answers otherwise"):
        Recheck(detector).compare(job, known)


def test_a_detector_that_says_the_sha256_of_its_weights_is_not_asked_again(tmp_path, weights):
    identity = 'identity = {"name": "mine", "sha256": "f" * 64}'
    outcomes(tmp_path, loading(tmp_path, weights, identity))
    again = loading(tmp_path, weights, identity)
    outcomes(tmp_path, again)
    module = next(m for m in sys.modules.values() if getattr(m, "__file__", None) == str(tmp_path / "mine.py"))
    assert module.asked == []


def test_a_program_is_known_by_every_file_that_its_command_names(tmp_path, weights):
    script = tmp_path / "detect.py"
    script.write_text(textwrap.dedent(PROGRAM))
    command = f"command:{shlex.join([sys.executable, str(script), str(weights)])} {{in}} {{out}}"

    def key():
        return resolve_detector(command).identity.key()

    first = key()
    script.write_text(script.read_text() + "# edited\n")
    second = key()
    weights.write_text(json.dumps(0.5))
    assert len({first, second, key()}) == 3


def drawn(tmp_path, weights, detector, identity=""):
    """Run the scenes on a synthesizer of one's own; return how many scenes each of its calls drew."""
    path = tmp_path / f"draw{len(identity)}.py"
    path.write_text(textwrap.dedent(DRAWING).format(identity=identity, weights=str(weights)))
    synthesizer = resolve_synthesizer(f"{path}:factory")
    engine = Engine(Squares(), synthesizer, detector, Store(tmp_path / "store"))
    assert len(list(engine.run(recipes_of(behaviour())))) == 9
    calls = next(m for m in sys.modules.values() if getattr(m, "__file__", None) == str(path)).drawn
    return calls


def detector_called(name):
    detector = CallableDetector(lambda radiographs: [[] for _ in radiographs], Identity(name, sha256="0" * 64))
    return Guard(detector, 30.0)


@pytest.mark.parametrize("detector", ["first", "another"])
def test_a_synthesizer_whose_weights_were_replaced_is_not_answered_from_the_store(tmp_path, weights, detector):
    """Where all is stored, and where another detector is shown the stored radiographs."""
    weights.write_text("0.9")
    drawn(tmp_path, weights, detector_called("first"))
    assert drawn(tmp_path, weights, detector_called(detector)) == [1]
    weights.write_text("0.1")
    with pytest.raises(SynthesizerError, match="draws otherwise than when the radiographs of the store were made"):
        drawn(tmp_path, weights, detector_called(f"{detector}, later"))


def test_a_synthesizer_that_draws_at_random_or_says_the_sha256_of_its_weights_goes_on(tmp_path, weights, monkeypatch):
    # By the golden ratio no two of a few draws are alike.
    (tmp_path / "edges.py").write_text("at = (0.1 + 0.8 * (k * 0.618 % 1) for k in range(1000))\n")
    monkeypatch.syspath_prepend(tmp_path)
    weights.write_text("next(__import__('edges').at)")
    drawn(tmp_path, weights, detector_called("first"))
    assert drawn(tmp_path, weights, detector_called("first")) == [1, 1]
    told = 'identity = {"name": "mine", "sha256": "e" * 64}'
    drawn(tmp_path, weights, detector_called("first"), told)
    assert drawn(tmp_path, weights, detector_called("first"), told) == []


class Scaled(GaussianSynthesizer):
    """Draws what it drew before times a factor, without a word of it in its identity."""

    may_change_unseen = True

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def synthesize(self, scenes, backgrounds):
        made = super().synthesize(scenes, backgrounds)
        return [self._scaled(*pair) for pair in zip(made, backgrounds, strict=True)]

    def _scaled(self, made, background):
        pixels = background.pixels + np.float32(self.factor) * (made.pixels - background.pixels)
        return made.with_pixels(pixels, tuple(replace(t, contrast=t.contrast * self.factor) for t in made.nodules))


@pytest.mark.parametrize(
    ("added", "factor", "same"),
    [
        (0.03, 1.019, True),
        (0.03, 0.981, True),
        (0.03, 1.021, False),
        (0.03, 0.979, False),
        (0.002, 1.048, True),
        (0.002, 0.952, True),
        (0.002, 1.052, False),
        (0.002, 0.948, False),
    ],
)
def test_a_synthesizer_draws_the_same_within_a_fiftieth_of_what_nodules_add_or_a_ten_thousandth(added, factor, same):
    squares = Squares(1)
    plain = squares.load(squares.backgrounds[0])
    nodule = Nodule(20.0, (64.0, 64.0), contrast=0.5, seed=1)

    def drawn(scaled):
        (made,) = Scaled(scaled).synthesize([scene], [plain])
        return made

    scene = Scene("square-0", (nodule,))
    unit = added / float(np.abs(drawn(1.0).pixels - plain.pixels).max())
    scene = Scene("square-0", (replace(nodule, contrast=0.5 * unit),))
    stored = drawn(1.0)
    assert float(np.abs(stored.pixels - plain.pixels).max()) == pytest.approx(added, rel=0.02)
    recheck = SynthesisRecheck(Scaled(factor))
    if same:
        recheck.compare(scene, plain, stored)
        assert not recheck.wanted
        return
    for _ in range(2):  # what was found once holds for all that is stored
        with pytest.raises(SynthesizerError, match="draws otherwise"):
            recheck.compare(scene, plain, stored)
        assert recheck.wanted
