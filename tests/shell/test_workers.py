"""Which items of a run share a worker, and who takes them where workers die."""

from types import SimpleNamespace

import pytest

pytest.importorskip("xdist")

from synnodtest.shell.workers import BehaviourScheduling, scope_of


@pytest.mark.parametrize(
    ("node_id", "scope"),
    [("specs/core.yaml::size::monotone", "specs/core.yaml::size"),
     ("specs/core.yaml::size::sensitivity[arm::x]", "specs/core.yaml::size"),
     ("specs/other.yml::size::monotone", "specs/other.yml::size"),
     ("specs/OTHER.YAML::size::monotone", "specs/OTHER.YAML::size"),
     ("tests/test_a.py::test_b", "tests/test_a.py::test_b"),
     ("tests/test_a.py::TestC::test_b", "tests/test_a.py::TestC::test_b")],
)  # fmt: skip
def test_items_of_one_behaviour_stay_together_and_other_tests_go_alone(node_id, scope):
    assert scope_of(node_id) == scope


ITEMS = ["specs/a.yaml::size::monotone", "specs/a.yaml::size::sensitivity", "specs/a.yaml::leak::no_detection",
         "specs/a.yaml::leak::specificity"]  # fmt: skip


class Worker:
    """What a scheduler sees of a worker."""

    def __init__(self, name):
        self.gateway, self.asked, self.shutting_down = SimpleNamespace(id=name), [], False

    def send_runtest_some(self, indices):
        self.asked += [ITEMS[i] for i in indices]

    def shutdown(self):
        self.shutting_down = True


def joined(scheduler, *names, items=ITEMS):
    workers = [Worker(name) for name in names]
    for worker in workers:
        scheduler.add_node(worker)
    for worker in workers:
        collected(scheduler, worker, items)
    return workers


def collected(scheduler, worker, items=ITEMS):
    scheduler.add_node_collection(worker, items)
    if scheduler.collection_is_completed:
        scheduler.schedule()


@pytest.fixture
def scheduler():
    option = SimpleNamespace(loadscopereorder=True, maxprocesses=None)
    config = SimpleNamespace(option=option, getvalue=lambda name: ["popen"] * 2)
    return BehaviourScheduling(config)


def test_workers_that_die_together_are_replaced_and_what_each_died_of_is_named(scheduler):
    first, second = joined(scheduler, "gw0", "gw1")
    assert (first.asked, second.asked) == (ITEMS[:2], ITEMS[2:])
    assert scheduler.remove_node(first) == ITEMS[0]
    third = Worker("gw2")
    scheduler.add_node(third)  # is there, and has not collected
    assert scheduler.remove_node(second) == ITEMS[2]
    collected(scheduler, third)
    for index in (1, 3):
        scheduler.mark_test_complete(third, index)
    assert third.asked == [ITEMS[1], ITEMS[3]]  # what nobody died of, once
    assert scheduler.tests_finished


def test_what_a_dead_worker_had_done_does_not_keep_another_from_what_is_left(scheduler):
    scheduler.numnodes = 1
    (first,) = joined(scheduler, "gw0")
    assert first.asked == ITEMS
    for index in (0, 1):
        scheduler.mark_test_complete(first, index)
    assert scheduler.remove_node(first) == ITEMS[2]
    (second,) = joined(scheduler, "gw1")
    assert second.asked == ITEMS[3:]


def test_a_worker_that_collects_other_items_than_the_one_that_died_ends_the_run(scheduler):
    first, _ = joined(scheduler, "gw0", "gw1")
    scheduler.remove_node(first)
    with pytest.raises(pytest.UsageError, match="was a spec changed"):
        joined(scheduler, "gw2", items=ITEMS[:2])
