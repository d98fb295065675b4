"""The store: first write wins, nothing half-written survives, damage is noticed."""

import contextlib
import hashlib
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time

import pytest

from synnodtest import store as store_module
from synnodtest.engine.outcome import Snapshot
from synnodtest.engine.sightings import decode_sightings
from synnodtest.errors import StoreError
from synnodtest.store import KindStats, Store

KEY = hashlib.sha256(b"key").hexdigest()


def keys_of(store, kind):
    return [entry.key for entry in store.entries() if entry.kind == kind]


def keys(count):
    return [hashlib.sha256(str(index).encode()).hexdigest() for index in range(count)]


def entry_file(store, kind="findings", key=KEY):
    (path,) = (store.root / "v1" / kind).glob(f"??/{key}")
    return path


def test_what_was_put_is_got_by_another_store_on_the_same_folder(tmp_path):
    assert Store(tmp_path).get("findings", KEY) is None
    assert Store(tmp_path).put("findings", KEY, b"\0data\xff") == b"\0data\xff"
    assert Store(tmp_path).get("findings", KEY) == b"\0data\xff"


def test_the_first_write_wins_and_the_second_gets_what_is_stored(tmp_path):
    store = Store(tmp_path)
    store.put("radiographs", KEY, b"first")
    assert store.put("radiographs", KEY, b"second") == b"first"
    assert store.get("radiographs", KEY) == b"first"


def test_kinds_do_not_meet(tmp_path):
    store = Store(tmp_path)
    store.put("radiographs", KEY, b"a")
    assert store.get("findings", KEY) is None


def test_empty_and_large_payloads_are_kept(tmp_path):
    store = Store(tmp_path)
    large = os.urandom(3_000_000)
    first, second = keys(2)
    store.put("findings", first, b"")
    store.put("findings", second, large)
    assert store.get("findings", first) == b""
    assert store.get("findings", second) == large


def test_reading_makes_no_folder(tmp_path):
    store = Store(tmp_path / "new")
    assert store.get("findings", KEY) is None
    assert store.stats() == {}
    assert not (tmp_path / "new").exists()


def test_stats_count_entries_and_bytes_per_kind(tmp_path):
    store = Store(tmp_path)
    for key in keys(3):
        store.put("findings", key, b"1234")
    store.put("placements", KEY, b"")
    head = 8 + 32 + 8
    assert store.stats() == {"findings": KindStats(3, 3 * (4 + head)), "placements": KindStats(1, head)}
    assert keys_of(store, "findings") == sorted(keys(3))


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:-1],
        lambda data: data[:20],
        lambda data: data + b"x",
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        lambda data: b"X" + data[1:],
        lambda data: b"\0" * len(data),
    ],
    ids=["emptied", "cut", "cut in the head", "longer", "one bit", "magic", "zeros"],
)
def test_a_damaged_entry_is_absent_set_aside_and_written_anew(tmp_path, damage):
    store = Store(tmp_path)
    store.put("findings", KEY, b"some findings")
    path = entry_file(store)
    path.write_bytes(damage(path.read_bytes()))
    assert store.get("findings", KEY) is None
    assert store.damaged() == 1
    assert store.put("findings", KEY, b"again") == b"again"
    assert store.get("findings", KEY) == b"again"


def test_the_entry_of_another_key_is_none_of_this_one_and_is_set_aside(tmp_path):
    store, other = Store(tmp_path), hashlib.sha256(b"other").hexdigest()
    store.put("findings", KEY, b"of this detector")
    store.put("findings", other, b"of another")
    store.put("radiographs", KEY, b"a radiograph")
    whole = entry_file(store).read_bytes()
    for another in (entry_file(store, key=other), entry_file(store, "radiographs")):
        entry_file(store).write_bytes(another.read_bytes())
        assert store.get("findings", KEY) is None
        store.put("findings", KEY, b"of this detector")
    assert store.damaged() == 2
    assert entry_file(store).read_bytes() == whole


