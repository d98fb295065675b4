"""What is written is what pyarrow makes of the same rows."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from synnodtest.exports import parquet as trials

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
pq = pytest.importorskip("pyarrow.parquet")

ODD = ['ä∞😀 "quoted"\n\x01\t\\', "", "b" * 300, r"\udcff as letters", "2026-11-30T22:00:00"]
KINDS = {
    "scene": pa.string(),
    "strata": pa.map_(pa.string(), pa.string()),
    "accepted": pa.bool_(),
    "finding_boxes": pa.list_(pa.list_(pa.float64())),
    "finding_regions": pa.list_(pa.list_(pa.string())),
    "finding_duplicates": pa.list_(pa.bool_()),
    "confidence": pa.float64(),
    "hit": pa.bool_(),
}


def test_the_table_is_what_pyarrow_makes_of_the_rows(made, tmp_path):
    scenes = list(made["scenes"].values())
    for number, text in enumerate(ODD):
        scenes[number] |= {"background": text, "strata": {"text": text, text: "x"}}
    scenes[5]["strata"] = {}
    for finding, score in zip(scenes[6]["findings"], (1e-300, 0.1 + 0.2, 1e300), strict=False):
        finding["score"] = score
    table = pq.read_table(trials.write(made, tmp_path))
    assert {name: table.schema.field(name).type for name in KINDS} == KINDS
    rows = [row | {"strata": list(row["strata"].items())} for row in trials.rows(made)]
    assert len(rows) > 10
    assert table.equals(pa.Table.from_pylist(rows, schema=table.schema))


def test_half_a_character_is_written_as_its_number(made, tmp_path):
    scene = next(one for one in made["scenes"].values())
    scene |= {"background": "50%\udcff", "strata": {"of\udc80": "\udcff"}}
    table = pq.read_table(trials.write(made, tmp_path))
    (strata,) = {tuple(row["strata"]) for row in table.to_pylist() if row["background"] == r"50%\udcff"}
    assert strata == ((r"of\udc80", r"\udcff"),)


def test_pandas_is_not_loaded(made, tmp_path):
    (tmp_path / "results.json").write_text(json.dumps(made))
    code = "import json, pathlib, sys; from synnodtest.exports import parquet; here = pathlib.Path(sys.argv[1]); "
    code += "parquet.write(json.loads((here / 'results.json').read_text()), here); print('pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
