"""References for section 8: every estimator written out, or SciPy's, on the rows of ``results.parquet``."""

from __future__ import annotations

import re

import numpy as np
import pytest
from scipy import optimize, stats

from tests.extras import needs

needs("pandas")


def holds(found, recompute, component=0, tolerance=2e-6):
    """The record says what was recomputed, and section 8 prints what the record says: value, 90% and 95% bounds.

    ``recompute`` gives value, lower and upper bound, and the noise of both if there is any, from the one-sided error
    rate. ``tolerance`` is that of both bounds, or of each.
    """
    e, _, text = found
    part = e["ruling"]["components"][component]
    said = {0.05: (part["lower"], part["upper"]), 0.025: (part["lower95"], part["upper95"])}
    for alpha, bounds in said.items():
        value, lower, upper, *noise = recompute(alpha)
        near = np.broadcast_to(noise[0] if noise else tolerance, 2) + 2e-6
        assert part["value"] == pytest.approx(value, abs=1e-9)
        assert bounds[0] == pytest.approx(lower, abs=near[0]), alpha
        assert bounds[1] == pytest.approx(upper, abs=near[1]), alpha
    cells = [in_words(part, *said[0.05], interval=True), in_words(part, *said[0.025], interval=True)]
    printed = rf"{in_words(part, part['value'])}0? {cells[0]} {cells[1]} "
    assert re.search(printed, text), (printed, text)


def in_words(part, *numbers, interval=False):
    """Return the pattern of a value, or of an interval, as a table prints it: no end on or beyond a bound unreached."""
    digits = 3 if max(map(abs, (part["value"], part["lower"], part["upper"]))) < 0.1 else 2
    if interval:
        fewest, bounds = 3 if max(map(abs, numbers)) < 0.1 else 2, np.array([part["bound"], -part["bound"]])
        kept = (
            d
            for d in range(fewest, 9)
            if all((np.sign(round(v, d) - bounds) == np.sign(v - bounds)).all() for v in numbers)
        )
        digits = next(kept, fewest)
    shown = []
    for v in numbers:
        text = "0." + digits * "0" if abs(v) < 0.5 * 10**-digits else f"{v:.{digits}f}".replace("-", "\N{MINUS SIGN}")
        shown.append(f"{text} mm" if part["unit"] == "mm" else text)
    return r"0? to \+?".join([r"\+?" + re.escape(shown[0]), *map(re.escape, shown[1:])]) + "0?"


def hits(rows):
    return (rows.confidence >= rows.operating_point).to_numpy()


def untouched(rows):
    return rows[rows.arm.str.startswith("@untouched")]


def own(rows):
    return rows[~rows.arm.str.startswith("@")]


def clopper_pearson(x, n, alpha):
    exact = stats.binomtest(int(x), int(n)).proportion_ci(1 - 2 * alpha, "exact")
    return x / n, exact.low, exact.high


def student(values, alpha):
    half = stats.t.ppf(1 - alpha, len(values) - 1) * stats.sem(values)
    return values.mean() - half, values.mean() + half


def hall(values, alpha):
    """Hall 1992: find the means whose cubic-transformed t statistic is the quantile, by root finding."""
    n, g, error = len(values), stats.skew(values, bias=False), stats.sem(values)
    t = stats.t.ppf(1 - alpha, n - 1)

    def transformed(mean):
        w = (values.mean() - mean) / error / np.sqrt(n)
        return np.sqrt(n) * (w + g * w**2 / 3 + g**2 * w**3 / 27 + g / (6 * n))

    return tuple(optimize.brentq(lambda m, q=q: transformed(m) - q, -30, 30) for q in (t, -t))


def guarded(values, low, high, alpha, *, unseen=None):
    """The widest of t, Hall's bounds, and t with one more value that was not seen."""
    least, most = unseen or (low, high)
    lows = [student(values, alpha)[0], hall(values, alpha)[0], student(np.append(values, least), alpha)[0]]
    highs = [student(values, alpha)[1], hall(values, alpha)[1], student(np.append(values, most), alpha)[1]]
    return values.mean(), max(low, min(lows)), min(high, max(highs))


