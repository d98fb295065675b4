"""Detectors outside this process: what they answer is used, and every way to fail is an error that names it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import tempfile
import threading
import time
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synnodtest import Finding
from synnodtest.detectors import resolve_detector
from synnodtest.detectors.exchange import findings_from_json, node21_findings, node21_parsed
from synnodtest.detectors.http import HttpDetector
from synnodtest.detectors.http_transport import AUTHORIZATION_VARIABLE
from synnodtest.detectors.label_rule import LabelRule
from synnodtest.errors import DetectorError, DetectorHung
from tests.warm_python import start_python


class Server:
    """An HTTP server whose answers a test scripts."""

    def __init__(self):
        self.posts, self.answers, self.identity, self.headers, self.wait_s = [], [], None, [], 0.0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self._send(200 if outer.identity else 405, json.dumps(outer.identity).encode())

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.posts.append(_parts(self.headers["Content-Type"], body))
                outer.headers.append(dict(self.headers))
                time.sleep(outer.wait_s)
                status, content = outer.answers.pop(0) if len(outer.answers) > 1 else outer.answers[0]
                self._send(status, content if isinstance(content, bytes) else json.dumps(content).encode())

            def _send(self, status, content):
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/predict"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})


def _parts(kind, body):
    message = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
    return {
        part.get_param("name", header="content-disposition"): part.get_payload(decode=True)
        for part in message.get_payload()
    }


@pytest.fixture
def server():
    made = Server()
    made.thread.start()
    yield made
    made.server.shutdown()
    made.thread.join()
    made.server.server_close()


ONE = [{"box": [1, 2, 30, 40], "score": 0.5}]


def test_a_server_gets_sixteen_bits_and_spacing_and_its_answer_is_used(server, radiographs):
    server.answers = [(200, {"findings": ONE})]
    assert resolve_detector(server.url).detect(radiographs) == [[Finding((1.0, 2.0, 30.0, 40.0), 0.5)]] * 3
    post = next(p for p in server.posts if p["image"])
    assert (float(post["spacing_row_mm"]), float(post["spacing_column_mm"])) == (0.5, 0.4)
    shown = [np.asarray(Image.open(io.BytesIO(p["image"]))).astype(float) / 65535 for p in server.posts]
    for radiograph in radiographs:
        assert min(np.abs(picture - radiograph.pixels).max() for picture in shown) < 1e-5


def test_millimetres_are_converted_where_the_server_says_so(server, radiographs):
    server.answers = [(200, {"findings": [{"box": [4, 5, 8, 10], "score": 1}], "unit": "mm"})]
    assert resolve_detector(server.url).detect(radiographs[:1])[0][0].box == pytest.approx((10.0, 10.0, 20.0, 20.0))


def test_a_server_that_is_busy_is_asked_again(server, radiographs):
    server.answers = [(503, b"busy"), (200, ONE)]
    assert len(HttpDetector(server.url, pause_s=0.01).detect(radiographs[:1])[0]) == 1
    assert len(server.posts) == 2


def test_the_secret_comes_from_the_environment_and_stays_out_of_the_identity(server, radiographs, monkeypatch):
    monkeypatch.setenv(AUTHORIZATION_VARIABLE, "Bearer secret")
    server.answers = [(200, [])]
    detector = resolve_detector(server.url + "?token=hidden")
    detector.detect(radiographs[:1])
    assert server.headers[0]["Authorization"] == "Bearer secret"
    assert "secret" not in str(detector.identity)
    assert "hidden" not in str(detector.identity)


def test_a_server_that_wants_to_know_who_asks_is_told_how(server, radiographs):
    server.answers = [(401, b"who are you")]
    with pytest.raises(DetectorError, match="answered 401") as caught:
        resolve_detector(server.url).detect(radiographs[:1])
    assert AUTHORIZATION_VARIABLE in caught.value.hint


def test_a_server_may_say_who_it_is(server):
    server.identity = {"name": "vendor", "version": "2.1", "sha256": "abc"}
    identity = resolve_detector(server.url).identity
    assert (identity.name, identity.version, identity.sha256) == ("vendor", "2.1", "abc")


def test_a_server_that_says_it_is_another_one_in_the_middle_of_a_run_is_an_error(server, radiographs):
    server.answers = [(200, [])]
    server.identity = {"name": "vendor", "version": "2.1", "sha256": "abc"}
    detector = resolve_detector(server.url)
    assert detector.detect(radiographs) == [[], [], []]
    server.identity = server.identity | {"sha256": "def"}
    with pytest.raises(DetectorError, match=r"was vendor 2\.1 abc and is vendor 2\.1 def: it was replaced while"):
        detector.detect(radiographs)
    server.identity = None
    assert detector.detect(radiographs) == [[], [], []], "one that does not say it any more is still asked"


@pytest.mark.parametrize(("sha256", "may"), [(None, True), ("unknown", True), ("", True), ("sha256:0A1b", False)])
def test_a_server_that_knows_no_sha256_may_change_unseen(server, sha256, may):
    server.identity = {"name": "vendor", "version": None, "sha256": sha256}
    detector = resolve_detector(server.url).detector
    assert detector.may_change_unseen is may
    assert detector.identity.version == ""


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((500, b"out of memory"), "answered 500.*out of memory"),
        ((404, b"gone"), "answered 404"),
        ((200, b"<html>"), "is no JSON.*<html>"),
        ((200, {"boxes": []}), "has no 'findings' but boxes"),
        ((200, {"findings": [], "unit": "inch"}), "'inch'"),
        ((200, [{"box": [1, 2, 3], "score": 1}]), "finding 0 of the answer"),
        ((200, [{"box": [1, 2, 3, 4]}]), "score"),
        ((200, [{"box": [100, 100, 400, 300], "score": 1}]), "outside the radiograph"),
    ],
)
def test_a_wrong_answer_is_an_error_that_names_the_server(server, radiographs, answer, message):
    server.answers = [answer]
    with pytest.raises(DetectorError, match=message) as info:
        resolve_detector(server.url).detect(radiographs[:1])
    assert "127.0.0.1" in str(info.value)


def test_a_server_that_hangs_is_an_error(server, radiographs):
    server.answers, server.wait_s = [(200, [])], 0.4
    with pytest.raises(DetectorHung, match=r"no answer within 0\.1 s"):
        HttpDetector(server.url, timeout_s=0.1).detect(radiographs[:1])


def test_a_refused_connection_is_an_error_that_names_the_url(radiographs):
    with pytest.raises(DetectorError, match=r"http://127\.0\.0\.1:9/predict cannot be reached.*refused"):
        HttpDetector("http://127.0.0.1:9/predict", pause_s=0.01).detect(radiographs[:1])


def test_a_server_that_dies_in_the_middle_of_its_answer_is_an_error(server, radiographs, monkeypatch):
    whole = BaseHTTPRequestHandler.send_header
    monkeypatch.setattr(
        BaseHTTPRequestHandler,
        "send_header",
        lambda self, name, value: whole(self, name, "999" if name == "Content-Length" else value),
    )
    server.answers = [(200, [])]
    with pytest.raises(DetectorError, match=r"http://127\.0\.0\.1:\d+/predict cannot be reached: IncompleteRead"):
        HttpDetector(server.url, timeout_s=5, pause_s=0.01).detect(radiographs[:1])


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http:///predict", "no URL of a detector"),
        ("http://[::1/predict", "is no URL: Invalid IPv6"),
        ("https://host:99999/", "is no URL: Port out of range"),
    ],
)
def test_a_url_without_host_or_port_is_an_error(url, message):
    with pytest.raises(DetectorError, match=message):
        resolve_detector(url)


HONEST = """
import json, sys
from pathlib import Path
given, wanted = map(Path, sys.argv[1:])
listed = json.loads((given / "radiographs.json").read_text())
answer = {one["file"]: [{"box": [1, 2, 30, 40], "score": 0.5}] if n % 2 == 0 else [] for n, one in enumerate(listed)}
wanted.write_text(json.dumps(answer))
"""


def program(tmp_path, source, **options):
    (tmp_path / "detect.py").write_text(source)
    return resolve_detector(f"command:{sys.executable} detect.py {{in}} {{out}}", base=tmp_path, **options)


def test_a_program_reads_a_folder_and_writes_a_file(tmp_path, radiographs):
    detector = program(tmp_path, HONEST)
    found = [Finding((1.0, 2.0, 30.0, 40.0), 0.5)]
    assert detector.detect(radiographs) == [found, [], found]
    assert program(tmp_path, HONEST + "# edited").identity.key() != detector.identity.key()


def test_a_program_that_is_edited_while_the_run_goes_on_is_an_error(tmp_path, radiographs):
    script, log = tmp_path / "detect.py", tmp_path / "log.txt"
    script.write_text(HONEST.replace("sys.argv[1:]", "sys.argv[1:3]") + "open('log.txt', 'a').write('asked')\n")
    log.write_text("")
    detector = resolve_detector(f"command:{sys.executable} detect.py {{in}} {{out}} log.txt", base=tmp_path)
    assert [len(detector.detect(radiographs)) for _ in range(2)] == [3, 3]  # it may write what its command names
    script.write_text(script.read_text() + "# edited")
    with pytest.raises(DetectorError, match=r"detect\.py was replaced while the run went on"):
        detector.detect(radiographs)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import sys; print('no licence'); sys.exit(3)", r"(?s)failed \(status 3\).*no licence"),
        ("import os; os.kill(os.getpid(), 9)", "killed by signal 9"),
        ("", "without writing out.json"),
        ("import sys; open(sys.argv[2], 'w').write('{')", "is no JSON"),
        ("import sys; open(sys.argv[2], 'w').write('[]')", "not a mapping"),
        ("import sys; open(sys.argv[2], 'w').write('{\"0000.png\": []}')", "leaves out 0001.png"),
        ('import sys; open(sys.argv[2], \'w\').write(\'{"0000.png": {"findings": [], "unit": "inch"}}\')', "'inch'"),
        (HONEST.replace("dumps(answer", "dumps({**answer, 'unit': 'mm'}"), "says unit 'mm' of its boxes"),
        (HONEST.replace("dumps(answer", "dumps({**answer, 'message': 'out of memory'}"), "holds no findings and says"),
        (
            f"import traceback{HONEST}try:\n    1 / 0\nexcept Exception:\n    traceback.print_exc()\n",
            "(?s)finds nothing and says Traceback.*division by zero",
        ),
        (
            HONEST + "print('failed on 0000.png: oom'); print('failed on 0001.png: oom')",
            "finds nothing and says failed on 0001",
        ),
        (HONEST.replace("dumps(answer", "dumps({**answer, 'failed': ['0001.png']}"), "says that it failed"),
        (HONEST.replace("dumps(answer", "dumps({**answer, '0001.PNG': answer['0000.png']}"), "findings for '0001.PNG'"),
        *(
            (
                HONEST.replace("dumps(answer", f"dumps({{**answer, {key!r}: answer['0000.png']}}"),
                f"findings for '{key}'",
            )
            for key in ("0001", "0001.dcm", "/in/0001.jpg", "findings")
        ),
        (
            HONEST.replace(
                "dumps(answer", "dumps({**answer, '0001.png': [{**answer['0000.png'][0], 'image': '0002.png'}]}"
            ),
            "of one radiograph are of another by their 'image': 0002.png",
        ),
        (HONEST.replace('answer = {one["file"]', 'answer = {one["file"][:4]'), "it names '0000', '0001'"),
    ],
)
def test_a_program_that_fails_is_an_error_that_names_it(tmp_path, radiographs, source, message):
    with pytest.raises(DetectorError, match=message):
        program(tmp_path, source).detect(radiographs)


@pytest.mark.parametrize("written", ["radiograph,x_min,y_min,x_max,y_max,score", "[]"])
def test_a_program_that_writes_another_form_is_told_the_one_that_is_read(tmp_path, radiographs, written):
    with pytest.raises(DetectorError) as refused:
        program(tmp_path, f"import sys; open(sys.argv[2], 'w').write({written!r})").detect(radiographs)
    assert '{"0000.png": [{"box": [x_min, y_min, x_max, y_max], "score": 0.9}]' in refused.value.hint


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("'num_findings': 5", "holds 1 finding and says {'num_findings': 5}"),
        ("'results': {'0001.png': [{'box': [1, 1, 9, 9], 'score': 1}]}", "has findings for 'results'"),
        ("'count': 3", None),  # as many as there are files
    ],
)
def test_findings_that_a_program_counts_or_keeps_elsewhere_are_not_passed_over(tmp_path, radiographs, more, message):
    source = HONEST.replace(
        "dumps(answer", f"dumps({{**answer, '0000.png': answer['0000.png'][:1], '0002.png': [], {more}}}"
    )
    detector = program(tmp_path, source)
    if message is None:
        assert [len(found) for found in detector.detect(radiographs)] == [1, 0, 0]
    else:
        with pytest.raises(DetectorError, match=message):
            detector.detect(radiographs)


def test_what_else_a_program_writes_is_no_finding(tmp_path, radiographs):
    more = "'version': '2', 'count': {'findings': 2}, 'findings': 2, 'objects': ['nodule'], '0001': {'seconds': 2}, "
    more += "'0002.txt': 'log of 0002', 'heart': [{'box': [0, 0, 9, 9], 'score': 1}]"
    own = "'0000.png': [{**answer['0000.png'][0], 'image': '0000.png'}]"
    detector = program(tmp_path, HONEST.replace("dumps(answer", f"dumps({{**answer, {own}, {more}}}"))
    assert [len(found) for found in detector.detect(radiographs)] == [1, 0, 1]


def test_what_a_program_says_of_radiographs_in_which_it_finds_something_is_no_failure(tmp_path, radiographs):
    said = (
        "print('0000.png: could not read the age'); print('0001.png: done, 0 errors'); print('failed to load cudart');"
        "print('0001.png: skipped 3 boxes'); print('failed to find a nodule in 0001.png');"
        "print('0001.png: reconstruction error 0.021'); print('error=.4 of 0001.png')"
    )
    assert [len(found) for found in program(tmp_path, HONEST + said).detect(radiographs)] == [1, 0, 1]


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        ("print(json.dumps({'0001.png': [{'box': [1, 2, 3, 4], 'score': 0.9}]}))", True),
        ("print('ready'); print(json.dumps({'0001.png': [{'box': [1, 2, 3, 4], 'score': 0.9}]}))", True),
        ("print(json.dumps({'0001.png': []}))", False),
        ("print(json.dumps({'candidates': [{'box': [1, 2, 3, 4], 'score': 0.01}]}))", False),
        ("print(3)", False),
    ],
)
def test_findings_that_are_printed_and_not_written_are_no_silence(tmp_path, radiographs, said, refused):
    silent = f"import json, sys\n{said}\nnames = [f'{{n:04d}}.png' for n in range(3)]\n"
    silent += "json.dump({name: [] for name in names}, open(sys.argv[2], 'w'))\n"
    if not refused:
        assert program(tmp_path, silent).detect(radiographs) == [[], [], []]
        return
    with pytest.raises(DetectorError, match="prints findings and writes none"):
        program(tmp_path, silent).detect(radiographs)


def test_what_a_program_prints_of_other_classes_and_tells_of_its_radiographs_is_no_lost_finding(tmp_path, radiographs):
    source = "import json, sys\nnames = [f'{n:04d}.png' for n in range(3)]\n"
    source += "fracture = {'box': [1, 2, 3, 4], 'score': 0.9, 'label': 'rib fracture'}\n"
    source += "answer = {name: [fracture] for name in names}\nprint(json.dumps(answer))\n"
    source += "json.dump(answer, open(sys.argv[2], 'w'))\n"
    assert program(tmp_path, source).detect(radiographs) == [[], [], []]
    told = "{**{name: [] for name in names}, 'run': {'count': 3}, 'seconds': {name: 0.2 for name in names}}"
    silent = source.replace("answer = {name: [fracture] for name in names}", f"answer = {told}")
    assert program(tmp_path, silent).detect(radiographs) == [[], [], []]


def test_what_a_container_left_as_another_user_is_no_failure_of_the_detector(tmp_path, radiographs, monkeypatch):
    def denied(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.unlink", denied)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert [len(found) for found in program(tmp_path, HONEST).detect(radiographs)] == [1, 0, 1]


def test_a_program_that_hangs_is_killed(tmp_path, radiographs):
    from synnodtest.detectors.command import CommandDetector
    from synnodtest.detectors.registry import Options

    command = f"{sys.executable} -c 'import time; time.sleep(60)' {{in}} {{out}}"
    start = time.monotonic()
    with pytest.raises(DetectorHung, match=r"did not end within 0\.5 s"):
        CommandDetector(command, Options(base=tmp_path, timeout_s=0.5)).detect(radiographs)
    assert time.monotonic() - start < 10


@pytest.mark.parametrize("end", ["SIGINT", "SIGHUP", "SIGKILL"])
def test_a_program_outlives_no_process_that_asked_it_and_leaves_no_radiograph_behind(tmp_path, end):
    fcntl = pytest.importorskip("fcntl")
    (tmp_path / "detect.py").write_text(
        "import fcntl, sys, time\nheld = open('held', 'w')\nfcntl.flock(held, fcntl.LOCK_EX)\n"
        "open('begun', 'w').close()\ntime.sleep(60)\n"
    )
    (tmp_path / "asks.py").write_text(
        "import os, signal, sys, threading, time\nfrom pathlib import Path\nimport numpy as np\n"
        "from synnodtest import Radiograph\nfrom synnodtest.detectors import resolve_detector\n"
        "def end():\n    while not Path('begun').exists(): time.sleep(0.05)\n"
        f"    os.kill(os.getpid(), signal.{end})\n"
        "signal.signal(signal.SIGHUP, signal.SIG_DFL)\n"  # nohup has it ignored
        "threading.Thread(target=end, daemon=True).start()\n"
        "detector = resolve_detector(f'command:{sys.executable} detect.py {{in}} {{out}}')\n"
        "detector.detect([Radiograph(np.zeros((8, 8), np.float32), (1.0, 1.0))])\n"
    )
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environment = os.environ | {"TMPDIR": f"{temporary}", "PYTHONPATH": f"{Path(__file__).parents[2]}"}
    done = start_python(["asks"], cwd=tmp_path, env=environment, timeout=60)
    assert ("KeyboardInterrupt" in done.stderr) is (end == "SIGINT")
    with (tmp_path / "held").open("w") as held:
        for _ in range(200):
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            time.sleep(0.05)
        else:
            pytest.fail("the program runs on")
    for _ in range(200 if end != "SIGINT" else 0):
        if not list(temporary.iterdir()):
            break
        time.sleep(0.05)
    assert list(temporary.iterdir()) == []


def test_a_program_that_leaves_something_running_is_told_how_to_start_that(tmp_path, radiographs, monkeypatch):
    monkeypatch.setattr("synnodtest.detectors.program.LOOK_S", 0.5)
    leave = "import subprocess\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(20)']"
    with pytest.raises(DetectorError, match="something that it started holds its output open") as caught:
        program(tmp_path, f"{HONEST}{leave})\n").detect(radiographs)
    assert "/dev/null" in caught.value.hint
    apart = f"{HONEST}{leave}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
    assert len(program(tmp_path, apart).detect(radiographs)) == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("command:", "names no program"),
        ("command:'x {in} {out}", "No closing quotation"),
        ("command:detect.py {in}", "has no {out}"),
        ("node21:x {out}", "has no {in}"),
    ],
)
def test_a_command_without_its_places_is_an_error(text, message):
    with pytest.raises(DetectorError, match=message):
        resolve_detector(text)


def test_a_file_of_which_docker_made_a_folder_is_told_with_the_way_out(tmp_path, radiographs):
    with pytest.raises(DetectorError, match=r"without writing out\.json") as caught:
        program(tmp_path, "import os, sys; os.mkdir(sys.argv[2])").detect(radiographs)
    assert "touch {out}" in caught.value.hint


def test_a_program_that_is_not_there_is_an_error(tmp_path, radiographs):
    with pytest.raises(DetectorError, match="'no-such-program' cannot be started") as caught:
        resolve_detector("command:no-such-program {in} {out}", base=tmp_path).detect(radiographs)
    assert "no shell is involved: sh -c" in caught.value.hint


CHALLENGE = """
import json, sys
from pathlib import Path
from synnodtest.backgrounds import read_mha
given, wanted = map(Path, sys.argv[1:])
stack = read_mha(next(given.glob("*.mha"))).array
boxes = []
for z, picture in enumerate(stack):
    y, x = divmod(int(picture.argmax()), picture.shape[1])
    corners = [[(x + right) * 0.4, (y + low) * 0.5, z] for right, low in ((1, 1), (0, 1), (0, 0), (1, 0))]
    boxes.append({"corners": corners, "probability": 0.75})
