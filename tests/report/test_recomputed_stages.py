"""Section 8 from ``results.parquet``: what stops early or is searched for, and what users' functions say."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from scipy import integrate, optimize

from synnodtest.expectations import known_checks
from tests.report.recomputed import hits, holds, korn_graubard, own, untouched

REACH = 20
"""An e-value of 1/alpha decides."""


def evidence_against(rate, hit, miss):
    """The e-value against a rate: the mean likelihood ratio over all larger rates, by numerical integration."""
    mean, _ = integrate.quad(lambda p: (p / rate) ** hit * ((1 - p) / (1 - rate)) ** miss, rate, 1, epsabs=0)
    return mean / (1 - rate)


def evidence_of_pairs(bound, better, worse, same):
    """The e-value against a difference: the mean capital of bets on it over all stakes, by numerical integration."""
    m = (bound + 1) / 2

    def capital(q):
        stake = (q - m) / (m * (1 - m))
        return (1 + stake * (1 - m)) ** better * (1 + stake * (0.5 - m)) ** same * (1 - stake * m) ** worse

    return integrate.quad(capital, m, 1, epsabs=0, limit=200)[0] / (1 - m)


def first(evidence):
    """Return the first look, from the second on, at which the evidence suffices."""
    return next((k for k, e in enumerate(evidence, 1) if k > 1 and max(evidence[:k]) >= REACH), None)


def stop_of(passing, failing):
    """Return status and number of looks, from the looks at which either side has enough."""
    if failing is not None and (passing is None or failing <= passing):
        return "FAILED", failing
    return ("INCONCLUSIVE", None) if passing is None else ("PASSED", passing)


def stopped(found, status, looks):
    assert found[0]["ruling"]["status"] == status
    assert f"after {looks} of 16 planned independent backgrounds" in found[0]["ruling"]["sentence"]


def lowest(evidence, value, end, reach):
    """Return the least value that evidence up to ``reach`` does not refute; ``end`` where it refutes none."""
    most = min(value, 1 - 1e-9)  # at a rate of 1 the evidence is a limit, 0 over 0
    return end if evidence(end + 1e-9) < reach else optimize.brentq(lambda m: evidence(m) - reach, end + 1e-9, most)


@pytest.mark.parametrize(("kind", "bound"), [("sensitivity", 0.3), ("detected", 0.2), ("specificity", 0.95)])
def test_a_sequential_rate_stops_where_the_evidence_suffices_and_has_a_confidence_sequence(judged, kind, bound):
    found = judged(f"one-by-one::{kind}")
    if kind == "specificity":
        kept = np.array([not (np.asarray(s) >= 0.25).any() for s in untouched(found[1]).finding_scores])
    else:
        kept = hits(own(found[1]))
    counts = [(float(x), float(k - x)) for k, x in enumerate(np.cumsum(kept), 1)]
    passing = first([evidence_against(bound, x, y) for x, y in counts])
    failing = first([evidence_against(1 - bound, y, x) for x, y in counts])
    status, looks = stop_of(passing, failing)
    looks = looks or len(counts)
    stopped(found, status, looks)
    x, y = counts[looks - 1]

    def sequence(alpha):
        low = lowest(lambda m: evidence_against(m, x, y), x / looks, 0.0, 1 / alpha)
        return x / looks, low, 1 - lowest(lambda m: evidence_against(m, y, x), y / looks, 0.0, 1 / alpha)

    holds(found, sequence, tolerance=1e-5)


@pytest.mark.parametrize(("kind", "bound"), [("non_inferior", -0.7), ("superior", 0.6)])
def test_sequential_pairs_stop_where_bets_on_the_difference_have_won_enough(judged, kind, bound):
    found = judged(f"pair-by-pair::{kind}")
    rows = found[1][found[1].nodule.notna()]
    wide = rows.assign(hit=hits(rows)).pivot(index="background", columns="arm", values="hit")
    wide = wide.loc[rows.background.drop_duplicates()]
    better, worse = (wide.sharp & ~wide.blurred).cumsum(), (~wide.sharp & wide.blurred).cumsum()
    looks = np.arange(1, len(wide) + 1)
    counts = [tuple(map(float, c)) for c in zip(better, worse, looks - better - worse, strict=True)]
    passing = first([evidence_of_pairs(bound, *c) for c in counts])
    failing = first([evidence_of_pairs(-bound, w, b, s) for b, w, s in counts])
    seen = wide.blurred.cumsum().to_numpy(float)  # the reference must be shown to find more than a fifth
    least = max(0.2, -bound)  # a reference has no more to lose than it finds
    gate = first([evidence_against(least, x, k - x) for k, x in zip(looks, seen, strict=True)])
    passing = None if passing is None or gate is None else max(passing, gate)
    status, stop = stop_of(passing, failing)
    stop = stop or len(wide)
    stopped(found, status, stop)
    b, w, s = counts[stop - 1]

    def sequence(alpha):
        low = lowest(lambda m: evidence_of_pairs(m, b, w, s), (b - w) / stop, -1.0, 1 / alpha)
        return (b - w) / stop, low, -lowest(lambda m: evidence_of_pairs(m, w, b, s), (w - b) / stop, -1.0, 1 / alpha)

    holds(found, sequence, tolerance=1e-4)


def test_what_a_user_s_function_says_is_said_of_the_rows(judged):
    found = judged("own-words::numbers")
    e, rows, _ = found
    mine = own(rows)[own(rows).requested_diameter_mm >= 9]
    assert 1 < len(mine) < len(own(rows))
    holds(found, lambda _: (mine.confidence.mean(), mine.confidence.min(), mine.confidence.max()))
    counted = [e["ruling"][k] for k in ("n_nodules", "n_backgrounds", "n_clusters")]
    assert counted == [len(mine), mine.background.nunique(), mine.cluster.nunique()]
    e, rows, text = judged("own-words::words")
    mine, bare = own(rows), untouched(rows)
    alarms = sum(int((np.asarray(s) >= 0.25).sum()) for s in bare.finding_scores)
    assert f"{hits(mine).sum()} of {len(mine)} found, {alarms} false alarms" in text
    assert e["ruling"]["n_nodules"] == mine.scene.nunique()


def test_the_rate_at_a_counterexample_is_korn_graubard_of_its_confirmation(judged):
    found = judged("searched::detected")
    e, rows, text = found
    parts = e["ruling"]["components"]
    assert e["ruling"]["status"] == "FAILED"
    assert {p["label"] for p in parts} == {f"rate at {name}" for name in rows.counterexample if name}
    assert (rows.counterexample == "").any()  # scenes that describe what lies around it
    for k, part in enumerate(parts):
        mine = rows[rows.counterexample == part["label"].removeprefix("rate at ")]
        assert mine.cluster.duplicated().any()
        holds(found, partial(korn_graubard, hits(mine), mine.cluster), component=k)
        if part["status"] == "FAILED":
            assert part["upper"] < part["bound"]
    first_part = rows[rows.counterexample == parts[0]["label"].removeprefix("rate at ")]
    assert f"n = {len(first_part)} trials on {first_part.background.nunique()} held-out backgrounds" in text


RECOMPUTED = {
    "size::monotone": 2, "size::sensitivity": 1, "size::false_positives_per_image": 1, "leak::no_detection": 3,
    "companion::non_inferior": 2, "alone::specificity": 1, "alone::detected": 1, "alone::strict": 1,
    "alone::correlation": 1, "alone::parity": 2, "alone::fit": 2, "alone::place": 2, "alone::froc": 1,
    "alone::average_precision": 1, "alone::auc": 1, "alone::afroc": 1, "alone::calibration": 2, "alone::invariant": 2,
    "steps::correlation": 1, "steps::size_at_sensitivity": 1, "blurred::superior": 2, "blurred::confidences": 2,
    "blurred::alarms": 2, "one-by-one::sensitivity": 1, "one-by-one::specificity": 1, "one-by-one::detected": 1,
    "pair-by-pair::non_inferior": 1, "pair-by-pair::superior": 1, "own-words::numbers": 1, "own-words::words": 0,
}  # fmt: skip
"""How many estimates of each expectation the tests of section 8 recompute; a search has one per candidate."""


ELSEWHERE = {"distractor", "growth"}
"""A rate and a paired shift like others above, recomputed by hand beside the scenes that they need (`tests/mimics`,
`tests/planning/test_growth.py`)."""


def test_every_estimate_of_every_kind_of_expectation_is_recomputed(data):
    """A new kind needs a test of its own (`tests/expectations/test_KIND.py`), another estimate one beside these."""
    there = {e["id"].split("::", 1)[1]: len(e["ruling"]["components"]) for e in data["expectations"]}
    there.pop("searched::detected")
    assert there == RECOMPUTED
    by_itself = {path.stem.removeprefix("test_") for path in (Path(__file__).parents[1] / "expectations").glob("*.py")}
    assert set(known_checks()) - ELSEWHERE - by_itself <= {e["kind"] for e in data["expectations"]}
