"""Detectors that are programs: ``command:`` with a contract of ours, ``node21:`` with the challenge's.

``--detector 'command:python detect.py {in} {out}'``: ``{in}`` is a folder with ``0000.png`` (16 bits), ``0001.png``
and so on and ``radiographs.json`` (``[{"file": "0000.png", "spacing_mm": [row, column]}, ...]``); the program writes
the file ``{out}``: ``{"0000.png": [{"box": [x_min, y_min, x_max, y_max], "score": 0.9}], ...}``, every file named,
those without findings by an empty list. With ``{prior}`` in the command it takes pairs: that is a folder with the
priors of the radiographs that have one, under their names and spacings.

``--detector 'node21:docker run --rm -v {in}:/input -v {out}:/output image'``: ``{in}`` is a folder with one stack
``radiographs.mha``; the program writes ``nodules.json`` into the folder ``{out}``, boxes in mm.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import groupby
from pathlib import Path, PurePath

from synnodtest.canonical import sha256_of
from synnodtest.detectors import answer_faults
from synnodtest.detectors.exchange import findings_from_json, node21_findings, node21_parsed, parsed, png16, write_stack
from synnodtest.detectors.files import replaced
from synnodtest.detectors.label_rule import LabelRule, folded
from synnodtest.detectors.registry import Options, register_detector
from synnodtest.errors import DetectorError, DetectorHung
from synnodtest.files import sha256_of_file
from synnodtest.finding import Finding
from synnodtest.identity import Identity
from synnodtest.radiograph import Radiograph

PRIOR = "{prior}"
"""In a command: it takes pairs."""
_NAMES = "files are named as in radiographs.json, without a folder"
_FORM = 'write {"0000.png": [{"box": [x_min, y_min, x_max, y_max], "score": 0.9}], "0001.png": []}'
_FAILED = re.compile(
    r"(?<!\bno )(?<!\b0 )(?<!without )\b(fail\w*|\w*errors?|exception|could not|cannot|unable|oom|out of memory"
    r"|skipp\w*)\b(?! (to )?(\d+ |find|detect|see |locate|identify)|[ :=]*\d*\.\d)",
    re.IGNORECASE,
)
TRACEBACK = "Traceback (most recent call last)"
LOOK_S = 5.0
"""Seconds from look to look at whether a program has ended; set by hand: what it passes its output through, as ``tee``,
ends within that after it."""
_HEIR = 'read -r over || { kill -s KILL -- "-$1"; rm -rf -- "$2"; }'
"""Orders to a shell, which reads the end of a pipe however the process at its other end goes."""


class _Program:
    """A command line with ``{in}`` and ``{out}``, run without a shell.

    Attributes:
        may_change_unseen: True: what a program reads beside the files that its command names is not known.
    """

    contract = ""
    may_change_unseen = True

    def __init__(self, command: str, options: Options) -> None:
        try:
            words = shlex.split(command)
        except ValueError as error:
            raise DetectorError(
                f"detector '{self.contract}:{command}': {error}", hint="quote words as for a shell"
            ) from error
        chosen = words.pop()[1:].split(",") if words and words[-1].startswith("#") else []
        self._words = words
        self._labels = LabelRule(chosen, f"'{self.contract}:... #NAME'")
        self._base = options.base
        self._timeout_s = options.timeout_s
        self._writes: set[Path] | None = None
        if not self._words:
            raise DetectorError(f"detector {self.contract}: names no program")
        for place in ("{in}", "{out}"):
            if not any(place in word for word in self._words):
                raise DetectorError(
                    f"detector '{self.contract}:{command}' has no {place}",
                    hint="{in} is replaced by what it reads, {out} by where it writes",
                )
        named = [options.base / word for word in self._words if "{" not in word]
        self._files = {file: (_stamp(file), sha256_of_file(file)) for file in named if file.is_file()}
        digests = [self._files[file][1] for file in named if file in self._files]
        content = sha256_of(digests) if len(digests) > 1 else "".join(digests)
        self.identity = Identity(command, sha256=content, configuration={"contract": self.contract})

    def _run(self, given: Path, wanted: Path, earlier: Path | None = None) -> str:
        """Run the program; return what it said."""
        words = [word.replace("{in}", str(given)).replace("{out}", str(wanted)) for word in self._words]
        words = words if earlier is None else [word.replace(PRIOR, str(earlier)) for word in words]
        try:
            process = subprocess.Popen(
                words,
                cwd=self._base,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise DetectorError(
                f"the program {words[0]!r} cannot be started: {error.strerror}",
                hint="no shell is involved: sh -c '...' as the program starts one, for cd, ~, && and VARIABLE=...",
            ) from error
        killed = weakref.finalize(process, _kill, process.pid)  # as Python ends at the latest, after Ctrl-C
        with process, _survived(process.pid, given.parent):
            try:
                output = self._output(process)
                killed.detach()
            except subprocess.TimeoutExpired as error:
                raise DetectorHung(f"the program {words[0]!r} did not end within {self._timeout_s:g} s") from error
            finally:
                killed()
        text = output.decode("utf-8", "replace").strip()
        if process.returncode:
            how = f"was killed by signal {-process.returncode}" if process.returncode < 0 else "failed"
            raise DetectorError(f"the program {words[0]!r} {how} (status {process.returncode}): {text[-400:]}")
        self._refuse_replaced()
        return text

    def _output(self, process: subprocess.Popen[bytes]) -> bytes:
        """Return what a program said until its end.

        Raises:
            subprocess.TimeoutExpired: it goes on for too long.
            DetectorError: it has ended, and what it leaves running would let its output be waited for without end.
        """
        latest = time.monotonic() + self._timeout_s
        while True:
            ended = process.poll() is not None
            try:
                return process.communicate(timeout=min(LOOK_S, max(latest - time.monotonic(), 0.0)))[0]
            except subprocess.TimeoutExpired:
                if ended:
                    raise DetectorError(
                        f"the program {self._words[0]!r} ended, and something that it started holds its output open",
                        hint="have it end what it starts, or start that with '> /dev/null 2>&1'",
                    ) from None
                if time.monotonic() >= latest:
                    raise

    def _heard(self, found: list[list[Finding]], said: str, names: Sequence[str] = ()) -> list[list[Finding]]:
        """Return findings, unless one radiograph has none and the program told of an error that it went on after.

        That is a traceback, or a line that names this very radiograph and says that it failed.
        """
        silent = [name for name, items in zip(names, found, strict=False) if not items]
        lines = [line for line in said.splitlines() if _FAILED.search(line) and any(name in line for name in silent)]
        error = said[said.rindex(TRACEBACK) :] if TRACEBACK in said else "".join(lines[:1])
        if all(found) or not error:
            return found
        raise DetectorError(
            f"the program {self._words[0]!r} finds nothing and says {error[:400]}",
            hint="a program that failed ends with another status than 0; one that did not keeps tracebacks to itself",
        )

    def _refuse_replaced(self) -> None:
        """Refuse an answer of other files than the identity tells of; those that it writes itself show at first."""
        touched = [(file, digest) for file, (stamp, digest) in self._files.items() if _stamp(file) != stamp]
        changed = {file for file, digest in touched if not file.is_file() or sha256_of_file(file) != digest}
        if self._writes is None:
            self._writes = changed
        for file in changed - self._writes:
            raise replaced(file)


def _kill(leader: int) -> None:
    """End a program and what it started."""
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


@contextmanager
def _survived(leader: int, folder: Path) -> Iterator[None]:
    """While this lasts, have a program end and its folder go even where this process is killed and can do neither."""
    words, nowhere = ["sh", "-c", _HEIR, "sh", str(leader), str(folder)], subprocess.DEVNULL
    heir = None
    with suppress(OSError):  # a container without a shell: the program is asked all the same
        heir = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=nowhere, stderr=nowhere, start_new_session=True)
    try:
        yield
    finally:
        if heir is not None:
            heir.communicate(b"\n")


def _stamp(file: Path) -> tuple[int, int, int] | None:
    """Return what is another after a file was written or replaced; None where it is gone."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


