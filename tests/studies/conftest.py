"""Small phantoms as folders with masks, so that no radiograph has to be made at full size; and detectors."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from studies.paper import figures
from synnodtest.cli import main
from synnodtest.statistics import bootstrap
from tests.studies.experiment import DETECTORS, run_experiment
from tests.synthesizers.conftest import ct_folder

__all__ = ["ct_folder"]


MANY_RESAMPLES = 500
"""What experiments take. That their intervals are right is a matter of tests of the statistics."""


@pytest.fixture(autouse=True)
def resampled_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = bootstrap.resampled

    def seldom(*words: Any, resamples: int = MANY_RESAMPLES, **more: Any) -> Any:
        return whole(*words, resamples=resamples if resamples < MANY_RESAMPLES else bootstrap.FEWEST_RESAMPLES, **more)

    monkeypatch.setattr(bootstrap, "resampled", seldom)


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no figure be written, for tests of what another test has drawn."""
    monkeypatch.setattr(figures, "_saved", lambda *_, **__: [])


@pytest.fixture(scope="session")
def chests(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Background sets of three phantoms each; ``det.py`` lies beside them."""
    folder = tmp_path_factory.mktemp("paper") / "cxr"
    for name, options in (("normal", []), ("pneumothorax", ["--pneumothorax"])):
        words = ["phantom", "--out", str(folder / name), "--count", "3", "--size", "256", "--layout", "folder"]
        assert main([*words, *options]) == 0
    (folder.parent / "det.py").write_text(DETECTORS)
    return folder


@pytest.fixture
def run(chests: Path, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Return the command: ``run(experiment, detector, *words)`` gives what it wrote."""
    return lambda name, detector="everywhere", *words: run_experiment(
        name, f"{chests.parent / 'det.py'}:{detector}", chests, tmp_path, *words
    )
