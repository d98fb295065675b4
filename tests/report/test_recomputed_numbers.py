"""Every number of section 8, recomputed from ``results.parquet`` alone.

Point estimates and closed-form bounds are exact. Bootstrap bounds are held against a bootstrap written out, which draws
otherwise: the bounds agree within four Monte Carlo standard errors of their difference, each from 2000 draws.
"""

from __future__ import annotations

import contextlib
import io
from functools import partial
from itertools import combinations

import numpy as np
import pytest
from scipy import optimize, special, stats

from tests.report.recomputed import (
    bca,
    clopper_pearson,
    drawn_images,
    guarded,
    hall,
    hits,
    holds,
    images,
    korn_graubard,
    noisy,
    own,
    student,
    tango,
    untouched,
)

STEP = 0.04
"""Where a statistic moves in few steps its noise is large, yet bounds lie no further apart than this."""


def test_sensitivity_is_korn_graubard(judged):
    found = judged("size::sensitivity")
    mine = found[1][found[1].requested_diameter_mm >= 9]
    holds(found, partial(korn_graubard, hits(mine), mine.cluster))


def test_monotone_is_the_widest_guarded_interval_of_each_background_s_spearman(judged):
    found = judged("size::monotone")
    e, rows, _ = found
    rho = np.array(
        [stats.spearmanr(g.requested_diameter_mm, g.confidence).statistic for _, g in rows.groupby("cluster")]
    )
    rho = np.nan_to_num(rho)
    holds(found, partial(guarded, rho, -1, 1, unseen=(0.0, rho.mean())))
    curve = rows.groupby("requested_diameter_mm").confidence.mean().to_numpy()
    assert e["ruling"]["components"][1]["value"] == pytest.approx(np.max(np.maximum.accumulate(curve) - curve))


def test_the_largest_drop_has_the_bounds_of_a_bootstrap_over_backgrounds_and_is_no_surer_than_single_drops(judged):
    found = judged("size::monotone")
    wide = found[1].pivot(index="cluster", columns="requested_diameter_mm", values="confidence")

    def fall(names):
        curve = rows[[place[name] for name in names]].mean(axis=0)
        return max(curve[i] - curve[j] for i in range(len(curve)) for j in range(i + 1, len(curve)))

    rows, place = wide.to_numpy(), {name: k for k, name in enumerate(wide.index)}
    value = fall(list(wide.index))
    drawn = bca(fall, wide.index)

    falls = [rows[:, i] - rows[:, j] for i, j in combinations(range(rows.shape[1]), 2)]

    def single(alpha, side):
        """Of each fall the wider of Student's bound and Hall's."""
        return [(min, max)[side](student(d, alpha)[side], hall(d, alpha)[side]) for d in falls]

    def drop(alpha):
        low, high, noise = drawn(alpha)
        ends = min(low, max(single(alpha / len(falls), 0))), max(high, *single(alpha, 1))
        return *(max(0.0, v) for v in (value, *ends)), noise

    holds(found, drop, component=1)


def test_correlation_within_backgrounds_and_across_them(judged):
    found = judged("steps::correlation")
    groups = found[1].groupby("cluster")
    rho = np.array([np.nan_to_num(stats.spearmanr(g.requested_diameter_mm, g.confidence).statistic) for _, g in groups])
    holds(found, partial(guarded, rho, -1, 1, unseen=(0.0, rho.mean())))
    found = judged("alone::correlation")
    mine = own(found[1])
    assert len(mine) == mine.cluster.nunique()
    r, n = stats.spearmanr(mine.requested_diameter_mm, mine.confidence).statistic, len(mine)
    place = {name: row for row, name in enumerate(mine.cluster)}
    values = mine[["requested_diameter_mm", "confidence"]].to_numpy()

    def spearman(names):
        ranks = stats.rankdata(values[[place[name] for name in names]], axis=0)
        return np.corrcoef(ranks, rowvar=False)[0, 1]

    assert spearman(mine.cluster) == pytest.approx(r)
    drawn = bca(spearman, mine.cluster)

    def across(alpha):
        half = stats.norm.ppf(1 - alpha) * np.sqrt((1 + r**2 / 2) / (n - 3))  # Bonett and Wright
        low, high, noise = drawn(alpha)
        return r, min(low, np.tanh(np.arctanh(r) - half)), max(high, np.tanh(np.arctanh(r) + half)), noise

    holds(found, across)


