"""What servers and proxies do beside answering: pointing elsewhere, asking to wait, packing, starting slowly."""

from __future__ import annotations

import gzip
import json
import os
import threading
import time
import zlib
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from synnodtest.detectors import http, http_transport, resolve_detector
from synnodtest.detectors.http import HttpDetector
from synnodtest.detectors.http_transport import AUTHORIZATION_VARIABLE
from synnodtest.detectors.registry import masked
from synnodtest.errors import DetectorError, DetectorHung
from tests.warm_python import start_python

ONE = json.dumps({"findings": [{"box": [1, 2, 30, 40], "score": 0.5}]}).encode()


class Server:
    """Answers every POST by the next of its scripts ``(status, headers, body, wait)``; the last one stays."""

    def __init__(self):
        self.scripts, self.seen, self.endless = [(200, {}, ONE, 0)], [], False
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.seen.append(("GET", self.path, self.headers.get("Authorization")))
                if outer.endless:
                    self.send_response(200)
                    self.end_headers()
                while outer.endless:
                    self.wfile.write(b" ")
                    time.sleep(0.05)
                self.answer(405, {}, b"")

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                outer.seen.append(("POST", self.path, self.headers.get("Authorization")))
                status, headers, body, wait = outer.scripts.pop(0) if len(outer.scripts) > 1 else outer.scripts[0]
                wait.wait(120) if isinstance(wait, threading.Event) else time.sleep(wait)
                self.answer(status, headers, body)

            def answer(self, status, headers, body):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if "Transfer-Encoding" not in headers and "Content-Length" not in headers:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                self.close_connection = True

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.handle_error = lambda *_: None  # whoever asks may be gone
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/predict"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def posts(self):
        return [one for one in self.seen if one[0] == "POST"]

    def close(self):
        self.endless = False
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def server():
    made = Server()
    yield made
    made.close()


@pytest.fixture
def elsewhere():
    made = Server()
    yield made
    made.close()


def asked(server, radiographs, **options):
    return HttpDetector(server.url, pause_s=0.01, **{"timeout_s": 5.0, **options}).detect(radiographs[:1])[0]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed_and_its_target_is_named(server, elsewhere, radiographs, monkeypatch, status):
    monkeypatch.setenv(AUTHORIZATION_VARIABLE, "Bearer hush")
    target = f"http://127.0.0.1:{elsewhere.port}/new"
    server.scripts = [(status, {"Location": f"{target}?token=hidden"}, b"", 0)]
    with pytest.raises(DetectorError, match=rf"answered {status} .*points to {target}: no redirect") as caught:
        asked(server, radiographs)
    assert f"--detector {target}" in caught.value.hint
    assert "hidden" not in str(caught.value)
    assert len(server.posts()) == 1
    assert elsewhere.seen == []


@pytest.mark.parametrize(("location", "where"), [("/predict/", r"/predict/:"), ("", "names no target")])
def test_a_redirect_within_the_host_is_not_followed_either(server, radiographs, location, where):
    server.scripts = [(308, {"Location": location}, b"", 0)]
    with pytest.raises(DetectorError, match=where):
        asked(server, radiographs)
    assert [path for _, path, _ in server.posts()] == ["/predict"]


def test_a_server_that_loads_its_model_is_waited_for(server, radiographs):
    date = {"Date": formatdate(1_000_000, usegmt=True), "Retry-After": formatdate(1_000_000, usegmt=True)}
    busy = [(503, {"Retry-After": "0"}, b"loading", 0)] * 4 + [(429, date, b"", 0)]
    server.scripts = [*busy, (200, {}, ONE, 0)]
    assert len(asked(server, radiographs)) == 1
    assert len(server.posts()) == 6


@pytest.mark.parametrize("after", ["3600", formatdate(4_000_000_000, usegmt=True)])
def test_the_wait_is_bounded(server, radiographs, after):
    server.scripts = [(503, {"Retry-After": after}, b"loading", 0)]
    with pytest.raises(DetectorError, match=r"answered 503 .*: loading \(asks to wait \d+ s more, 0 s were waited\)"):
        asked(server, radiographs)
    assert len(server.posts()) == 1


