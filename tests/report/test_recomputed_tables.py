"""The tables of section 8 beside its estimates: counts, rates per row, curves, intra-cluster correlation."""

from __future__ import annotations

import re

import numpy as np
import pytest
from scipy import optimize, special

from tests.report.recomputed import clopper_pearson, hits, images, korn_graubard, own, untouched
from tests.report.test_recomputed_stages import evidence_against


def shown(value):
    """Return a number as the report prints it."""
    text = f"{value:.{3 if abs(value) < 0.1 else 2}f}"
    return text.replace("-", "\N{MINUS SIGN}") if text.strip("-0.") else text.removeprefix("-")


def groups_of(rows, swept):
    """Return label and rows of each requested diameter, or of steps of 5 mm where diameters are drawn."""
    size = rows.requested_diameter_mm
    if swept:
        return [(f"{value:g} mm", rows[size == value]) for value in sorted(set(size))]
    return [(f"{a} to {a + 5} mm", rows[(size >= a) & (size < a + 5)]) for a in (5, 10, 15)]


def is_shown(printed, ends):
    for text, end in zip(printed, ends, strict=True):
        assert float(text) == pytest.approx(end, abs=0.5001 * 10 ** -len(text.split(".")[1]) + 5e-5)


@pytest.mark.parametrize(
    ("node", "swept"),
    [("alone::detected", False), ("alone::strict", False), ("alone::correlation", False), ("size::sensitivity", True),
     ("steps::correlation", True), ("steps::size_at_sensitivity", True)],
)  # fmt: skip
def test_rates_by_requested_diameter_with_the_interval_that_decides(judged, node, swept):
    _, rows, text = judged(node)
    rows = own(rows)
    if node == "size::sensitivity":
        rows = rows[rows.requested_diameter_mm >= 9]
    twin, details = [], []
    for label, part in groups_of(rows, swept):
        x, n = int(hits(part).sum()), len(part)
        repeated = part.cluster.nunique() < n
        _, *ends = korn_graubard(hits(part), part.cluster, 0.025) if repeated else clopper_pearson(x, n, 0.025)
        twin.append((f"{label} {n} {x} {shown(x / n)} ", ends))
        details.append((f" {label} {x} {n} {shown(x / n)} ", ends))
    _, *tables = text.split("diameter detected nodules rate rate, 95% lower rate, 95% upper")
    assert len(tables) == (node == "steps::correlation"), "told below the figure already, but where that is the curve"
    for start, ends in details if tables else ():
        is_shown(tables[0].split(start, 1)[1].split()[:2], ends)
    for start, ends in () if tables else twin:
        is_shown(text.split(start, 1)[1].split()[:3:2], ends)


@pytest.mark.parametrize("node", ["steps::correlation", "size::monotone"])
def test_the_curve_over_size_its_isotonic_fit_and_its_rates(judged, node):
    e, rows, text = judged(node)
    points = sorted({0.15, e["parameters"]["operating_point"], 0.5})
    by = rows.groupby("requested_diameter_mm").confidence
    mean = by.mean().to_numpy()
    n = len(mean)
    fit = [max(min(mean[a : b + 1].mean() for b in range(i, n)) for a in range(i + 1)) for i in range(n)]
    for i, (size, seen) in enumerate(by):
        numbers = mean[i], fit[i], *((seen >= point).mean() for point in points)
        assert f" {size:g} {' '.join(map(shown, numbers))} " in text


def test_the_intra_cluster_correlation_is_that_of_an_analysis_of_variance(judged):
    e, rows, text = judged("size::sensitivity")
    rows = rows[rows.requested_diameter_mm >= 9]
    wide = rows.assign(hit=hits(rows).astype(float)).pivot(
        index="cluster", columns="requested_diameter_mm", values="hit"
    )
    k = wide.shape[1]
    between = k * wide.mean(axis=1).var(ddof=1)
    within = wide.var(axis=1, ddof=1).mean()
    value = min(1.0, max(0.0, (between - within) / (between + (k - 1) * within)))
    assert e["ruling"]["icc"] == pytest.approx(value)
    assert f"Intra-cluster correlation {shown(value)} " in text


@pytest.mark.parametrize(
    ("node", "arm", "reference"),
    [("companion::non_inferior", "double", "single"), ("blurred::superior", "sharp", "blurred")],
)
def test_the_table_of_pairs(judged, node, arm, reference):
    _, rows, text = judged(node)
    rows = rows[rows.nodule.notna() & (rows.nodule != "companion")]
    wide = rows.assign(hit=hits(rows)).pivot(index="background", columns="arm", values="hit").astype(bool)
    a, b = wide[arm], wide[reference]
    yes, no = [(a & b).sum(), (a & ~b).sum()], [(~a & b).sum(), (~a & ~b).sum()]
    assert f"detected in {arm} {yes[0]} {yes[1]} {sum(yes)} missed in {arm} {no[0]} {no[1]} {sum(no)} " in text
    assert f" {yes[1] + no[0]} of them discordant" in text


