"""Encoders in which nodules are compared: an ONNX file, a factory, and what cannot be one."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from synnodtest.errors import SynnodError
from synnodtest.evaluation.embedding import BRIGHTEST, DARKEST, load_embedding

VIEWS = np.random.default_rng(0).uniform(DARKEST, BRIGHTEST, (5, 96, 96)).astype(np.float16)


def onnx_encoder(path: Path, size: int, channels: int) -> Path:
    """An encoder that returns the mean of every channel."""
    onnx = pytest.importorskip("onnx")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    taken = helper.make_tensor_value_info("x", kind, ["n", channels, size, size])
    given = helper.make_tensor_value_info("y", kind, ["n", channels])
    node = helper.make_node("ReduceMean", ["x"], ["y"], axes=[2, 3], keepdims=0)
    graph = helper.make_graph([node], "encoder", [taken], [given])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), str(path))
    return path


@pytest.mark.parametrize(("size", "channels"), [(96, 1), (48, 3)])
def test_an_onnx_encoder_sees_pictures_of_0_to_1_at_its_own_size(tmp_path: Path, size: int, channels: int) -> None:
    pytest.importorskip("onnxruntime")
    embedding = load_embedding(str(onnx_encoder(tmp_path / "e.onnx", size, channels)))
    assert embedding.sha256 == sha256((tmp_path / "e.onnx").read_bytes()).hexdigest()
    (tmp_path / "e.onnx.data").write_bytes(b"weights in a file of their own")
    assert load_embedding(str(tmp_path / "e.onnx")).sha256 != embedding.sha256
    vectors = embedding.of(VIEWS)
    wanted = ((VIEWS.astype(float) - DARKEST) / (BRIGHTEST - DARKEST)).mean(axis=(1, 2))
    assert vectors.shape == (5, channels)
    assert vectors[:, 0] == pytest.approx(wanted, abs=5e-3)
    assert len(embedding.sha256) == 64


def test_a_factory_is_an_encoder(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "def make():\n    return lambda pictures: pictures.reshape(len(pictures), -1)[:, :7]\n"
    )
    assert load_embedding(f"{tmp_path}/own.py:make").of(VIEWS).shape == (5, 7)


@pytest.mark.parametrize(
    ("body", "reason"),
    [("lambda p: 1 / 0", "ZeroDivisionError"), ("lambda p: p * float('nan')", "not finite"), ("3", "not a function")],
)
def test_a_broken_encoder_is_an_error_that_names_it(tmp_path: Path, body: str, reason: str) -> None:
    (tmp_path / "bad.py").write_text(f"def make():\n    return {body}\n")
    with pytest.raises(SynnodError, match=reason):
        load_embedding(f"{tmp_path}/bad.py:make").of(VIEWS)


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "e.pt").write_bytes(b"x")
    (tmp_path / "e.onnx").write_bytes(b"x")
    with pytest.raises(SynnodError, match=r"no \.onnx file"):
        load_embedding(str(tmp_path / "e.pt"))
    with pytest.raises(SynnodError, match="cannot load"):
        load_embedding(str(tmp_path / "e.onnx"))