def test_false_positives_are_poisson_exact_and_specificity_is_clopper_pearson(judged):
    found = judged("size::false_positives_per_image")
    counts = np.array([(wrong >= 0.25).sum() for _, _, wrong, *_ in images(found[1])])
    events, n = int(counts.sum()), len(counts)
    assert events
    assert counts.var(ddof=1) / counts.mean() <= 1.25

    def garwood(alpha):
        low, high = stats.chi2.ppf(alpha, 2 * events), stats.chi2.ppf(1 - alpha, 2 * events + 2)
        return events / n, low / 2 / n, high / 2 / n

    holds(found, garwood)
    found = judged("alone::specificity")
    clean = [not (wrong >= 0.25).any() for _, _, wrong, *_ in images(untouched(found[1]))]
    holds(found, partial(clopper_pearson, sum(clean), len(clean)))


def fires(row, region):
    """Return whether any finding above the operating point lies in a region."""
    above = np.asarray(row.finding_scores) >= row.operating_point
    return any(a and region in set(r) for a, r in zip(above, row.finding_regions, strict=True))


def test_no_detection_counts_findings_by_their_regions(judged):
    found = judged("leak::no_detection")
    inside, outside = own(found[1]), found[1][found[1].arm == "@outside"]
    for component, region in ((0, "air_leak"), (2, "@control:air_leak")):
        count = sum(fires(row, region) for _, row in inside.iterrows())
        holds(found, partial(clopper_pearson, count, len(inside)), component=component)
    holds(found, partial(clopper_pearson, hits(outside).sum(), len(outside)), component=1)


def test_detected_and_a_sensitivity_of_its_own_matching_are_clopper_pearson(judged):
    found = judged("alone::detected")
    mine = own(found[1])
    loose = hits(mine).sum()
    holds(found, partial(clopper_pearson, loose, len(mine)))
    found = judged("alone::strict")
    mine = own(found[1])
    assert hits(mine).sum() < loose  # the scenes are the same, the rule is not
    holds(found, partial(clopper_pearson, hits(mine).sum(), len(mine)))


def paired(rows, arm, reference, value):
    rows = rows.assign(value=value(rows))
    wide = rows[rows.arm.isin([arm, reference])].pivot(index="background", columns="arm", values="value")
    assert len(wide) == 16
    return wide[arm], wide[reference]


@pytest.mark.parametrize(
    ("node", "arm", "reference"),
    [("companion::non_inferior", "double", "single"), ("blurred::superior", "sharp", "blurred"),
     ("alone::invariant", None, None)],
)  # fmt: skip
def test_paired_rates_are_tango(judged, node, arm, reference):
    found = judged(node)
    rows = found[1][found[1].nodule.notna() & (found[1].nodule != "companion")]
    if arm is None:
        reference, arm = sorted(rows.arm.unique(), key=lambda name: name.startswith("@"))
    first, second = paired(rows, arm, reference, hits)
    holds(found, partial(tango, int((first & ~second).sum()), int((~first & second).sum()), len(first)))
    holds(found, partial(clopper_pearson, second.sum(), len(second)), component=1)


def test_differences_of_means_are_the_widest_guarded_interval(judged):
    found = judged("blurred::confidences")
    rows = found[1][found[1].nodule.notna()]
    first, second = paired(rows, "blurred", "sharp", lambda t: t.confidence)
    holds(found, partial(guarded, (first - second).to_numpy(), -1, 1))
    sharp = hits(rows[rows.arm == "sharp"])
    holds(found, partial(clopper_pearson, sharp.sum(), len(sharp)), component=1)
    found = judged("blurred::alarms")
    rows = found[1][found[1].nodule.isna()]
    arms = sorted(rows.arm.unique(), key=lambda name: "blurred" in name)

    def counts(t):
        return [float((w >= 0.25).sum()) for _, s in t.groupby("scene", sort=False) for _, _, w, *_ in images(s)]

    second, first = paired(rows, arms[1], arms[0], counts)[::-1]
    shift = (first - second).to_numpy()
    most = max(2.0, first.max(), second.max())  # a further image may show two, however few these do
    holds(found, partial(guarded, shift, -most, most))
    sharp = found[1][found[1].nodule.notna() & (found[1].arm == "sharp")]
    holds(found, partial(clopper_pearson, hits(sharp).sum(), len(sharp)), component=1)


