"""The studio in a real Chromium: uploads, boxes, synthesis, detectors, export, a spec and its report, keyboard, axe."""

import io
import json
import os
import re
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synnodtest.evaluation.realism import SIDE_PX, Exhibit, judge_answers, write_study
from tests.backgrounds.radiograph_files import chest, write_dicom, write_png
from tests.browser import needs_chromium, opened_browser
from tests.extras import needs
from tests.remembered import UNDRAWN
from tests.studio.conftest import DETECTOR

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright (extra 'dev')")
needs("gradio", reason="the studio needs the extra 'studio'")
pytestmark = needs_chromium

ALIKE = "[data-feature]:nth-of-type(n + 6)"
"""All rows of features but the first five: looking at the contrast of 67 takes seconds."""
WCAG = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "resultTypes": ["violations"],
}
TABS = ("Radiograph", "Nodules", "Result", "Explore", "As a spec", "Readers")
PATIENCE = 60_000
AT_ONCE = "**/run/predict**"
POLL_MS = 50
"""By the clock: a page that is starved draws no frames, and waiting by frame would miss what it says."""
CANVAS = """asked => {
  let part = document.querySelector('#film canvas');
  while (!part.studio) part = part.parentElement;
  return part.studio.%s;
}"""
WHERE, STROKES, FILM = (CANVAS % what for what in ("toScreen(asked)", "state.strokes", "state.view.film || 0"))
DRAWN = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
FADED = """() => Promise.allSettled(document.getAnimations().filter(
  one => one.effect.getComputedTiming().endTime < Infinity).map(one => one.finished))"""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    (folder / "brightest.py").write_text(DETECTOR)
    (folder / "tmp").mkdir()
    code = "import sys; from tests.remembered import remember; remember()\n"
    code += "from synnodtest.cli import main; sys.exit(main())"
    pictures = np.random.default_rng(0).random((4, SIDE_PX, SIDE_PX), dtype=np.float32)
    write_study([Exhibit(bool(n % 2), "film", 10.0, one) for n, one in enumerate(pictures)], folder / "study")
    named = ["--detector", "brightest.py:make", "--detector", "brightest.py:faint", "--synthesizer", "gaussian"]
    named += ["--detector", "brightest.py:slow", "--study", "study"]
    environment = {**os.environ, "TMPDIR": str(folder / "tmp"), "OMP_NUM_THREADS": "1"}
    environment |= {"PYTEST_ADDOPTS": "-p tests.remembered -p no:hypothesispytest --synnod-conform off", UNDRAWN: "1"}
    root = str(Path(__file__).resolve().parents[2])
    environment["PYTHONPATH"] = os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])
    log = (folder / "log").open("w")
    server = subprocess.Popen(
        [sys.executable, "-u", "-c", code, "studio", "--no-browser", "--port", "0", *named],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    )
    line = server.stdout.readline()
    assert "http://127.0.0.1:" in line, (folder / "log").read_text()
    yield line.split()[2]
    server.terminate()
    server.wait(20)
    server.stdout.close()
    log.close()
    assert list((folder / "tmp").iterdir()) == [], "something is left on disk after exit"


@pytest.fixture
def study(address, tmp_path_factory):
    return next(tmp_path_factory.getbasetemp().glob("server*/study"))


@pytest.fixture(scope="module")
def chromium():
    with opened_browser() as browser:
        yield browser.new_context()  # one for all tabs, so that the scripts are fetched and compiled once