def test_a_whole_entry_that_holds_something_else_is_told_by_its_file(tmp_path):
    store = Store(tmp_path)
    assert store.read("findings", KEY, decode_sightings) is None
    for decode, rubbish in ((Snapshot.decode, b"{}"), (decode_sightings, b"not one"), (json.loads, b"\xff")):
        key = hashlib.sha256(rubbish).hexdigest()
        store.put("findings", key, rubbish)
        with pytest.raises(StoreError, match=f"{key}: holds no findings") as told:
            store.read("findings", key, decode)
        assert told.value.hint == "delete the file: it is computed anew"


def test_an_entry_of_an_older_store_whose_checksum_is_of_its_payload_alone_is_read(tmp_path):
    store = Store(tmp_path)
    store.put("findings", KEY, b"anew")
    payload = b"as it was written then"
    head = b"synnod1\n" + hashlib.sha256(payload).digest() + len(payload).to_bytes(8, "big")
    entry_file(store).write_bytes(head + payload)
    assert store.get("findings", KEY) == payload
    entry_file(store).write_bytes(head + payload[:-1] + b"X")
    assert store.get("findings", KEY) is None


@pytest.mark.parametrize(("meanwhile", "got"), [("repaired", b"some findings"), ("removed", None)])
def test_an_entry_that_another_process_mends_while_it_is_found_damaged_is_not_set_aside(
    tmp_path, monkeypatch, meanwhile, got
):
    store = Store(tmp_path)
    store.put("findings", KEY, b"some findings")
    path = entry_file(store)
    whole, locked = path.read_bytes(), store_module._locked
    path.write_bytes(b"rubbish")

    @contextlib.contextmanager
    def after_the_other(*args, **options):
        with locked(*args, **options):
            path.write_bytes(whole) if meanwhile == "repaired" else path.unlink()
            yield

    monkeypatch.setattr(store_module, "_locked", after_the_other)
    assert store.get("findings", KEY) == got
    assert store.damaged() == 0


def test_putting_over_a_damaged_entry_replaces_it(tmp_path):
    store = Store(tmp_path)
    store.put("findings", KEY, b"some findings")
    entry_file(store).write_bytes(b"rubbish")
    assert store.put("findings", KEY, b"again") == b"again"
    assert Store(tmp_path).get("findings", KEY) == b"again"


def test_damage_is_logged(tmp_path, caplog):
    store = Store(tmp_path)
    store.put("findings", KEY, b"some findings")
    entry_file(store).write_bytes(b"rubbish")
    store.get("findings", KEY)
    assert "damaged" in caplog.text
    assert KEY in caplog.text


@pytest.mark.parametrize("key", ["", "abc", "../" + "a" * 61, KEY.upper(), KEY + "0", KEY[:-1] + "\n"])
def test_only_sha256_keys_are_taken(tmp_path, key):
    with pytest.raises(StoreError, match="not a key"):
        Store(tmp_path).put("findings", key, b"")


@pytest.mark.parametrize("kind", ["", "../x", "A", "a/b", "a" * 40])
def test_only_plain_kinds_are_taken(tmp_path, kind):
    with pytest.raises(StoreError, match="not a kind"):
        Store(tmp_path).get(kind, KEY)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written") as caught:
        Store(tmp_path / "file").put("findings", KEY, b"")
    assert str(tmp_path / "file") in str(caught.value)
    assert all(f"{option} " in caught.value.hint for option in ("--synnod-cache", "--cache", "--store"))


def test_what_is_stored_may_be_put_again_where_nothing_can_be_written(tmp_path, monkeypatch):
    Store(tmp_path).put("findings", KEY, b"first")

    def refused(self):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Store, "_prepare", refused)
    assert Store(tmp_path).put("findings", KEY, b"again") == b"first"
    with pytest.raises(StoreError, match="Read-only file system"):
        Store(tmp_path).put("findings", KEY[::-1], b"new")


def test_a_file_system_without_hard_links_will_do(tmp_path, monkeypatch):
    def refuse(*args):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    store = Store(tmp_path)
    assert store.put("findings", KEY, b"first") == b"first"
    assert store.put("findings", KEY, b"second") == b"first"