def test_parity_is_miettinen_and_nurminen(judged):
    found = judged("alone::parity")
    mine = own(found[1])
    sex = np.array([dict(s)["sex"] for s in mine.strata])
    x1, n1, x2, n2 = (int(v) for g in "FM" for v in (hits(mine)[sex == g].sum(), (sex == g).sum()))

    def z(delta):  # nuisance by direct maximisation of the likelihood under p1 = p2 + delta
        def loss(p):
            a, b = np.clip([p + delta, p], 1e-12, 1 - 1e-12)
            return -(x1 * np.log(a) + (n1 - x1) * np.log(1 - a) + x2 * np.log(b) + (n2 - x2) * np.log(1 - b))

        p = optimize.minimize_scalar(loss, bounds=(max(0, -delta), min(1, 1 - delta)), options={"xatol": 1e-12}).x
        variance = ((p + delta) * (1 - p - delta) / n1 + p * (1 - p) / n2) * (n1 + n2) / (n1 + n2 - 1)
        return (x1 / n1 - x2 / n2 - delta) / np.sqrt(variance)

    value = x1 / n1 - x2 / n2

    def score(alpha):
        u = stats.norm.ppf(1 - alpha)
        low = optimize.brentq(lambda d: z(d) - u, -1 + 1e-6, value - 1e-6)
        return value, low, optimize.brentq(lambda d: z(d) + u, value + 1e-6, 1 - 1e-6)

    holds(found, score, tolerance=1e-4)
    holds(found, partial(clopper_pearson, x1 + x2, n1 + n2), component=1)


def test_localization_is_the_guarded_mean_over_backgrounds_of_each_hit_s_fit(judged):
    for node, metric in (("alone::fit", "iou"), ("alone::place", "mm")):
        found = judged(node)
        values, far = [], []
        for _, row in own(found[1])[hits(own(found[1]))].iterrows():
            box = next(b for b, n in zip(row.finding_boxes, row.finding_nodules, strict=True) if n == row.nodule)
            a, b = np.asarray(box), np.asarray(row.box)
            inner = np.prod(np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None))
            iou = inner / (np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - inner)
            gap = (a[:2] + a[2:] - b[:2] - b[2:]) / 2 * np.asarray(row.mm_per_px)[::-1]
            values.append(iou if metric == "iou" else np.hypot(*gap))
            far.append(row.diameter_mm / 2 + 5)
        limits = (0.0, 1.0) if metric == "iou" else (0.0, max(*far, *values))
        holds(found, partial(guarded, np.array(values), *limits))
        holds(found, partial(clopper_pearson, len(values), len(own(found[1]))), component=1)


def sensitivity_at(fppi, drawn):
    """Sweep every score as a threshold; the best sensitivity with no more false positives per image."""
    hits, wrong = (np.concatenate([image[k] for image in drawn]) for k in (1, 2))
    cuts = np.unique(np.concatenate([hits, wrong]))[::-1]
    allowed = cuts[[np.count_nonzero(wrong >= cut) <= fppi * len(drawn) + 1e-9 for cut in cuts]]
    threshold = allowed[-1] if len(allowed) else np.inf
    return np.count_nonzero(hits >= threshold) / sum(image[3] for image in drawn), threshold


def sensitivity_beside_unseen(fppi, by_cluster, alpha):
    """As above, where a share of clusters, unlike all seen, shows three per image, or as many as the worst seen."""
    share, drawn = 1 - alpha ** (1 / len(by_cluster)), [image for own in by_cluster for image in own]
    hits = np.concatenate([image[1] for image in drawn])
    best = 0.0
    for cut in np.unique(np.concatenate([image[k] for image in drawn for k in (1, 2)])):
        rates = [np.mean([np.count_nonzero(image[2] >= cut) for image in own]) for own in by_cluster]
        mean = np.average(rates, weights=[len(own) for own in by_cluster])
        if (1 - share) * mean + share * max(3, *rates) <= fppi:
            best = max(best, np.count_nonzero(hits >= cut) / sum(image[3] for image in drawn))
    return best