def test_groups_of_parity_and_images_by_false_positives(judged):
    _, rows, text = judged("alone::parity")
    mine = own(rows)
    sex = np.array([dict(s)["sex"] for s in mine.strata])
    for group in "FM":
        part = mine[sex == group]
        assert f"sex={group} {part.background.nunique()} {shown(hits(part).mean())} {len(part)}" in text
    _, rows, text = judged("size::false_positives_per_image")
    counts = np.array([(wrong >= 0.25).sum() for _, _, wrong, *_ in images(untouched(rows))])
    each = " ".join(f"{k} {(counts == k).sum()}" for k in sorted(set(counts)))
    assert f"false positives images {each}" in text
    assert f"variance over mean {counts.var(ddof=1) / counts.mean():.2f};" in text


def test_confidence_inside_a_region_and_outside(judged):
    _, rows, text = judged("leak::no_detection")
    for name, part in (("inside", own(rows)), ("outside", rows[rows.arm == "@outside"])):
        matched = (part.confidence > 0).mean()  # by a finding of any score
        assert f" {name} {len(part)} {shown(part.confidence.mean())} {shown(matched)} " in text


def test_the_local_failure_rate_around_a_counterexample(judged):
    _, rows, text = judged("searched::detected")
    around = rows[rows.counterexample == ""]
    assert f"{(~hits(around)).sum()} of {len(around)} fail" in text


def test_what_calibration_notes(judged):
    _, rows, text = judged("alone::calibration")
    scored = [(s, float(k == 1)) for i in images(rows) for k in (1, 2) for s in i[k]]
    score, hit = map(np.array, zip(*scored, strict=True))
    assert f"Brier score {((score - hit) ** 2).mean():.3f};" in text


def test_backgrounds_and_clusters_of_every_expectation(data, table, told):
    """Where all scenes are judged, these are the backgrounds and clusters of the rows."""
    for e in data["expectations"]:
        name = e["id"].split("::", 1)[1]
        if name == "searched::detected" or e["kind"] == "localization":
            continue
        rows = table[(table.expectation == e["id"]) & table.accepted]
        if name == "own-words::numbers":
            rows = own(rows)[own(rows).requested_diameter_mm >= 9]
        looks = re.search(r" decided after (\d+) of", told[e["id"]])
        if looks:  # what was made after that was judged by nobody
            rows = rows[rows.cluster.isin(e["ruling"]["figure"]["cluster"][: int(looks[1])])]
        n = (rows.background.nunique(), rows.cluster.nunique())
        assert f"units on {n[0]} backgrounds in {n[1]} independent clusters" in told[e["id"]], name
        assert f" Scenes {len(e['scenes'])} " in told[e["id"]]


def test_slope_and_intercept_of_recalibration_are_a_logistic_regression(judged):
    """Minimise the loss of hits against the log odds of scores, which are kept within 1e-6 of 0 and 1."""
    _, rows, text = judged("alone::calibration")
    scored = [(s, k == 1) for i in images(rows) for k in (1, 2) for s in i[k]]
    score, hit = (np.array(column, float) for column in zip(*scored, strict=True))
    odds = special.logit(np.clip(score, 1e-6, 1 - 1e-6))

    def loss(at):
        line = at[0] + at[1] * odds
        return np.logaddexp(0, line).sum() - (hit * line).sum()

    intercept, slope = optimize.minimize(loss, [0.0, 1.0], tol=1e-10).x
    assert f"recalibration slope {slope:.2f}, intercept {intercept:.2f}" in text


def test_the_evidence_over_n_of_rates_judged_one_by_one(judged):
    """Printed are all units looked at; for passing, backgrounds that came to nothing would count as misses."""
    for kind, bound in (("sensitivity", 0.3), ("detected", 0.2), ("specificity", 0.95)):
        _, rows, text = judged(f"one-by-one::{kind}")
        bare = [not (np.asarray(s) >= 0.25).any() for s in untouched(rows).finding_scores]
        kept = bare if kind == "specificity" else hits(own(rows))
        x, y = float(np.sum(kept)), float(len(kept) - np.sum(kept))
        passing, failing = np.log(evidence_against(bound, x, y)), np.log(evidence_against(1 - bound, y, x))
        assert f" {len(kept)} {shown(passing)} {shown(failing)} {shown(np.log(20))} " in text


def test_the_sentence_says_the_numbers_of_the_table(data):
    """All that decides is in the sentence: value, one-sided bound or interval, and what was asked for."""
    for e in data["expectations"]:
        if e["kind"] == "python":
            continue
        said, status = e["ruling"]["sentence"], e["ruling"]["status"]
        part = e["ruling"]["components"][0]
        side = {"above": "lower", "below": "upper", "within": ""}[part["side"]]
        side = side if status == "PASSED" else {"lower": "upper", "upper": "lower"}.get(side, "")
        ends = f"90% interval {plain(part['lower'])} to {plain(part['upper'])}"
        if side and status != "INCONCLUSIVE":
            ends = f"one-sided 95% {side} bound {plain(part[side])}"
        assert f" {plain(part['value'])} ({ends}) " in said, said
        bound = part["bound"]
        assert f"{'±' if part['side'] == 'within' else ''}{bound:.2f}" in said, said


def plain(value):
    return "0.00" if abs(value) < 0.005 else f"{value:.2f}"
