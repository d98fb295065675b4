"""The same weights as ``.pt``, ONNX, OpenVINO, HTTP server and command give the same verdicts on one suite."""

from __future__ import annotations

import io
import json
import sys
import threading
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from PIL import Image

from synnodtest import Radiograph
from synnodtest.backgrounds.estimated_regions import REGIONS
from synnodtest.detectors import resolve_detector
from synnodtest.errors import DetectorError
from synnodtest.planning.cases import Case
from synnodtest.planning.variants import variants
from synnodtest.shell.run import Run
from synnodtest.shell.settings import Settings
from synnodtest.spec.loader import load_spec
from tests.extras import needs

from .yolo_checkpoints import save_checkpoint

needs("ultralytics")
SIZE = 96

SPEC = """
synnodtest: 1
title: Transports
defaults: {operating_point: 0.5, matching: {criterion: centre-in-nodule, tolerance_mm: 40}}
behaviours:
  - id: any
    statement: The same network answers alike however it is reached.
    gate: performance
    scenes:
      backgrounds: {set: normal, count: 6}
      nodules:
        - {diameter_mm: {sweep: [10, 15, 20, 25, 30]}, contrast: 0.8, location: {region: lung}, hold: [location, seed]}
    expect:
      - sensitivity: {at_least: 0.9}
      - false_positives_per_image: {at_most: 1000}
      - false_positives_per_image: {at_most: 0.5}
      - monotone: {response: confidence, over: diameter_mm, direction: increasing, min_spearman: 0.5, max_drop: 0.1}
"""

SCRIPT = """
import json, sys
from pathlib import Path
from urllib.request import ProxyHandler, build_opener
given, wanted = map(Path, sys.argv[1:3])
ask, found = build_opener(ProxyHandler({})).open, {}
for one in json.loads((given / "radiographs.json").read_text()):
    found[one["file"]] = json.load(ask(sys.argv[3], (given / one["file"]).read_bytes()))["findings"]
wanted.write_text(json.dumps(found))
"""
"""Has the server look at what it is given: a network of its own would take seconds to load, once for every batch."""


@pytest.fixture(scope="module", autouse=True)
def converted_once():
    """Let OpenVINO convert a checkpoint once for all tests here: it takes two seconds."""
    from synnodtest.detectors import openvino

    convert, kept = openvino._compiled, {}

    def compiled(model, size, at_once, path):
        if path not in kept:
            kept[path] = convert(model, size, at_once, path)
        return kept[path]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(openvino, "_compiled", compiled)
        yield


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """One untrained network as ``tiny.pt`` and as ``tiny.onnx`` with its YAML."""
    pytest.importorskip("onnx")
    import torch

    from synnodtest.detectors.yolo import _load

    folder = tmp_path_factory.mktemp("weights")
    path = save_checkpoint(folder / "tiny.pt", {0: "nodule"}, image_size=SIZE)
    model, example = _load(path, True), torch.zeros(1, 3, SIZE, SIZE)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        model(example)
        model.model[-1].export, model.model[-1].format = True, "onnx"
        names = {"input_names": ["images"], "output_names": ["output0"]}
        torch.onnx.export(model, example, str(folder / "tiny.onnx"), dynamo=False, opset_version=17, **names)
    (folder / "tiny.yaml").write_text("decoder: yolo\n")
    return folder


