"""A nodule of a third of an 8-bit grey value goes from a 16-bit DICOM file to every kind of detector."""

from __future__ import annotations

import io
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from PIL import Image

from synnodtest import Finding
from synnodtest.backgrounds import read_radiograph
from synnodtest.detectors import CallableDetector, resolve_detector
from synnodtest.identity import Identity

from ..backgrounds.radiograph_files import write_dicom
from .onnx_models import write_model

pytestmark = pytest.mark.usefixtures("unturned")

pydicom = pytest.importorskip("pydicom")
SIDE, LEVEL, FAINT = 128, 128 * 257, 90
"""128 * 257 of 65535 is exactly 128 of 255; 90 is a third of the 257 that make one step of 8 bits."""
BOX = (80.0, 32.0, 96.0, 48.0)


@pytest.fixture
def radiograph(tmp_path):
    stored = np.full((SIDE, SIDE), LEVEL, np.uint16)
    stored[32:48, 80:96] += FAINT
    shown = read_radiograph(write_dicom(tmp_path / "chest.dcm", stored, bits=16), accept=frozenset({"brightness"}))
    assert len(np.unique(np.rint(shown.pixels * 255))) == 1, "8 bits erase it"
    return shown


def found_in(values):
    """Return the box of what is brighter than the rest, by the stored integers."""
    rows, columns = np.nonzero(values > values.min())
    if not len(rows):
        return []
    return [{"box": [int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1], "score": 1.0}]


@pytest.fixture
def url():
    """A server that reads what it is sent with Pillow or pydicom alone."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_error(405)

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if b"application/dicom" in body:
                start = body.index(b"\r\n\r\n", body.index(b"application/dicom")) + 4
                data = pydicom.dcmread(io.BytesIO(body[start : body.rindex(b"\r\n--")]))
                assert (data.BitsStored, data.PhotometricInterpretation) == (16, "MONOCHROME2")
                assert [float(v) for v in data.ImagerPixelSpacing] == [1.2, 1.25]
                values = data.pixel_array
            else:
                values = np.asarray(Image.open(io.BytesIO(body[body.index(b"\x89PNG") :])))
            content = json.dumps(found_in(values)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_callable_sees_it(radiograph):
    def subject(given):
        return [[Finding(tuple(one["box"]), 1.0) for one in found_in(radiograph.pixels)] for radiograph in given]

    assert CallableDetector(subject, Identity("subject")).detect([radiograph])[0][0].box == BOX


@pytest.mark.parametrize("scheme", ["", "dicom+"])
def test_a_server_sees_it_as_png_and_as_dicom(radiograph, url, scheme):
    (found,) = resolve_detector(scheme + url).detect([radiograph])[0]
    assert found == Finding(BOX, 1.0)


COMMAND = """
import json, sys
from pathlib import Path
import numpy as np
from PIL import Image
values = np.asarray(Image.open(Path(sys.argv[1]) / "0000.png"))
rows, columns = np.nonzero(values > values.min())
box = [int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1] if len(rows) else None
Path(sys.argv[2]).write_text(json.dumps({"0000.png": [{"box": box, "score": 1}] if box else []}))
"""

CHALLENGE = """
import json, sys
from pathlib import Path
import numpy as np
(stack,) = Path(sys.argv[1]).glob("*.mha")
values = np.frombuffer(stack.read_bytes()[-128 * 128 * 2:], "<u2").reshape(128, 128)
rows, columns = np.nonzero(values > values.min())
x, y = (columns.min() * 1.25, (columns.max() + 1) * 1.25), (rows.min() * 1.2, (rows.max() + 1) * 1.2)
corners = [[x[1], y[1], 0], [x[0], y[1], 0], [x[0], y[0], 0], [x[1], y[0], 0]]
(Path(sys.argv[2]) / "nodules.json").write_text(json.dumps({"boxes": [{"corners": corners, "probability": 1}]}))
"""


@pytest.mark.parametrize(("contract", "source"), [("command", COMMAND), ("node21", CHALLENGE)])
def test_a_program_sees_it(radiograph, tmp_path, contract, source):
    (tmp_path / "detect.py").write_text(source)
    detector = resolve_detector(f"{contract}:{sys.executable} detect.py {{in}} {{out}}", base=tmp_path)
    (found,) = detector.detect([radiograph])[0]
    assert found.box == pytest.approx(BOX)


def test_an_onnx_model_sees_it(radiograph, tmp_path):
    pytest.importorskip("onnxruntime")
    write_model(tmp_path / "model.onnx", "yolo")
    (tmp_path / "model.yaml").write_text("decoder: yolo\n")
    first, second = resolve_detector("model.onnx", base=tmp_path).detect([radiograph])[0][:2]
    assert first.box == pytest.approx(BOX)
    assert first.score - second.score == pytest.approx(FAINT / 65535, rel=1e-2)