(wanted / "nodules.json").write_text(json.dumps({"type": "Multiple 2D bounding boxes", "boxes": boxes}))
"""


def test_the_challenge_contract_gives_millimetres_by_slice(tmp_path, radiographs):
    lit = []
    for number, radiograph in enumerate(radiographs):
        pixels = radiograph.pixels * np.float32(0.5)
        pixels[10 + number, 20 + 2 * number] = 1.0
        lit.append(radiograph.with_pixels(pixels))
    (tmp_path / "detect.py").write_text(CHALLENGE)
    found = resolve_detector(f"node21:{sys.executable} detect.py {{in}} {{out}}", base=tmp_path).detect(lit)
    for number, items in enumerate(found):
        x, y = 20 + 2 * number, 10 + number
        assert items[0].box == pytest.approx((x, y, x + 1, y + 1))
        assert items[0].score == 0.75


SOUND = {"corners": [[1, 2, 0], [9, 8, 0]], "probability": 0.5}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "not NODE21's"),
        ({"boxes": [[1, 2, 3]]}, "not NODE21's"),
        ({"boxes": [{"corners": [[1, 2, 0]] * 4}]}, "probability"),
        ({"boxes": [{"corners": [[1, 2, 5]] * 4, "probability": 1}]}, "slice 5 of 2"),
        ({"boxes": [{"corners": [[1, 2]] * 4, "probability": 1}]}, "shape"),
        ({"boxes": [{"corners": [[1, 2, 0], [2, 3, 0]], "probability": True}]}, "probability True"),
        ({"boxes": {}}, "are dict, not a list"),
        ({"boxes": [SOUND], "error": "slice 1 failed"}, "failed or is not finished"),
        ({"boxes": [SOUND], "message": "slice 1 could not be read"}, "holds no findings and says"),
        ({"boxes": [SOUND | {"suppressed": True}]}, "box 0 of nodules.json says suppressed: True"),
    ],
)
def test_a_wrong_nodules_json_is_an_error(content, message):
    with pytest.raises(DetectorError, match=message):
        node21_findings(content, 2, (1.0, 1.0))


PUBLISHED = b"""{
    "type": "Multiple 2D bounding boxes",
    "boxes": [
        {"corners": [[92.5, 136.0, 0], [54.5, 136.0, 0], [54.5, 95.5, 0], [92.5, 95.5, 0]]
         probability=0.6
        },
        {"corners": [[92.5, 136.0, 1], [54.5, 136.0, 1], [54.5, 95.5, 1], [92.5, 95.5, 1]]
        probability=0.5},
    ],
    "version": { "major": 1, "minor": 0 }
}"""
"""As the challenge's own example has it, which is not valid JSON."""


