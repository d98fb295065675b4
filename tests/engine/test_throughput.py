"""What was measured is for plans alone: a store of another release, or a torn file, never costs a run its report."""

import pytest

from synnodtest.engine.tally import Tally
from synnodtest.engine.throughput import FILE, measured, remember


@pytest.mark.parametrize("there", ["", '{"detector:d": {"seconds": 2}}', '{"detector:d": "fast"}', "[1]", '{"detector'])
def test_what_cannot_be_read_is_measured_anew(tmp_path, there):
    (tmp_path / FILE).write_text(there)
    assert measured(tmp_path, "s", "d") == (None, None)
    remember(tmp_path, "s", "d", Tally(inferred=4, detection_seconds=2.0))
    assert measured(tmp_path, "s", "d") == (None, 0.5)


def test_a_full_disk_costs_the_measure_alone_and_leaves_no_half_file(tmp_path, monkeypatch):
    def full(*names):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    remember(tmp_path, "s", "d", Tally(inferred=4, detection_seconds=2.0))
    assert list(tmp_path.iterdir()) == []