@pytest.mark.parametrize("after", ["soon", "-5", "1.5"])
def test_a_wait_that_is_no_number_and_no_date_is_as_none(server, radiographs, after):
    server.scripts = [(503, {"Retry-After": after}, b"loading", 0)]
    with pytest.raises(DetectorError, match="answered 503"):
        asked(server, radiographs)
    assert len(server.posts()) == 3


def raw_deflate(content):
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(content) + packer.flush()


def chunks(content):
    half = len(content) // 2
    parts = (content[:half], content[half:], b"")
    return b"".join(f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in parts)


CHUNKED = {"Transfer-Encoding": "chunked"}
PACKED = [
    ({"Content-Encoding": "gzip"}, gzip.compress(ONE, mtime=0)),
    ({"Content-Encoding": "X-GZIP"}, gzip.compress(ONE, mtime=0)),
    ({"Content-Encoding": "deflate"}, zlib.compress(ONE)),
    ({"Content-Encoding": "deflate"}, raw_deflate(ONE)),
    ({"Content-Encoding": "identity"}, ONE),
    (CHUNKED, chunks(ONE)),
    ({**CHUNKED, "Content-Encoding": "gzip"}, chunks(gzip.compress(ONE, mtime=0))),
    ({"Content-Type": "text/plain; charset=utf-16"}, ONE.decode().encode("utf-16")),
]


@pytest.mark.parametrize(("headers", "body"), PACKED)
def test_packed_and_chunked_answers_are_read(server, radiographs, headers, body):
    server.scripts = [(200, headers, body, 0)]
    assert [found.score for found in asked(server, radiographs)] == [0.5]


HTML = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>" + b"x" * 500
NO_ANSWER = [
    (200, {"Content-Encoding": "br"}, b"packed", "compressed as 'br'"),
    (200, {"Content-Encoding": "gzip"}, gzip.compress(ONE, mtime=0)[:-12], "no whole gzip"),
    (200, {"Content-Encoding": "gzip"}, ONE, "no whole gzip"),
    (200, {"Content-Type": "text/html"}, HTML, r"HTML page 'Sign in'; Content-Type text/html\) is no JSON"),
    (200, {}, HTML, r"HTML page 'Sign in'; Content-Type missing"),
    (200, {}, ONE[:-5], "is no JSON"),
    (200, {}, b"", "is empty and is no JSON"),
    (202, {}, b"[]", "answered 202 Accepted, which is no answer"),
    (204, {}, b"", "answered 204"),
    (200, CHUNKED, chunks(ONE)[:40], "cannot be reached: .*IncompleteRead"),
    (502, {"Content-Type": "text/html"}, HTML.replace(b"Sign in", b"Bad gateway"), "502 .*HTML page 'Bad gateway'"),
    (200, {}, b'{"error": "no weights"}', "has no 'findings' but error"),
]


@pytest.mark.parametrize(("status", "headers", "body", "message"), NO_ANSWER)
def test_what_is_no_answer_is_an_error_in_words(server, radiographs, status, headers, body, message):
    server.scripts = [(status, headers, body, 0)]
    with pytest.raises(DetectorError, match=message) as caught:
        asked(server, radiographs)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(("status", "hint"), [(413, "client_max_body_size"), (422, "the file 'image' of a POST")])
def test_a_server_that_refuses_the_form_or_size_of_a_request_is_told_of_with_what_it_is_sent(
    server, radiographs, status, hint
):
    server.scripts = [(status, {}, b"", 0)]
    with pytest.raises(DetectorError, match=f"answered {status}") as caught:
        asked(server, radiographs)
    assert hint in caught.value.hint


def test_a_connection_that_is_closed_while_a_radiograph_is_sent_is_told_with_its_size(radiographs, monkeypatch):
    def closed(*_, **__):
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr("http.client.HTTPConnection.request", closed)
    with pytest.raises(DetectorError, match="cannot be reached: BrokenPipeError") as caught:
        HttpDetector("http://127.0.0.1:9/predict", pause_s=0).detect(radiographs[:1])
    assert "client_max_body_size" in caught.value.hint


@pytest.mark.parametrize(
    "said",
    [{"error": "CUDA out of memory"}, {"success": False}, {"status": "processing"}, {"ok": "false"}, {"code": 500},
     {"Status": "FAILED"}, {"errors": [{"msg": "no weights"}]}, {"valid": False}, {"truncated": True},
     {"next": "http://host/2"}, {"status": "rejected"}],
)  # fmt: skip
def test_an_answer_that_says_it_failed_is_no_radiograph_without_findings(server, radiographs, said):
    server.scripts = [(200, {}, json.dumps({"findings": [], **said}).encode(), 0)]
    with pytest.raises(DetectorError, match=f"failed or is not finished: .*{next(iter(said))}"):
        HttpDetector(server.url, pause_s=0).detect(radiographs[:1])


