"""Identification, intended use and envelope, protocol."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, TypeGuard

from synnodtest.record.model import BehaviourEntry, ExpectationEntry, NoduleEntry, Record, SceneEntry
from synnodtest.record.model.run import BackgroundsEntry, IdentityEntry, RunEntry
from synnodtest.record.rejections import by_kind
from synnodtest.record.words import age_band, date, joined, number, parameters_text, plural, short_hash, value_text
from synnodtest.report.context import Context
from synnodtest.report.figures.envelope import Claim, envelope_figure
from synnodtest.report.model import Cell, Section, Table, code, table_of


def identification(context: Context) -> Section:
    """Return who and what took part, each with its sha256."""
    who = context.record.identification
    rows = [_component("Detector under test", who.detector)]
    rows += [_component("Synthesizer", s) for s in who.synthesizers]
    rows += [_component(f"Backgrounds, set {b.name}", b.identity, _counts(b)) for b in who.backgrounds]
    specs: list[list[Cell | str]] = [
        [code(s.file), s.title, code(s.sha256), code(s.file_sha256), date(s.frozen)] for s in who.specs
    ]
    heads = ["File", "Title", "sha256 of the resolved spec", "sha256 of the file", "Frozen"]
    return Section(
        "Identification",
        "identification",
        {
            "components": table_of("Components", ["Component", "Name and version", "sha256", "Configuration"], rows),
            "specs": table_of("Specifications", heads, specs),
            "run": _run(context.record.run, who.synnodtest),
            "device": _device(context.record),
        },
    )


def _run(run: RunEntry, version: str) -> list[tuple[str, Cell]]:
    return [
        ("Run", code(run.id)),
        ("Started", Cell(date(run.started))),
        ("Finished", Cell(date(run.finished))),
        ("Kind", Cell(_kind(run))),
        ("Carried out by", Cell(run.user or "not stated")),
        ("Commit of the specs", code(run.commit)),
        ("Working tree", Cell(_TREE[run.tree_clean])),
        ("Master seed", Cell(str(run.seed))),
        ("synnodtest", Cell(version)),
        ("Profile", Cell(run.profile or "as specified")),
        ("Options", Cell(_options(run))),
    ]


def _options(run: RunEntry) -> str:
    options = [f"{name} {value}" for name, value in run.options.items() if name.startswith("--")]
    return ", ".join(options) or "defaults"


def _device(record: Record) -> list[tuple[str, Cell]]:
    authored = record.authored
    further = (("manufacturer", authored.manufacturer), ("intended_use", authored.intended_use))
    facts = [*authored.device.items(), *((key, value) for key, value in further if value)]
    return [(key.replace("_", " ").capitalize(), Cell(value_text(value))) for key, value in facts]


_TREE = {True: "clean", False: "uncommitted changes", None: "not known"}


def _kind(run: RunEntry) -> str:
    reasons = joined(list(run.exploratory_reasons)) or "no reason recorded"
    return "confirmatory" if run.confirmatory else f"exploratory: {reasons}"


def _component(role: str, of: IdentityEntry | None, more: str = "") -> list[Cell | str]:
    identity = of or IdentityEntry()
    name = identity.title + (" (demonstration model)" if identity.demonstration else "")
    settings = value_text(identity.configuration)
    return [role, name or "–", code(identity.sha256), "; ".join(t for t in (more, settings) if t) or "–"]


def _counts(backgrounds: BackgroundsEntry) -> str:
    text = plural(backgrounds.count, "background")
    text += f" of {plural(backgrounds.patients, 'patient')}" if backgrounds.patients else ""
    regions = ", ".join(backgrounds.estimated_regions)
    text += f", estimated regions: {regions}" if regions else ""
    return "; ".join([text, *backgrounds.notes])


def envelope(context: Context) -> Section:
    """Return what the specs claim against what was really tested."""
    record = context.record
    scenes = record.accepted
    nodules = [n for s in scenes for n in s.nodules]
    claims = _claims(record, nodules)
    texts = [
        [key.replace("_", " "), value_text(value), _tested_text(key, value, scenes, nodules)]
        for spec in record.identification.specs
        for key, value in spec.scope.items()
        if not _is_range(value)
    ]
    ranges = [[c.label, f"{c.low:g} to {c.high:g}", c.tested_text(), c.remark()] for c in claims if c.low is not None]
    ranges += [[c.label, "not stated", c.tested_text(), ""] for c in claims if c.low is None]
    columns = ["Property", "Value", "Scenes", "Backgrounds"]
    known = "Backgrounds by what is known of them"
    return Section(
        "Intended use and envelope",
        "envelope",
        {
            "intended_use": record.authored.intended_use,
            "figure": envelope_figure(claims, "f-envelope") if any(c.values for c in claims) else None,
            "ranges": table_of("Ranges claimed and tested", ["Quantity", "Claimed", "Tested", "Remark"], ranges),
            "texts": table_of("Further scope, as the specification words it", ["Scope", "Claimed", "Tested"], texts),
            "strata": table_of(known, columns, _strata(scenes), numeric=columns[2:], most=60),
        },
        "" if scenes else "No scene was evaluated.",
    )


def _is_range(value: object) -> TypeGuard[list[float]]:
    numbers = isinstance(value, list) and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in value)
    return isinstance(value, list) and numbers and len(value) == 2


def _claims(record: Record, nodules: Sequence[NoduleEntry]) -> list[Claim]:
    """Return one claim per numeric quantity: realised diameter and contrast always, whatever else is claimed too."""
    ranges = _claimed(record)
    claims = []
    for key in dict.fromkeys(["diameter_mm", "contrast", *ranges]):
        asked = [float(v) for n in nodules if (v := n.asked(key)) is not None]
        got = [float(v) for n in nodules if (v := n.realised(key)) is not None]
        low, high = ranges.get(key, (None, None))
        if asked or got or low is not None:
            claims.append(Claim(key, low, high, asked, got))
    return claims


def _claimed(record: Record) -> dict[str, tuple[float, float]]:
    """Return the widest range that the specs claim, by quantity."""
    ranges: dict[str, tuple[float, float]] = {}
    for spec in record.identification.specs:
        for key, value in spec.scope.items():
            if _is_range(value):
                low, high = ranges.setdefault(key, (value[0], value[1]))
                ranges[key] = (min(low, value[0]), max(high, value[1]))
    return ranges


def _tested_text(key: str, value: Any, scenes: Sequence[SceneEntry], nodules: Sequence[NoduleEntry]) -> str:
    if "region" in key:
        met = Counter(r for n in nodules for r in n.regions)
        values = value if isinstance(value, list) else [value]
        return "; ".join(f"{w}: {plural(met[str(w)], 'nodule')}" for w in values)
    known = Counter(str(s.strata[key]) for s in scenes if s.strata.get(key))
    return (
        "; ".join(f"{v}: {plural(c, 'scene')}" for v, c in known.most_common(8)) or "authored; not measured by the run"
    )


def _strata(scenes: Sequence[SceneEntry]) -> list[list[Cell | str]]:
    backgrounds: dict[tuple[str, str], list[str]] = {}
    for scene in scenes:
        for key, value in scene.strata.items():
            band = age_band(value, str(value)) if key == "age" else str(value)
            backgrounds.setdefault((key, band), []).append(scene.background)
    return [[*pair, number(len(some)), number(len(set(some)))] for pair, some in sorted(backgrounds.items())]


def protocol(context: Context) -> Section:
    """Return every behaviour as a sentence with its criteria, margins and their rationale."""
    record = context.record
    groups = [
        {"behaviour": b, "table": _criteria(context, b, items), "spec": _spec_of(record, b)}
        for b, items in context.grouped()
    ]
    alpha, heads = record.run.alpha, ["Run", "Started", "Ended", "Seed", "Chosen", "Specification"]
    ledger: list[list[Cell | str]] = [
        [code(r.run), date(r.started), r.status, str(r.seed), r.chosen, code(short_hash(r.spec_sha256))]
        for r in record.ledger
    ]
    return Section(
        "Protocol",
        "protocol",
        {
            "alpha": f"{alpha:g}" if alpha is not None else "–",
            "groups": groups,
            "profile": record.run.profile,
            "ledger": table_of("Runs of these specifications, aborted ones included", heads, ledger),
            "reasons": list(by_kind(record.attrition.reasons).items()),
        },
        "" if groups else "No behaviour was collected.",
    )


def _criteria(context: Context, behaviour: BehaviourEntry, items: Sequence[ExpectationEntry]) -> Table:
    rows: list[list[Cell | str]] = []
    for e in items:
        ruling, criterion = e.ruling, e.ruling.criterion if e.ruling else ""
        stop = "sequential, by e-values" if ruling and ruling.figure_kind == "sequential" else "fixed n"
        methods = "; ".join(dict.fromkeys(p.method for p in e.components)) or "–"
        alpha = f"{ruling.alpha:g}" if ruling and ruling.alpha else "–"
        n = f"{number(ruling.n_nodules)}, {stop}" if ruling and ruling.n_nodules else "–"
        name, why = Cell(context.title(e), href=f"#{context.anchors[e.id]}"), e.rationale or behaviour.rationale
        rows.append([name, criterion or parameters_text(e), methods, why or "none given", alpha, n])
    columns = ["Expectation", "Criterion", "Statistic", "Rationale of the margin", "α", "n and stopping"]
    return table_of(f"Criteria of {behaviour.id}", columns, rows, numeric=["α"])


def _spec_of(record: Record, behaviour: BehaviourEntry) -> str:
    specs, index = record.identification.specs, behaviour.spec
    spec = specs[index] if index is not None and 0 <= index < len(specs) else None
    frozen = f"frozen {date(spec.frozen)}" if spec and spec.frozen else "not frozen"
    line = f":{behaviour.line}" if behaviour.line else ""
    return f"{behaviour.file}{line}, resolved spec {short_hash(spec.sha256 if spec else '')}, {frozen}"
