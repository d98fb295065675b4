"""A device that is not there is told in words, before anything runs on it."""

import argparse
import sys
from types import SimpleNamespace

import pytest

from synnodtest import devices


@pytest.fixture
def gpus(monkeypatch):
    """Pretend that torch sees so many GPUs, and that onnxruntime offers such providers."""

    def pretend(count, providers=("CPUExecutionProvider",)):
        torch = SimpleNamespace(cuda=SimpleNamespace(device_count=lambda: count), __spec__=object())
        onnx = SimpleNamespace(get_available_providers=lambda: list(providers), __spec__=object())
        monkeypatch.setitem(sys.modules, "torch", torch)
        monkeypatch.setitem(sys.modules, "onnxruntime", onnx)

    return pretend


@pytest.mark.parametrize(
    ("count", "text"), [(0, "cpu"), (1, "cpu"), (1, "cuda"), (1, "cuda:0"), (2, "cuda:1"), (12, "cuda:11")]
)
def test_what_is_there_can_be_used(gpus, count, text):
    gpus(count)
    assert devices.device(text) == text


@pytest.mark.parametrize(
    ("count", "text", "said"),
    [(0, "cuda", "cuda: no NVIDIA GPU can be used here"), (1, "cuda:1", "only cuda:0 to cuda:0 can be used here"),
     (1, "gpu", "'gpu' is no device: cpu, cuda"), (1, "cuda:", "is no device"), (1, "0", "is no device"),
     (1, "", "is no device"), (1, "cuda:-1", "is no device")],
)  # fmt: skip
def test_what_is_not_there_is_told(gpus, count, text, said):
    gpus(count)
    with pytest.raises(argparse.ArgumentTypeError, match=said):
        devices.device(text)


def test_a_gpu_that_onnxruntime_alone_can_use_counts(gpus):
    gpus(0, ("CUDAExecutionProvider", "CPUExecutionProvider"))
    assert devices.device("cuda") == "cuda"


def test_where_no_network_library_is_installed_there_is_no_gpu(monkeypatch):
    monkeypatch.setattr(devices.importlib.util, "find_spec", lambda name: None)
    assert "no NVIDIA GPU" in devices.fault_of_device("cuda")
