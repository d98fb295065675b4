"""A limit on what may change is read as it is meant, and held against the difference as it is."""

import pytest

from synnodtest.errors import SynnodError
from synnodtest.record.limit import parse_limit
from synnodtest.record.model.compared import DifferenceEntry


@pytest.mark.parametrize(("fall", "kept"), [(0.03001, False), (0.02999, True)])
def test_what_is_compared_with_a_limit_is_not_rounded_to_it(fall, kept):
    row = DifferenceEntry("", "sensitivity", 40, 40, 0.9, 0.9 - fall, -fall, -0.0300001, 0.02)
    held = parse_limit("sensitivity:-0.03").verdict([row])
    assert held.kept is kept
    assert f"difference -{fall} (90% interval -0.0300001 to +0.020, 40 pairs)" in held.sentence


@pytest.mark.parametrize(("metric", "worse"), [("sensitivity", -0.5), ("false_positives_per_image", 0.5)])
def test_a_limit_of_zero_bears_no_loss_and_any_gain(metric, worse):
    for value, kept in ((worse, False), (0.0, True), (-worse, True)):
        row = DifferenceEntry("", metric, 40, 40, 0.5, 0.5 + value, value, value - 0.1, value + 0.1)
        assert parse_limit(f"{metric}:0").verdict([row]).kept is kept


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("sensitivity:0.03", "sensitivity:-0.03"),
        ("specificity:0.1", "specificity:-0.1"),
        ("false_positives_per_image:-0.1", "false_positives_per_image:0.1"),
        ("sensitivity:-3", "sensitivity:-0.03"),
    ],
)
def test_a_limit_that_bears_any_loss_is_refused(text, remedy):
    with pytest.raises(SynnodError, match=r"bears any loss|moves by as much") as caught:
        parse_limit(text)
    assert remedy in caught.value.hint


@pytest.mark.parametrize("text", ["sensitivity", "sensitivity:nan", "sensitivity:x", "recall:-0.1", ""])
def test_a_limit_that_cannot_be_read_says_how_it_is_written(text):
    with pytest.raises(SynnodError, match="is not metric:difference") as caught:
        parse_limit(text)
    assert "sensitivity:-0.03" in caught.value.hint
