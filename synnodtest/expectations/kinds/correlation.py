"""``correlation``: rank correlation of a response with a varied quantity."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from synnodtest.evidence.ruling import Ruling, Side
from synnodtest.evidence.trial import Evidence, value_of
from synnodtest.expectations import limits
from synnodtest.expectations.fewest import rising_backgrounds
from synnodtest.expectations.kind import Kind
from synnodtest.expectations.language import number, one_of, option
from synnodtest.expectations.rates import by_diameter, rate_bound, verb, where_phrase
from synnodtest.expectations.rule import Held, hold, no_data, no_narrower, rule, selected, with_unseen
from synnodtest.expectations.trend import Trend, Watched, against_silence, against_trend, varies, watched
from synnodtest.expectations.worst import with_worst_case
from synnodtest.geometry import Indices
from synnodtest.statistics import Estimate, spearman
from synnodtest.statistics.bootstrap import resampled
from synnodtest.statistics.clusters import equal_clusters
from synnodtest.statistics.distributions import midranks


@dataclass(frozen=True)
class Correlation(Trend):
    """Parameters of ``correlation``; one bound is given."""

    over: str = option("The varied quantity, such as diameter_mm or Sphericity.", {"type": "string"}, "")
    at_least: float | None = option("Correlation must exceed this.", number(-1, 1))
    at_most: float | None = option("Correlation must stay below this.", number(-1, 1))

    @property
    def rising(self) -> bool:
        """True where the response should rise with the quantity."""
        return self.at_most is None


@with_worst_case(against_trend)
def correlation(parameters: Correlation, evidence: Evidence) -> Ruling:
    """Mean per-background Spearman correlation against a bound; across backgrounds where none gives two nodules.

    A silent detector has a correlation of 0: where the bound allows that, its sensitivity must exceed 0.2 too.
    """
    over = parameters.over
    bound, side = rate_bound(parameters)
    pairs = [(t, n) for t, n in selected(parameters, evidence) if value_of(over, t, n) is not None]
    clusters = [t.cluster for t, _ in pairs]
    alone = len({t.background for t, _ in pairs}) == len(pairs)
    criterion = (
        f"the {'' if alone else 'mean within-background '}Spearman correlation of {parameters.response} with {over} "
        f"{verb(side)} {bound:g}{where_phrase(parameters)}"
    )
    if not pairs:
        return no_data(criterion, "nodule", evidence)
    seen = watched(parameters, pairs, evidence)
    held = across(seen, evidence, bound, side) if alone else seen.within(evidence, bound, side)
    used = held.estimate.clusters
    enough = limits.too_few_equal_clusters(clusters) if alone else limits.too_few_clusters(used)
    few = [*enough, *limits.too_many_left_out(used, len(set(clusters)))]
    drawn = len(seen.levels) >= limits.LEAST_LEVELS and len(seen.curves) > 1
    return rule(
        [held, *against_silence(pairs, evidence, bound, side)],
        evidence,
        criterion,
        [t for t, _ in pairs],
        reasons=few,
        notes=seen.barely_moves(held),
        figure=seen.figure(over, seen.curves, evidence.operating_point) if drawn else {"kind": "rate"},
        details={"by requested diameter": by_diameter(pairs, evidence)},
    )


def across(seen: Watched, evidence: Evidence, bound: float, side: Side) -> Held:
    """Hold the correlation of one point a background: the wider of Bonett and Wright's and guarded BCa's, by clusters.

    Next to 1 both are deceived where a few backgrounds do not respond: a share that was not seen of them is allowed to
    be ordered the other way round, as where all agree.
    """

    def of_rows(rows: Indices) -> float:
        first, second = midranks(seen.x[rows]), midranks(seen.y[rows])
        first, second = first - first.mean(), second - second.mean()
        scale = math.sqrt((first * first).mean()) * math.sqrt((second * second).mean())
        return float((first * second).mean()) / scale if scale else 0.0

    def estimator(alpha: float) -> Estimate:
        exact = spearman(seen.x, seen.y, cluster=seen.clusters, alpha=alpha)
        if not exact.usable:
            return exact
        far = abs(exact.value)
        drawn = no_narrower(bootstrap()(alpha), with_unseen(exact, equal, -far, far))
        return replace(drawn, method="bonett-wright and cluster-bootstrap-bca, guarded")

    equal = equal_clusters(np.unique(seen.clusters, return_counts=True)[1].astype(np.float64))
    bootstrap = cache(lambda: resampled(of_rows, seen.clusters, seed=evidence.seed, limits=(-1.0, 1.0), guarded=True))
    label = "Spearman correlation across backgrounds"
    return hold("spearman", label, estimator, evidence.alpha, bound, side, unit="correlation")


def _fewest(parameters: Correlation, alpha: float, per_background: float) -> int | None:
    if parameters.at_least is None:
        return limits.LEAST_CLUSTERS
    levels = 1 if per_background <= 1 else limits.LEAST_LEVELS
    return rising_backgrounds(float(parameters.at_least), alpha, levels=levels)


KIND = Kind(
    name="correlation",
    about="Mean rank correlation per background of the response with a varied quantity.",
    parameters=Correlation,
    ruling=correlation,
    rules={"required": ["over"], **one_of("at_least", "at_most")},
    threshold_free=lambda p: p.response == "confidence",
    hits_alone=lambda p: True,
    asks_little=lambda p: limits.reached_by_chance(p.at_least),
    asks=varies,
    fewest=_fewest,
)
