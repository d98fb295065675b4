"""Bytes put aside: they come back, leave no file behind, and stay in memory where the disk does not take them."""

import errno
import gc
import os
import pickle

import pytest

from synnodtest import Finding
from synnodtest.engine import Engine
from synnodtest.engine.spool import Spool
from synnodtest.evidence.sightings import Sightings
from synnodtest.planning.draw import own_recipes
from synnodtest.spec.model import Behaviour, NoduleSpec, Scenes
from synnodtest.spec.values import Sweep
from synnodtest.store import Store
from tests.engine.parts import Bright, Counting, Squares


def many(count=300):
    findings = [Finding((k + 0.1, 2.0, k + 9.7, 8.3), 1 / (k + 1)) for k in range(count)]
    return Sightings(findings, [frozenset({"lung"} if k % 3 else {"lung", "hilar"}) for k in range(count)])


def test_what_is_put_aside_comes_back_whatever_was_put_before_and_after(tmp_path):
    spool = Spool(tmp_path)
    pieces = [os.urandom(length) for length in (1, 4000, 0, 13000)]
    aside = [spool.put(piece) for piece in pieces]
    assert [one.read() for one in reversed(aside)] == pieces[::-1]
    assert list(tmp_path.iterdir()) == []


def test_the_file_goes_with_its_last_reader(tmp_path):
    spool = Spool(tmp_path)
    last, file = spool.put(b"some"), spool._file
    del spool
    gc.collect()
    assert last.read() == b"some"
    del last
    gc.collect()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(file)


def test_findings_put_aside_are_the_same_findings(tmp_path):
    here = many()
    aside = here.aside(Spool(tmp_path))
    assert aside is not here
    assert len(aside) == 300
    assert list(aside) == list(here)
    assert [aside[k] for k in (0, 7, -1)] == [here[k] for k in (0, 7, -1)]
    assert aside[5:9] == here[5:9]
    assert pickle.loads(pickle.dumps(aside)) == here
    assert aside.aside(Spool(tmp_path)) is aside


def test_a_few_findings_stay_in_memory(tmp_path):
    few = many(3)
    assert few.aside(Spool(tmp_path)) is few


def full(file, data, offset):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("write", [full, lambda file, data, offset: len(data) - 1], ids=["refused", "cut short"])
def test_where_the_disk_is_full_they_stay_in_memory_and_what_was_kept_can_be_read(tmp_path, monkeypatch, write):
    spool, here = Spool(tmp_path), many()
    before = here.aside(spool)
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", write)
        assert here.aside(spool) is here
    assert here.aside(spool) is here
    assert before == here


def test_where_there_is_no_folder_they_stay_in_memory(tmp_path):
    here = many()
    assert here.aside(Spool(tmp_path / "nowhere")) is here


def test_a_disk_that_gives_less_back_is_an_error_and_no_shorter_list(tmp_path, monkeypatch):
    aside = many().aside(Spool(tmp_path))
    monkeypatch.setattr(os, "pread", lambda file, length, offset: b"")
    with pytest.raises(OSError, match="0 of 12600 bytes put aside could be read"):
        list(aside)


class Chatty(Bright):
    """Reports three hundred findings on each radiograph."""

    def detect(self, radiographs):
        return [[Finding((k / 10, 2.0, k / 10 + 4.3, 8.1), 1 / (k + 1)) for k in range(300)] for _ in radiographs]


def test_what_a_run_keeps_of_a_scene_does_not_grow_with_its_findings(tmp_path):
    scenes = Scenes("squares", 3, nodules=(NoduleSpec("nodule", Sweep((6.0, 10.0, 16.0))),))
    squares, sizes = Squares(), []
    for detector in (Bright(), Chatty(name="chatty")):
        engine = Engine(squares, Counting(), detector, Store(tmp_path / detector.identity.name))
        outcomes = list(engine.run(own_recipes(Behaviour("b", "s", scenes=scenes), squares.backgrounds, 0)))
        assert {len(outcome.sightings) for outcome in outcomes} == {1 if not sizes else 300}
        sizes.append(sum(map(held_bytes, outcomes)))
    assert sizes[1] < sizes[0] + 9 * 1000


def held_bytes(outcome):
    """Return the bytes of the numbers that an outcome holds in memory."""
    return sum(array.nbytes for array in outcome.sightings._held) if isinstance(outcome.sightings._held, tuple) else 0