BOX = {"box": [10, 10, 20, 20], "score": 0.5}


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ('{"findings": [{"box": [1, 1, 9, 9], "score": 0.9}], "findings": []}', "'findings' occurs twice"),
        (json.dumps({"findings": [], "predictions": [BOX]}), "1 predictions beside its 'findings'"),
        (json.dumps({"findings": [], "images": [{"findings": [BOX]}]}), "findings within another key"),
        (json.dumps({"findings": [], "Findings": [BOX]}), "1 Findings beside"),
        (json.dumps([BOX | {"box": "1234"}]), "text, or true and false"),
        (json.dumps([BOX | {"score": True}]), "text, or true and false"),
        (json.dumps([BOX | {"box": {"0": 1, "1": 1, "2": 9, "3": 9}}]), "a mapping"),
        (json.dumps([BOX | {"unit": "mm"}]), "says unit 'mm' of its boxes"),
        (json.dumps([BOX | {"bbox_mode": "XYWH_ABS"}]), "says bbox_mode 'XYWH_ABS'"),
        (json.dumps([BOX | {"bbox_mode": 1}]), "says bbox_mode 1"),
        (json.dumps({"findings": [BOX], "meta": {"boxes_are": "ccwh"}}), "says boxes_are 'ccwh'"),
        (json.dumps({"findings": [BOX], "order": ["ymin", "xmin", "ymax", "xmax"]}), "says order"),
        (json.dumps({"findings": [BOX], "columns": ["x_center", "y_center", "width", "height"]}), "says columns"),
        (json.dumps({"findings": [BOX], "coordinate_system": "normalized"}), "'normalized'"),
        (json.dumps({"findings": [BOX], "normalized": 1}), "says normalized 1"),
        (json.dumps({"findings": [BOX], "box_format": "xywh"}), "says box_format 'xywh'"),
        (json.dumps({"unit": "mm", "findings": [BOX | {"unit": "pixels"}]}), "is in 'pixels', and the answer in 'mm'"),
        (json.dumps({"findings": [], "message": "rejected: not a chest"}), "no findings and says .*not a chest"),
        (json.dumps({"findings": [], "message": "busy, please retry later"}), "no findings and says .*busy"),
        (json.dumps([BOX | {"image_id": 1}, BOX | {"image_id": 2}]), "of several by their 'image_id': 1, 2"),
        (json.dumps([BOX | {"type": "rib fracture"}]), "a finding is called 'rib fracture', which may be its class"),
        (json.dumps([BOX | {"suppressed": True}]), "finding 0 says suppressed: True of itself"),
        (json.dumps([BOX | {"reported": False}]), "finding 0 says reported: False of itself"),
        (json.dumps({"findings": [BOX], "image": {"width": 9, "height": 7}}), "about an image of 9 x 7 pixels"),
        (json.dumps([BOX | {"image_width": 640, "image_height": 640}]), "about an image of 640 x 640 pixels"),
        (json.dumps({"findings": [], "count": 3}), "holds 0 findings and says {'count': 3}"),
        (json.dumps({"findings": [BOX], "num_detections": 2}), "holds 1 finding and says {'num_detections': 2}"),
        (json.dumps({"findings": [], "summary": {"nodules_found": 1}}), "says {'nodules_found': 1}"),
        (json.dumps([BOX | {"name": "effusion"}]), "a finding is called 'effusion'"),
    ],
)
def test_an_answer_of_which_a_part_would_be_passed_over_is_refused(server, radiographs, answer, message):
    server.scripts = [(200, {}, answer.encode(), 0)]
    with pytest.raises(DetectorError, match=message):
        HttpDetector(server.url, pause_s=0).detect(radiographs[:1])


