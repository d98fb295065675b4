"""A detector that crashes, hangs or returns rubbish is an error with its example, wherever in the search it does so."""

import time

import pytest

from synnodtest import Finding
from synnodtest.detectors.guard import Guard
from synnodtest.engine.engine import Engine
from synnodtest.errors import DetectorError, DetectorHung
from synnodtest.fuzzing import CrashFound, replay_failure
from tests.fuzzing.parts import Discs, Held, Holed, Lungs, asked, hunt

SMALL = "{diameter_mm: [10, 20], contrast: [0.3, 1.0]}"
SEARCHED = 6
HOLE = 0.6


def held_out(radiograph):
    return int(radiograph.background.rpartition("-")[2]) >= SEARCHED


WHERE = {
    "search": lambda truth, radiograph: asked(truth, "contrast") < 0.45,
    "shrinking": lambda truth, radiograph: 0.57 < asked(truth, "contrast") < HOLE and not held_out(radiograph),
    "confirmation": lambda truth, radiograph: held_out(radiograph),
    "description": lambda truth, radiograph: held_out(radiograph) and not 0.59 < asked(truth, "contrast") < HOLE,
}


class Broken(Holed):
    """Misses contrast under 0.6, and breaks where ``breaks`` says: it raises, returns NaN, or hangs."""

    def __init__(self, breaks, how):
        super().__init__(lambda truth, _: asked(truth, "contrast") < HOLE, name=f"broken {how}")
        self.breaks, self.how = breaks, how

    def _one(self, radiograph):
        if any(self.breaks(truth, radiograph) for truth in radiograph.nodules):
            if self.how == "raises":
                raise ValueError("index out of range")
            if self.how == "hangs":
                time.sleep(1.5)
            if self.how == "ends late":
                raise DetectorHung("the program 'a' did not end within 300 s")
            return [Finding((1.0, 1.0, 9.0, 9.0), float("nan"))]
        return super()._one(radiograph)


WORDS = {
    "raises": "index out of range",
    "nan": "not finite",
    "hangs": "no answer within",
    "ends late": "did not end within",
}
CASES = [(where, how) for where in WHERE for how in ("raises", "nan")] + [
    ("search", "hangs"),
    ("confirmation", "hangs"),
    ("search", "ends late"),
]


@pytest.mark.parametrize(("where", "how"), CASES)
def test_it_is_an_error_with_an_example_that_replay_repeats(tmp_path, where, how):
    detector = Broken(WHERE[where], how)
    with pytest.raises(CrashFound, match=WORDS[how]) as caught:
        hunt(tmp_path, detector, vary=SMALL, examples=16, timeout_s=0.5 if how == "hangs" else 30.0)
    entry = caught.value.entry
    assert entry["status"] == "ERROR"
    assert f"synnodtest replay {entry['id']}" in str(caught.value)
    assert entry["trials"]
    assert ("confirmed before that: it fails at contrast 0.59" in str(caught.value)) is (where == "description")
    backgrounds = {int(t["background"].rpartition("-")[2]) for t in entry["trials"]}
    assert all((number >= SEARCHED) == (where in ("confirmation", "description")) for number in backgrounds)
    if where != "search" or how not in ("hangs", "ends late"):  # a detector that hung is not asked again
        assert entry["example"]["diameter_mm"] == pytest.approx(20, abs=1.01 if where == "description" else 0.1)
    if where == "search" and how not in ("hangs", "ends late"):
        assert 0.44 < entry["example"]["contrast"] < 0.45

    verdict, lines = replay_failure(engine(tmp_path / "again", detector, how), entry)
    assert verdict == "ERROR"
    assert WORDS[how] in lines[0]
    mended = Holed(name="mended")
    assert replay_failure(engine(tmp_path / "mended", mended, how), entry)[0] == "FIXED"


def test_a_crash_of_the_search_ends_it_before_anything_is_confirmed(tmp_path):
    detector, shown = Broken(lambda truth, _: asked(truth, "diameter_mm") < 11, "raises"), []
    inner = detector.misses
    detector.misses = lambda truth, radiograph: shown.append(held_out(radiograph)) or inner(truth, radiograph)
    with pytest.raises(CrashFound):
        hunt(tmp_path, detector, vary=SMALL, examples=16)
    assert shown
    assert not any(shown)  # though faint ones had been missed before


def engine(folder, detector, how):
    guarded = Guard(detector, 0.5 if how == "hangs" else 30.0)
    return Engine(Lungs(66), Discs(), guarded, Held(folder))


def test_a_crash_is_never_a_miss_where_the_whole_claim_hangs_on_silence(tmp_path):
    detector = Broken(lambda truth, radiograph: True, "raises")
    with pytest.raises(DetectorError, match="index out of range"):
        hunt(tmp_path, detector, vary=SMALL, examples=4, expect="silent: {rate_at_least: 0.8}")
