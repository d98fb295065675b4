"""Follow pages word for word: write their files, run their commands, in one fresh folder per page.

    python docs/build/run_pages.py docs/tutorials/*.md docs/how-to/*.md

A fenced block of ``sh`` is run line by line and must succeed. A comment before a block says otherwise:
``<!-- file: NAME -->`` writes the block there, ``<!-- exit: 1 -->`` allows that status as well,
``<!-- not run: REASON -->`` leaves it out.
Every line of a block of ``text`` must have been printed by the commands before it; names of runs differ.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUN = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6}")
BLOCK = re.compile(r"(?:<!-- (?P<note>[^\n]*?) -->\n)?```(?P<kind>\w+)\n(?P<text>.*?)```", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One fenced block.

    Args:
        kind: ``sh``, ``yaml``, ``python`` or whatever stands behind the fence.
        text: What it holds.
        note: The comment before it, empty without one.
    """

    kind: str
    text: str
    note: str

    @property
    def file(self) -> str:
        """Name of the file that it is; empty for none."""
        return self.note.partition("file: ")[2] if self.note.startswith("file: ") else ""

    @property
    def left_out(self) -> str:
        """Why it is not run; empty where it is."""
        return self.note.partition("not run: ")[2] if self.note.startswith("not run: ") else ""

    @property
    def allowed(self) -> set[int]:
        """Exit statuses that its commands may end with."""
        return {0, int(self.note.partition("exit: ")[2])} if self.note.startswith("exit: ") else {0}

    @property
    def commands(self) -> list[str]:
        """Its commands: lines without comments, joined where they end in a backslash."""
        if self.kind != "sh":
            return []
        joined = self.text.replace("\\\n", " ")
        lines = (re.sub(r"\s+#\s.*$", "", line).strip() for line in joined.splitlines())
        return [line for line in lines if line and not line.startswith("#")]


def blocks_of(page: Path) -> list[Block]:
    """Return the fenced blocks of a page, in order."""
    found = BLOCK.finditer(page.read_text(encoding="utf-8"))
    return [Block(m["kind"], m["text"], (m["note"] or "").strip()) for m in found]


def _plain(text: str) -> str:
    """Return a text on one line, without the names of runs, which differ from one to the next."""
    return " ".join(RUN.sub("RUN", text).split())


def unprinted(block: Block, printed: str) -> list[str]:
    """Return the lines of a block of ``text`` that its commands did not print."""
    told = _plain(printed)
    lines = (line.strip() for line in block.text.splitlines())
    return [line for line in lines if line.strip(".") and _plain(line) not in told]


def follow(page: Path, folder: Path) -> list[str]:
    """Follow a page in a folder; return what went wrong, a sentence each."""
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    environment |= {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    faults, printed = [], ""
    for block in blocks_of(page):
        if block.kind == "text" and not block.note and printed:
            faults += [f"{page.name}: not printed: {line}" for line in unprinted(block, printed)]
        if block.file:
            target = folder / block.file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.text, encoding="utf-8")
        if block.left_out:
            continue
        for command in block.commands:
            started = time.perf_counter()
            done = subprocess.run(command, shell=True, cwd=folder, env=environment, capture_output=True, text=True)
            print(f"{done.returncode:>3} {time.perf_counter() - started:7.1f} s  {command}", flush=True)
            printed += done.stdout + done.stderr
            if done.returncode not in block.allowed:
                faults.append(
                    f"{page.name}: {command!r} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-3000:]}"
                )
    return faults


def main(pages: list[str]) -> int:
    """Follow all pages; return 1 where something went wrong."""
    faults = []
    for name in pages:
        print(name)
        with tempfile.TemporaryDirectory(prefix="synnodtest-docs-") as folder:
            faults += follow(Path(name), Path(folder))
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