@pytest.mark.parametrize("network", [{"image": {"width": 640, "height": 640}}, {"img_width": 640, "img_height": 640}])
def test_an_answer_may_state_the_network_s_size_beside_the_radiograph_s(server, radiographs, network):
    height, width = radiographs[0].shape
    answer = {"findings": [BOX], "image_height": height, "image_width": width, **network}
    server.scripts = [(200, {}, json.dumps(answer).encode(), 0)]
    assert [len(found) for found in HttpDetector(server.url).detect(radiographs[:1])] == [1]


@pytest.mark.parametrize(
    "answer",
    [
        {"findings": [BOX], "report": {"findings": ["One nodule."]}, "prior": {"findings": [BOX]}},
        {"findings": [BOX], "models": [{"name": "a", "findings": 1}]},
    ],
)
def test_findings_of_other_things_beside_those_of_the_radiograph_are_passed_over(server, radiographs, answer):
    server.scripts = [(200, {}, json.dumps(answer).encode(), 0)]
    assert [len(found) for found in HttpDetector(server.url).detect(radiographs[:1])] == [1]


@pytest.mark.parametrize("key", ["className", "label_name", "Pathology", "Class", "predicted_class", "cls"])
def test_a_class_is_obeyed_under_whatever_key(server, radiographs, key):
    found = [{**BOX, key: "nodule"}, {**BOX, key: "rib"}]
    server.scripts = [(200, {}, json.dumps(found).encode(), 0)]
    assert len(HttpDetector(server.url, pause_s=0).detect(radiographs[:1])[0]) == 1


@pytest.mark.parametrize(("number", "name"), [("class", "class_name"), ("label", "pathology")])
def test_a_class_that_has_a_name_beside_its_number_is_known_by_the_name(server, radiographs, number, name):
    found = [{**BOX, number: 1, name: "Cardiomegaly"}, {**BOX, number: 1, name: "nodule"}, {**BOX, number: 1, name: ""}]
    server.scripts = [(200, {}, json.dumps(found).encode(), 0)]
    assert len(HttpDetector(server.url, pause_s=0).detect(radiographs[:1])[0]) == 2
    assert len(HttpDetector(f"{server.url}#1", pause_s=0).detect(radiographs[:1])[0]) == 3


def test_what_may_name_a_class_beside_its_number_is_asked_about(server, radiographs):
    found = [{**BOX, "class": 1, "name": "Cardiomegaly"}, {**BOX, "class": 0, "name": "nodule"}]
    server.scripts = [(200, {}, json.dumps(found).encode(), 0)]
    with pytest.raises(DetectorError, match="called 'Cardiomegaly', which may be its class"):
        HttpDetector(server.url, pause_s=0).detect(radiographs[:1])
    assert len(HttpDetector(f"{server.url}#nodule", pause_s=0).detect(radiographs[:1])[0]) == 1


@pytest.mark.parametrize(
    "told",
    [{"type": "box"}, {"name": "finding_3"}, {"name": "F12"}, {"type": "nodule"}, {"label": ""}, {"label": " "},
     {"name": "3f2a91c0-77"}, {"image_id": 4}, {"is_nodule": True, "hidden": False},
     {"type": "solid nodule", "name": "a"}, {"label": ["nodule"]}, {"class": [1]}, {"bbox_mode": "BoxMode.XYXY_ABS"},
     {"bbox_mode": 0}, {"id": "wxyh"}, {"corners": ["x1", "y1", "x2", "y2"]},
     {"box_kind": "unnormalized", "normalized": "no"}],
)  # fmt: skip
def test_what_is_no_other_class_leaves_a_finding_one_of_a_nodule(server, radiographs, told):
    server.scripts = [(200, {}, json.dumps({"findings": [BOX | told], "message": "done", "next": None}).encode(), 0)]
    assert len(HttpDetector(server.url, pause_s=0).detect(radiographs[:1])[0]) == 1


@pytest.mark.parametrize(
    "told",
    [{"message": "done, no errors"}, {"info": {"error_rate": 0.1}}, {"warnings": []}, {"quality": "good"},
     {"warnings": ["PixelSpacing missing, 0.14 assumed"]}, {"info": "heat maps disabled"},
     {"count": 0, "total_ms": 12, "time": {"total": 0.8}}, {"num_findings": False}],
)  # fmt: skip
def test_an_answer_without_findings_may_say_further_things(server, radiographs, told):
    server.scripts = [(200, {}, json.dumps({"findings": [], **told}).encode(), 0)]
    assert HttpDetector(server.url, pause_s=0).detect(radiographs[:1]) == [[]]


