"""``synnodtest replay fuzz-...``: a stored counterexample again: FIXED, FAILED or ERROR."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from synnodtest.engine.campaign import Campaign
from synnodtest.engine.engine import Engine
from synnodtest.engine.executor import SceneSource
from synnodtest.errors import RecordError, SynnodError
from synnodtest.fuzzing import replay_failure
from synnodtest.radiograph import Radiograph, Truth
from synnodtest.record.model import Record
from synnodtest.scene import Scene

Failure = Mapping[str, Any]
"""A search of the record, plain JSON values: its example, trials, parameters and region."""


def feature_lines(radiograph: Radiograph, nodule: Truth) -> Iterator[str]:
    """Yield ``diameter_mm  requested 12  realised 11.9 (-1%)`` for whatever was asked for."""
    asked = {k: nodule.requested[k] for k in ("diameter_mm", "contrast") if k in nodule.requested}
    features = {k: float(v) for k, v in dict(nodule.requested.get("radiomics") or {}).items()}
    realised = {"diameter_mm": nodule.diameter_mm, "contrast": nodule.contrast}
    realised |= _measured(radiograph, nodule, features)
    for name, requested in {**asked, **features}.items():
        got = realised.get(name)
        off = f" ({100 * (got / requested - 1):+.0f}%)" if got is not None and requested else ""
        yield f"{name:<24} requested {requested:<10.4g} realised {'not measured' if got is None else f'{got:.4g}'}{off}"


def _measured(radiograph: Radiograph, nodule: Truth, names: Iterable[str]) -> dict[str, float]:
    """Return the radiomics features of these names; none without pyradiomics, or for a nodule of a few pixels."""
    measured = tuple(names)
    if not measured:
        return {}
    from synnodtest.evaluation.measured import features_of

    try:
        values = features_of(radiograph, nodule, names=measured)
    except SynnodError as error:
        print(f"           {error}")
        return {}
    return {} if values is None else dict(zip(measured, map(float, values), strict=True))


def find_failure(record: Record, wanted: str) -> Failure:
    """Return the stored failure whose id starts with ``wanted``.

    Raises:
        RecordError: none or several do.
    """
    searches = [search for search in record.fuzzing if search.id.startswith(wanted)]
    if len(searches) != 1:
        raise RecordError(
            f"{len(searches)} failures of the record start with {wanted!r}", hint="give the id that the report prints"
        )
    return searches[0].raw


def in_words(failure: Failure) -> str:
    """Return the example as the report words it: ``diameter 12 mm, place across -1, in the right lung``."""
    examples = (one["example"] for one in failure.get("counterexamples") or () if one["replay"] == failure["id"])
    return str(next(examples, failure["example"]))


def _first_scene(engine: Engine, trial: Failure) -> Iterator[str]:
    """Yield the nodules of the first scene, what was asked for of them and what is realised."""
    scene = Scene.from_dict(list(trial["scenes"].values())[-1]["recipe"])
    background = next(b for b in engine.backgrounds.backgrounds if b.id == trial["background"])
    radiograph = engine.radiograph(scene, background)
    for nodule in radiograph.nodules:
        yield f"nodule     {nodule.name}, in the first scene ({background.id})"
        yield from (f"           {line}" for line in feature_lines(radiograph, nodule))


def replay(campaign: Campaign, failure: Failure) -> int:
    """Run the scenes of a failure again and print what comes of it; return 0 where it is fixed, else 1."""
    if not failure["trials"]:
        raise RecordError(f"{failure['id']}: no counterexample was stored", hint="its search found none")
    name = str(failure.get("asked_for") or campaign.providers.default_synthesizer)
    engine = campaign.engine_on(SceneSource(failure["set"], int(failure["count"]), name))
    verdict, lines = replay_failure(engine, failure)
    print(f"failure    {failure['id']}: {failure['behaviour']}::{failure['expectation']}")
    print(f"example    {in_words(failure)}")
    for line in _first_scene(engine, failure["trials"][0]):
        print(line)
    for line in lines:
        print(f"           {line}")
    print(f"verdict    {verdict}")
    return 0 if verdict == "FIXED" else 1
