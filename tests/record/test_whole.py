"""What a record says of its run as a whole."""

import hashlib
import json

from synnodtest.canonical import sha256_of
from synnodtest.integrity import manifest
from synnodtest.integrity.lock import LOCK
from synnodtest.record import results
from synnodtest.record.assemble import Fragment
from synnodtest.record.complete import RunFacts
from synnodtest.record.model.run import SpecEntry
from synnodtest.record.whole import run_entry, whole_record
from synnodtest.report.publish import write_companions


def test_a_set_with_fewer_backgrounds_than_were_frozen_confirms_nothing(tmp_path):
    few = "the set has 12 of the 30 backgrounds asked for"
    made = run_entry(Fragment(shortfall={few: 18, "no region 'hilar'": 2}), RunFacts(tmp_path, "r", ("pytest",), 0))
    assert few in made.exploratory_reasons
    assert not made.confirmatory
    assert not any("hilar" in reason for reason in made.exploratory_reasons)


def test_files_that_a_spec_includes_are_known_by_their_content_and_held_against_the_run(tmp_path):
    (tmp_path / "specs").mkdir()
    for name in ("a", "lib"):
        (tmp_path / "specs" / f"{name}.yaml").write_text(name)
    ran = SpecEntry("specs/a.yaml", "a" * 64, included={"specs/lib.yaml": ""})
    made = whole_record(Fragment(specs={"specs/a.yaml": ran}), RunFacts(tmp_path, "r", ("pytest",), 0))
    (spec,) = made["identification"]["specs"]
    assert spec["included"] == {"specs/lib.yaml": hashlib.sha256(b"lib").hexdigest()}
    run = results.write(made, tmp_path / "run").parent
    write_companions(made, run, tmp_path)
    assert (run / "inputs" / "specs" / "lib.yaml").read_text() == "lib"
    manifest.write(run)
    assert manifest.verify(run, inputs=tmp_path) == []
    (tmp_path / "specs" / "lib.yaml").write_text("another")
    assert manifest.verify(run, inputs=tmp_path) == ["specs/lib.yaml: is not the spec of the run"]


def test_code_that_is_not_what_was_frozen_with_a_spec_confirms_nothing_and_is_a_deviation(tmp_path):
    frozen = {"sha256": "a" * 64, "frozen": "2020-01-01T00:00:00+00:00", "sources": {"judges:judge": "b" * 64}}
    specs = {"specs/a.yaml": frozen}
    (tmp_path / LOCK).write_text(json.dumps({"synnodtest_lock": 1, "specs": specs, "sha256": sha256_of(specs)}))
    ran = SpecEntry("specs/a.yaml", "a" * 64, sources={"judges:judge": "c" * 64})
    made = whole_record(Fragment(specs={"specs/a.yaml": ran}), RunFacts(tmp_path, "r", ("pytest",), 0))
    told = "the code of judges:judge, which specs/a.yaml names, is not what was frozen with it"
    assert told in made["run"]["exploratory_reasons"]
    (deviation,) = made["deviations"]
    assert (deviation["what"], deviation["planned"], deviation["actual"]) == (
        "code of judges:judge",
        "b" * 12,
        "c" * 12,
    )
    assert made["identification"]["specs"][0]["sources"] == {"judges:judge": "c" * 64}
