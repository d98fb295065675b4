"""Transfer over seven detectors: do planted nodules rank them, and measure them, as real ones do?

    python benchmarks/transfer.py --data nih/nodule --backgrounds nih/verified_negative --out transfer.json \\
        --phantoms-only runs/phantoms/best.pt

The shipped detector; two earlier checkpoints of it from the history of this repository (or ``--earlier FILE``); one
trained on phantoms only (``--phantoms-only FILE``, left out without it; `synnodtest train detector --phantoms 320`
makes one); and three variants of the shipped one that are blurred, blind to faint and blind to small nodules.
What is finished stays in the store, so a second start goes on.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EARLIER = ("0444605", "054fb1f")
"""Commits of this repository with earlier weights of the demonstration detector."""
VARIANTS = ("blurred", "faint_blind", "small_blind")
SPEARMAN, DIFFERENCE = 0.9, 0.05
"""What is asked of the agreement: rank correlation at least, mean absolute difference at most."""


def earlier_checkpoints(folder: Path) -> list[Path]:
    """Return earlier weights from the history of the checkout; none without it."""
    found = []
    for commit in EARLIER:
        path = folder / f"demo-{commit}.pt"
        if not path.is_file():
            command = ["git", "-C", str(ROOT), "show", f"{commit}:models/detector/demo.pt"]
            shown = subprocess.run(command, capture_output=True, check=False)
            if shown.returncode:
                print(f"no checkpoint {commit} in this checkout's history", file=sys.stderr)
                continue
            folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(shown.stdout)
        found.append(path)
    return found


def main() -> int:
    """Run the comparison and say whether it reaches what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--backgrounds", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--earlier", action="append", default=[], help="weights instead of those in the history")
    parser.add_argument("--phantoms-only", help="weights that were trained on phantoms alone")
    parser.add_argument("--store", default=".synnodtest")
    parser.add_argument("rest", nargs="*", help="after --: further options of synnodtest evaluate transfer")
    options = parser.parse_args()
    earlier = options.earlier or [str(path) for path in earlier_checkpoints(Path(options.store) / "checkpoints")]
    detectors = ["demo", *earlier, *([options.phantoms_only] if options.phantoms_only else [])]
    detectors += [f"benchmarks.transfer_detectors:{name}" for name in VARIANTS]
    sys.path.insert(0, str(ROOT))
    from synnodtest.cli import main as synnodtest

    arguments = ["evaluate", "transfer", "--data", options.data, "--backgrounds", options.backgrounds]
    arguments += ["--store", options.store, "--out", str(options.out), *options.rest]
    code = synnodtest([*arguments, *(part for one in detectors for part in ("--detector", one))])
    if code:
        return code
    agreement = json.loads(options.out.read_text(encoding="utf-8"))["agreement"]
    for at in agreement["rates"]:
        good = (at["spearman"] or 0) >= SPEARMAN and at["mean_absolute_difference"] <= DIFFERENCE
        print(
            f"{at['false_positives_per_image']:g} false positives per film: {'reached' if good else 'not reached'} "
            f"(Spearman at least {SPEARMAN}, mean absolute difference at most {DIFFERENCE})"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
