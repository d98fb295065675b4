"""Waivers: who accepts what, why, until when; whatever is unclear is refused by line."""

from __future__ import annotations

from datetime import date

import pytest

from synnodtest.errors import RecordError
from synnodtest.integrity import waivers

GOOD = """\
waivers:
  - id: W-1
    expectation: specs/a.yaml::silent::no_detection
    reason: known, release 2
    approver: R. Example
    expiry: 2027-03-31
  - {id: silent, reason: whole behaviour, approver: R. Example, expiry: 2026-01-01}
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "waivers.yaml"
    path.write_text(GOOD)
    return path


def test_waivers_are_read_in_order(file):
    first, second = waivers.load_waivers(file).entries
    assert first == waivers.Waiver(
        "W-1", "specs/a.yaml::silent::no_detection", "known, release 2", "R. Example", date(2027, 3, 31)
    )
    assert second.expiry == date(2026, 1, 1)
    assert first.as_dict(date(2027, 4, 1))["expired"]


def test_a_waiver_counts_on_its_last_day_and_not_after(file):
    waiver = waivers.load_waivers(file).entries[0]
    assert not waiver.expired(date(2027, 3, 31))
    assert waiver.expired(date(2027, 4, 1))


def test_an_item_is_matched_by_node_id_before_behaviour(file):
    loaded = waivers.load_waivers(file)
    exact, general = loaded.entries
    assert loaded.find("specs/a.yaml::silent::no_detection", "silent") is exact
    assert loaded.find("my/specs/a.yaml::silent::no_detection", "silent") is exact
    assert loaded.find("specs/a.yaml::silent::sensitivity", "silent") is general
    assert loaded.find("specs/a.yaml::loud::sensitivity", "loud") is None
    in_file = waivers.Waiver("x", "specs/b.yaml::silent", "r", "a", date(2990, 1, 1))
    assert waivers.Waivers((*loaded.entries, in_file)).find("specs/b.yaml::silent::x", "silent") is in_file
    assert waivers.Waivers((in_file,)).find("specs/c.yaml::silent::x", "silent") is None


def test_a_waiver_that_holds_goes_before_one_that_expired():
    old = waivers.Waiver("a", "f.yaml::b::c", "r", "a", date(2000, 1, 1))
    new = waivers.Waiver("b", "b", "r", "a", date(2990, 1, 1))
    assert waivers.Waivers((old, new)).find("f.yaml::b::c", "b") is new


def test_a_waiver_of_behaviours_in_two_specs_is_ambiguous(file):
    loaded = waivers.load_waivers(file)
    mine, other = "specs/a.yaml::silent::no_detection", "old/specs/a.yaml::silent::no_detection"
    assert loaded.ambiguous([(mine, "silent"), ("specs/a.yaml::silent::x", "silent")]) == {}
    both = {w.id: f"the waiver {w.id!r} covers specs/a.yaml and old/specs/a.yaml: name one" for w in loaded.entries}
    assert loaded.ambiguous([(mine, "silent"), (other, "silent")]) == both


def test_an_empty_list_waives_nothing(tmp_path):
    path = tmp_path / "waivers.yaml"
    path.write_text("waivers: []\n")
    assert waivers.load_waivers(path).entries == ()


BAD = {
    "no reason": (
        "waivers:\n  - {id: a, approver: b, expiry: 2027-01-01}\n",
        r":2:5: waivers\[0\]: 'reason' is missing",
    ),
    "blank approver": ('waivers:\n  - {id: a, reason: r, approver: " ", expiry: 2027-01-01}\n', r":2:.*approver"),
    "no such day": ("waivers:\n  - {id: a, reason: r, approver: b, expiry: 2027-02-30}\n", "which is no date"),
    "a date in words": ("waivers:\n  - {id: a, reason: r, approver: b, expiry: next year}\n", ":2:.*expiry"),
    "a misspelt key": (
        "waivers:\n  - id: a\n    reason: r\n    approver: b\n    expirey: 2027-01-01\n    expiry: 2027-01-01\n",
        r":5:5: .*did you mean 'expiry'",
    ),
    "an id twice": ("waivers:\n" + "  - {id: a, reason: r, approver: b, expiry: 2027-01-01}\n" * 2, "stands twice"),
    "a list at the top": ("- a\n", ":1:1:"),
    "no YAML": ("waivers: [\n", "not valid YAML"),
    "empty": ("", "empty"),
    "a tag": ("waivers: !!python/object/apply:os.system [ls]\n", ":1:"),
}


@pytest.mark.parametrize(("text", "said"), BAD.values(), ids=BAD)
def test_a_file_that_is_none_is_refused_by_line(tmp_path, text, said):
    path = tmp_path / "waivers.yaml"
    path.write_text(text)
    with pytest.raises(RecordError, match=said) as caught:
        waivers.load_waivers(path)
    assert "waivers.yaml" in caught.value.message
    assert "a spec begins" not in caught.value.message
    assert caught.value.hint


def test_bombs_are_refused_quickly(tmp_path):
    path = tmp_path / "waivers.yaml"
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    path.write_text("\n".join(lines))
    with pytest.raises(RecordError):
        waivers.load_waivers(path)
    path.write_text("waivers:\n" + "  - x\n" * 3_000_000)
    with pytest.raises(RecordError, match="larger than"):
        waivers.load_waivers(path)


def test_an_expired_waiver_hides_nothing_in_the_report(made, tmp_path, drawings):
    from synnodtest.decoding import decode
    from synnodtest.exports import junit
    from synnodtest.record.model import ExpectationEntry
    from synnodtest.report import html

    waived = next(e for e in made["expectations"] if e["waived"])
    entry = decode(ExpectationEntry, waived)
    assert entry.shown_status == "WAIVED"
    assert ("synnodtest.waiver", waived["waived"]["id"]) in junit.properties(entry)
    before = html.render(made, tmp_path / "a", store=drawings).read_text()
    waived["waived"]["expired"] = True
    made["waivers"][0]["expired"] = True
    entry = decode(ExpectationEntry, waived)
    assert entry.shown_status == "FAILED"
    assert "synnodtest.waiver" not in dict(junit.properties(entry))
    after = html.render(made, tmp_path / "b", store=drawings).read_text()
    assert "A waiver has expired and covers nothing." in after
    assert "A waiver has expired" not in before
    assert after.count("#i-waived") < before.count("#i-waived")
    assert "Expired waivers" in after
