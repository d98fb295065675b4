"""SIGKILL at random moments: nothing that was finished is lost or made again, and the record is that of a whole run.

python benchmarks/kills.py [--kills 20] [--scenes 240]

A run in a process of its own (planted circles on phantoms, a detector that logs every radiograph it is shown) is killed
after a random time and started again, until it has been killed so often; then it may end. Compared with a run that
nobody killed: the record without its times, byte by byte, and every entry of the store.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SPEC = """
synnodtest: 1
behaviours:
  - id: found
    statement: Nodules are found.
    scenes:
      backgrounds: {{set: normal, count: 8}}
      replicates: {replicates}
      nodules: [{{diameter_mm: {{uniform: [8, 24]}}, contrast: 0.8, location: {{region: lung}}}}]
    expect: [sensitivity: {{at_least: 0.5}}]
"""

CHILD = """
import json, os, sys
from pathlib import Path
import numpy as np
from synnodtest import Finding
from synnodtest.planning.variants import variants
from synnodtest.shell.run import Case, Run
from synnodtest.shell.settings import Settings
from synnodtest.spec import load_spec

folder = Path(sys.argv[1])
(folder / "logging_detector.py").write_text('''
import os
import numpy as np
from synnodtest import Finding
def make():
    def detect(radiographs):
        found = []
        for r in radiographs:
            with open(os.environ["SHOWN"], "a") as log:
                log.write(r.content_sha256() + chr(10))
            row, column = np.unravel_index(int(r.pixels.argmax()), r.shape)
            box = (max(column - 4.0, 0.0), max(row - 4.0, 0.0), column + 1.0, row + 1.0)
            found.append([Finding(box, float(r.pixels.max()))])
        return found
    return detect
''')
os.chdir(folder)
spec = load_spec(Path("spec.yaml"))
run = Run(Settings(folder, "logging_detector.py:make", "gaussian", cache=folder / "store"))
behaviour = spec.behaviours[0]
case = Case("spec.yaml::found::sensitivity", spec, behaviour, variants(behaviour, behaviour.expectations[0])[0])
run.rule(case, run.gather(case))
told = run.fragment.as_dict()
for entry in told["expectations"].values():
    entry.pop("seconds")
print(json.dumps([told["expectations"], told["scenes"], told["behaviours"]], sort_keys=True))
"""


def start(folder: Path) -> subprocess.Popen[bytes]:
    paths = [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"SHOWN": str(folder / "shown.log"), "PYTHONPATH": os.pathsep.join(paths)}
    words = [sys.executable, "-c", CHILD, str(folder)]
    return subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def prepared(folder: Path, scenes: int) -> Path:
    folder.mkdir(parents=True)
    (folder / "spec.yaml").write_text(SPEC.format(replicates=max(scenes // 8, 1)))
    return folder


def entries(folder: Path) -> dict[str, tuple[int, str]]:
    """Inode and sha256 of every finished entry: the same file, not one that was written again."""
    found = {}
    for path in sorted((folder / "store" / "v1").rglob("*")):
        if path.is_file():
            found[str(path.relative_to(folder))] = (
                path.stat().st_ino,
                hashlib.sha256(path.read_bytes()).hexdigest(),
            )
    return found


def finished(folder: Path) -> int:
    return sum(1 for _ in (folder / "store" / "v1" / "findings").rglob("*/*"))


def killed_run(folder: Path, kills: int, detected: int, rng: random.Random) -> tuple[bytes, dict[str, int]]:
    """Kill a run so often, each time after some more scenes and a random moment; then let it end.

    Args:
        folder: Where it runs.
        kills: How often.
        detected: Radiographs that a whole run shows the detector.
        rng: Of the moments.
    """
    told = {"kills": 0, "lost_or_rewritten": 0, "scenes_at_kills": 0}
    before: dict[str, tuple[int, str]] = {}
    for number in range(kills):
        process = start(folder)
        goal = min(detected * (number + 1) // (kills + 1), detected - 1)
        while process.poll() is None and finished(folder) < goal:
            time.sleep(0.05)
        time.sleep(rng.uniform(0, 0.15))
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            told["kills"] += 1
        process.communicate()
        after = entries(folder)
        told["lost_or_rewritten"] += sum(after.get(name) != fact for name, fact in before.items())
        before, told["scenes_at_kills"] = after, finished(folder)
    output, errors = (process := start(folder)).communicate()
    if process.returncode:
        raise RuntimeError(errors.decode()[-2000:])
    after = entries(folder)
    told["lost_or_rewritten"] += sum(after.get(name) != fact for name, fact in before.items())
    shown = (folder / "shown.log").read_text().split()
    told |= {"radiographs": len(set(shown)), "shown_again": len(shown) - len(set(shown))}
    return output, told


def compared(kills: int, scenes: int, seed: int = 0) -> dict[str, object]:
    """Return what a killed run and a whole one have in common."""
    with tempfile.TemporaryDirectory() as scratch:
        whole = prepared(Path(scratch) / "whole", scenes)
        expected, _ = start(whole).communicate()
        killed = prepared(Path(scratch) / "killed", scenes)
        record, told = killed_run(killed, kills, finished(whole), random.Random(seed))
        same = {name: fact[1] for name, fact in entries(killed).items()} == {
            name: fact[1] for name, fact in entries(whole).items()
        }
    return {**told, "record_identical": bool(expected) and record == expected, "stores_identical": same}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--scenes", type=int, default=240)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(json.dumps(compared(options.kills, options.scenes, options.seed), indent=1))


if __name__ == "__main__":
    main()
