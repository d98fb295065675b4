"""A program that is asked for findings: started, waited for, ended where it hangs, heard where it tells of errors."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from synnodtest.canonical import sha256_of
from synnodtest.detectors.files import replaced
from synnodtest.detectors.label_rule import LabelRule
from synnodtest.detectors.registry import Options
from synnodtest.errors import DetectorError, DetectorHung
from synnodtest.files import sha256_of_file
from synnodtest.finding import Finding
from synnodtest.identity import Identity

PRIOR = "{prior}"
"""In a command: it takes pairs."""
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


class Program:
    """A command line with ``{in}`` and ``{out}``, run without a shell; whoever knows its ``contract`` derives from it.

    Args:
        command: Words as a shell would split them.
        options: ``base`` is the working directory, ``timeout_s`` the limit of one run.

    Attributes:
        may_change_unseen: True: what a program reads beside the files that its command names is not known.
    """

    contract = ""
    may_change_unseen = only_reads_pixels = True

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


@contextmanager
def call_folder() -> Iterator[Path]:
    """Yield a folder for one call; what a container wrote there as another user may be beyond removing, and stays."""
    path = Path(tempfile.mkdtemp(prefix="synnodtest-"))
    remove = weakref.finalize(call_folder, _remove, path)  # as Python ends at the latest
    try:
        yield path
    finally:
        remove()


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def answer_in(path: Path, program: str) -> bytes:
    """Return the content of the file that a program was to write.

    Raises:
        DetectorError: it is not there.
    """
    if not path.is_file():
        hint = "that file must be there when the program ends, for what it starts is not waited for"
        if path.is_dir():
            hint = (
                "docker makes a folder of what is not there: sh -c 'touch {out} && docker run -v {out}:/out.json ...'"
            )
        raise DetectorError(f"the program {program!r} ended without writing {path.name}", hint=hint)
    return path.read_bytes()


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
