"""The options that pytest's command line takes, and what they come to as settings."""

from __future__ import annotations

import os
import shlex
from itertools import zip_longest
from pathlib import Path

import pytest

from synnodtest.ports import DEFAULT_TIMEOUT_S
from synnodtest.shell.settings import Settings


def add_options(group: pytest.OptionGroup) -> None:
    """Add the options that pytest's command line takes, which pytest hands to argparse."""
    add = group.addoption
    add(
        "--detector", metavar="D", help="the system under test: best.pt, model.onnx, http://host/predict, "
        "'command:docker run ...', package.module:factory, findings.json, demo",
    )  # fmt: skip
    add(
        "--synthesizer", metavar="S", default="diffusion",
        help="how nodules are made: diffusion (default), diffusion:folder, gaussian, ct-patch:folder",
    )  # fmt: skip
    add("--backgrounds", metavar="DIR", help="nodule-free radiographs: DIR/<set>/ or a flat DIR (default: phantoms)")
    add("--baseline", metavar="D2", help="a second detector, or the results.json of an earlier run, to compare with")
    add(
        "--compare-fail", metavar="M:D", action="append", default=[],
        help="with --baseline: fail the run where a metric moves by more than that, such as sensitivity:-0.03 "
        "(also confidence, specificity, false_positives_per_image:0.1; may be repeated)",
    )  # fmt: skip
    add(
        "--credibility", metavar="FILE", action="append", default=[],
        help="what synnodtest evaluate synthesizer or transfer --out wrote, for the report (default: the model's own)",
    )  # fmt: skip
    add(
        "--inconclusive", choices=("fail", "xfail"), default="fail",
        help="what pytest makes of a verdict that the data do not settle (never a pass)",
    )  # fmt: skip
    add("--synnod-report", metavar="DIR", help="parent folder of reports (default: reports/)")
    add("--synnod-seed", metavar="N", type=int, default=0, help="master seed of every random number (default: 0)")
    add("--synnod-cache", metavar="DIR", help="store of finished work (default: .synnodtest/ under rootdir)")
    add("--synnod-device", metavar="DEV", default="cpu", help="cpu (default) or cuda")
    limited = "use at most N backgrounds per behaviour; declared in the report as a deviation"
    add("--synnod-limit", metavar="N", type=int, help=limited)
    longest = f"seconds that one call of the detector may take (default: {DEFAULT_TIMEOUT_S:g})"
    add("--synnod-timeout", metavar="S", type=float, default=DEFAULT_TIMEOUT_S, help=longest)
    add(
        "--synnod-conform", choices=("stop", "warn", "off"), default="stop",
        help="question the detector's adapter before the first item, once per detector: stop at a misfit (default), "
        "warn, or do not ask",
    )  # fmt: skip
    add("--synnod-ledger", metavar="FILE", help="ledger of runs (default: synnodtest-ledger.jsonl under rootdir)")
    add("--synnod-waivers", metavar="FILE", help="accepted failures (default: waivers.yaml under rootdir, if there)")
    add("--synnod-no-pixels", action="store_true", help="leave pictures out of the report")
    add(
        "--executor", metavar="E", default="serial",
        help="who makes scenes: serial (default), ray (actors on this machine) or ray://head:10001; "
        "with options: 'ray?synthesizers=4&detectors=2&gpus=0.25'",
    )  # fmt: skip
    add("--synnod-profile", action="store_true", help="print where the time of the run went")
    planned = "print scenes, cost and power of every expectation, run nothing"
    add("--synnod-plan", action="store_true", help=planned)


def settings_of(config: pytest.Config) -> Settings:
    """Read the settings from pytest's options."""
    from synnodtest.detectors.registry import masked

    option, root = config.option, config.rootpath

    def folder(value: str | None, default: str) -> Path:
        return Path(value).expanduser() if value else root / default

    of_environment = shlex.split(os.environ.get("PYTEST_ADDOPTS", ""))  # which no checkout holds
    waivers = Path(option.synnod_waivers) if option.synnod_waivers else root / "waivers.yaml"
    return Settings(
        root=root,
        detector=option.detector or "",
        synthesizer=option.synthesizer,
        backgrounds=Path(option.backgrounds).expanduser() if option.backgrounds else None,
        baseline=option.baseline or "",
        compare_fail=tuple(option.compare_fail),
        reports=folder(option.synnod_report, "reports"),
        seed=option.synnod_seed,
        cache=folder(option.synnod_cache, ".synnodtest"),
        device=option.synnod_device,
        timeout_s=option.synnod_timeout,
        inconclusive=option.inconclusive,
        limit=option.synnod_limit,
        pixels=not option.synnod_no_pixels,
        credibility=tuple(Path(name).expanduser() for name in option.credibility),
        ledger=Path(option.synnod_ledger).expanduser() if option.synnod_ledger else None,
        waivers=waivers if option.synnod_waivers or waivers.is_file() else None,
        command=("pytest", *map(masked, _telling([*of_environment, *map(str, config.invocation_params.args)]))),
        executor=option.executor,
        conform="off" if option.synnod_plan else option.synnod_conform,
    )


def written_by_pytest(config: pytest.Config) -> tuple[Path, ...]:
    """Return the files that pytest itself writes in this run, as far as options name them."""
    named = (config.getoption(name, None) for name in ("xmlpath", "log_file"))
    return tuple(Path(config.invocation_params.dir, path) for path in named if path)


def _telling(words: list[str]) -> list[str]:
    """Return the words of a command without those that change nothing about the run: ``-q``, ``-W X``, ``-p no:X``."""
    options_kept: list[str] = []
    skipped = False
    for word, after in zip_longest(words, words[1:], fillvalue=""):
        if skipped:
            skipped = False
        elif word == "-W" or (word == "-p" and after.startswith("no:")):
            skipped = True
        elif word != "-q":
            options_kept.append(word)
    return options_kept