class CommandDetector(_Program):
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
        with _folder() as folder:
            images, target, earlier = folder / "in", folder / "out.json", folder / "prior"
            names = [f"{number:04d}.png" for number in range(len(radiographs))]
            _write(images, dict(zip(names, radiographs, strict=True)))
            _write(earlier, {name: one for name, one in zip(names, priors, strict=True) if one is not None})
            output = self._run(images, target, earlier)
            answer = parsed(_answer(target, self._words[0]), f"{target.name} of {self._words[0]!r}", _FORM)
        if not isinstance(answer, dict):
            kind = type(answer).__name__
            raise DetectorError(f"the answer of {self._words[0]!r} is {kind}, not a mapping of files", hint=_FORM)
        answer_faults.refuse_failure(answer)
        findings = [self._of(answer, name, one) for name, one in zip(names, radiographs, strict=True)]
        unknown = {key: value for key, value in answer.items() if key not in names}
        for key, value in unknown.items():
            answer_faults.refuse_form(key, value)
            if value and _may_hold_findings(key, value, names):
                raise DetectorError(f"the answer of {self._words[0]!r} has findings for {key!r}: {_NAMES}")
        for name in names:
            answer_faults.refuse_another_image(answer[name], name, names)
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

    def _of(self, answer: dict[str, object], name: str, radiograph: Radiograph) -> list[Finding]:
        if name not in answer:
            named = ", ".join(map(repr, list(answer)[:3])) or "nothing"
            raise DetectorError(
                f"the answer of {self._words[0]!r} leaves out {name}: it names {named}",
                hint=f"no finding is an empty list; {_NAMES}",
            )
        return findings_from_json(answer[name], radiograph.spacing_mm, shape=radiograph.shape, labels=self._labels)


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
    return (listed and folded(key) in answer_faults.SYNONYMS) or ((listed or lists) and f"{path.stem}.png" in names)


