"""``synnodtest promote``: a confirmed counterexample becomes an explicit example of its spec.

One line is put into the file; every other byte of it, comments and layout too, stays as it is.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from synnodtest.commands.replay import run_with
from synnodtest.commands.replay_failure import Failure, find_failure, in_words
from synnodtest.errors import SpecError, SynnodError
from synnodtest.files import replacing
from synnodtest.shell.baseline import kept_record
from synnodtest.spec.loader import load_spec
from synnodtest.spec.model import Behaviour
from synnodtest.spec.plain import flow


def configure(name: str, parser: argparse.ArgumentParser) -> None:
    """Add arguments and the function of the command."""
    add = parser.add_argument
    add("failure", help="id of the counterexample as the report prints it: fuzz-...")
    add("--report", type=Path, help="folder of the run (default: the newest under reports/ that knows it)")
    add("--reports", type=Path, default=Path("reports"), help="parent folder of runs")
    add(
        "--region", action="store_true",
        help="write the region that fails as a behaviour of its own, in place of the example alone",
    )  # fmt: skip
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    record = kept_record(str(options.report or run_with(options.reports, options.failure)))
    failure = find_failure(record, options.failure)
    if failure["status"] not in ("FAILED", "ERROR"):
        raise SynnodError(f"{failure['id']} is {failure['status'] or 'no failure'}: only confirmed ones are promoted")
    path = Path(next(b.file for b in record.behaviours if b.id == failure["behaviour"]))
    before = load_spec(path)
    if options.region:
        return _region(path, before.behaviour(failure["behaviour"]), failure)
    text = with_explicit(_text(path), failure["behaviour"], failure["example"])
    known = len(_explicit(before, failure["behaviour"]))
    more = "add the example by hand"
    _put(path, text, lambda spec: len(_explicit(spec, failure["behaviour"])) == known + 1, more)
    print(f"{path}: {failure['behaviour']} now always tries {in_words(failure)}")
    print(f"  {flow(failure['example'])}")
    region = failure.get("region") or {}
    if region.get("shown"):
        print(f"the region that fails as a behaviour: synnodtest promote {failure['id']} --region")
        print(f"  {region['sentence']}")
    return 0


def _region(path: Path, behaviour: Behaviour, failure: Failure) -> int:
    """Add the region of a search as a behaviour of its spec."""
    from synnodtest.commands.promote_region import region_behaviour, with_behaviour

    promoted = region_behaviour(failure, behaviour)
    if any(b.id == promoted["id"] for b in load_spec(path).behaviours):
        raise SynnodError(f"{path}: there is a behaviour {promoted['id']!r} already", hint="rename or remove it")
    text = with_behaviour(_text(path), promoted)
    _put(path, text, lambda spec: any(b.id == promoted["id"] for b in spec.behaviours), "add the behaviour by hand")
    print(f"{path}: {promoted['id']}: {promoted['statement']}")
    return 0


def _explicit(spec: Any, behaviour: str) -> tuple[Any, ...]:
    fuzz = spec.behaviour(behaviour).fuzz
    return () if fuzz is None else tuple(fuzz.explicit)


def _text(path: Path) -> str:
    """Return the text of a spec, its line ends as they are."""
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError:
        raise SynnodError(f"{path}: is not UTF-8", hint="save it as UTF-8, or add the example by hand") from None


def _put(path: Path, text: str, holds: Callable[[Any], bool], hint: str) -> None:
    """Put the new text in place of the file, once it has been read and holds what was added."""
    with replacing(path.resolve()) as temporary:  # a link stays one
        temporary.write_text(text, encoding="utf-8", newline="")
        try:
            there = holds(load_spec(temporary))
        except SpecError as error:
            raise SynnodError(f"{path}: cannot take it: {error.problems[0].message}", hint=hint) from error
        if not there:
            raise SynnodError(f"{path}: the behaviour takes its examples from elsewhere", hint=hint)


def with_explicit(text: str, behaviour: str, example: Mapping[str, object]) -> str:
    """Return the text of a spec with one more explicit example, everything else byte by byte as it was.

    Args:
        text: The spec.
        behaviour: Identifier; one made by ``matrix`` stands under its id without the brackets.
        example: Plain values, nested as specs write them.

    Raises:
        SynnodError: the behaviour or its ``fuzz`` is not written in this file.
    """
    root: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    entries = _child(root, "behaviours")
    names = (behaviour, behaviour.partition("[")[0])
    node = next((n for n in (entries.value if entries else []) if _word(n, "id") in names), None)
    fuzz = _child(node, "fuzz") if node is not None else None
    if fuzz is None or not fuzz.value:
        raise SynnodError(
            f"behaviour {behaviour!r} has no 'fuzz' of its own in this file",
            hint=f"add it by hand: explicit: [{flow(example)}]",
        )
    at, added = _insertion(text, fuzz, flow(example))
    return text[:at] + added + text[at:]


def _insertion(text: str, fuzz: Any, item: str) -> tuple[int, str]:
    explicit = _child(fuzz, "explicit")
    end = "\r\n" if "\r\n" in text else "\n"
    if explicit is not None and explicit.flow_style:
        return explicit.start_mark.index + 1, f"{item}, " if explicit.value else item
    if explicit is not None and explicit.value:
        dash = text.rindex("-", 0, explicit.value[0].start_mark.index)
        return dash, f"- {item}{end}{' ' * (dash - text.rfind(chr(10), 0, dash) - 1)}"
    first = fuzz.value[0][0].start_mark
    if fuzz.flow_style:
        return fuzz.start_mark.index + 1, f"explicit: [{item}], "
    return first.index, f"explicit:{end}{' ' * (first.column + 2)}- {item}{end}{' ' * first.column}"


def _child(node: Any, name: str) -> Any:
    if node is None or not isinstance(node.value, list):
        return None
    pairs = (pair for pair in node.value if isinstance(pair, tuple))
    return next((value for key, value in pairs if key.value == name), None)


def _word(node: Any, name: str) -> str | None:
    node_found = _child(node, name)
    return None if node_found is None else str(node_found.value)