class Page:
    """One tab, with the words of the tests."""

    def __init__(self, browser, address):
        self.page = browser.new_page()
        self.page.set_viewport_size({"width": 1280, "height": 900})
        self.page.set_default_timeout(PATIENCE)
        self.foreign, self.faults = [], []
        self.page.on("request", lambda request: self.foreign.append(request.url) if _foreign(request.url) else None)
        self.page.on("pageerror", lambda error: self.faults.append(error.stack))
        self.page.goto(address)
        self.says("Open a radiograph")

    def says(self, text):
        try:
            self.page.wait_for_function(
                "text => (document.querySelector('#status') || {innerText: ''}).innerText.includes(text)",
                arg=text,
                polling=POLL_MS,
            )
        except sync_api.TimeoutError:
            pytest.fail(f"the page does not say {text!r} but {self.page.inner_text('#status')!r}")

    def until(self, condition):
        try:
            self.page.wait_for_function(condition, polling=POLL_MS)
        except sync_api.TimeoutError:
            pytest.fail(f"it never holds that {condition}; the page says {self.page.inner_text('body')[-2000:]!r}")

    def tab(self, name):
        self.page.get_by_role("tab", name=name, exact=True).click()

    def settled_tab(self, name):
        """Come to a tab and wait until it has faded in."""
        self.tab(name)
        self.page.evaluate(FADED)

    def open(self, path, mm="0.9", says=None):
        """Open a film, of which nothing is chosen or drawn; or be told otherwise."""
        film = self.page.evaluate(FILM)
        self.tab("Radiograph")
        self.page.click("#film [data-mode=box]")
        self.page.set_input_files("#open input[type=file]", str(path))
        self.page.fill("#open input[type=text]", mm)
        self.page.click("#open button")
        self.says(says or "is open")
        if not says:  # and not as the last test left it
            self.page.wait_for_function(f"film => ({FILM})() > film", arg=film, polling=POLL_MS)

    def at(self, x, y):
        """Return where a pixel of the film is on the screen."""
        return self.page.evaluate(WHERE, [x, y])

    def drag(self, box):
        start, end = self.at(box[0], box[1]), self.at(box[2], box[3])
        mouse = self.page.mouse
        mouse.move(*start)
        mouse.down()
        mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
        mouse.move(*end)
        mouse.up()

    def box(self, box, name):
        self.drag(box)
        self.says(f"{name} is placed")

    def edges(self):
        return [int(self.page.input_value(f"#edge-{edge} input")) for edge in ("x-min", "y-min", "x-max", "y-max")]

    def make(self, contrast=""):
        self.tab("Nodules")
        self.page.fill("#contrast input", contrast)
        self.page.click("#make")
        self.says("Made in")

    def unfold(self, title):
        button = self.page.get_by_role("button", name=re.compile(f"^{title}"))
        if not button.evaluate("button => button.classList.contains('open')"):
            button.click()

    def fold(self, title):
        """Close a part that unfolds as HTML's own do."""
        self.page.evaluate(
            """title => [...document.querySelectorAll('details')].forEach(
            one => { if (one.innerText.includes(title)) one.open = false; })""",
            title,
        )

    def explore_by(self, detector):
        chosen = self.page.get_by_role("combobox", name="Detector", exact=True)
        chosen.click()
        self.page.get_by_role("option", name=detector).click()
        sync_api.expect(chosen).to_have_value(detector, timeout=PATIENCE)

    @contextmanager
    def answers_held(self):
        """Let answers come late, as they do on a busy machine."""
        answers = Answers(self.page)
        self.page.route(AT_ONCE, answers.hold)
        yield answers
        self.page.unroute(AT_ONCE)

    def download(self, selector):
        with self.page.expect_download() as waiting:
            self.page.click(selector)
        return Path(waiting.value.path()).read_bytes()