def _write(folder: Path, radiographs: Mapping[str, Radiograph]) -> None:
    """Write radiographs by file name into a new folder, and their listing."""
    folder.mkdir()
    for name, radiograph in radiographs.items():
        (folder / name).write_bytes(png16(radiograph))
    listing = [{"file": name, "spacing_mm": list(one.spacing_mm)} for name, one in radiographs.items()]
    (folder / "radiographs.json").write_text(json.dumps(listing))


class Node21Detector(_Program):
    """A program or container with the contract of the NODE21 challenge.

    Args:
        command: Words as a shell would split them; ``{in}`` and ``{out}`` are the two folders.
        options: ``base`` is the working directory, ``timeout_s`` the limit of one run.
    """

    contract = "node21"

    def detect(self, radiographs: Sequence[Radiograph]) -> list[list[Finding]]:
        """Run the program once per group of radiographs of equal shape and spacing, in order.

        Raises:
            DetectorError: it cannot be started, fails, hangs, or leaves no usable answer.
        """
        findings: list[list[Finding]] = []
        for _, group in groupby(radiographs, key=lambda one: (one.shape, one.spacing_mm)):
            findings += self._stack(list(group))
        return findings

    def _stack(self, radiographs: list[Radiograph]) -> list[list[Finding]]:
        with _folder() as folder:
            source, target = folder / "input", folder / "output"
            source.mkdir()
            target.mkdir()
            target.chmod(0o777)  # containers of the challenge write as a user of their own
            write_stack(source / "radiographs.mha", radiographs)
            output = self._run(source, target)
            text = _answer(target / "nodules.json", self._words[0])
            answer = node21_parsed(text, f"nodules.json of {self._words[0]!r}")
        findings = node21_findings(answer, len(radiographs), radiographs[0].spacing_mm, labels=self._labels)
        return self._heard(findings, output)


@contextmanager
def _folder() -> Iterator[Path]:
    """Yield a folder for one call; what a container wrote there as another user may be beyond removing, and stays."""
    path = Path(tempfile.mkdtemp(prefix="synnodtest-"))
    remove = weakref.finalize(_folder, _remove, path)  # as Python ends at the latest
    try:
        yield path
    finally:
        remove()


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _answer(path: Path, program: str) -> bytes:
    if not path.is_file():
        hint = "that file must be there when the program ends, for what it starts is not waited for"
        if path.is_dir():
            hint = (
                "docker makes a folder of what is not there: sh -c 'touch {out} && docker run -v {out}:/out.json ...'"
            )
        raise DetectorError(f"the program {program!r} ended without writing {path.name}", hint=hint)
    return path.read_bytes()


register_detector("command")(CommandDetector)
register_detector("node21")(Node21Detector)
