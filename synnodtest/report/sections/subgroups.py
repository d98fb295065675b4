"""Subgroups: estimates of parts of the scenes, for description."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from synnodtest.backgrounds.columns import number_in
from synnodtest.expectations import kind_of
from synnodtest.grouping import grouped
from synnodtest.record.model import ExpectationEntry, NoduleEntry, SceneEntry
from synnodtest.record.words import age_band, joined, number, plural
from synnodtest.report.context import Context
from synnodtest.report.figures.canvas import BLUE, GREY, INK, axes, short, to_svg
from synnodtest.report.figures.kept import drawn
from synnodtest.report.model import Figure, Section

Group = tuple[str, str, list[bool], list[str]]
"""Property, value, hit per nodule, cluster per nodule."""
MOST_VALUES = 12
"""Values of a property up to which it is drawn; set by hand: one with more, such as a name, is no subgroup and would
fill the page."""
MOST_NUMBERS = 5
"""The same where all values are numbers and no spec asks for them: a scale or a count of sites has so many levels, what
is measured (the width of a film, an exposure) has more; set by hand."""
FEWEST_SHARING = 2
"""Patients that share a value on average, or the property parts patients, not groups; of two values none is asked."""
_BUILT_IN = ("all", "size", "region", "sex", "age", "view")
_TEXT: dict[str, object] = {"ha": "right", "va": "center", "fontsize": 10.5, "clip_on": False}
_SIZES = (0.0, 6.0, 10.0, 15.0, 20.0, 30.0, float("inf"))


def subgroups(context: Context) -> Section:
    """Return the rate of detected nodules by region, size, sex, age and view; descriptive."""
    expectations = context.record.expectations
    silent = _not_to_be_found(expectations)
    searched = list(dict.fromkeys(e.behaviour for e in expectations if e.is_search))
    scenes = [s for s in context.record.scenes.values() if s.behaviour not in (*silent, *searched)]
    groups, many, apart = groups_of(scenes, _asked(expectations))
    told = "Behaviours with an expectation that their nodules are not found are left out whole"
    left_out = f" {told} ({joined(silent)})." if silent else ""
    left_out += f" Nodules of searches, chosen for failing, are left out ({joined(searched)})." if searched else ""
    left_out += f" Properties of more than {MOST_VALUES} values are not drawn: {joined(many)}." if many else ""
    rule = (
        f"Numbers of over {MOST_NUMBERS} values, and values that fewer than {FEWEST_SHARING} patients share on average"
    )
    left_out += f" {rule} are not drawn unless a spec asks by or across them: {joined(apart)}." if apart else ""
    data = {
        "lead": "Detected nodules of all accepted scenes of the behaviours' own arms, at the operating point. "
        "Descriptive: nothing is decided here, groups overlap, and scenes of one background are not independent, "
        f"which the intervals allow for (Korn-Graubard).{left_out}",
        "figures": [forest_figure(groups, "f-forest")] if groups else [],
    }
    empty = "" if groups else f"No planted nodule {'is counted.' if left_out else 'was evaluated.'}{left_out}"
    return Section("Subgroups", "figure_only", data, empty)


def _not_to_be_found(expectations: Iterable[ExpectationEntry]) -> list[str]:
    """Return the behaviours that hold that their nodules are missed: a hit is no success there."""
    kinds = ((e, kind_of(e.kind)) for e in expectations)
    names = [e.behaviour for e, kind in kinds if kind.wants_silence(kind.read(e.parameters))]
    return list(dict.fromkeys(names))


def _asked(expectations: Iterable[ExpectationEntry]) -> frozenset[str]:
    """Return the names by which a spec chooses or compares: ``where`` holds those of ``by``, too."""
    chosen = (e.parameters.get(key) for e in expectations for key in ("where", "across"))
    return frozenset(name for names in chosen if isinstance(names, Mapping) for name in names)


def groups_of(scenes: Iterable[SceneEntry], asked: Collection[str] = ()) -> tuple[list[Group], list[str], list[str]]:
    """Return the subgroups of all accepted scenes with a planted nodule.

    And the properties of too many values, and those that part patients and no groups, each with how many it has.
    Values with few nodules are kept, not pooled.

    Args:
        scenes: With strata and judged nodules.
        asked: Properties that a spec asks for, which are only held against :data:`MOST_VALUES`.
    """
    by_group: dict[tuple[str, str], tuple[list[bool], list[str]]] = {}
    judged = ((s, n) for s in scenes if s.accepted and s.of_own_arm for n in s.nodules if n.hit is not None)
    for scene, nodule in judged:
        for key in _keys(scene, nodule):
            hits, clusters = by_group.setdefault(key, ([], []))
            hits.append(bool(nodule.hit))
            clusters.append(scene.independent)
    chosen = grouped((key[0], (*key, *units)) for key, units in sorted(by_group.items(), key=_order))
    many = [kind for kind, groups in chosen.items() if len(groups) > MOST_VALUES]
    free = chosen.keys() - {*many, *_BUILT_IN, *asked}
    apart = [kind for kind, groups in chosen.items() if kind in free and _parts_patients(groups)]
    kept = [group for kind, groups in chosen.items() if kind not in (*many, *apart) for group in groups]
    return kept, [f"{kind} ({len(chosen[kind])})" for kind in many], [f"{kind} ({len(chosen[kind])})" for kind in apart]


def _parts_patients(groups: Sequence[Group]) -> bool:
    """Return whether the values of a property are numbers that were measured, or next to unique."""
    patients = {cluster for *_, clusters in groups for cluster in clusters}
    measured = len(groups) > MOST_NUMBERS and all(number_in(value) is not None for _, value, *_ in groups)
    return measured or len(groups) > max(2, len(patients) / FEWEST_SHARING)


def _order(item: Any) -> tuple[Any, ...]:
    (kind, value), _ = item
    first = _BUILT_IN.index(kind) if kind in _BUILT_IN else len(_BUILT_IN)
    head = value.split(" ")[0]
    return first, kind, (float(head) if head.replace(".", "", 1).isdigit() else -1.0 if head == "under" else 1e9), value


def _keys(scene: SceneEntry, nodule: NoduleEntry) -> list[tuple[str, str]]:
    keys = [("all", "all nodules"), *(("region", r) for r in nodule.regions)]
    asked = nodule.asked("diameter_mm")
    size = nodule.diameter_mm if asked is None else asked
    if size is not None:
        keys += [("size", _size(low, high)) for low, high in pairwise(_SIZES) if low <= size < high]
    return keys + [(k, age_band(v, "not known") if k == "age" else str(v)) for k, v in scene.strata.items()]


def _size(low: float, high: float) -> str:
    if low == 0:
        return f"under {high:g} mm"
    return f"{low:g} mm and more" if high == float("inf") else f"{low:g} to {high:g} mm"


@drawn
def forest_figure(groups: list[Group], name: str) -> Figure:
    """Draw one row per group: rate, clustered 95% interval, counts."""
    from synnodtest.statistics import clustered_rate

    estimates = [clustered_rate(hits, clusters, alpha=0.025) for _, _, hits, clusters in groups]
    title = "Detected nodules by subgroup"
    overall = float(estimates[0].value)
    description = f"{plural(len(groups), 'group')}; overall rate {number(overall)}."
    figure, axis = axes(460, 60 + 20 * len(groups))
    axis.axvline(overall, color=GREY, linewidth=0.9, linestyle=(0, (3, 2)))
    for row, ((kind, value, hits, _), e) in enumerate(zip(groups, estimates, strict=True)):
        axis.plot([e.lower, e.upper], [row, row], color=BLUE, linewidth=1.6)
        axis.plot([e.value], [row], marker="s", color=BLUE, markersize=5)
        label = value if kind in {"all", "size"} else f"{kind} {value}"
        axis.text(-0.03, row, short(label, 26), **_TEXT)
        axis.text(1.25, row, f"{sum(hits)}/{len(hits)}", color=INK, **_TEXT)
    for row in range(1, len(groups)):
        if groups[row][0] != groups[row - 1][0]:
            axis.axhline(row - 0.5, color="#E6E9EC", linewidth=0.8, xmin=-0.6, clip_on=False)
    axis.set(xlim=(0, 1.25), xticks=[0, 0.2, 0.4, 0.6, 0.8, 1.0], ylim=(len(groups) - 0.4, -0.6), yticks=[])
    axis.spines["left"].set_visible(False)
    axis.set_xlabel("rate of detected nodules, 95% interval")
    rows = [
        [kind, value, *map(number, (len(hits), len(set(clusters)), sum(hits), e.value)),
         f"{number(e.lower)} to {number(e.upper)}"]
        for (kind, value, hits, clusters), e in zip(groups, estimates, strict=True)
    ]  # fmt: skip
    columns = ["property", "group", "nodules", "clusters", "detected", "rate", "95% interval"]
    return Figure.of(title, description, to_svg(figure, name, title, description), columns, rows, numeric=columns[2:])
