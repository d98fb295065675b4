"""Identification, intended use and envelope, protocol."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from synnodtest.record.words import date, expectation_title, joined, number, plural, short_hash, value_text
from synnodtest.report.context import Context
from synnodtest.report.figures.envelope import Claim, envelope_figure
from synnodtest.report.model import Cell, Section, Table, code, table_of

__all__ = ["envelope", "identification", "protocol"]


def identification(context: Context) -> Section:
    """Return who and what took part, each with its sha256."""
    record, who, run = context.record, context.record["identification"], context.record["run"]
    rows = [_component("Detector under test", who["detector"])]
    rows += [_component("Synthesizer", s) for s in who["synthesizers"]]
    rows += [
        _component(f"Backgrounds, set {b['name']}", b.get("identity") or {}, _counts(b)) for b in who["backgrounds"]
    ]
    specs = [
        [code(s["file"]), s.get("title", ""), code(s["sha256"]), code(s.get("file_sha256")), date(s.get("frozen"))]
        for s in who["specs"]
    ]
    authored = record.get("authored") or {}
    return Section(
        "Identification",
        "identification",
        {
            "components": table_of("Components", ["Component", "Name and version", "sha256", "Configuration"], rows),
            "specs": table_of(
                "Specifications",
                ["File", "Title", "sha256 of the resolved spec", "sha256 of the file", "Frozen"],
                specs,
            ),
            "run": [
                ("Run", code(run["id"])),
                ("Started", Cell(date(run["started"]))),
                ("Finished", Cell(date(run["finished"]))),
                ("Kind", Cell(_kind(run))),
                ("Carried out by", Cell(run.get("user") or "not stated")),
                ("Commit of the specs", code(run.get("commit"))),
                ("Working tree", Cell(_TREE.get(run.get("tree_clean"), "not known"))),
                ("Master seed", Cell(str(run["seed"]))),
                ("synnodtest", Cell(who["synnodtest"])),
                ("Profile", Cell(run.get("profile") or "as specified")),
            ],
            "device": [
                (key.replace("_", " ").capitalize(), Cell(value_text(value)))
                for key, value in [
                    *(authored.get("device") or {}).items(),
                    *((k, authored[k]) for k in ("manufacturer", "intended_use") if authored.get(k)),
                ]
            ],
        },
    )


_TREE: dict[bool | None, str] = {True: "clean", False: "uncommitted changes"}


def _kind(run: Mapping[str, Any]) -> str:
    reasons = joined(list(run["exploratory_reasons"])) or "no reason recorded"
    return "confirmatory" if run["confirmatory"] else f"exploratory: {reasons}"


def _component(role: str, identity: Mapping[str, Any], more: str = "") -> list[Cell | str]:
    name = f"{identity.get('name', '')} {identity.get('version') or ''}".strip()
    name += " (demonstration model)" if identity.get("demonstration") else ""
    settings = value_text(identity.get("configuration") or {})
    return [role, name or "–", code(identity.get("sha256")), "; ".join(t for t in (more, settings) if t) or "–"]


def _counts(backgrounds: Mapping[str, Any]) -> str:
    text = plural(int(backgrounds.get("count") or 0), "background")
    if backgrounds.get("patients"):
        text += f" of {plural(backgrounds['patients'], 'patient')}"
    estimated = backgrounds.get("estimated_regions") or []
    text += f", estimated regions: {', '.join(estimated)}" if estimated else ""
    return "; ".join([text, *(backgrounds.get("notes") or [])])


def envelope(context: Context) -> Section:
    """Return what the specs claim against what was really tested."""
    record = context.record
    scenes = [s for s in record["scenes"].values() if s.get("accepted", True)]
    nodules = [n for s in scenes for n in s["nodules"]]
    claims = _claims(record, nodules)
    scopes = [(spec, spec.get("scope") or {}) for spec in record["identification"]["specs"]]
    texts = [
        [key.replace("_", " "), value_text(value), _tested_text(key, value, scenes, nodules)]
        for _, scope in scopes
        for key, value in scope.items()
        if not _is_range(value)
    ]
    ranges = [[c.label, f"{c.low:g} to {c.high:g}", c.tested_text(), c.remark()] for c in claims if c.low is not None]
    extra = [[c.label, "not stated", c.tested_text(), ""] for c in claims if c.low is None]
    strata = _strata(scenes)
    authored = record.get("authored") or {}
    return Section(
        "Intended use and envelope",
        "envelope",
        {
            "intended_use": authored.get("intended_use", ""),
            "figure": envelope_figure(claims, "f-envelope") if any(c.values for c in claims) else None,
            "ranges": table_of(
                "Ranges claimed and tested", ["Quantity", "Claimed", "Tested", "Remark"], ranges + extra
            ),
            "texts": table_of("Further scope, as the specification words it", ["Scope", "Claimed", "Tested"], texts),
            "strata": table_of(
                "Backgrounds by what is known of them",
                ["Property", "Value", "Scenes", "Backgrounds"],
                strata,
                numeric=["Scenes", "Backgrounds"],
                most=60,
            ),
        },
        "" if scenes else "No scene was evaluated.",
    )


def _is_range(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in value)
    )


def _claims(record: Mapping[str, Any], nodules: list[Mapping[str, Any]]) -> list[Claim]:
    """Return one claim per numeric quantity: realised diameter and contrast always, whatever else is claimed too."""
    ranges: dict[str, tuple[float, float]] = {}
    for spec in record["identification"]["specs"]:
        for key, value in (spec.get("scope") or {}).items():
            if _is_range(value):
                low, high = ranges.get(key, (value[0], value[1]))
                ranges[key] = (min(low, value[0]), max(high, value[1]))
    claims = []
    for key in dict.fromkeys(["diameter_mm", "contrast", *ranges]):
        asked = [n["requested"][key] for n in nodules if isinstance((n.get("requested") or {}).get(key), (int, float))]
        got = [n[key] for n in nodules if isinstance(n.get(key), (int, float))]
        low, high = ranges.get(key, (None, None))
        if asked or got or low is not None:
            claims.append(Claim(key, low, high, [float(v) for v in asked], [float(v) for v in got]))
    return claims


def _tested_text(key: str, value: Any, scenes: list[Mapping[str, Any]], nodules: list[Mapping[str, Any]]) -> str:
    if "region" in key:
        met = Counter(r for n in nodules for r in n.get("regions") or [])
        wanted = value if isinstance(value, list) else [value]
        return "; ".join(f"{w}: {number(met.get(str(w), 0))} nodules" for w in wanted)
    known = Counter(str((s.get("strata") or {}).get(key)) for s in scenes if (s.get("strata") or {}).get(key))
    return "; ".join(f"{v}: {number(c)} scenes" for v, c in known.most_common(8)) or "authored; not measured by the run"


def _strata(scenes: list[Mapping[str, Any]]) -> list[list[Cell | str]]:
    counts: Counter[tuple[str, str]] = Counter()
    backgrounds: dict[tuple[str, str], set[str]] = {}
    for scene in scenes:
        for key, value in (scene.get("strata") or {}).items():
            pair = (str(key), _band(key, value))
            counts[pair] += 1
            backgrounds.setdefault(pair, set()).add(str(scene["background"]))
    return [[k, v, number(counts[k, v]), number(len(backgrounds[k, v]))] for k, v in sorted(counts)]


def _band(key: str, value: Any) -> str:
    if key == "age":
        try:
            low = int(float(value)) // 20 * 20
        except (TypeError, ValueError):
            return str(value)
        return f"{low} to {low + 19}"
    return str(value)


def protocol(context: Context) -> Section:
    """Return every behaviour as a sentence with its criteria, margins and their rationale."""
    record = context.record
    groups = [
        {
            "behaviour": b,
            "scenes": b.get("scenes_text", ""),
            "table": _criteria(context, b, items),
            "spec": _spec_of(record, b),
        }
        for b, items in context.grouped()
    ]
    alpha = record["run"].get("alpha", 0.05)
    ledger: list[list[Cell | str]] = [
        [
            code(r.get("run", "")),
            date(r.get("started")),
            str(r.get("status", "")),
            str(r.get("seed", "")),
            code(short_hash(r.get("spec_sha256"))),
        ]
        for r in record.get("ledger") or []
    ]
    return Section(
        "Protocol",
        "protocol",
        {
            "alpha": f"{alpha:g}" if isinstance(alpha, (int, float)) else "–",
            "groups": groups,
            "ledger": table_of(
                "Runs of these specifications, aborted ones included",
                ["Run", "Started", "Ended", "Seed", "Specification"],
                ledger,
            ),
            "reasons": list((record["attrition"].get("reasons") or {}).items()),
        },
        "" if groups else "No behaviour was collected.",
    )


def _criteria(context: Context, behaviour: Mapping[str, Any], items: list[Mapping[str, Any]]) -> Table:
    rows: list[list[Cell | str]] = []
    for e in items:
        ruling = e.get("ruling") or {}
        figure = ruling.get("figure") or {}
        parts = ruling.get("components") or []
        stop = "sequential, by e-values" if figure.get("kind") == "sequential" else "fixed n"
        rows.append(
            [
                Cell(expectation_title(e), href=f"#{context.anchors[e['id']]}"),
                ruling.get("criterion") or value_text(e.get("parameters") or {}),
                "; ".join(dict.fromkeys(p["method"] for p in parts)) or "–",
                e.get("rationale") or behaviour.get("rationale") or "none given",
                f"{ruling['alpha']:g}" if ruling.get("alpha") else "–",
                f"{number(ruling['n_nodules'])}, {stop}" if ruling.get("n_nodules") else "–",
            ]
        )
    columns = ["Expectation", "Criterion", "Statistic", "Rationale of the margin", "α", "n and stopping"]
    return table_of(f"Criteria of {behaviour['id']}", columns, rows, numeric=["α"])


def _spec_of(record: Mapping[str, Any], behaviour: Mapping[str, Any]) -> str:
    specs, index = record["identification"]["specs"], behaviour.get("spec")
    spec = specs[index] if isinstance(index, int) and 0 <= index < len(specs) else {}
    frozen = f"frozen {date(spec['frozen'])}" if spec.get("frozen") else "not frozen"
    line = f":{behaviour['line']}" if behaviour.get("line") else ""
    return f"{behaviour.get('file', '')}{line}, resolved spec {short_hash(spec.get('sha256'))}, {frozen}"
