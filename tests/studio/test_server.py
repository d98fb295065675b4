"""The studio's server: who may ask, for what, how much; sessions apart; nothing left behind. No browser."""

import asyncio
import inspect
import io
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from synnodtest.studio.guard import CLOSED
from tests.backgrounds.radiograph_files import chest, png_bytes
from tests.extras import needs

httpx = pytest.importorskip("httpx", reason="the studio's tests need httpx, which comes with Gradio")
needs("gradio", reason="the studio needs the extra 'studio'")

PORT = 7899
HERE = f"http://127.0.0.1:{PORT}"
LIMIT = 2 * 2**20


def built(loop, **wanted):
    """Return a studio made within a running loop: outside of one, Gradio makes loops that it never closes."""
    from synnodtest.studio.bench import Bench
    from synnodtest.studio.serve import Studio

    async def building():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Gradio's own
            return Studio(Bench(synthesizers=("gaussian",)), PORT, **wanted)

    return loop.run_until_complete(building())


@pytest.fixture(scope="module")
def loop():
    made = asyncio.new_event_loop()
    yield made
    made.close()


@pytest.fixture(scope="module")
def studio(tmp_path_factory, loop):
    folder = tmp_path_factory.mktemp("study")
    (folder / "readers.html").write_text("<html><textarea id='copy'></textarea></html>")
    made = built(loop, study=folder, most_bytes=LIMIT)
    yield made
    made.close()


@pytest.fixture
def ask(studio, loop):
    def ask(method, path, *, app=None, **options):
        async def asking():
            transport = httpx.ASGITransport(app or studio.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=HERE) as client:
                return await client.request(method, path, **options)

        return loop.run_until_complete(asking())

    return ask


def tab(studio, name):
    return studio.sessions.of_tab(name)


def upload(ask, token, data, name="film.png", mm="0.9"):
    return ask("POST", f"/studio/{token}/upload", params={"name": name, "mm": mm}, content=data)


FILM = png_bytes(chest(200, 240))


def test_gradio_is_loaded_without_its_stub_files_and_python_left_as_it_was(studio):
    import gradio

    from synnodtest.studio.serve import _no_stub_files

    with _no_stub_files():
        with pytest.raises(FileNotFoundError):
            inspect.getfile(gradio.Slider)
        assert inspect.getfile(asyncio) == asyncio.__file__
    assert inspect.getfile(gradio.Slider).endswith("slider.py")


def test_a_server_that_nobody_asks_anything_looks_fifty_times_a_second_for_work(studio, loop, monkeypatch):
    from gradio import queueing

    naps = []

    async def nap(seconds):
        naps.append(seconds)
        await asyncio.sleep(0)

    async def served():
        given = asyncio.Queue()
        given.put_nowait({"type": "lifespan.startup"})
        begun = asyncio.Event()

        async def said(message):
            begun.set()

        server = asyncio.create_task(studio.app({"type": "lifespan"}, given.get, said))
        await begun.wait()
        while len(naps) < 20:
            await asyncio.sleep(0)
        others = asyncio.all_tasks() - {asyncio.current_task(), server}
        for task in others:
            task.cancel()
        await asyncio.wait(others)
        given.put_nowait({"type": "lifespan.shutdown"})
        await server

    monkeypatch.setattr(queueing, "asyncio", SimpleNamespace(**vars(asyncio) | {"sleep": nap}))
    loop.run_until_complete(served())
    assert min(naps) == pytest.approx(1 / 50)