@pytest.fixture(scope="module")
def served(weights):
    """The checkpoint behind a local HTTP server; yields its URL."""
    detector = resolve_detector(str(weights / "tiny.pt"))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self._send({"name": "served"})

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            png = body[body.index(b"\x89PNG") :]
            pixels = np.asarray(Image.open(io.BytesIO(png))).astype(np.float32) / 65535
            found = detector.detect([Radiograph(pixels, (1.0, 1.0))])[0]
            self._send({"findings": [{"box": f.box, "score": f.score} for f in found]})

        def _send(self, content):
            data = json.dumps(content).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/predict"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    """A spec and six small radiographs with lung masks; returns text of ``--detector`` -> status and value by item."""
    root = tmp_path_factory.mktemp("suite")
    folder = root / "normal"
    folder.mkdir()
    rng = np.random.default_rng(0)
    rows = ["file,mm_per_px_x,mm_per_px_y,bits,rotate_deg,polarity"]
    lung = {"left_lung": np.zeros((160, 144), np.uint8), "right_lung": np.zeros((160, 144), np.uint8)}
    lung["left_lung"][30:130, 80:130] = lung["right_lung"][30:130, 15:65] = 255
    lung["lung"] = lung["left_lung"] + lung["right_lung"]
    masks = {region: lung.get(region, lung["lung"]) for region in REGIONS}  # estimating them takes longer than all else
    for number in range(6):
        pixels = 0.6 - 0.35 * (lung["lung"] > 0) + rng.normal(0, 0.02, (160, 144))
        Image.fromarray((pixels * 65535).astype(np.uint16)).save(folder / f"b{number}.png")
        for region, mask in masks.items():
            Image.fromarray(mask).save(folder / f"b{number}.{region}.png")
        rows.append(f"b{number}.png,2,2,16,0,normal")
    (folder / "manifest.csv").write_text("\n".join(rows))
    (root / "spec.yaml").write_text(SPEC)
    spec = load_spec(root / "spec.yaml")
    (behaviour,) = spec.behaviours
    cases = [
        Case(one.id, spec, behaviour, one)
        for expectation in behaviour.expectations
        for one in variants(behaviour, expectation)
    ]

    def rule(detector):
        run = Run(Settings(root, detector, "gaussian", root, cache=root / "cache"))
        ruled = [(case.node_id, run.rule(case, run.gather(case)).ruling) for case in cases]
        return {name: (ruling.status.name, [part.value for part in ruling.components]) for name, ruling in ruled}

    return rule


@pytest.fixture(scope="module")
def reference(suite, weights):
    return suite(str(weights / "tiny.pt"))


def test_the_suite_tells_detectors_apart(suite, weights, reference):
    """Otherwise equal verdicts would say nothing."""
    assert len({status for status, _ in reference.values()}) > 1
    other = save_checkpoint(weights / "other.pt", {0: "nodule"}, image_size=SIZE, seed=3)
    assert suite(str(other)) != reference


@pytest.mark.parametrize("transport", ["onnx", "openvino", "http", "command"])
def test_every_transport_gives_the_verdicts_of_the_checkpoint(transport, suite, weights, served, reference):
    if transport == "openvino":
        needs("openvino")
    pytest.importorskip("onnxruntime")
    (weights / "detect.py").write_text(SCRIPT)
    text = {
        "onnx": str(weights / "tiny.onnx"),
        "openvino": f"openvino:{weights / 'tiny.pt'}",
        "http": served,
        "command": f"command:{sys.executable} {weights / 'detect.py'} {{in}} {{out}} {served}",
    }[transport]
    ruled = suite(text)
    assert {name: status for name, (status, _) in ruled.items()} == {n: s for n, (s, _) in reference.items()}
    for name, (_, value) in ruled.items():
        assert value == pytest.approx(reference[name][1], abs=1e-3, nan_ok=True)


def test_openvino_says_how_well_it_agrees_and_refuses_what_does_not(weights, monkeypatch):
    needs("openvino")
    from synnodtest.detectors import openvino

    noise = np.random.default_rng(0).random((2, SIZE, SIZE), dtype=np.float32)
    identity = openvino.OpenVinoDetector(weights / "tiny.pt", noise).identity
    assert "openvino_telemetry.main" not in sys.modules, "something imports openvino before it is told to send nothing"
    assert identity.configuration["precision"] == "float32"
    assert identity.configuration["scores_agree_within"] <= 1e-3
    assert identity.key() != resolve_detector(str(weights / "tiny.pt")).identity.key()
    compiled = openvino.OpenVinoDetector._compiled_forward
    monkeypatch.setattr(openvino.OpenVinoDetector, "_compiled_forward", lambda *a: compiled(*a) + np.float32(0.002))
    with pytest.raises(
        DetectorError, match=r"(?s)tiny\.pt: OpenVINO and torch disagree: scores by up to 0\.002.*torch"
    ):
        openvino.OpenVinoDetector(weights / "tiny.pt", noise)


@pytest.mark.parametrize(("text", "message"), [("model.onnx", r"no \.pt"), ("gone.pt", "never downloads")])
def test_openvino_takes_checkpoints_that_are_there(text, message, tmp_path):
    with pytest.raises(DetectorError, match=message):
        resolve_detector(f"openvino:{text}", base=tmp_path)
