"""The tables around section 8, recomputed from the record's scenes and verdicts by a few lines written out."""

from __future__ import annotations

import hashlib
import json
import math
from html.parser import HTMLParser

import numpy as np
import pytest
from scipy import optimize, stats

MINUS = "\N{MINUS SIGN}"


class Tables(HTMLParser):
    """Rows of cells of each table, by section and caption; the first row is its head."""

    def __init__(self, text):
        super().__init__()
        self.section, self.found, self.into = "", {}, None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag == "section":
            self.section = dict(attrs)["id"].removeprefix("section-")
        elif tag == "table":
            self.table = {"caption": [""], "rows": []}
        elif tag == "tr":
            self.table["rows"].append([])
        elif tag in ("th", "td"):
            self.table["rows"][-1].append("")
            self.into = self.table["rows"][-1]
        elif tag == "caption":
            self.into = self.table["caption"]

    def handle_endtag(self, tag):
        if tag in ("th", "td", "caption"):
            self.into = None
        elif tag == "table":
            self.found.setdefault((self.section, self.table["caption"][0]), []).append(self.table["rows"])

    def handle_data(self, data):
        if self.into is not None:
            self.into[-1] += data


@pytest.fixture(scope="module")
def tables(run):
    return Tables((run / "report.html").read_text()).found


@pytest.fixture(scope="module")
def accepted(data):
    return [scene for scene in data["scenes"].values() if scene["accepted"]]


def number(text):
    """Return a printed number, without its unit."""
    infinite = text.replace(MINUS, "-").replace("\N{INFINITY}", "inf")
    return float(infinite.removesuffix(" mm").replace(" ", "").replace("+", ""))


def is_printed(text, value):
    decimals = len(text.removesuffix(" mm").partition(".")[2])
    assert number(text) == pytest.approx(value, abs=0.5001 * 10**-decimals)


def guarded_95(hit, cluster):
    """The 95% interval of ``clustered_rate`` as docs/statistics.md has it, for clusters of any size."""
    names, index = np.unique(cluster, return_inverse=True)
    x, n = (np.bincount(index, w) for w in (np.asarray(hit, float), np.ones(len(hit))))
    total, p, b = n.sum(), x.sum() / n.sum(), len(names)
    kish = total**2 / (n**2).sum()
    if b == total:
        size = total
    elif p in (0, 1):
        size = kish
    else:
        pull = np.maximum(1, (1 - 1 / b) / (1 - n / total))  # the jackknife's: more than its share of the trials
        v = b / (b - 1) * ((x - p * n) ** 2 * pull**2).sum() / total**2

        def effective(degrees):
            widening = stats.t.ppf(0.975, total - 1) / stats.t.ppf(0.975, degrees)
            return min(total, p * (1 - p) / v * widening**2) if v else total

        telling = min((x > 0).sum(), (x < n).sum())
        size = min(effective(b - 1), max(effective(max(min(telling, kish), 2) - 1), kish))
        if np.ptp(n):  # Kish's design effect: a few large clusters may agree by chance
            size = min(size, total / (1 + correlation_of(x, n) * (total / kish - 1)))
    low = stats.beta.ppf(0.025, p * size, size - p * size + 1) if p > 0 else 0.0
    high = stats.beta.ppf(0.975, p * size + 1, size - p * size) if p < 1 else 1.0
    if b == total:
        return low, high
    seen = 0.025 ** (1 / kish)  # no more than the rest is unlike all clusters seen
    skewed = hall_95(p + (x - p * n) * b / total)
    return max(0, min(low, p * seen, skewed[0])), min(1, max(high, 1 - (1 - p) * seen, skewed[1]))


def correlation_of(x, n):
    """The intraclass correlation by analysis of variance (Ridout et al. 1999)."""
    ratio = stats.f_oneway(*(np.arange(trials) < hits for hits, trials in zip(x, n, strict=True))).statistic
    typical = (n.sum() - (n**2).sum() / n.sum()) / (len(n) - 1)
    return max(0.0, (ratio - 1) / (ratio + typical - 1)) if np.isfinite(ratio) else 1.0


def hall_95(values):
    """Hall's 95% interval of a mean: the roots of his cubic of the studentized mean (J. R. Stat. Soc. B 54, 1992)."""
    b, error, skew = len(values), stats.sem(values), stats.skew(values, bias=False)
    if np.ptp(values) < 1e-9:
        return values[0], values[0]

    def cubic(t):
        return t + skew / np.sqrt(b) * t**2 / 3 + skew**2 / b * t**3 / 27 + skew / np.sqrt(b) / 6

    quantile = stats.t.ppf(0.975, b - 1)
    roots = [optimize.brentq(lambda t, q=q: cubic(t) - q, -1e3, 1e3) for q in (quantile, -quantile)]
    return tuple(values.mean() - root * error for root in roots)


def holds_of(kind, group, nodule, strata):
    """Whether a nodule is of a group of section 10."""
    if kind == "all":
        return True
    if kind == "region":
        return group in nodule["regions"]
    if kind == "size":
        ends = [float(w) for w in group.split() if w.replace(".", "").isdigit()]
        low, high = (0.0, *ends) if group.startswith("under") else (*ends, math.inf)[:2]
        return low <= nodule["requested"]["diameter_mm"] < high
    return str(strata.get(kind)) == group


