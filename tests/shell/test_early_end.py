"""A detector that ends the process of its run: the status is not that of a run that passed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from synnodtest.shell.early_end import early_end_fails, termination_interrupts


@pytest.fixture
def ended(monkeypatch):
    """What this process was really told to do, in place of doing it."""
    calls = []
    for name in ("_exit", "execv", "execve"):
        monkeypatch.setattr(os, name, lambda *words, name=name: calls.append((name, *words)))
    return calls


def test_a_process_that_is_ended_from_within_ends_badly_and_says_so(ended):
    told = []
    with early_end_fails(told.append, 3):
        os._exit(0)
        os._exit(7)
        os.execl("/bin/true", "true")
    assert ended == [("_exit", 3), ("_exit", 7), ("_exit", 3)]
    assert [text.partition(" ")[0] for text in told] == ["os._exit", "os._exit", "os.execv"]
    os._exit(0)
    assert ended[3:] == [("_exit", 0)]


def test_a_forked_process_ends_as_it_likes(ended, monkeypatch):
    told = []
    with early_end_fails(told.append, 3):
        monkeypatch.setattr(os, "getpid", lambda: -1)
        os._exit(0)
        os.execv("/bin/true", ["true"])
    assert (ended, told) == ([("_exit", 0), ("execv", "/bin/true", ["true"])], [])


ENDS = {
    "with early_end_fails(print, 3): libc.exit(0)": -getattr(signal, "SIGRTMAX", 0),
    "with early_end_fails(print, 3): Thread(target=libc.exit, args=[0]).start(); time.sleep(60)": -getattr(
        signal, "SIGRTMAX", 0
    ),
    "with early_end_fails(print, 3): pass": 0,
    "with early_end_fails(print, 3):\n  with early_end_fails(print, 3): pass\n  libc.exit(0)": -getattr(
        signal, "SIGRTMAX", 0
    ),
    "with early_end_fails(print, 3): pid = os.fork()\nif not pid: libc.exit(0)\nassert os.waitpid(pid, 0)[1] == 0": 0,
    "with early_end_fails(print, 3): assert os.system('true') == 0": 0,
}


@pytest.mark.skipif(not hasattr(signal, "SIGRTMAX"), reason="there is no such signal")
@pytest.mark.parametrize("words", ENDS)
def test_a_process_that_a_library_ends_by_exit_of_c_does_not_end_well(words):
    head = "import ctypes, os, time\nfrom threading import Thread\n"
    head += "from synnodtest.shell.early_end import early_end_fails\nlibc = ctypes.CDLL(None)\n"
    assert subprocess.run([sys.executable, "-c", head + words], timeout=60).returncode == ENDS[words]


@pytest.mark.parametrize(("name", "then"), [("SIGTERM", signal.SIG_DFL), ("SIGHUP", signal.SIG_IGN)])
def test_a_time_limit_or_a_closed_terminal_ends_a_run_as_ctrl_c_does(monkeypatch, name, then):
    """A second SIGTERM ends it at once; of a closing terminal shell and kernel may both send SIGHUP."""
    number, sent = getattr(signal, name), []
    listens = {one: print for one in signal.Signals} | {number: signal.SIG_DFL}  # of whoever runs these tests
    monkeypatch.setattr(signal, "getsignal", listens.get)
    monkeypatch.setattr(signal, "signal", lambda *told: sent.append(told))
    with termination_interrupts():
        ((_, end),) = sent
        with pytest.raises(KeyboardInterrupt):
            end(number, None)
        assert sent[1:] == [(number, then)]
    del sent[:]
    for other in (print, signal.SIG_IGN):  # somebody else listens; nohup
        listens[number] = other
        with termination_interrupts():
            assert sent == []


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there is no SIGHUP")
def test_the_hangup_that_follows_when_a_session_is_ended_is_passed_over_too(monkeypatch):
    """Where a user logs out, systemd sends SIGTERM and right after it SIGHUP."""
    monkeypatch.setattr(signal, "getsignal", lambda number: signal.SIG_DFL)
    then = {}
    monkeypatch.setattr(signal, "signal", then.__setitem__)
    with termination_interrupts():
        with pytest.raises(KeyboardInterrupt):
            then[signal.SIGTERM](signal.SIGTERM, None)
        assert then == {signal.SIGTERM: signal.SIG_DFL, signal.SIGHUP: signal.SIG_IGN}


def test_what_is_told_to_a_closed_terminal_keeps_nobody_from_writing_the_report(tmp_path):
    pty = pytest.importorskip("pty")
    (tmp_path / "run.py").write_text(
        "import signal, time\nfrom synnodtest.shell.early_end import termination_interrupts\n"
        "signal.signal(signal.SIGHUP, signal.SIG_DFL)\n"
        "with termination_interrupts():\n    try:\n        print('ready', flush=True)\n"
        "        for _ in range(600):\n            time.sleep(0.1)\n"
        "    except KeyboardInterrupt:\n        print('told', flush=True)\n"
        "        time.sleep(0.2)\n        open('report', 'w').close()\n"
    )
    ours, its = pty.openpty()
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    words = [sys.executable, "run.py"]
    with subprocess.Popen(words, stdin=its, stdout=its, stderr=its, cwd=tmp_path, env=environment) as process:
        os.close(its)
        assert os.read(ours, 5) == b"ready"
        os.close(ours)
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGHUP)
        assert process.wait(60) == 0
    assert (tmp_path / "report").is_file()