def korn_graubard(hit, cluster, alpha):
    import pandas

    x, n = (pandas.Series(hit).groupby(np.asarray(cluster)).agg(k).to_numpy(float) for k in ("sum", "size"))
    p, b, total = x.sum() / n.sum(), len(n), n.sum()
    assert 0 < p < 1
    v = b / (b - 1) * ((x - p * n) ** 2).sum() / total**2
    telling = min((x > 0).sum(), (x < n).sum())  # the guard: clusters in which the rarer outcome occurs
    t = stats.t.ppf(0.975, total - 1) / stats.t.ppf(0.975, telling - 1)  # at any alpha
    m = max(b, min(total, p * (1 - p) / v * t**2))
    low, high = stats.beta.ppf((alpha, 1 - alpha), (p * m, p * m + 1), (m - p * m + 1, m - p * m))
    seen = alpha ** (n @ n / total**2)  # of equal clusters 1 / b: no more than the rest is unlike all of them
    return p, min(low, p * seen), max(high, 1 - (1 - p) * seen)


def tango(b, c, n, alpha):
    """Tango 1998: score statistic of the paired difference, nuisance at its restricted maximum."""

    def z(delta):
        second = -b - c + (2 * n - b + c) * delta
        q = (np.sqrt(second**2 + 8 * n * c * delta * (1 - delta)) - second) / (4 * n)
        return (b - c - n * delta) / np.sqrt(n * (2 * q + delta * (1 - delta)))

    u = stats.norm.ppf(1 - alpha)
    low = optimize.brentq(lambda d: z(d) - u, -1 + 1e-9, (b - c) / n - 1e-9)
    return (b - c) / n, low, optimize.brentq(lambda d: z(d) + u, (b - c) / n + 1e-9, 1 - 1e-9)


def noisy(draws, bounds, alpha):
    """Return the bounds of bootstrap draws, and how far those of the report may lie from them.

    The Monte Carlo standard error of a bound is its spread where the draws themselves are drawn again; two bounds that
    draw independently, these and the report's of 2000 draws, differ by no more than four standard errors of their
    difference.
    """
    rng = np.random.default_rng(3)
    again = np.array([bounds(rng.choice(draws, len(draws)), alpha) for _ in range(200)])
    return *bounds(draws, alpha), 4 * np.sqrt(1 + len(draws) / 2000) * again.std(axis=0)


def bca(statistic, clusters, resamples=2000):
    """Efron 1987 over clusters, written out; ``statistic`` takes a list of cluster names, with repeats.

    Returns, from the one-sided error rate, both bounds and the noise of each.
    """
    names, rng = np.array(sorted(set(clusters))), np.random.default_rng(11)
    value = statistic(names)
    draws = np.array([statistic(rng.choice(names, len(names))) for _ in range(resamples)])
    left_out = np.array([statistic(np.delete(names, i)) for i in range(len(names))])
    pull = left_out.mean() - left_out
    speed = (pull**3).sum() / (6 * (pull**2).sum() ** 1.5)

    def bounds(drawn, alpha):
        bias = stats.norm.ppf(((drawn < value).mean() + (drawn <= value).mean()) / 2)
        at = bias + stats.norm.ppf([alpha, 1 - alpha])
        low, high = stats.norm.cdf(bias + at / (1 - speed * at))
        return np.quantile(drawn, low, method="lower"), np.quantile(drawn, high, method="higher")

    return lambda alpha: noisy(draws, bounds, alpha)


def images(rows):
    """Return per image: cluster, scores of hits, of false positives, nodules, scores of second hits; a scene once."""
    made = []
    for _, scene in rows.groupby("scene"):
        row = scene.iloc[0]
        scores, names, twice = map(np.asarray, (row.finding_scores, row.finding_nodules, row.finding_duplicates))
        hit = names != "" if len(names) else np.array([], bool)
        twice = twice.astype(bool)
        made.append((row.cluster, scores[hit], scores[~hit & ~twice], int(scene.nodule.notna().sum()), scores[twice]))
    return made


def drawn_images(rows):
    """Return the function from cluster names, with repeats, to their images."""
    by = {}
    for image in images(rows):
        by.setdefault(image[0], []).append(image)
    return lambda names: [image for name in names for image in by[name]]
