"""One simulated run and one real one, each made once.

Every pytest here loads this file with its options, also one that runs no test itself: fixtures import what they need.
"""

from __future__ import annotations

import copy
import json
import pickle

import pytest

from synnodtest.store import Store
from tests.shared_folders import for_all_workers, shared_folder


@pytest.fixture(scope="session")
def _made():
    from tests.report import example

    return example.record(20)


@pytest.fixture(scope="session")
def _packed(_made):
    return pickle.dumps(_made)


@pytest.fixture
def made(_packed):
    """A fresh record of some 240 scenes, without pictures; unpacking it takes a quarter of the time of a deep copy."""
    return pickle.loads(_packed)


@pytest.fixture(scope="session")
def filed(_made, tmp_path_factory, drawings):
    """The folder of a finished run with a few pictures: record, report, manifest."""
    from synnodtest.integrity import manifest
    from synnodtest.record import results as record
    from synnodtest.report import html
    from tests.report import example

    def fill(folder):
        made = copy.deepcopy(_made)
        made["gallery"] = made["gallery"][:2] + made["gallery"][-1:]
        example.with_pictures(made, folder)
        record.write(made, folder)
        html.render(made, folder, store=drawings)
        manifest.write(folder)

    return shared_folder(tmp_path_factory, "run", fill)


@pytest.fixture(scope="session")
def drawings(tmp_path_factory):
    """A store of drawings for pages on which no test looks at one: each figure is drawn once."""
    return Store(for_all_workers(tmp_path_factory) / "drawings")


@pytest.fixture
def small(made):
    """A record with one behaviour and one expectation, quick to render."""
    made["behaviours"], made["expectations"] = made["behaviours"][:1], made["expectations"][:1]
    made["gallery"] = made["gallery"][:1]
    made["scenes"] = {k: v for k, v in made["scenes"].items() if k in made["expectations"][0]["scenes"]}
    for item in made["gallery"]:
        item |= {"scene": next(iter(made["scenes"])), "expectation": made["expectations"][0]["id"]}
    return made


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """The folder of a real run; its project is two folders up. Both are read by all workers: change a copy."""
    from tests.report import run_once

    return run_once.newest(shared_folder(tmp_path_factory, "project", run_once.make_project))


@pytest.fixture(scope="session")
def data(run):
    """The record of the real run."""
    return json.loads((run / "results.json").read_text())


@pytest.fixture(scope="session")
def told(run):
    """The text of each expectation in section 8, by node id."""
    from tests.report import run_once

    return run_once.articles((run / "report.html").read_text())


@pytest.fixture(scope="session")
def table(run):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    return pandas.read_parquet(run / "results.parquet")


@pytest.fixture(scope="session")
def judged(data, table, told):
    """Return how to look an expectation up: its entry, its rows, its text in section 8."""

    def find(node):
        e = next(e for e in data["expectations"] if e["id"].endswith(f"::{node}"))
        return e, table[(table.expectation == e["id"]) & table.accepted], told[e["id"]]

    return find
