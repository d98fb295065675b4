"""The reader study: a page that does not give the answers away, and an AUC that an independent reference confirms."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from synnodtest.errors import SynnodError
from synnodtest.evaluation.realism import Exhibit, judge_answers, write_study

PICTURES = 40


@pytest.fixture
def study(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    made = [
        Exhibit(number < PICTURES // 2, f"background-{number % 10}", 12.0, rng.random((280, 280)).astype(np.float32))
        for number in range(PICTURES)
    ]
    write_study(made, tmp_path, seed=3)
    return tmp_path


def answer(study: Path, reader: str, ratings: dict[str, int]) -> Path:
    path = study / f"answers-{reader}.csv"
    rows = [f"{reader},{picture},{rating}" for picture, rating in ratings.items()]
    path.write_text("\n".join(["reader,picture,rating", *rows]) + "\n")
    return path


def test_the_page_is_self_contained_shuffled_and_does_not_tell(study: Path) -> None:
    page = (study / "readers.html").read_text()
    key = json.loads((study / "key.json").read_text())
    assert page.count("data:image/png;base64,") == PICTURES
    assert "http://" not in page
    assert "https://" not in page
    assert "background-" not in page
    order = [entry["synthetic"] for entry in key.values()]
    assert sum(order) == PICTURES // 2
    assert order != sorted(order, reverse=True)


def test_the_auc_is_that_of_scikit_learn_and_the_interval_holds_it(study: Path) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    key = json.loads((study / "key.json").read_text())
    rng = np.random.default_rng(5)
    files, expected = [], []
    for reader in ("A", "B", "C"):
        ratings = {p: int(np.clip(rng.integers(1, 5) + entry["synthetic"], 1, 5)) for p, entry in key.items()}
        files.append(answer(study, reader, ratings))
        expected.append(metrics.roc_auc_score([key[p]["synthetic"] for p in ratings], list(ratings.values())))
    found = judge_answers(files, study / "key.json", resamples=300)
    assert found["auc"] == pytest.approx(np.mean(expected))
    low, high = found["interval_95"]
    assert low < found["auc"] < high
    assert found["interval_over"] == "readers and cases"


def test_perfect_and_guessing_readers_are_told_apart(study: Path) -> None:
    key = json.loads((study / "key.json").read_text())
    perfect = answer(study, "P", {p: 5 if entry["synthetic"] else 1 for p, entry in key.items()})
    alike = answer(study, "G", dict.fromkeys(key, 3))
    assert judge_answers([perfect], study / "key.json", resamples=100)["auc"] == 1.0
    guessed = judge_answers([alike], study / "key.json", resamples=100)
    assert guessed["auc"] == 0.5
    assert "cases alone" in guessed["interval_over"]


def test_a_perfect_reader_of_few_cases_has_an_interval_and_one_of_one_kind_no_auc(study: Path) -> None:
    key = json.loads((study / "key.json").read_text())
    perfect = answer(study, "P", {p: 5 if entry["synthetic"] else 1 for p, entry in key.items()})
    found = judge_answers([perfect], study / "key.json", resamples=100)
    cases = len({entry["background"] for entry in key.values()})
    assert found["interval_95"] == pytest.approx([0.025 ** (1 / cases), 1.0])
    one_kind = answer(study, "K", {p: 4 for p, entry in key.items() if entry["synthetic"]})
    assert judge_answers([one_kind], study / "key.json", resamples=100)["auc"] is None
    both = judge_answers([perfect, one_kind], study / "key.json", resamples=100)
    assert (both["auc"], both["auc_by_reader"]) == (1.0, {"P": 1.0, "K": None})


def test_answers_that_a_spreadsheet_saved_again_count(study: Path) -> None:
    key = json.loads((study / "key.json").read_text())
    path = answer(study, "P", {p: 5 if entry["synthetic"] else 1 for p, entry in key.items()})
    path.write_text(path.read_text().replace(",", ";"), encoding="utf-16")
    assert judge_answers([path], study / "key.json", resamples=100)["auc"] == 1.0


@pytest.mark.parametrize("rows", ["R,999,3", "R,1,9", ",1,3", "R,1,3\nR,1,4"])
def test_answers_that_cannot_be_are_refused_with_their_line(study: Path, rows: str) -> None:
    path = study / "bad.csv"
    path.write_text("reader,picture,rating\n" + rows + "\n")
    with pytest.raises(SynnodError, match=r"bad.csv:[23]"):
        judge_answers([path], study / "key.json")
