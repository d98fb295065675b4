"""A detector that ends the process of its run: the status is not that of a run that passed."""

import os
import signal

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


def test_a_time_limit_ends_a_run_as_ctrl_c_does_and_asks_no_second_time(monkeypatch):
    sent = []
    monkeypatch.setattr(signal, "getsignal", lambda number: signal.SIG_DFL)  # of whoever runs these tests
    monkeypatch.setattr(signal, "signal", lambda number, handler: sent.append(handler))
    with termination_interrupts():
        with pytest.raises(KeyboardInterrupt):
            sent[0](signal.SIGTERM, None)
        assert sent[1:] == [signal.SIG_DFL]
    monkeypatch.setattr(signal, "getsignal", lambda number: print)  # somebody else listens
    with termination_interrupts():
        assert sent[1:] == [signal.SIG_DFL] * 2
