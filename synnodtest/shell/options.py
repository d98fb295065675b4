"""pytest's options -> settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from synnodtest.shell.settings import Settings

__all__ = ["settings_of", "written_by_pytest"]


def settings_of(config: pytest.Config) -> Settings:
    """Read the settings from pytest's options."""
    option, root = config.option, config.rootpath

    def folder(value: str | None, default: str) -> Path:
        return Path(value).expanduser() if value else root / default

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
        command=("pytest", *_telling([str(word) for word in config.invocation_params.args])),
        executor=option.executor,
        conform="off" if option.synnod_plan else option.synnod_conform,
    )


def written_by_pytest(config: pytest.Config) -> tuple[Path, ...]:
    """Return the files that pytest itself writes in this run, as far as options name them."""
    named = (config.getoption(name, None) for name in ("xmlpath", "log_file"))
    return tuple(Path(config.invocation_params.dir, path) for path in named if path)


def _telling(words: list[str]) -> list[str]:
    """Return the words of a command without those that change nothing about the run: ``-q``, ``-W X``, ``-p no:X``."""
    kept: list[str] = []
    skipped = False
    for word, after in zip(words, [*words[1:], ""], strict=True):
        if skipped:
            skipped = False
        elif word == "-W" or (word == "-p" and after.startswith("no:")):
            skipped = True
        elif word != "-q":
            kept.append(word)
    return kept
