"""The store over months: its size, its integrity, pruning, a full or read-only disk, two users of one folder."""

import os
import resource
import subprocess
import sys
import textwrap
import time

import pytest

from synnodtest.cli import main
from synnodtest.engine import Outcome
from synnodtest.errors import StoreError
from synnodtest.store import Store
from tests.engine.parts import Bright, Counting, Squares
from tests.engine.test_engine import behaviour, recipes_of, run

DAY = 86400.0


def key(number):
    return f"{number:064x}"


def aged(store, kind, number, days):
    """An entry of 1000 bytes that was last used so many days ago."""
    store.put(kind, key(number), bytes(1000))
    path = store.root / "v1" / kind / key(number)[:2] / key(number)
    then = time.time() - days * DAY
    os.utime(path, (then, then))
    return path


def test_what_was_not_used_for_long_goes_and_reading_counts_as_use(tmp_path):
    store = Store(tmp_path)
    for number, days in enumerate([1, 40, 41, 50]):
        aged(store, "findings", number, days)
    assert store.get("findings", key(1)) is not None
    assert store.prune(unused_s=30 * DAY).entries == 2
    assert [entry.key for entry in store.entries() if entry.kind == "findings"] == [key(0), key(1)]


def test_a_limit_removes_the_longest_unused_first_over_all_kinds(tmp_path):
    store = Store(tmp_path)
    for number, (kind, days) in enumerate([("findings", 5), ("radiographs", 9), ("findings", 1), ("radiographs", 7)]):
        aged(store, kind, number, days)
    size = next(store.entries()).bytes
    gone = store.prune(most_bytes=2 * size)
    assert (gone.entries, gone.bytes) == (2, 2 * size)
    assert {(e.kind, e.key) for e in store.entries()} == {("findings", key(0)), ("findings", key(2))}
    assert store.prune(most_bytes=2 * size).entries == 0


def test_the_command_finds_damage_prunes_and_tells_the_size(tmp_path, capsys):
    store = Store(tmp_path / "store")
    whole, broken = (aged(store, "findings", number, 60) for number in (1, 2))
    content = bytearray(broken.read_bytes())
    content[-1] ^= 1
    broken.write_bytes(content)
    words = ["--cache", str(store.root)]
    assert main(["cache", "check", *words]) == 1
    assert f"damaged: findings {key(2)}" in capsys.readouterr().out
    assert main(["cache", "check", *words]) == 0
    assert "1 entry is whole, 0 were damaged" in capsys.readouterr().out
    assert main(["cache", *words]) == 0
    assert "1 damaged entry was set aside" in capsys.readouterr().out
    assert main(["cache", "prune", "--unused-for", "8w", *words]) == 0
    assert "removed 1 entry, 1.0 kB" in capsys.readouterr().out
    assert not whole.exists()
    assert store.damaged() == 0


@pytest.mark.parametrize(
    ("words", "said"), [(["prune"], "--unused-for 30d"), (["--cache", "nowhere"], "name it with --cache")]
)
def test_what_cannot_be_done_is_said(tmp_path, monkeypatch, capsys, words, said):
    (tmp_path / ".synnodtest").mkdir()
    monkeypatch.chdir(tmp_path)
    assert main(["cache", *words]) == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--limit", "many"], ["--unused-for", "30"]])
def test_sizes_and_times_that_nobody_understands_are_usage_errors(capsys, words):
    with pytest.raises(SystemExit, match="2"):
        main(["cache", "prune", *words])
    assert "such as" in capsys.readouterr().err


FULL = """
    import resource, signal, sys
    from synnodtest.errors import StoreError
    from synnodtest.store import Store
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    store = Store(sys.argv[1])
    store.put("findings", "a" * 64, bytes(1000))
    try:
        store.put("findings", "b" * 64, bytes(100_000))
    except StoreError as error:
        print(error)
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="this system does not limit the size of files")
def test_a_disk_that_takes_no_more_is_an_error_with_its_remedy_and_leaves_no_half_entry(tmp_path):
    said = subprocess.run([sys.executable, "-c", textwrap.dedent(FULL), str(tmp_path)], capture_output=True, text=True)
    assert "cannot be written" in said.stdout, said.stderr
    assert "--synnod-cache of pytest, --cache" in said.stdout
    store = Store(tmp_path)
    assert [entry.key for entry in store.entries() if entry.kind == "findings"] == ["a" * 64]
    assert list((tmp_path / "tmp").iterdir()) == []
    assert list(store.verify()) == []


def test_a_finished_run_is_read_from_a_store_that_cannot_be_written_and_new_work_is_refused(tmp_path, monkeypatch):
    first, _ = run(tmp_path, recipes_of(behaviour()))

    def refused(self):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Store, "_prepare", refused)
    again, engine = run(tmp_path, recipes_of(behaviour()))
    assert [o.snapshot.sha256 for o in again] == [o.snapshot.sha256 for o in first]
    assert engine.tally.from_cache == len(first)
    with pytest.raises(StoreError, match="Read-only file system"):
        run(tmp_path, recipes_of(behaviour(), seed=1))


def test_pruning_in_the_middle_of_a_run_loses_no_scene(tmp_path):
    squares = Squares(6)
    wanted = recipes_of(behaviour(count=6), squares)
    expected, _ = run(tmp_path / "whole", wanted, squares=Squares(6))
    from synnodtest.engine import Engine

    store, seen = Store(tmp_path / "pruned"), []
    for outcome in Engine(squares, Counting(), Bright(), store, batch=2).run(wanted):
        seen.append(outcome)
        store.prune(most_bytes=0)
    assert all(isinstance(outcome, Outcome) for outcome in seen)
    assert [o.snapshot.sha256 for o in seen] == [o.snapshot.sha256 for o in expected]
    assert [o.sightings for o in seen] == [o.sightings for o in expected]


TWIN = """
    import sys
    from synnodtest.engine import Engine
    from synnodtest.store import Store
    from tests.engine.parts import Bright, Counting, Squares
    from tests.engine.test_engine import behaviour, recipes_of
    squares = Squares(12)
    engine = Engine(squares, Counting(), Bright(), Store(sys.argv[1]), batch=3)
    done = engine.run(recipes_of(behaviour(count=12), squares))
    print([(o.snapshot.sha256, [s.finding.score for s in o.sightings]) for o in done])
"""


def test_two_runs_at_a_time_on_one_cache_end_alike_and_leave_it_whole(tmp_path):
    words = [sys.executable, "-c", textwrap.dedent(TWIN), str(tmp_path)]
    both = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    one, other = (process.communicate(timeout=120)[0] for process in both)
    assert one == other
    assert len(one) > 1000
    store = Store(tmp_path)
    assert list(store.verify()) == []
    assert store.stats()["radiographs"].entries == 36