@pytest.mark.parametrize("path", ["/", "/config", "/gradio_api/info", "/studio/x/pixels/before", "/study/"])
@pytest.mark.parametrize(
    "foreign",
    [{"host": "evil.example"}, {"host": f"127.0.0.1.evil.example:{PORT}"}, {"host": "127.0.0.1:1"}, {"host": ""}],
)
def test_a_foreign_host_gets_403(ask, path, foreign):
    assert ask("GET", path, headers=foreign).status_code == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1:7899", "http://localhost:1"])
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_a_foreign_origin_gets_403(ask, origin, method):
    assert ask(method, "/gradio_api/queue/join", headers={"origin": origin}).status_code == 403


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]"])
def test_the_page_itself_is_served_and_fetches_nothing_from_elsewhere(ask, name):
    own = f"{name}:{PORT}"
    answer = ask("GET", "/", headers={"host": own, "origin": f"http://{own}"})
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "http" not in policy
    assert "*" not in policy


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/file/etc/passwd",
        "/gradio_api/file=../../../../etc/passwd",
        "/gradio_api/proxy=http://127.0.0.1:1/",
        "/gradio_api/upload",
        "/file=/etc/passwd",
        "/file/etc/passwd",
        "/static/../../../../etc/passwd",
        "/assets/..%2f..%2f..%2f..%2fetc/passwd",
        "/theme.css/../../etc/passwd",
        "/custom_component/x/../../../etc/passwd",
    ],
)
def test_files_of_the_machine_cannot_be_read(ask, path):
    answer = ask("POST" if path.endswith("upload") else "GET", path)
    assert b"root:" not in answer.content
    assert answer.status_code >= 400 or "text/html" in answer.headers["content-type"]


@pytest.mark.parametrize("route", CLOSED)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_gradio_would_serve_of_files_is_closed(ask, route, method):
    for path in (f"/gradio_api/{route}", f"/gradio_api/{route}=/tmp/x", f"/gradio_api/{route}/x"):
        answer = ask(method, path)
        assert (answer.status_code, answer.text) == (404, "not served here")


def test_an_upload_is_opened_and_its_pixels_come_back_with_sixteen_bits(studio, ask):
    token, session = tab(studio, "one")
    assert upload(ask, token, FILM).json() == {"file": "film.png"}
    pixels = ask("GET", f"/studio/{token}/pixels/before").content
    values = np.frombuffer(pixels, "<u2").reshape(200, 240)
    assert np.array_equal(values, chest(200, 240).astype(np.uint16) * 257)
    assert session.case.radiograph.spacing_mm == (0.9, 0.9)


