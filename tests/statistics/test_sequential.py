"""E-values and confidence sequences: exact martingales, and peeking at every look."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate

from synnodtest.statistics import (
    confidence_sequence,
    confidence_sequence_paired,
    e_value_above,
    e_value_below,
    e_value_paired_above,
    e_value_paired_below,
)
from synnodtest.statistics.sequential import log_e_above, log_e_below

modest = settings(max_examples=30, deadline=None, derandomize=True)
counts = st.integers(0, 120)
bounds = st.sampled_from([0.05, 0.3, 0.5, 0.8, 0.95])


@pytest.mark.parametrize(("s", "r", "m"), [(0, 0, 0.8), (9, 1, 0.8), (30, 12, 0.6), (3, 20, 0.1), (1, 0, 0.5)])
def test_the_e_value_is_the_mixture_of_likelihood_ratios(s, r, m):
    def ratio(q):
        return (q / m) ** s * ((1 - q) / (1 - m)) ** r

    above = integrate.quad(ratio, m, 1)[0] / (1 - m)
    below = integrate.quad(ratio, 0, m)[0] / m
    assert e_value_above(s, r, m) == pytest.approx(above)
    assert e_value_below(s, r, m) == pytest.approx(below)


@modest
@given(counts, counts, bounds)
def test_at_the_bound_the_expected_next_e_value_is_the_present_one(s, r, m):
    for e in (e_value_above, e_value_below):
        assert m * e(s + 1, r, m) + (1 - m) * e(s, r + 1, m) == pytest.approx(e(s, r, m), rel=1e-6)


@modest
@given(counts, counts, bounds)
def test_a_success_raises_the_evidence_above_and_lowers_it_below(s, r, m):
    assert e_value_above(s + 1, r, m) >= e_value_above(s, r, m) >= e_value_above(s, r + 1, m)
    assert e_value_below(s + 1, r, m) <= e_value_below(s, r, m) <= e_value_below(s, r + 1, m)
    assert e_value_below(s, r, m) == pytest.approx(e_value_above(r, s, 1 - m), rel=1e-6)


@modest
@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 80), st.sampled_from([-0.1, 0.0, 0.05]))
def test_the_paired_e_value_never_rises_in_expectation_at_the_bound(better, worse, same, bound):
    """Two extreme laws of D with mean ``bound``: all mass on the ends, and as much as can be on 0."""
    up = (1 + bound) / 2
    for e in (e_value_paired_above, e_value_paired_below):
        now = e(better, worse, same, bound)
        ends = up * e(better + 1, worse, same, bound) + (1 - up) * e(better, worse + 1, same, bound)
        middle = (1 - abs(bound)) * e(better, worse, same + 1, bound)
        middle += abs(bound) * (e(better + 1, worse, same, bound) if bound > 0 else e(better, worse + 1, same, bound))
        assert ends == pytest.approx(now, rel=1e-9)
        assert middle == pytest.approx(now, rel=1e-9)


def crossings(p, bound, runs, looks, seed):
    rng = np.random.default_rng(seed)
    s = (rng.random((runs, looks)) < p).cumsum(axis=1)
    n = np.arange(1, looks + 1)
    seen, place = np.unique(s * (looks + 1) + n, return_inverse=True)
    hits, total = np.divmod(seen, looks + 1)
    above, below = (log_e(hits, total - hits, bound) >= math.log(20) for log_e in (log_e_above, log_e_below))
    return above[place].reshape(s.shape), below[place].reshape(s.shape)


@pytest.mark.parametrize("bound", [0.8, 0.5, 0.95])
def test_peeking_at_every_look_errs_at_most_alpha_of_the_time(bound):
    above, below = crossings(bound, bound, 1000, 500, seed=3)
    limit = 0.05 + 3 * math.sqrt(0.05 * 0.95 / 1000)
    assert above.any(axis=1).mean() <= limit
    assert below.any(axis=1).mean() <= limit
    assert above.any(axis=1).mean() > 0.005


@pytest.mark.parametrize(("p", "expected"), [(0.95, 38), (0.60, 38)])
def test_clear_detectors_stop_early(p, expected):
    above, below = crossings(p, 0.8, 1000, 700, seed=1)
    stopped = above | below
    assert stopped.any(axis=1).all()
    assert (stopped.argmax(axis=1) + 1).mean() == pytest.approx(expected, rel=0.1)


def test_peeking_at_pairs_errs_at_most_alpha_of_the_time():
    """Written out from the definition, pair by pair, and joined to the function at the last look."""
    rng, runs, looks, bound = np.random.default_rng(6), 500, 250, -0.1
    d = rng.choice([-1, 0, 1], p=[0.15, 0.8, 0.05], size=(runs, looks))
    m = (bound + 1) / 2
    q = m + (1 - m) * (np.arange(256) + 0.5) / 256
    stake = (q - m) / (m * (1 - m))
    logs, crossed = np.zeros((runs, 256)), np.zeros(runs, dtype=bool)
    for look in range(looks):
        logs += np.log1p(stake * ((d[:, look, None] + 1) / 2 - m))
        crossed |= np.exp(logs).mean(axis=1) >= 20
    assert crossed.mean() <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)
    last = [e_value_paired_above(*(int((row == v).sum()) for v in (1, -1, 0)), bound) for row in d[:20]]
    assert last == pytest.approx(np.exp(logs[:20]).mean(axis=1))


def test_concordant_pairs_do_show_non_inferiority_before_long():
    n = next(n for n in range(1, 2000) if e_value_paired_above(0, 0, n, -0.1) >= 20)
    assert n < 80


def test_no_data_is_no_evidence():
    assert e_value_above(0, 0, 0.8) == e_value_below(0, 0, 0.8) == pytest.approx(1)
    assert e_value_paired_above(0, 0, 0, -0.1) == e_value_paired_below(0, 0, 0, -0.1) == pytest.approx(1)
    got = confidence_sequence(0, 0)
    assert (got.lower, got.upper, got.usable) == (0, 1, False)
    got = confidence_sequence_paired(0, 0, 0)
    assert (got.lower, got.upper, got.usable) == (-1, 1, False)


def test_overwhelming_evidence_stays_finite():
    assert math.isfinite(e_value_above(10**6, 0, 0.1))
    assert e_value_above(0, 10**6, 0.9) == 0.0
    assert math.isfinite(e_value_paired_above(10**5, 0, 0, 0.0))


@pytest.mark.parametrize(("s", "r", "m"), [(1, 1, 0), (1, 1, 1), (-1, 1, 0.5), (math.nan, 1, 0.5), (1, 1, math.nan)])
def test_arguments_that_make_no_sense_are_refused(s, r, m):
    with pytest.raises(ValueError):
        e_value_above(s, r, m)
    with pytest.raises(ValueError):
        e_value_below(s, r, m)


@pytest.mark.parametrize(("s", "r"), [(30, 5), (1, 1), (0, 40), (40, 0), (400, 100)])
def test_the_confidence_sequence_ends_where_the_e_values_reach_twenty(s, r):
    got = confidence_sequence(s, r)
    assert got.lower == 0 if s == 0 else e_value_above(s, r, got.lower) == pytest.approx(20, rel=1e-6)
    assert got.upper == 1 if r == 0 else e_value_below(s, r, got.upper) == pytest.approx(20, rel=1e-6)
    assert got.lower < got.value + 1e-9 < got.upper + 2e-9


@modest
@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
def test_sequences_mirror_and_hold_the_value(a, b, c):
    if a + b:
        got, turned = confidence_sequence(a, b), confidence_sequence(b, a)
        assert 0 <= got.lower <= got.value <= got.upper <= 1
        assert (turned.lower, turned.upper) == pytest.approx((1 - got.upper, 1 - got.lower), abs=1e-6)
    if a + b + c:
        got, turned = confidence_sequence_paired(a, b, c), confidence_sequence_paired(b, a, c)
        assert -1 <= got.lower <= got.value <= got.upper <= 1
        assert (turned.lower, turned.upper) == pytest.approx((-got.upper, -got.lower), abs=1e-6)


@pytest.mark.parametrize(("s", "r"), [(30, 5), (2, 50), (100, 100)])
def test_every_rate_outside_the_sequence_is_rejected_and_none_inside(s, r):
    got = confidence_sequence(s, r)
    for m in np.linspace(0.01, 0.99, 99):
        inside = e_value_above(s, r, m) < 20 and e_value_below(s, r, m) < 20
        assert inside == (got.lower < m < got.upper)


@pytest.mark.parametrize("sequence", [confidence_sequence, lambda s, f: confidence_sequence_paired(s, 0, f)])
def test_nothing_rests_on_a_single_unit_and_agreement_reaches_its_end(sequence):
    assert sequence(1, 0).reason == sequence(0, 1).reason == "fewer than 2 units"
    assert sequence(2, 0).reason == sequence(1, 1).reason == ""
    assert sequence(9, 0).upper == 1.0


def test_a_rate_of_nought_has_a_lower_bound_of_nought():
    assert (confidence_sequence(0, 9).lower, confidence_sequence(9, 0).upper) == (0.0, 1.0)