def test_the_example_that_the_challenge_published_is_understood():
    found = node21_findings(node21_parsed(PUBLISHED, "nodules.json"), 2, (1.0, 0.5))
    assert found == [[Finding((109.0, 95.5, 185.0, 136.0), 0.6)], [Finding((109.0, 95.5, 185.0, 136.0), 0.5)]]
    with pytest.raises(DetectorError, match=r"nodules\.json is no JSON"):
        node21_parsed(b"<html>", "nodules.json")
    with pytest.raises(DetectorError, match="'boxes' occurs twice"):
        node21_parsed(b'{"boxes": [{}], "boxes": []}', "nodules.json")


def test_node21_boxes_of_another_class_are_left_out():
    corners = {"corners": [[1, 2, 0], [3, 4, 0]], "probability": 1}
    boxes = [{**corners, **told} for told in ({"name": "Region 1"}, {"label": "effusion"}, {"label": "nodule"})]
    (found,) = node21_findings({"boxes": boxes}, 1, (1.0, 1.0))
    assert len(found) == 2
    (found,) = node21_findings({"boxes": boxes}, 1, (1.0, 1.0), labels=LabelRule(["region 1"]))
    assert len(found) == 1


def test_anisotropic_spacing_scales_each_axis_by_its_own():
    found = findings_from_json({"findings": [{"box": [10, 10, 20, 20], "score": 1}], "unit": "mm"}, (0.5, 0.25))
    assert found[0].box == (40.0, 20.0, 80.0, 40.0)


