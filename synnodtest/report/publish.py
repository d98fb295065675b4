"""The end of a run: fragment -> results.json, report.html, manifest.json."""

from __future__ import annotations

import getpass
import importlib.util
import subprocess
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import synnodtest
from synnodtest.canonical import sha256_of
from synnodtest.exports import markdown, parquet, sarif
from synnodtest.integrity import inputs, manifest
from synnodtest.integrity.lock import LOCK, exploratory_reasons, read_lock
from synnodtest.record import results as record
from synnodtest.record.assemble import Fragment
from synnodtest.record.compare import Limit
from synnodtest.record.complete import complete, there
from synnodtest.record.environment import environment
from synnodtest.record.model import Record
from synnodtest.record.model.side import Side
from synnodtest.record.multiplicity import with_holm
from synnodtest.report import html
from synnodtest.report.explore import Pictures, write_explore
from synnodtest.report.explore_pictures import from_store
from synnodtest.store import Store

__all__ = ["RunFacts", "build_record", "publish", "write_companions"]

DEMONSTRATION = "demonstration"
SHIPPED = ("diffusion",)
"""Texts of ``--synthesizer`` that stand for weights of ours."""


@dataclass(frozen=True)
class RunFacts:
    """What the record says of the run itself.

    Args:
        root: Folder whose git commit is reported.
        run_id: Identifier of the run.
        command: The command line.
        seed: Master seed.
        interrupted: True if the run was stopped before its end.
        limit: Largest number of backgrounds per behaviour, if it was limited.
        pixels: Whether pictures go into the report.
        waivers: Waivers as plain values.
        cache: Folder of the store, where the self-test leaves its findings; None if there is none.
        baseline: An earlier record to compare with, or what a second detector did.
        limits: How far metrics may move from the baseline.
        known_regions: Regions beyond the built-in ones that the specs may name.
        options: Detector, synthesizer and backgrounds as they were asked for, whether on the command line or in an ini
            file; what replay starts from.
        credibility: Credibility reports of the synthesizers.
        ledger: The run ledger; None: that in ``root``.
        own: Paths below ``root`` that a run itself writes; they do not make a working tree unclean.
    """

    root: Path
    run_id: str
    command: tuple[str, ...]
    seed: int
    interrupted: bool = False
    limit: int | None = None
    pixels: bool = True
    waivers: tuple[dict[str, Any], ...] = ()
    cache: Path | None = None
    baseline: Side | Record | None = None
    limits: tuple[Limit, ...] = ()
    known_regions: frozenset[str] = frozenset()
    options: Mapping[str, str] = field(default_factory=dict)
    credibility: tuple[Path, ...] = ()
    own: tuple[Path, ...] = ()
    ledger: Path | None = None


def publish(fragment: Fragment, facts: RunFacts, folder: Path) -> Path:
    """Write all files of a run into ``folder``; return the path of the report.

    Raises:
        RecordError: a file of the project that belongs into the report cannot be used.
    """
    made = complete(
        build_record(fragment, facts),
        facts.root,
        known_regions=facts.known_regions,
        cache=facts.cache,
        baseline=facts.baseline,
        limits=facts.limits,
        credibility=facts.credibility,
        ledger_file=facts.ledger,
    )
    record.write(made, folder)
    write_companions(made, folder, facts.root)
    _write_explore(made, facts, folder)
    store = None if facts.cache is None else Store(facts.cache)
    report = html.render(record.load(folder), folder, pixels=facts.pixels, store=store)
    manifest.write(folder)
    return report


def _write_explore(made: Mapping[str, Any], facts: RunFacts, folder: Path) -> None:
    pictures: Pictures = lambda _: None  # noqa: E731
    if facts.pixels and facts.cache is not None:
        pictures = from_store(Store(facts.cache), made["scenes"])
    write_explore(made, folder, pictures, facts.baseline)


def build_record(fragment: Fragment, facts: RunFacts) -> dict[str, Any]:
    """Return the whole record, in the shape of ``record.schema.json``."""
    commit, clean = _commit(facts.root, facts.own)
    every, specs = fragment.every(), list(fragment.specs.values())
    lock = read_lock(facts.root / LOCK) if (facts.root / LOCK).is_file() else {}
    reasons = exploratory_reasons(specs, lock, started=fragment.started, clean=clean, limited=facts.limit is not None)
    reasons += _unfinished(every, facts.interrupted)
    places = {spec["file"]: index for index, spec in enumerate(specs)}
    return {
        "synnodtest_record": 1,
        "run": {
            "id": facts.run_id,
            "started": fragment.started,
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "command": list(facts.command),
            "options": dict(facts.options),
            "seed": facts.seed,
            "user": _user(),
            "commit": commit,
            "tree_clean": clean,
            "confirmatory": not reasons,
            "exploratory_reasons": reasons,
            "interrupted": facts.interrupted,
            "alpha": 0.05,
            "profile": f"at most {facts.limit} backgrounds per behaviour" if facts.limit else "",
        },
        "identification": {
            "synnodtest": synnodtest.__version__,
            "detector": _with_demonstration(fragment.detector),
            "synthesizers": [_with_demonstration(s, name in SHIPPED) for name, s in fragment.synthesizers.items()],
            "backgrounds": list(fragment.backgrounds.values()),
            "specs": [_spec(spec, facts.root, lock) for spec in specs],
        },
        "behaviours": [{**b, "spec": places[b["file"]]} for b in fragment.behaviours.values()],
        "expectations": with_holm(every),
        "scenes": fragment.scenes,
        "attrition": _attrition(fragment),
        "sham": list(fragment.sham.values()),
        "gallery": fragment.gallery,
        "environment": environment(),
        "waivers": list(facts.waivers),
        "deviations": fragment.deviations,
        "anomalies": fragment.anomalies,
        "limitations": _limitations(fragment),
        "fuzzing": fragment.fuzzing,
    }


