"""The next batch is made while the last one is looked at, in order, and never further ahead than told."""

import threading
import time

import pytest

from synnodtest.engine.overlap import ahead, give_up_if_unwanted


def test_items_come_in_order_and_errors_after_the_items_before_them():
    def items():
        yield from range(50)
        raise ValueError("at the end")

    seen = []
    with pytest.raises(ValueError, match="at the end"):
        seen.extend(ahead(items()))
    assert seen == list(range(50))


def test_an_item_is_made_while_another_is_used():
    both = threading.Barrier(2, timeout=20)

    def items():
        yield "first"
        both.wait()  # passes only if the consumer waits at the same time
        yield "second"

    consumed = []
    for item in ahead(items()):
        if item == "first":
            both.wait()
        consumed.append(item)
    assert consumed == ["first", "second"]


def test_no_more_than_one_that_waits_and_one_in_work_is_made_ahead():
    made, full = [], threading.Event()

    def items():
        for number in range(20):
            made.append(number)
            if len(made) == 3:
                full.set()
            yield number

    stream = ahead(items())
    assert next(stream) == 0
    assert full.wait(20)
    assert full.wait(0.3)
    assert len(made) == 3
    stream.close()


def test_a_consumer_that_stops_ends_the_thread():
    before, running = threading.active_count(), threading.Event()

    def endless():
        number = 0
        while True:
            running.set()
            yield number
            number += 1

    stream = ahead(endless())
    assert next(stream) == 0
    stream.close()
    assert threading.active_count() == before


def test_a_consumer_that_stops_ends_an_item_before_its_next_step():
    begun, steps = threading.Event(), []

    def items():
        yield "first"
        for step in range(5000):
            give_up_if_unwanted()
            steps.append(step)
            begun.set()
            time.sleep(0.001)
        yield "second"

    stream = ahead(items())
    assert next(stream) == "first"
    assert begun.wait(20)
    stream.close()
    assert len(steps) < 5000


def test_without_a_consumer_there_is_nothing_to_give_up():
    give_up_if_unwanted()