def test_an_upload_beyond_the_limit_gets_413_and_leaves_nothing(studio, ask):
    token, session = tab(studio, "large")
    assert upload(ask, token, b"\0" * (LIMIT + 1)).status_code == 413

    async def chunks():
        for _ in range(5):
            yield b"\0" * (LIMIT // 4)

    answer = upload(ask, token, chunks())
    assert answer.status_code == 413
    assert "larger" in answer.json()["error"]
    assert not session.folder.exists() or list(session.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("data", "mm", "said"),
    [(b"text", "0.9", "not a readable PNG"), (FILM, "", "size of a pixel"), (FILM, "0.9 0.9 0.9", "not a size in mm")],
)
def test_what_cannot_be_opened_is_said_and_the_server_lives_on(studio, ask, data, mm, said):
    token, _ = tab(studio, "bad")
    answer = upload(ask, token, data, mm=mm)
    assert answer.status_code == 422
    assert said in answer.json()["error"]
    assert upload(ask, token, FILM).status_code == 200


def test_two_sessions_are_never_mixed_up(studio, ask):
    one, other = chest(200, 240, seed=1), chest(220, 200, seed=2)
    tokens = [tab(studio, name)[0] for name in ("first", "second")]
    upload(ask, tokens[0], png_bytes(one))
    upload(ask, tokens[1], png_bytes(other))
    tab(studio, "first")[1].add((50, 50, 70, 70))
    seen = [np.frombuffer(ask("GET", f"/studio/{token}/pixels/before").content, "<u2") for token in tokens]
    assert np.array_equal(seen[0].reshape(one.shape), one.astype(np.uint16) * 257)
    assert np.array_equal(seen[1].reshape(other.shape), other.astype(np.uint16) * 257)
    assert tab(studio, "second")[1].requests == {}
    assert tokens[0] != tokens[1]


def test_a_token_that_nobody_was_given_opens_nothing(ask):
    for path in ("pixels/before", "export", "report/x/report.html", "bundle/scene.zip", "region/lung.png"):
        assert ask("GET", f"/studio/guessed/{path}").status_code in (404, 422)


def test_reports_are_served_and_nothing_beside_them(studio, ask):
    token, session = tab(studio, "report")
    upload(ask, token, FILM)
    run = session.case.folder / "reports" / "run"
    run.mkdir(parents=True)
    (run / "report.html").write_text("the report")
    (session.case.folder / "secret.txt").write_text("secret")
    assert ask("GET", f"/studio/{token}/report/run/report.html").text == "the report"
    for path in ("../secret.txt", "run/../../secret.txt", "..%2fsecret.txt", "/etc/passwd", "%2fetc%2fpasswd", "run"):
        answer = ask("GET", f"/studio/{token}/report/{path}")
        assert answer.status_code == 404
        assert b"secret" not in answer.content


def test_the_export_is_marked_and_of_the_size_asked_for(studio, ask):
    token, session = tab(studio, "export")
    upload(ask, token, FILM)
    session.add((60, 60, 80, 80))
    session.detectors = ()
    result = _planted(session)
    answer = ask("GET", f"/studio/{token}/export", params={"kind": "PNG, 16 bits", "size": "1024", "mark": "1"})
    assert "attachment" in answer.headers["content-disposition"]
    with Image.open(io.BytesIO(answer.content)) as image:
        assert image.size == (1024, 1024)
        assert "SYNTHETIC" in image.text["Comment"]
    assert result.nodules


def _planted(session):
    """Put a result in place without any detector."""
    from synnodtest import plant
    from synnodtest.studio.session import Result

    before = session.case.radiograph
    after = plant(before, box=session.requests["nodule"].box, contrast=0.4, synthesizer="gaussian")
    session.result = Result(before, after, None, {}, [], "", False)
    return after


def test_a_painted_leak_becomes_a_region(studio, ask):
    token, session = tab(studio, "paint")
    upload(ask, token, FILM)
    strokes = [{"points": [[50, 60], [90, 60]], "radius": 5}, {"box": [100, 100, 120, 130]}]
    assert ask("POST", f"/studio/{token}/paint", json={"strokes": strokes}).status_code == 200
    leak = session.case.radiograph.regions["air_leak"]
    assert leak[60, 70]
    assert leak[110, 110]
    assert not leak[80, 70]
    assert ask("POST", f"/studio/{token}/paint", json={"strokes": []}).status_code == 422
    assert ask("POST", f"/studio/{token}/paint", content=b"{").status_code == 422
    picture = ask("GET", f"/studio/{token}/region/air_leak.png").content
    with Image.open(io.BytesIO(picture)) as image:
        assert image.size == (240, 200)


def test_readers_answers_are_kept_and_rubbish_is_not(studio, ask, tmp_path_factory):
    page = ask("GET", "/study/")
    assert "fetch('answers'" in page.text
    answers = "reader,picture,rating\nAB,1,5\nAB,2,1\n"
    assert ask("POST", "/study/answers", content=answers).text == "Kept as answers-AB.csv."
    assert ask("POST", "/study/answers", content=answers).text == "Kept as answers-AB-2.csv."
    for rubbish in ("", "x", "reader,picture,rating\n../../x,1,9\n", "reader,picture,rating\nA,1,1\nB,1,1\n"):
        assert ask("POST", "/study/answers", content=rubbish).status_code == 422


def test_a_closed_tab_and_the_end_leave_nothing_on_disk(tmp_path, monkeypatch, ask, loop):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    made = built(loop)
    token, session = made.sessions.of_tab("tab")
    assert upload(lambda *a, **k: ask(*a, app=made.app, **k), token, FILM).status_code == 200
    assert made.root.stat().st_mode & 0o077 == 0
    assert session.folder.exists()
    made.sessions.close("tab")
    assert not session.folder.exists()
    assert session.cancelled.is_set()
    made.close()
    assert list(tmp_path.iterdir()) == []


def test_an_older_gradio_is_refused(monkeypatch, tmp_path):
    import gradio

    from synnodtest import SynnodError
    from synnodtest.studio.serve import _gradio

    monkeypatch.setattr(gradio, "__version__", "5.49.1")
    with pytest.raises(SynnodError, match=r"6\.31"):
        _gradio(tmp_path)
