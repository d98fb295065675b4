"""Who is held out: by name alone, the same for ever, and a smaller share inside every larger one."""

import zlib

import pytest

from synnodtest.cli import main
from synnodtest.datasets.split import HELD_OUT, is_held_out, of_split, split_name

NAMES = [str(number) for number in range(4000)]


def test_a_share_is_that_of_the_checksum():
    for share in (HELD_OUT, 0.5, 0.8):
        held = [name for name in NAMES if is_held_out(name, share)]
        assert held == [name for name in NAMES if zlib.crc32(name.encode()) % 100 < round(share * 100)]
        assert len(held) / len(NAMES) == pytest.approx(share, abs=0.02)


def test_the_two_sides_of_a_split_are_all_patients_and_disjoint():
    for share in ("", ":0.5", ":0.15"):
        held = {name for name in NAMES if of_split(name, f"held-out{share}")}
        trained = {name for name in NAMES if of_split(name, f"train{share}")}
        assert held | trained == set(NAMES)
        assert not held & trained
    assert all(of_split(name, "all") for name in NAMES)


def test_whoever_is_held_out_stays_so_at_a_larger_share():
    assert {n for n in NAMES if of_split(n, "held-out")} < {n for n in NAMES if of_split(n, "held-out:0.5")}


@pytest.mark.parametrize(
    "text", ["test", "held-out:", "held-out:0", "train:1", "all:0.5", "train:half", "held-out:nan"]
)
def test_anything_else_is_no_split(text):
    with pytest.raises(ValueError, match="a split is held-out, train, all, or held-out:SHARE"):
        split_name(text)


def test_the_command_line_says_what_a_split_is(capsys):
    with pytest.raises(SystemExit):
        main(["evaluate", "reference", "--data", "x", "--split", "half"])
    assert "a split is held-out, train, all, or held-out:SHARE" in capsys.readouterr().err