def test_froc_is_a_sweep_of_thresholds(judged):
    found = judged("alone::froc")
    every = drawn_images(found[1])
    clusters = sorted(set(found[1].cluster))
    value, cut = sensitivity_at(0.25, every(clusters))
    hit = [bool((i[1] >= cut).any()) for i in every(clusters) if i[3]]
    drawn = bca(lambda names: sensitivity_at(0.25, every(names))[0], clusters)

    def widest(alpha):
        _, low, high = clopper_pearson(sum(hit), len(hit), alpha)
        *bounds, noise = drawn(alpha)
        least = sensitivity_beside_unseen(0.25, [every([name]) for name in clusters], alpha)
        return value, min(low, bounds[0], least), max(high, bounds[1]), np.minimum(noise, STEP)

    holds(found, widest)


def average_precision(drawn):
    """pycocotools: every nodule a box of its own; hits lie on it, second ones on the first, all else far away."""
    coco, evaluation = pytest.importorskip("pycocotools.coco"), pytest.importorskip("pycocotools.cocoeval")
    truth, found = [], []
    for number, (_, hit, wrong, nodules, twice) in enumerate(drawn, 1):
        places = [[100.0 * k, 0.0, 50.0, 50.0] for k in range(nodules)]
        truth += [{"id": len(truth) + k + 1, "image_id": number, "category_id": 1, "bbox": box, "area": 2500.0,
                   "iscrowd": 0} for k, box in enumerate(places)]  # fmt: skip
        boxes = [*zip(hit, places, strict=False), *((s, [0.0, 900.0, 50.0, 50.0]) for s in wrong),
                 *((s, places[0]) for s in twice)]  # fmt: skip
        found += [{"image_id": number, "category_id": 1, "bbox": box, "score": float(s)} for s, box in boxes]
    data = coco.COCO()
    data.dataset = {"images": [{"id": k + 1} for k in range(len(drawn))], "annotations": truth,
                    "categories": [{"id": 1}]}  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()):
        data.createIndex()
        judge = evaluation.COCOeval(data, data.loadRes(found), "bbox")
        judge.params.iouThrs = np.array([0.5])
        judge.params.areaRng, judge.params.areaRngLbl = [[0, 1e10]], ["all"]
        judge.params.maxDets = [1000]
        judge.evaluate()
        judge.accumulate()
    return float(judge.eval["precision"].mean())


def precision_by_hand(drawn, ahead=0.0):
    scored = sorted(((s, of == 1) for i in drawn for of in (1, 2, 4) for s in i[of]), key=lambda p: -p[0])
    hit = np.cumsum([h for _, h in scored])
    if not len(hit):
        return 0.0
    precision, recall = hit / (ahead + np.arange(1, len(hit) + 1)), hit / sum(i[3] for i in drawn)
    best = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)  # at this recall or more
    return best[np.searchsorted(recall, np.linspace(0, 1, 101) - 1e-12)].mean()


def test_average_precision_is_that_of_pycocotools(judged):
    found = judged("alone::average_precision")
    every, clusters = drawn_images(found[1]), sorted(set(found[1].cluster))
    value = average_precision(every(clusters))
    assert 0 < value < 1
    assert any(len(image[4]) for image in every(clusters))
    drawn = bca(lambda names: precision_by_hand(every(names)), clusters)
    found_at_all = sum(len(i[1]) > 0 for i in every(clusters) if i[3])

    def bounds(alpha):
        """One more background without a hit is allowed for, the share of nodules found at all, and unseen images."""
        low, high, noise = drawn(alpha)
        least = clopper_pearson(found_at_all, len(clusters), alpha)[1]
        images = every(clusters)
        unseen = precision_by_hand(images, 3 * len(images) * (1 - alpha ** (1 / len(clusters))))
        return value, min(low * len(clusters) / (len(clusters) + 1), least, unseen), high, np.minimum(noise, STEP)

    holds(found, bounds)


def test_auc_is_that_of_scikit_learn_with_delong_s_bounds(judged):
    found = judged("alone::auc")
    holds(found, area_of_pairs(found, lambda row: max(row.finding_scores, default=0.0), 0.0))


def test_afroc_is_the_area_of_nodules_against_the_loudest_finding_with_delong_s_bounds(judged):
    found = judged("alone::afroc")
    holds(found, area_of_pairs(found, lambda row: row.confidence or -1.0, -1.0))


