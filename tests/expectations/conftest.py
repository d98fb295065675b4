"""What judging costs besides what a test is about."""

from functools import partial

import pytest

from synnodtest.expectations import curves
from synnodtest.expectations.kinds import calibration, correlation
from synnodtest.statistics import shifts

RESAMPLES = 400
"""Fewer than a run takes: their noise moves the level of a bound by one percent to either side, and hardly the share of
passes, which is its mean."""


@pytest.fixture
def resampled_seldom(monkeypatch):
    """Judge on :data:`RESAMPLES` bootstrap samples, for tests of verdicts that do not hang on the last digit."""
    means = shifts.resampled_means
    monkeypatch.setattr(curves, "resampled", partial(curves.resampled, resamples=RESAMPLES))
    monkeypatch.setattr(shifts, "resampled_means", lambda values, _, *words: means(values, RESAMPLES, *words))
    monkeypatch.setattr(correlation, "resampled", partial(correlation.resampled, resamples=RESAMPLES))
    monkeypatch.setattr(calibration, "RESAMPLES", RESAMPLES)
