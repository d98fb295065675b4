"""Columns put together from buffers are those that pyarrow makes of the same values."""

from __future__ import annotations

import subprocess
import sys

import pytest

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed")

from synnodtest.exports.parquet import column  # noqa: E402

TEXTS = pa.list_(pa.string())
CASES = [
    (["a", None, "", "ä∞", "b" * 300], pa.string()),
    ([1.5, None, -0.0, 1e300, 7], pa.float64()),
    ([True, None, False, True, True, False, True, False, True], pa.bool_()),
    ([["a"], [], None, ["b", None, "c"]], TEXTS),
    ([[["a"], []], [], [None, ["b"]]], pa.list_(TEXTS)),
    ([[[1.0, 2.0]], None, [[], [3.0]]], pa.list_(pa.list_(pa.float64()))),
    ([[("k", "v"), ("l", None)], [], [("m", "w")]], pa.map_(pa.string(), pa.string())),
]


@pytest.mark.parametrize(("values", "kind"), CASES, ids=[str(kind) for _, kind in CASES])
@pytest.mark.parametrize("take", [slice(None), slice(0, 0), slice(1, 2)], ids=["all", "none", "one"])
def test_pyarrow_makes_the_same(values: list[object], kind: object, take: slice) -> None:
    made = column(values[take], kind)
    made.validate(full=True)
    assert made.equals(pa.array(values[take], kind))
    assert made.null_count == sum(value is None for value in values[take])


def test_other_types_are_refused() -> None:
    with pytest.raises(NotImplementedError, match="int8"):
        column([1], pa.int8())


def test_pandas_is_not_loaded() -> None:
    code = "import sys, pyarrow as pa; from synnodtest.exports.parquet import column; "
    code += "column(['a'], pa.string()); print('pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