def area_of_pairs(found, of_nodule, silent):
    """Scikit-learn's area and DeLong's bounds, widened by the bootstrap; one nodule per image."""
    metrics = pytest.importorskip("sklearn.metrics")
    nodules, rest = own(found[1]), untouched(found[1])
    loudest = {True: np.array([of_nodule(row) for row in nodules.itertuples()]),
               False: np.array([max(s, default=silent) for s in rest.finding_scores])}  # fmt: skip
    label = np.repeat([True, False], [len(loudest[True]), len(loudest[False])])
    value = metrics.roc_auc_score(label, np.concatenate([loudest[True], loudest[False]]))
    wins = (loudest[True][:, None] > loudest[False]) + 0.5 * (loudest[True][:, None] == loudest[False])
    error = np.sqrt(wins.mean(1).var(ddof=1) / len(wins) + wins.mean(0).var(ddof=1) / wins.shape[1])
    by = {kind: dict(zip(part.cluster, loudest[kind], strict=True)) for kind, part in ((True, nodules), (False, rest))}

    def area(names):
        first, second = (np.array([by[kind][name] for name in names]) for kind in (True, False))
        return ((first[:, None] > second) + 0.5 * (first[:, None] == second)).mean()

    assert area(sorted(by[True])) == pytest.approx(value)
    drawn = bca(area, found[1].cluster)

    def widest(alpha):
        u = stats.norm.ppf(1 - alpha)
        scale = u * error / (value * (1 - value))
        logit = special.expit(special.logit(value) + np.array([-scale, scale]))
        low, high, noise = drawn(alpha)
        return value, min(value - u * error, logit[0], low), min(1.0, max(value + u * error, logit[1], high)), noise

    return widest


def calibration_error(drawn, bins):
    """Sort all findings by score, cut them into bins of equal mass (ties stay together), weigh the gaps."""
    scored = sorted((s, k == 1) for i in drawn for k in (1, 2) for s in i[k])
    score, hit = (np.array(column, float) for column in zip(*scored, strict=True))
    place = np.searchsorted(score, score) * bins // len(score)
    return np.abs(np.bincount(place, hit - score, bins)).sum() / len(score)


def test_calibration_takes_every_finding_however_faint(judged):
    found = judged("alone::calibration")
    e, rows, _ = found
    every, clusters = drawn_images(rows), sorted(set(rows.cluster))
    value = calibration_error(every(clusters), 2)
    findings = sum(len(i[1]) + len(i[2]) for i in every(clusters))
    assert min(s for row in rows.finding_scores for s in row) < 0.01
    rng = np.random.default_rng(5)
    draws = np.array([calibration_error(every(rng.choice(clusters, len(clusters))), 2) for _ in range(2000)])

    def bounds(drawn, alpha):
        spread = drawn.std(ddof=1)
        half = stats.t.ppf(1 - alpha, len(clusters) - 1) * spread
        units = min(value * (1 - value) / spread**2, findings)  # a share of so many varies as much
        skewed = stats.beta.ppf(1 - alpha, value * units + 1, (1 - value) * units)
        chance = max(0.0, drawn.mean() - value) / (np.sqrt(2) - 1)  # of right scores, by what resampling adds to it
        return max(0.0, value - chance - half), max(min(1.0, value + half), skewed)

    holds(found, lambda alpha: (value, *noisy(draws, bounds, alpha)))
    mine = own(rows)
    holds(found, partial(clopper_pearson, hits(mine).sum(), len(mine)), component=1)
    assert e["ruling"]["n_nodules"] == findings


