"""What searches cost besides what a test is about."""

import pytest


@pytest.fixture
def briefly_described(monkeypatch):
    """Let a search that confirms a counterexample look little around it.

    Local rate, rule and region take more scenes than search and confirmation together; ``test_hole.py`` is about them.
    """
    monkeypatch.setattr("synnodtest.fuzzing.hunt.DESCRIBED", 10)
    monkeypatch.setattr("synnodtest.fuzzing.hunt.MOST_WALKED", 8)
