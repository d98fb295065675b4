"""What a record says of its run as a whole."""

from synnodtest.record.assemble import Fragment
from synnodtest.record.whole import RunFacts, run_entry


def test_a_set_with_fewer_backgrounds_than_were_frozen_confirms_nothing(tmp_path):
    few = "the set has 12 of the 30 backgrounds asked for"
    made = run_entry(Fragment(shortfall={few: 18, "no region 'hilar'": 2}), RunFacts(tmp_path, "r", ("pytest",), 0))
    assert few in made.exploratory_reasons
    assert not made.confirmatory
    assert not any("hilar" in reason for reason in made.exploratory_reasons)
