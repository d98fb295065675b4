"""Detectors that are programs with a contract of ours: ``command:``.

``--detector 'command:python detect.py {in} {out}'``: ``{in}`` is a folder with ``0000.png`` (16 bits), ``0001.png``
and so on and ``radiographs.json`` (``[{"file": "0000.png", "spacing_mm": [row, column]}, ...]``); the program writes
the file ``{out}``: ``{"0000.png": [{"box": [x_min, y_min, x_max, y_max], "score": 0.9}], ...}``, every file named,
those without findings by an empty list. With ``{prior}`` in the command it takes pairs: that is a folder with the
priors of the radiographs that have one, under their names and spacings.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePath

from synnodtest.detectors import answer_faults, answer_forms
from synnodtest.detectors.exchange import findings_from_json, parsed, png16
from synnodtest.detectors.label_rule import folded
from synnodtest.detectors.program import PRIOR, Program, answer_in, call_folder
from synnodtest.detectors.registry import Options, register_detector
from synnodtest.errors import DetectorError
from synnodtest.finding import Finding
from synnodtest.radiograph import Radiograph

_NAMES = "files are named as in radiographs.json, without a folder"
_FORM = 'write {"0000.png": [{"box": [x_min, y_min, x_max, y_max], "score": 0.9}], "0001.png": []}'


class CommandDetector(Program):
    """A program that reads a folder of PNGs and writes a JSON file; with ``{prior}`` in its command it takes pairs.

    Args:
        command: Words as a shell would split them; ``{in}`` and ``{out}`` are replaced.
        options: ``base`` is the working directory, ``timeout_s`` the limit of one call.
    """

    contract = "command"

    def __init__(self, command: str, options: Options) -> None:
        super().__init__(command, options)
        if PRIOR in command:
            self.detect_pairs = self._asked

    def detect(self, radiographs: Sequence[Radiograph]) -> list[list[Finding]]:
        """Run the program once over all radiographs.

        Raises:
            DetectorError: it cannot be started, fails, hangs, or leaves no usable answer.
        """
        return self._asked(radiographs, [None] * len(radiographs))

    def _asked(self, radiographs: Sequence[Radiograph], priors: Sequence[Radiograph | None]) -> list[list[Finding]]:
        with call_folder() as folder:
            images, target, earlier = folder / "in", folder / "out.json", folder / "prior"
            shown = {f"{number:04d}.png": one for number, one in enumerate(radiographs)}
            names = [*shown]
            _write(images, shown)
            _write(earlier, {name: one for name, one in zip(names, priors, strict=True) if one is not None})
            output = self._run(images, target, earlier)
            answer = parsed(answer_in(target, self._words[0]), f"{target.name} of {self._words[0]!r}", _FORM)
        if not isinstance(answer, dict):
            kind = type(answer).__name__
            raise DetectorError(f"the answer of {self._words[0]!r} is {kind}, not a mapping of files", hint=_FORM)
        answer_faults.refuse_failure(answer)
        findings = [self._of(answer, name, shown) for name in names]
        unknown = {key: value for key, value in answer.items() if key not in names}
        for key, value in unknown.items():
            answer_forms.refuse_form(key, value)
            if value and _may_hold_findings(key, value, names):
                raise DetectorError(f"the answer of {self._words[0]!r} has findings for {key!r}: {_NAMES}")
        held = _held(answer, names)
        answer_faults.refuse_fewer(unknown, held, pictures=len(names))
        if not held and _prints_findings(output, names):
            raise DetectorError(
                f"the program {self._words[0]!r} prints findings and writes none of them",
                hint="write them into the file {out}: what a program prints is not read",
            )
        if not all(findings):
            answer_faults.refuse_reasons(unknown)
        return self._heard(findings, output, names)

    def _of(self, answer: dict[str, object], name: str, shown: Mapping[str, Radiograph]) -> list[Finding]:
        if name not in answer:
            named = ", ".join(map(repr, list(answer)[:3])) or "nothing"
            raise DetectorError(
                f"the answer of {self._words[0]!r} leaves out {name}: it names {named}",
                hint=f"no finding is an empty list; {_NAMES}",
            )
        content, own, others = answer[name], shown[name], shown.keys() - {name}
        return findings_from_json(content, own.spacing_mm, shape=own.shape, labels=self._labels, others=others)


def _held(answer: dict[str, object], names: Sequence[str]) -> int:
    """Return how many findings an answer holds, of whatever class."""
    each = [answer[name] for name in names]
    lists = [one.get("findings") if isinstance(one, dict) else one for one in each]
    return sum(len(one) for one in lists if isinstance(one, list))


def _prints_findings(said: str, names: Sequence[str]) -> bool:
    """Return whether all that a program printed, or its last line, is an answer with findings on these files."""
    for text in (said, *said.splitlines()[-1:]):
        with suppress(ValueError):
            answer = json.loads(text)
            if isinstance(answer, dict) and any(
                isinstance(items := answer.get(name), list) and items for name in names
            ):
                return True
    return False


def _may_hold_findings(key: str, value: object, names: Sequence[str]) -> bool:
    """Return whether a key that is no name of a file may be meant as one, or as all of them (``findings``)."""
    path = PurePath(key)
    if path.suffix.lower() == ".png":
        return True
    if isinstance(value, dict) and any(value.get(name) and isinstance(value[name], list | dict) for name in names):
        return True
    listed = isinstance(value, list) and any(isinstance(one, dict | list) for one in value)
    lists = isinstance(value, dict) and any(isinstance(one, list) for one in value.values())
    return (listed and folded(key) in answer_forms.SYNONYMS) or ((listed or lists) and f"{path.stem}.png" in names)


def _write(folder: Path, radiographs: Mapping[str, Radiograph]) -> None:
    """Write radiographs by file name into a new folder, and their listing."""
    folder.mkdir()
    for name, radiograph in radiographs.items():
        (folder / name).write_bytes(png16(radiograph))
    listing = [{"file": name, "spacing_mm": list(one.spacing_mm)} for name, one in radiographs.items()]
    (folder / "radiographs.json").write_text(json.dumps(listing))


register_detector("command")(CommandDetector)