def test_two_models_of_one_address_have_other_keys_and_no_query_is_shown(server):
    first, second = (HttpDetector(f"{server.url}?key=hush&model={name}").identity for name in "ab")
    assert first.key() != second.key()
    assert "hush" not in str(first)


def test_a_url_or_header_that_cannot_be_sent_is_told_without_the_secret(server, monkeypatch):
    for path in ("/pr\xfcfen", "/a b"):
        with pytest.raises(DetectorError, match="beyond ASCII") as caught:
            HttpDetector(server.url + path)
        assert "%" in caught.value.hint
    monkeypatch.setenv(AUTHORIZATION_VARIABLE, "Bearer hush\nhush")
    with pytest.raises(DetectorError, match="line end") as caught:
        HttpDetector(server.url)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("said", [{"error": None}, {"errors": []}, {"success": True}, {"status": "ok"}, {"code": 200}])
def test_an_answer_that_says_it_succeeded_is_read(server, radiographs, said):
    server.scripts = [(200, {}, json.dumps({"findings": [], **said}).encode(), 0)]
    assert HttpDetector(server.url, pause_s=0).detect(radiographs[:1]) == [[]]


@pytest.mark.parametrize("end", ["\r", "\n", " "])
def test_a_header_from_a_file_with_line_ends_is_sent_without_them(server, radiographs, monkeypatch, end):
    monkeypatch.setenv(AUTHORIZATION_VARIABLE, f"Bearer hush{end}")
    HttpDetector(server.url, pause_s=0).detect(radiographs[:1])
    assert {one[2] for one in server.seen} == {"Bearer hush"}


def test_a_small_answer_that_unpacks_to_a_large_one_is_refused_early(server, radiographs, monkeypatch):
    monkeypatch.setattr(http_transport, "MAX_ANSWER_BYTES", 100_000)
    bomb = gzip.compress(b" " * 50_000_000, mtime=0)
    assert len(bomb) < 100_000
    assert len(http_transport._inflated(bomb, "gzip")) == 100_001
    server.scripts = [(200, {"Content-Encoding": "gzip"}, bomb, 0)]
    with pytest.raises(DetectorError, match="larger than 100000 bytes"):
        asked(server, radiographs)


def test_a_slow_start_is_told_from_a_hang(server, radiographs):
    server.scripts = [(200, {}, ONE, 1.0)]
    with pytest.raises(DetectorError, match="answered nothing yet: it may still be starting"):
        asked(server, radiographs, timeout_s=0.2)
    server.scripts = [(200, {}, ONE, 0), (200, {}, ONE, 1.0)]
    detector = HttpDetector(server.url, timeout_s=0.2)
    detector.detect(radiographs[:1])
    with pytest.raises(DetectorHung, match=r"no answer within 0\.2 s, after 1 answers: it hangs"):
        detector.detect(radiographs[:1])


@pytest.mark.parametrize("ending", ["in time", "Ctrl-C"])
def test_a_run_ends_though_a_server_that_hangs_still_has_its_request(server, tmp_path, ending):
    done = threading.Event()
    server.scripts = [(200, {}, ONE, done)]
    (tmp_path / "asks.py").write_text(
        "import os, signal, sys, threading\nimport numpy as np\nfrom synnodtest import Radiograph\n"
        "from synnodtest.detectors import Guard\n"
        "from synnodtest.detectors.http import HttpDetector\n"
        f"guard = Guard(HttpDetector({server.url!r}, timeout_s=600), {1.0 if ending == 'in time' else 600.0})\n"
        "if len(sys.argv) > 1:\n    threading.Timer(1, os.kill, [os.getpid(), signal.SIGINT]).start()\n"
        "guard.detect([Radiograph(np.zeros((8, 8), np.float32), (1.0, 1.0))])\n"
    )
    words = ["asks"] if ending == "in time" else ["asks", ending]
    environment = os.environ | {"PYTHONPATH": f"{Path(__file__).parents[2]}"}
    try:
        said = start_python(words, cwd=tmp_path, env=environment, timeout=60).stderr
    finally:
        done.set()
    assert ("no answer within 1 s" if ending == "in time" else "KeyboardInterrupt") in said