def _unfinished(every: list[dict[str, Any]], interrupted: bool) -> list[str]:
    left = sum(e["status"] == "NOT RUN" for e in every)
    reasons = ["the run was interrupted"] * interrupted
    return reasons + [f"{left} of the {len(every)} expectations of its specifications were not run"] * bool(left)


def _with_demonstration(identity: dict[str, Any], shipped: bool = False) -> dict[str, Any]:
    """Mark weights that ship with synnodtest: they demonstrate, they claim nothing."""
    filled = {"name": "", "version": "", "sha256": "", "configuration": {}} | identity
    configuration = filled.get("configuration") or {}
    return filled | {"demonstration": shipped or bool(configuration.get(DEMONSTRATION, False))}


def _spec(spec: dict[str, Any], root: Path, lock: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    path = Path(spec["file"])
    path = path if path.is_absolute() or path.exists() else root / path
    return {
        **spec,
        "file_sha256": sha256_of(path.read_bytes()) if path.is_file() else "",
        "frozen": lock.get(spec["file"], {}).get("frozen"),
        "frozen_sha256": lock.get(spec["file"], {}).get("sha256"),
    }


def _attrition(fragment: Fragment) -> dict[str, Any]:
    scenes = fragment.scenes.values()
    accepted = [s for s in scenes if s["accepted"]]
    reasons: Counter[str] = Counter(s["rejected_because"] for s in scenes if not s["accepted"])
    for deviation in fragment.deviations:
        if deviation["what"] == "scenes not made":
            count, _, why = deviation["actual"].partition(": ")
            reasons[why] = max(reasons[why], int(count))
    tally = fragment.tally
    return {
        "requested": len(fragment.scenes) + sum(reasons.values()) - (len(fragment.scenes) - len(accepted)),
        "synthesized": len(fragment.scenes),
        "accepted": len(accepted),
        "evaluated": len(accepted),
        "reasons": dict(reasons),
        "redrawn": sum(any(n["requested"].get("redrawn") for n in s["nodules"]) for s in scenes),
        "unique_backgrounds": len({s["background"] for s in accepted}),
        "unique_patients": len({s["cluster"] for s in accepted}),
        "from_cache": int(tally.get("from_cache", 0)),
        "seconds": {
            "synthesis": round(tally.get("synthesis_seconds", 0.0), 3),
            "detection": round(tally.get("detection_seconds", 0.0), 3),
        },
    }


def _limitations(fragment: Fragment) -> list[str]:
    said = []
    if any(str(b["identity"].get("name", "")).startswith("phantom") for b in fragment.backgrounds.values()):
        said.append("The backgrounds are computed phantoms, not radiographs of people.")
    if any(b["estimated_regions"] for b in fragment.backgrounds.values()):
        said.append("Region masks marked as estimated were computed by a simple estimator, not drawn by a reader.")
    return said


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def _commit(root: Path, own: tuple[Path, ...]) -> tuple[str, bool | None]:
    """Return the commit of the folder's git checkout and whether its tree is clean; empty and None outside one."""
    inside = (p.resolve() for p in own)
    mine = [p.relative_to(root.resolve()).as_posix() for p in inside if p.is_relative_to(root.resolve())]
    try:
        head = _git(root, "rev-parse", "HEAD")
        return head, not _git(root, "status", "--porcelain", "--", ":/", *(f":(exclude){path}" for path in mine))
    except (OSError, subprocess.SubprocessError):
        return "", None


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, timeout=20, check=True)
    return done.stdout.strip()


def write_companions(record: Mapping[str, Any], folder: Path, root: Path) -> list[Path]:
    """Write ``inputs/``, ``results.sarif`` and, with pyarrow there, ``results.parquet``; before report and manifest.

    Args:
        record: The finished record.
        folder: The run's folder.
        root: The project's folder.
    """
    files = [there(s["file"], root) for s in record["identification"]["specs"]]
    files += [root / name for name in (LOCK, "waivers.yaml", "reports.yaml", "requirements.csv", "hazards.csv")]
    made = [folder / path for path in inputs.keep(folder, files, root=root)]
    made.append(sarif.write(record, folder))
    made += markdown.write(record, folder)
    if importlib.util.find_spec("pyarrow") is not None:
        made.append(parquet.write(record, folder))
    return made