class Answers:
    """What the server answers at once, which comes to the page when it is passed on."""

    def __init__(self, page):
        self.page, self.held = page, []

    def hold(self, route):
        self.held.append((route, route.fetch()))

    def pass_on(self):
        for _ in range(PATIENCE // POLL_MS):
            if self.held:
                break
            self.page.wait_for_timeout(POLL_MS)
        route, answer = self.held.pop(0)
        route.fulfill(response=answer)


def _foreign(url):
    return not url.startswith(("http://127.0.0.1:", "data:", "blob:"))


@pytest.fixture(scope="module")
def kept(chromium, address):
    """One tab for all tests, of which the next film leaves nothing; loading the page takes three seconds."""
    page = Page(chromium, address)
    yield page
    page.page.close()


@pytest.fixture
def desk(kept):
    kept.page.bring_to_front()
    kept.page.set_viewport_size({"width": 1280, "height": 900})
    yield kept
    assert kept.foreign == []
    assert kept.faults == []


@pytest.fixture
def second(chromium, address):
    """A tab that goes with the test."""
    page = Page(chromium, address)
    yield page
    assert page.foreign == []
    assert page.faults == []
    if not page.page.is_closed():
        page.page.close()


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    return write_png(tmp_path_factory.mktemp("films") / "film.png", chest(300, 360))


def test_from_a_film_to_a_report_that_finds_the_same(desk, film, address):
    page = desk
    page.open(film)
    page.box((100, 100, 124, 124), "nodule")
    page.box((220, 140, 250, 164), "nodule-2")
    page.make(contrast="0.6")
    page.tab("Result")
    shown = page.page.inner_text("#findings")
    assert "A: brightest.py:make" in shown
    assert "B: brightest.py:faint" in shown
    exported = page.download("#export a")
    with Image.open(io.BytesIO(exported)) as image:
        stored = np.asarray(image).astype(int)
        note = json.loads(image.text["synnodtest"])
    with Image.open(film) as image:
        uploaded = np.asarray(image).astype(int) * 257
    changed = np.argwhere(stored != uploaded)
    assert all(any(_near(at, truth["box_px"]) for truth in note["nodules"]) for at in changed)
    assert len(changed) > 100

    page.tab("As a spec")
    text = page.page.input_value("#yaml textarea")
    assert text.count("at_mm") >= 2
    page.page.click("#run")
    page.says("pytest ended")
    link = page.page.get_attribute("#ran a", "href")
    with urllib.request.urlopen(f"{address}{link}".replace("report.html", "results.json")) as answer:
        (scene,) = json.load(answer)["scenes"].values()
    scores = sorted((f"{found['score']:.3f}" for found in scene["findings"]), reverse=True)
    table = re.findall(r"^([01]\.\d{3})\b", shown.split("B:")[0], flags=re.MULTILINE)
    assert table == [score for score in scores if float(score) >= 0.25]
    assert table
    assert [nodule["name"] for nodule in scene["nodules"]] == ["nodule", "nodule-2"]


def _near(at, box, reach=12):
    return box[0] - reach <= at[1] <= box[2] + reach and box[1] - reach <= at[0] <= box[3] + reach


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    pytest.importorskip("pydicom", reason="DICOM needs the extra 'dicom'")
    path = tmp_path_factory.mktemp("films") / "large.dcm"
    write_dicom(path, chest(2048, 2500, bits=12), ImagerPixelSpacing=["0.14", "0.14"])
    return path


def test_boxes_of_a_large_dicom_are_exact_to_a_pixel_zoomed_and_not(desk, large):
    desk.open(large, mm="")
    scales = []
    for width, box, name in (1280, (700, 900, 930, 1077), "nodule"), (800, (1500, 1011, 1601, 1122), "nodule-2"):
        desk.page.set_viewport_size({"width": width, "height": 900})
        desk.page.evaluate(DRAWN)
        scales.append(desk.at(1000, 0)[0] - desk.at(0, 0)[0])
        desk.box(box, name)
        desk.tab("Nodules")
        assert desk.edges() == pytest.approx(list(box), abs=1)
    assert scales[1] < scales[0]
    desk.page.mouse.move(*desk.at(1200, 700))
    for _ in range(4):
        desk.page.mouse.wheel(0, -400)
    exact = (1151, 655, 1204, 731)
    desk.box(exact, "nodule-3")
    assert desk.edges() == list(exact)


def test_a_film_keeps_its_shape_and_its_boxes_where_pixels_are_not_square(desk, film):
    page = desk
    page.open(film, mm="0.6 x 0.9")
    corner, across, down = page.at(0, 0), page.at(100, 0), page.at(0, 100)
    assert (across[0] - corner[0]) / (down[1] - corner[1]) == pytest.approx(0.6 / 0.9)
    page.box((101, 57, 126, 83), "nodule")
    page.tab("Nodules")
    assert page.edges() == [101, 57, 126, 83]


def test_two_boxes_in_a_trice_are_both_there(desk, film):
    page = desk
    page.open(film)
    page.drag((60, 60, 80, 80))
    page.drag((200, 60, 220, 80))
    page.says("nodule-2 is placed")
    page.tab("As a spec")
    page.page.click("#write")
    page.until("(document.querySelector('#yaml textarea').value.match(/at_mm/g) || []).length >= 3")


def test_numbers_and_keys_place_a_box_too(desk, film):
    page = desk
    page.open(film)
    page.page.focus("#film canvas")
    page.page.keyboard.press("b")
    page.says("nodule is placed")
    page.tab("Nodules")
    before = page.edges()
    page.page.focus("#film canvas")
    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowDown", "Alt+ArrowRight"):
        page.page.keyboard.press(key)
    page.says("is moved")
    assert page.edges() == [before[0] + 2, before[1] + 10, before[2] + 3, before[3] + 10]
    page.page.fill("#edge-x-max input", "9999")
    page.page.get_by_role("button", name="Set or add this box").click()
    page.says("outside the radiograph")
    assert page.edges()[2] == before[2] + 3
    page.page.focus("#film canvas")
    page.page.keyboard.press("Delete")
    page.says("nodule is removed")


def test_an_air_leak_is_painted_by_keyboard(desk, film):
    page = desk
    page.open(film)
    page.page.focus("#film canvas")
    for key in (
        "a",
        "Shift+ArrowLeft",
        "Space",
        *["ArrowDown"] * 8,
        "Space",
        *["Shift+ArrowUp"] * 3,
        "Space",
        "Delete",
    ):
        page.page.keyboard.press(key)
    assert "Brush" in page.page.inner_text("#film .tools")
    (stroke,) = page.page.evaluate(STROKES)
    xs, ys = zip(*stroke["points"], strict=True)
    assert len(set(xs)) == 1
    assert ys[-1] - ys[0] == pytest.approx(2 * stroke["radius"])
    page.page.keyboard.press("Enter")
    page.until("document.querySelector('#notes').innerText.includes('regions given: air_leak')")


def test_a_feature_is_asked_for_by_its_slider_and_stands_in_the_spec(desk, film):
    page = desk
    page.open(film)
    page.box((100, 100, 124, 124), "nodule")
    page.tab("Nodules")
    page.page.focus("[data-feature=Sphericity] input[type=range]")
    page.page.keyboard.press("ArrowRight")
    page.says("Features asked for: Sphericity")
    value = page.page.input_value("[data-feature=Sphericity] input[type=number]")
    widths = "all => all.filter(one => one.scrollWidth > one.clientWidth).map(one => one.value)"
    assert page.page.eval_on_selector_all(".feature input[type=number]", widths) == [], "an exponent out of sight"
    page.tab("As a spec")
    page.page.click("#write")
    page.until("document.querySelector('#yaml textarea').value.includes('Sphericity')")
    assert f"radiomics: {{Sphericity: {float(value):.6g}}}" in page.page.input_value("#yaml textarea")
    page.tab("Nodules")
    page.page.click("#make")
    page.says("a Gaussian disc cannot take radiomics features")


def test_what_is_no_radiograph_is_said_and_the_film_stays(desk, film, tmp_path):
    page = desk
    page.open(film)
    notes = page.page.inner_text("#notes")
    (tmp_path / "notes.png").write_text("no picture")
    page.open(tmp_path / "notes.png", says="not a readable PNG")
    page.open(film, mm="", says="size of a pixel")
    assert page.page.inner_text("#notes") == notes
    page.box((100, 100, 124, 124), "nodule")


def test_two_tabs_are_apart_and_one_that_closes_while_it_works_harms_nobody(desk, second, film, tmp_path):
    other = write_png(tmp_path / "other.png", chest(280, 320, seed=3))
    one, two = second, desk
    two.page.bring_to_front()  # a tab behind draws a frame a second, and its mouse waits for them
    two.open(other)
    two.box((150, 90, 170, 110), "nodule")
    one.page.bring_to_front()
    one.open(film)
    one.box((100, 100, 124, 124), "nodule")
    one.tab("Explore")
    one.explore_by("brightest.py:slow")
    one.unfold("Map of confidence")
    one.page.click("#map")
    one.says("Map of the lung")
    one.page.close()
    two.make()
    two.tab("Radiograph")
    assert "320 x 280 pixels" in two.page.inner_text("#notes")
    two.tab("Nodules")
    assert two.edges() == [150, 90, 170, 110]


def test_a_sweep_shows_its_row_and_curve_and_a_map_says_how_far_it_is_and_is_cancelled(desk, film):
    page = desk
    page.open(film)
    page.box((100, 100, 124, 124), "nodule")
    page.tab("Explore")
    page.page.click("#sweep")
    page.says("done, 6 of 6 scenes")
    assert page.page.locator("#explored figure img").count() == 6
    page.until(
        "[...document.querySelectorAll('#explored figure img')].every(image => image.complete && image.naturalWidth)"
    )
    assert page.page.locator("#explored svg circle").count() == 6
    page.tab("As a spec")
    assert "sweep: [" in page.page.input_value("#yaml textarea")
    sync_api.expect(page.page.get_by_role("radio", name="Sweep", exact=True)).to_be_checked(timeout=PATIENCE)
    assert "bundle/sweep.zip" in page.page.get_attribute("#bundle a", "href")
    page.tab("Explore")
    page.explore_by("brightest.py:slow")
    page.unfold("Map of confidence")
    page.page.get_by_label("number input for Places").fill("300")
    sync_api.expect(page.page.get_by_label("range slider for Places")).to_have_value("300", timeout=PATIENCE)
    page.page.click("#map")
    page.until("/working: \\d+ of 300/.test(document.querySelector('#explored').innerText)")
    with page.answers_held() as answers:
        page.page.click("#cancel")
        page.says("cancelled")
        assert int(re.search(r"cancelled, (\d+) of 300", page.page.inner_text("#status"))[1]) < 300
        answers.pass_on()
        page.says("Cancelling")
        answers.pass_on()
        page.says("cancelled")
    page.page.click("#cancel")
    page.says("Nothing is under way")
    page.explore_by("brightest.py:make")


def test_a_readers_answers_are_collected_and_judged(desk, study):
    page = desk.page
    page.get_by_role("tab", name="Readers").click()
    with page.expect_popup() as opening:
        page.get_by_role("link", name="Open the readers' page").click()
    reader = opening.value
    assert violations_of(reader) == {}
    reader.fill("#reader", "AB")
    key = json.loads((study / "key.json").read_text())
    for number, one in key.items():
        reader.locator(f"input[name='{number}']").nth(4 if one["synthetic"] else 0).check()
    reader.click("#save")
    reader.wait_for_function(
        "document.querySelector('#state').innerText.includes('Kept as answers-AB.csv')", polling=POLL_MS
    )
    judged = judge_answers([study / "answers-AB.csv"], study / "key.json", resamples=20)
    assert (judged["auc"], judged["answers"]) == (1.0, 4)


SHOWN = """asked => {
  for (const one of document.querySelectorAll(asked)) one.toggleAttribute('data-shown', one.checkVisibility());
}"""


def violations_of(page, part="html"):
    """Return what axe finds against WCAG 2.2 A and AA on a page, or the shown one of its parts: rule -> elements."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    page.evaluate(SHOWN, part)  # of parts that are hidden axe tells nothing, and looks at each of their elements
    looked_at = {"include": [[f"{part}[data-shown]"]], "exclude": [[ALIKE]]}
    runner = axe.Axe()
    if page.evaluate("typeof axe === 'object'"):
        runner.axe_script = ""  # compiled once a page
    found = runner.run(page, context=looked_at, options=WCAG).response["violations"]
    return {one["id"]: [node["html"][:200] for node in one["nodes"]] for one in found}


def test_axe_finds_no_violation_of_wcag_a_or_aa(desk, film):
    page = desk
    page.open(film)
    page.page.get_by_label("lung", exact=True).check()
    page.box((100, 100, 124, 124), "nodule")
    page.page.keyboard.press("a")
    page.page.get_by_text("Mouse and keyboard").click()
    page.make()
    page.page.get_by_text("All 67 features").click()
    page.tab("Explore")
    for title in ("Map of confidence", "Add a companion", "Air leak"):
        page.unfold(title)
    page.page.click("#sweep")
    page.says("done, 6 of 6 scenes")
    found = {}
    for name in TABS:
        page.settled_tab(name)
        part = "html" if name == TABS[-1] else "[role=tabpanel]"  # around the tabs it is the same page
        found |= {f"{name}: {rule}": elements for rule, elements in violations_of(page.page, part).items()}
    assert found == {}


COLOURS = """() => ['body', '.gradio-container', '.block', 'label span', 'input', '[role=tab]'].map(one => {
  const style = getComputedStyle(document.querySelector(one));
  return [one, style.color, style.backgroundColor];
})"""


def test_a_browser_set_to_dark_shows_the_colours_that_can_be_read(desk):
    page = desk.page
    light = page.evaluate(COLOURS)
    page.emulate_media(color_scheme="dark")
    desk.until("() => document.body.classList.contains('dark')")
    page.evaluate(FADED)
    dark = page.evaluate(COLOURS)
    page.emulate_media(color_scheme="light")
    desk.until("() => !document.body.classList.contains('dark')")
    assert dark == light


CONTROLS = """part => {
  const shown = one => one.checkVisibility() && !one.disabled && one.tabIndex >= 0;
  const kinds = 'a[href], button, input, textarea, select, summary, canvas';
  const front = [...document.querySelectorAll(part)].find(one => one.checkVisibility());
  const all = [...front.querySelectorAll(kinds)].filter(shown);
  all.forEach((one, index) => { one.dataset.control = index; });
  front.tabIndex = -1;
  front.focus();
  window.reached = new Set();
  document.addEventListener('focusin', event => window.reached.add(Number(event.target.dataset.control ?? -1)));
  return all.map(one => one.type === 'radio' ? null : one.outerHTML.slice(0, 160));
}"""


def missed_by_the_tab_key(page, part="body"):
    """Return the controls of a part of the page that the Tab key does not reach from where the part begins."""
    controls = page.evaluate(CONTROLS, part)
    for _ in range(len(controls) + 5):
        page.keyboard.press("Tab")
    reached = set(page.evaluate("[...window.reached]"))
    assert len(reached) > (15 if part == "body" else 0)
    return [html for index, html in enumerate(controls) if index not in reached and html and 'role="tab"' not in html]


def test_every_control_is_reached_by_the_tab_key(desk, film):
    """Comes last: Gradio's lists that had the focus fail, unseen, when another film empties them."""
    page = desk
    page.open(film)
    page.tab("Nodules")
    page.fold("All 67 features")
    missed = {}
    for name in TABS:
        page.settled_tab(name)
        part = "body" if name == TABS[-1] else "[role=tabpanel]"  # around the tabs it is the same page
        missed[name] = missed_by_the_tab_key(page.page, part)
    assert [name for name, controls in missed.items() if controls] == [], missed