def test_leftovers_of_killed_processes_are_swept_after_an_hour(tmp_path):
    Store(tmp_path).put("findings", KEY, b"")
    old, young = tmp_path / "tmp" / "old", tmp_path / "tmp" / "young"
    old.write_bytes(b"half")
    young.write_bytes(b"half")
    os.utime(old, (time.time() - 7200, time.time() - 7200))
    Store(tmp_path).put("findings", KEY, b"")
    assert not old.exists()
    assert young.exists()


def test_the_folder_keeps_itself_out_of_git(tmp_path):
    Store(tmp_path).put("findings", KEY, b"")
    assert (tmp_path / ".gitignore").read_text() == "*\n"


def _obtain(root, made, barrier, results):
    def make():
        with made.get_lock():
            made.value += 1
        time.sleep(0.2)  # long enough for all others to find no entry too
        return os.urandom(16)

    barrier.wait()
    results.put(Store(root).obtain("phantoms", KEY, make))


def test_what_several_processes_want_at_once_is_made_by_one(tmp_path):
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    barrier, results, made = context.Barrier(3), context.Queue(), context.Value("i", 0)
    workers = [context.Process(target=_obtain, args=(tmp_path, made, barrier, results)) for _ in range(3)]
    for worker in workers:
        worker.start()
    got = {results.get(timeout=60) for _ in workers}
    for worker in workers:
        worker.join()
    assert made.value == 1
    assert got == {Store(tmp_path).get("phantoms", KEY)}


def test_what_fails_while_it_is_made_lets_the_next_try(tmp_path):
    def fail():
        raise ValueError("no")

    store = Store(tmp_path)
    with pytest.raises(ValueError, match="no"):
        store.obtain("phantoms", KEY, fail)
    assert store.obtain("phantoms", KEY, lambda: b"made") == b"made"
    assert store.obtain("phantoms", KEY, fail) == b"made"


def test_where_no_lock_can_be_had_everybody_makes_it(tmp_path):
    (tmp_path / "locks").write_text("a file where the folder of locks would be")
    assert Store(tmp_path).obtain("phantoms", KEY, lambda: b"made") == b"made"


def _write_all(root, mark, barrier, results):
    store = Store(root)
    barrier.wait()
    results.put([store.put("radiographs", key, mark * 50_000) for key in keys(40)])


def test_concurrent_writers_all_get_the_same_authoritative_entry(tmp_path):
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    barrier, results = context.Barrier(4), context.Queue()
    writers = [context.Process(target=_write_all, args=(tmp_path, bytes([65 + i]), barrier, results)) for i in range(4)]
    for writer in writers:
        writer.start()
    returned = [results.get(timeout=60) for _ in writers]
    for writer in writers:
        writer.join()
    assert returned[0] == returned[1] == returned[2] == returned[3]
    assert [Store(tmp_path).get("radiographs", key) for key in keys(40)] == returned[0]
    assert not list((tmp_path / "tmp").iterdir())


KILLED = """
import hashlib, os, sys
from synnodtest.store import Store
store, index = Store(sys.argv[1]), 0
while True:
    key = hashlib.sha256(str(index).encode()).hexdigest()
    store.put("radiographs", key, hashlib.sha256(key.encode()).digest() * 20_000)
    index += 1
    print(index, flush=True)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="POSIX signals")
def test_sudden_death_leaves_whole_entries_only(tmp_path):
    for patience in (0.0, 0.003, 0.011, 0.02):
        process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE)
        with process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(patience)
            process.kill()
    store = Store(tmp_path)
    written = keys_of(store, "radiographs")
    assert written
    for key in written:
        assert store.get("radiographs", key) == hashlib.sha256(key.encode()).digest() * 20_000
    assert store.damaged() == 0


def test_something_else_is_done_instead_of_waiting_for_another_process(tmp_path):
    store, other, done = Store(tmp_path), Store(tmp_path), []
    with other.turn("phantoms", KEY):
        assert store.in_work("phantoms", KEY)

        def meanwhile():
            done.append(len(done))
            if len(done) == 3:
                other.put("phantoms", KEY, b"theirs")
            return True

        assert store.obtain("phantoms", KEY, lambda: b"mine", meanwhile) == b"theirs"
    assert done == [0, 1, 2]
    assert not store.in_work("phantoms", KEY)