def test_subgroups_count_nodules_and_allow_for_clusters(tables, accepted):
    (rows,) = tables["10", "Detected nodules by subgroup"]
    left_out = {"leak", "searched"}  # nodules that are not to be found, or were chosen for failing
    nodules = [
        (n, s)
        for s in accepted
        if not s["arm"].startswith("@") and s["behaviour"] not in left_out
        for n in s["nodules"]
    ]
    assert [row[0] for row in rows[1:]].count("region") > 3
    for kind, group, count, clusters, found, rate, interval in rows[1:]:
        mine = [
            (n["hit"], s.get("cluster") or s["background"]) for n, s in nodules if holds_of(kind, group, n, s["strata"])
        ]
        hit, cluster = zip(*mine, strict=True)
        assert [number(text) for text in (count, clusters, found)] == [len(hit), len(set(cluster)), sum(hit)], group
        is_printed(rate, np.mean(hit))
        for text, end in zip(interval.split(" to "), guarded_95(hit, cluster), strict=True):
            is_printed(text, end)


def test_counts_of_scenes_backgrounds_and_properties(tables, data, accepted):
    (steps,) = tables["5", "Scenes from request to evaluation"]
    assert [number(row[1]) for row in steps[1:3]] == [len(data["scenes"])] * 2
    assert [number(row[1]) for row in steps[3:]] == [len(accepted)] * 2
    (known,) = tables["2", "Backgrounds by what is known of them"]
    for key, value, scenes, backgrounds in known[1:]:
        mine = [s["background"] for s in accepted if str(s["strata"].get(key)) == value]
        assert (number(scenes), number(backgrounds)) == (len(mine), len(set(mine)))


def test_effective_n_is_that_of_the_design_effect(tables, data):
    (rows,) = tables["4", "Sample size of each expectation"]
    judged = [e["ruling"] for e in data["expectations"] if e["ruling"] and e["ruling"]["components"]]
    for ruling, (_, units, clusters, _, effective, *_) in zip(judged, rows[1:], strict=True):
        n, b = ruling["n_nodules"], ruling["n_clusters"]
        assert (number(units), number(clusters)) == (n, b)
        correlation = 0.2 if ruling["icc"] is None else ruling["icc"]
        assert number(effective) == round(n / (1 + (n / b - 1) * correlation))


def test_p_values_are_adjusted_by_holm_and_gates_are_counted(tables, data):
    from statsmodels.stats.multitest import multipletests

    (rows,) = tables["9", "Raw and adjusted p values"]
    mine = [e for e in data["expectations"] if e["p_holm"] is not None]
    raw = [e["ruling"]["p_value"] for e in mine]
    assert len(rows) - 1 == len(mine) > 10
    for e, adjusted, row in zip(mine, multipletests(raw, method="holm")[1], rows[1:], strict=True):
        assert e["p_holm"] == pytest.approx(adjusted)
        for text, value in zip(row[1:3], (e["ruling"]["p_value"], adjusted), strict=True):
            if value < 1e-4:
                assert text == "< 0.0001"
            else:
                is_printed(text, value)
    (gates,) = tables["9", "Expectations by gate"]
    assert sum(number(cell) for row in gates[1:] for cell in row[1:]) == len(data["expectations"])


def sha256_of(value):
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode())


def test_evidence_hashes_are_those_of_the_scenes_in_the_record(tables, data):
    (rows,) = tables["7", "From hazard to verdict"]
    order = [b["id"] for b in data["behaviours"]]
    entries = sorted(data["expectations"], key=lambda e: order.index(e["behaviour"]))
    for e, row in zip(entries, rows[1:], strict=True):
        scenes = [[key, sha256_of(data["scenes"][key]).hexdigest()] for key in sorted(set(e["scenes"]))]
        assert row[4] == (sha256_of(scenes).hexdigest()[:12] if scenes else "–")


def test_every_printed_end_of_an_interval_lies_on_its_side_of_the_bound(tables, data):
    order = [b["id"] for b in data["behaviours"]]
    entries = sorted(data["expectations"], key=lambda e: order.index(e["behaviour"]))
    judged = [e["ruling"]["components"] for e in entries if e["ruling"] and e["ruling"]["components"]]
    told = 0
    for components, rows in zip(judged, tables["8", "Estimates against their bounds"], strict=True):
        for part, row in zip(components, rows[1:], strict=True):
            for text, names in zip(row[2:4], (("lower", "upper"), ("lower95", "upper95")), strict=True):
                if text == "–":
                    continue
                for end, name in zip(text.split(" to "), names, strict=True):
                    beyond = math.inf if "upper" in name else -math.inf
                    value = beyond if part[name] is None else part[name]
                    for bound in {part["bound"], -part["bound"] if part["side"] == "within" else part["bound"]}:
                        assert np.sign(number(end) - bound) == np.sign(value - bound), (part["label"], end, value)
                        told += 1
    assert told > 100