def gee(size, hit, cluster, alike, degree=1):
    """Logistic GEE with exchangeable correlation or none, and Mancl and DeRouen's covariance, written out."""
    x = np.column_stack([np.log(size) ** power for power in range(degree + 1)])
    of = degree + 1
    groups = [np.flatnonzero(cluster == c) for c in sorted(set(cluster))]
    beta, rho = np.zeros(of), 0.0
    for _ in range(200):
        mu = special.expit(x @ beta)
        residual = (hit - mu) / np.sqrt(mu * (1 - mu))
        bread, score = np.zeros((of, of)), np.zeros(of)
        for g in groups:
            spread = np.sqrt(mu[g] * (1 - mu[g]))
            v = np.outer(spread, spread) * (rho + (1 - rho) * np.eye(len(g)))
            d = x[g] * (mu[g] * (1 - mu[g]))[:, None]
            bread += d.T @ np.linalg.solve(v, d)
            score += d.T @ np.linalg.solve(v, hit[g] - mu[g])
        step = np.linalg.solve(bread, score)
        beta = beta + step
        scale = (residual**2).sum() / (len(hit) - of)
        pairs = sum(len(g) * (len(g) - 1) / 2 for g in groups)
        cross = sum((residual[g].sum() ** 2 - (residual[g] ** 2).sum()) / 2 for g in groups)
        last, rho = rho, 0.0 if alike else cross / scale / (pairs - of)
        if abs(step).max() < 1e-12 and abs(rho - last) < 1e-12:
            break
    meat = np.zeros((of, of))
    for g in groups:
        spread = np.sqrt(mu[g] * (1 - mu[g]))
        v = np.outer(spread, spread) * (rho + (1 - rho) * np.eye(len(g)))
        d = x[g] * (mu[g] * (1 - mu[g]))[:, None]
        hat = d @ np.linalg.solve(bread, d.T) @ np.linalg.inv(v)
        pull = d.T @ np.linalg.solve(v, np.linalg.solve(np.eye(len(g)) - hat, hit[g] - mu[g]))
        meat += np.outer(pull, pull)
    return beta, np.linalg.solve(bread, meat) @ np.linalg.inv(bread)


def surely_beyond(fit, t, sizes, value):
    """The tried sizes nearest to a value at which a bent curve is surely below, and above, a half; a trifle nearer."""
    at = np.log(np.unique(sizes))
    lines = np.column_stack([np.ones_like(at), at, at**2])
    gap, half = lines @ fit[0], t * np.sqrt((lines @ fit[1] * lines).sum(axis=1))
    under, over = at[(gap < -half) & (at <= np.log(value))], at[(gap > half) & (at >= np.log(value))]
    return np.exp(under.max(initial=-np.inf) + 1e-4), np.exp(over.min(initial=np.inf) - 1e-4)


def test_size_at_sensitivity_is_a_gee_written_out_with_fieller_s_bounds(judged):
    found = judged("steps::size_at_sensitivity")
    rows = found[1]
    cluster = rows.cluster.to_numpy()
    sizes, hit = rows.requested_diameter_mm.to_numpy(), hits(rows).astype(float)
    fits = [gee(sizes, hit, cluster, alike) for alike in (False, True)]
    value = np.exp(-fits[0][0][0] / fits[0][0][1])
    part = found[0]["ruling"]["components"][0]
    assert part["value"] == pytest.approx(value, rel=1e-4)
    assert len(set(np.unique(cluster, return_counts=True)[1])) == 1, "equal clusters"
    for alpha, wide in ((0.05, ""), (0.025, "95")):
        count = len(set(cluster))
        t, lows, highs = stats.t.ppf(1 - alpha, count - 2), [], []
        for beta, cov in fits:

            def beyond(log_size, beta=beta, cov=cov, t=t):
                line = np.array([1.0, log_size])
                return (line @ beta) ** 2 - t**2 * line @ cov @ line

            at = -beta[0] / beta[1]
            lows.append(np.exp(optimize.brentq(beyond, at - 6, at)))
            unseen = special.logit(0.5 / alpha ** (1 / count)) if alpha ** (1 / count) > 0.5 else np.inf
            highs += [np.exp(optimize.brentq(beyond, at, at + 6)), np.exp((unseen - beta[0]) / beta[1])]
        bent, t = gee(sizes, hit, cluster, True, degree=2), stats.t.ppf(1 - alpha, count - 3)
        for beyond, ends in zip(surely_beyond(bent, t, sizes, value), (lows, highs), strict=True):
            ends.append(beyond)
        low = min(lows) if min(lows) >= sizes.min() else 0.0
        high = max(highs) if max(highs) <= sizes.max() else np.inf
        for name, bound in (("lower", low), ("upper", high)):
            assert part[name + wide] == (None if np.isinf(bound) else pytest.approx(bound, rel=1e-3))
    assert f"{part['value']:.2f} mm" in found[2]