def test_a_server_whose_page_never_ends_is_no_reason_to_wait_before_the_first_radiograph(
    server, radiographs, monkeypatch
):
    monkeypatch.setattr(http, "_PROBE_S", 0.5)
    server.endless = True
    assert len(asked(server, radiographs)) == 1


def test_a_secret_that_the_server_repeats_is_not_shown(server, radiographs, monkeypatch):
    monkeypatch.setenv(AUTHORIZATION_VARIABLE, "Bearer hush-hush")
    server.scripts = [(403, {}, b"the token hush-hush has expired", 0)]
    with pytest.raises(DetectorError, match=r"the token \*\*\* has expired"):
        asked(server, radiographs)


def test_credentials_in_the_url_are_refused_unseen():
    with pytest.raises(DetectorError, match="on host holds credentials") as caught:
        resolve_detector("http://me:hush@host/predict")
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("asked_for", "shown"),
    [
        ("http://host/predict?token=hush#nodule", "http://host/predict?token=***#nodule"),
        ("http://host/predict?model=b&api_key=hush&v=2", "http://host/predict?model=b&api_key=***&v=2"),
        ("dicom+https://me:hush@host:99/a/b", "dicom+https://***@host:99/a/b"),
        ("--detector=http://me@host?hush", "--detector=http://***@host?***"),
        ("command:curl http://host/a?sig=hush -d @{image}", "command:curl http://host/a?sig=*** -d @{image}"),
        ("http://host/predict", "http://host/predict"),
        ("folder/a?b@c.pt", "folder/a?b@c.pt"),
        ("ray://head:10001?synthesizers=4", "ray://head:10001?synthesizers=4"),
    ],
)
def test_what_may_be_a_secret_of_an_address_is_masked_in_records(asked_for, shown):
    assert masked(asked_for) == shown


def test_a_masked_address_from_a_record_is_not_asked(server):
    for query in ("***", "model=b&token=***"):
        with pytest.raises(DetectorError, match="was masked in a record"):
            HttpDetector(f"{server.url}?{query}")
    assert server.seen == []


def test_a_proxy_of_the_environment_is_named_and_never_sees_the_secret(elsewhere, radiographs, monkeypatch):
    for name in ("no_proxy", "NO_PROXY", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", f"http://me:hush@127.0.0.1:{elsewhere.port}")
    elsewhere.scripts = [(502, {}, b"no such host", 0)]
    with pytest.raises(DetectorError, match=r"through the proxy http://127\.0\.0\.1:\d+\): no such host") as caught:
        HttpDetector("http://detector.invalid/predict", timeout_s=5, pause_s=0.01).detect(radiographs[:1])
    assert "add detector.invalid to no_proxy" in caught.value.hint
    assert "hush" not in str(caught.value)
    seen = len(elsewhere.seen)
    monkeypatch.setenv(AUTHORIZATION_VARIABLE, "Bearer secret")
    with pytest.raises(DetectorError, match="would go to the proxy"):
        HttpDetector("http://detector.invalid/predict")
    assert len(elsewhere.seen) == seen


def test_this_machine_is_never_asked_for_through_a_proxy(server, radiographs, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    assert len(asked(server, radiographs)) == 1


def labelled(*labels):
    items = [{"box": [1, 2, 30, 40], "score": 0.5, "label": label} for label in labels]
    return [(200, {}, json.dumps(items).encode(), 0)]


def test_findings_that_name_their_class_follow_the_rule_of_names(server, radiographs):
    server.scripts = labelled("no_nodule", "Cardiomegaly", "Lung Nodule", "nodule-free")
    assert len(asked(server, radiographs)) == 1
    server.scripts = labelled(1, 1)
    assert len(asked(server, radiographs)) == 2
    server.scripts = labelled(*["lesion"] * 25)
    with pytest.raises(DetectorError, match=r"(?s)none of its classes is a nodule so far: lesion.*predict#NAME"):
        asked(server, radiographs)
    server.scripts = labelled(0, 1)
    with pytest.raises(DetectorError, match="classes 0, 1"):
        asked(server, radiographs)
    assert len(HttpDetector(f"{server.url}#1").detect(radiographs[:1])[0]) == 1
    server.scripts = labelled("lesion", "rib")
    detector = HttpDetector(f"{server.url}#Lesion")
    assert len(detector.detect(radiographs[:1])[0]) == 1
    assert detector.identity.configuration["classes"] == ["Lesion"]