@pytest.mark.parametrize(
    "said",
    [
        {"status": "not ready"},
        {"status": "partial"},
        {"status": "error: CUDA out of memory"},
        {"code": "500"},
        {"valid": False},
        {"done": False},
        {"skipped": True},
        {"message": "model not loaded"},
        {"message": "CUDA out of memory"},
        {"detail": "Not authenticated"},
        {"status": "decoder unavailable"},
        {"state": "STARTED"},
        {"status": "IN_QUEUE"},
        {"warnings": ["image too small, could not be analysed"]},
        {"status": {"code": 500}},
        {"meta": {"status": {"code": "503", "text": "busy"}}},
        {"result": {"success": False}},
        {"images": [{"quality": "not diagnostic"}]},
    ],
)
def test_an_empty_answer_that_says_why_it_is_empty_is_an_error(said):
    with pytest.raises(DetectorError, match=r"failed or is not finished|holds no findings and says"):
        findings_from_json({"findings": [], **said}, (1.0, 1.0))
    with pytest.raises(DetectorError, match=r"failed or is not finished|holds no findings and says"):
        node21_findings({"boxes": [], **said}, 1, (1.0, 1.0))


@pytest.mark.parametrize(
    "said",
    [
        {"status": "ok"},
        {"status": True},
        {"code": "200"},
        {"message": "no findings"},
        {"valid": True},
        {"skipped": 0},
        {"status": {"code": 200, "message": "no findings"}},
        {"candidates": {"seen": 31, "rejected": 31}},
        {"view": {"code": "399348003", "meaning": "postero-anterior"}},
    ],
)
def test_an_empty_answer_that_says_that_all_went_well_is_no_finding(said):
    assert findings_from_json({"findings": [], **said}, (1.0, 1.0)) == []


def test_shares_and_denied_nodules_are_told_by_flags():
    found = {"box": [10, 10, 20, 20], "score": 1}
    with pytest.raises(DetectorError, match="normalized True"):
        findings_from_json({"findings": [found], "normalized": True}, (1.0, 1.0))
    assert findings_from_json([{**found, "is_nodule": False}, {**found, "is_nodule": True}], (1.0, 1.0)) == [
        Finding((10.0, 10.0, 20.0, 20.0), 1.0)
    ]


def test_a_program_does_not_read_what_is_typed_or_piped_into_the_run(tmp_path, radiographs):
    source = HONEST + "assert sys.stdin.read() == ''"
    reading, writing = os.pipe()
    os.write(writing, b"the next line of a list")
    kept = os.dup(0)
    os.dup2(reading, 0)
    try:
        found = program(tmp_path, source, timeout_s=20).detect(radiographs)
    finally:
        os.dup2(kept, 0)
        for one in (reading, writing, kept):
            os.close(one)
    assert len(found) == 3
