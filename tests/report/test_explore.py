"""The page of all scenes: what it holds, that it fetches nothing, and what it does in a browser."""

import copy
import dataclasses
import html
import io
import json
import re

import numpy as np
import pytest
from PIL import Image

from synnodtest.cli import main
from synnodtest.record import results
from synnodtest.record.model import Record
from synnodtest.report import explore_pictures
from synnodtest.report.context import Context
from synnodtest.report.explore import explore_data, pictures_in, write_explore
from synnodtest.store import Store
from tests.browser import needs_chromium, opened_browser
from tests.report import example


@pytest.fixture(scope="module")
def page(_made, tmp_path_factory):
    """A run of some scenes with pictures, and a second version that has seen half of them; nobody may change them."""
    made = copy.deepcopy(_made)
    made["scenes"] = dict(list(made["scenes"].items())[:24])
    for scene in list(made["scenes"].values())[10:]:
        scene |= {"nodules": [], "findings": []}
    next(iter(made["scenes"].values()))["arm"] = "@under:default"
    other = copy.deepcopy(made)
    other["scenes"] = dict(list(other["scenes"].items())[:12])
    for scene in other["scenes"].values():
        for nodule in scene["nodules"]:
            nodule["confidence"] = 0.0
    drawn = {}

    def picture(scene_id):
        if scene_id not in drawn:
            _, radiograph, _ = example.radiographs(made["scenes"][scene_id])
            drawn[scene_id] = explore_pictures.draw(radiograph, [])
            if not made["scenes"][scene_id]["nodules"]:  # the whole film, from air to metal
                drawn[scene_id] = dataclasses.replace(drawn[scene_id], low=0.0, high=1.0)
        return drawn[scene_id]

    return made, write_explore(made, tmp_path_factory.mktemp("page"), picture, other), drawn


def data_of(path):
    return json.loads(re.search(r'id="data">(.*?)</script>', path.read_text(), re.S).group(1))


def test_every_scene_is_there_with_its_nodules_findings_and_expectations(page):
    made, path, _ = page
    data = data_of(path)
    rows = {row[0]: dict(zip(data["columns"], row, strict=True)) for row in data["scenes"]}
    assert rows.keys() == made["scenes"].keys()
    for scene_id, scene in made["scenes"].items():
        row = rows[scene_id]
        assert data["names"][row["background"]] == scene["background"]
        assert [n[6] for n in row["nodules"]] == pytest.approx([n["confidence"] for n in scene["nodules"]], abs=1e-4)
        assert [f[4] for f in row["findings"]] == pytest.approx([f["score"] for f in scene["findings"]], abs=1e-4)
        used = [i for i, e in enumerate(made["expectations"]) if scene_id in e["scenes"]]
        assert row["expectations"] == used
    assert len(data["other"]["scenes"]) == 12


def test_the_page_names_its_own_script_and_nothing_else(page):
    text = page[1].read_text()
    assert not re.search(r'(?:src|href)="(?!report\.html)', text.split("<script>")[0].split("</style>")[1])
    assert "default-src 'none'; script-src 'sha256-" in html.unescape(text)
    assert "unsafe" not in text
    assert "http:" not in text
    assert "https:" not in re.sub(r'id="(?:data|pictures)">.*?</script>', "", text, flags=re.S)


def test_pictures_come_back_from_a_page_as_they_went_in(page):
    made, path, drawn = page
    again = pictures_in(path)
    assert all(again(scene_id) == drawn[scene_id] for scene_id in made["scenes"])


def test_texts_of_a_spec_cannot_end_the_data(made, tmp_path):
    made["expectations"][0]["behaviour"] = made["behaviours"][0]["id"] = "</script><b>"
    path = write_explore(made, tmp_path, lambda _: None)
    assert "</script><b>" not in path.read_text()
    assert data_of(path)["expectations"][0][1].startswith("</script><b>")


def test_a_picture_holds_the_greys_of_the_radiograph_and_is_drawn_once(made, tmp_path):
    scene_id, scene = next((k, s) for k, s in made["scenes"].items() if s["nodules"])
    _, radiograph, _ = example.radiographs(scene)
    store, loads, scenes = Store(tmp_path), [], {scene_id: Record.of(made).scenes[scene_id]}

    def load(key):
        loads.append(key)
        return radiograph

    for _ in range(2):
        explore_pictures.keep(store, scenes, load)
    assert loads == [scene_id]
    found = explore_pictures.from_store(store, scenes)(scene_id)
    x, y, wide, high = found.cut
    grey = np.asarray(Image.open(io.BytesIO(found.webp)).convert("L"), dtype=float) / 255
    values = found.low + (found.high - found.low) * grey
    assert values.mean() == pytest.approx(radiograph.pixels[y : y + high, x : x + wide].mean(), abs=0.02)


def test_the_report_leads_to_the_scene_only_where_the_page_is_there(made, tmp_path):
    assert Context(Record.of(made), tmp_path).explore == ""
    write_explore(made, tmp_path, lambda _: None)
    assert Context(Record.of(made), tmp_path).explore == "explore.html"


def test_scenes_that_no_detector_saw_are_counted_and_not_shown_as_missed(made):
    out = next(key for key, scene in made["scenes"].items() if scene["nodules"])
    for scene in made["scenes"].values():
        scene["accepted"] = True
    made["scenes"][out] |= {"accepted": False, "rejected_because": "too white"}
    data, _ = explore_data(made, lambda _: None)
    assert data["excluded"] == 1
    assert {row[0] for row in data["scenes"]} == made["scenes"].keys() - {out}


def test_without_pictures_the_data_alone_are_there(made):
    data, packed = explore_data(made, lambda _: None)
    assert packed == ""
    assert all(row[8] is None for row in data["scenes"])


def test_a_page_beside_the_runs_leads_to_the_report_in_the_folder_of_its_own(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runs = [tmp_path / "reports" / name for name in ("of v2", "v1")]
    for folder, run_id in zip(runs, ("b", "a"), strict=True):
        made["run"]["id"] = run_id
        results.write(made, folder)
        write_explore(made, folder, lambda _: None)
    assert main(["explore", "reports/of v2", "--against", "reports/v1"]) == 0
    page = tmp_path / "reports" / "explore-b-against-a.html"
    assert 'href="of%20v2/report.html"' in page.read_text()
    assert data_of(page)["report"] == "of%20v2/report.html"
    assert data_of(runs[0] / "explore.html")["report"] == "report.html"
    page.unlink()
    assert main(["explore", "reports/of v2/results.json", "--against", "reports/v1/results.json"]) == 0
    assert data_of(page)["report"] == "of%20v2/report.html"


def waited_for(tab, expression):
    """Poll by the debugger, whose expressions the page's own policy, which forbids eval, does not reach."""
    for _ in range(200):
        if tab.evaluate(expression):
            return
        tab.wait_for_timeout(50)
    raise AssertionError(f"never came true: {expression}")


@pytest.fixture(scope="module")
def browser():
    """One Chromium, each test with a context of its own."""
    with opened_browser() as opened:
        yield opened


@needs_chromium
def test_in_a_browser_it_filters_moves_the_threshold_compares_and_links_deeply(page, browser):
    made, path, drawn = page
    nodules = [n for s in made["scenes"].values() for n in s["nodules"]]
    wide = sorted(drawn[k].high - drawn[k].low for k, s in made["scenes"].items() if s["nodules"])
    with browser.new_context() as context:
        tab, faults, asked = context.new_page(), [], []
        tab.on("pageerror", lambda error: faults.append(str(error)))
        tab.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
        tab.on("request", lambda r: asked.append(r.url))
        tab.goto(path.as_uri())
        waited_for(tab, "document.documentElement.dataset.ready === 'yes'")
        assert tab.inner_text("#count").startswith("24 of 24 scenes")
        assert float(tab.input_value("#window")) == pytest.approx(1.2 * wide[len(wide) // 2], abs=0.011)
        assert "perturbed default (1)" in tab.locator("#arm option").all_inner_texts()
        tab.evaluate("document.getElementById('point').value = 0.5")
        tab.dispatch_event("#point", "input", {"bubbles": True})
        found = sum(n["confidence"] >= 0.5 for n in nodules)
        waited_for(tab, f"document.getElementById('count').textContent.includes('{found} of {len(nodules)}')")
        tab.select_option("#hit", "missed")
        missed = sum(any(n["confidence"] < 0.5 for n in s["nodules"]) for s in made["scenes"].values())
        waited_for(tab, f"document.getElementById('count').textContent.startsWith('{missed} of 24')")
        tab.select_option("#hit", "")
        first = next(k for k, s in made["scenes"].items() if s["nodules"])
        tab.goto("about:blank")  # a deep link is opened from elsewhere
        tab.goto(f"{path.as_uri()}#scene={first[:16]}&point=0.1")
        waited_for(tab, "!document.getElementById('one').hidden")
        assert first[:16] in tab.inner_text("#one-h")
        second = next(k for k, s in made["scenes"].items() if s["nodules"] and k != first)
        tab.evaluate(f"location.hash = '#scene={second[:16]}'")
        waited_for(tab, f"document.getElementById('one-h').textContent.includes('{second[:16]}')")
        tab.evaluate(f"location.hash = '#scene={first[:16]}'")
        waited_for(tab, f"document.getElementById('one-h').textContent.includes('{first[:16]}')")
        assert tab.locator("#pair canvas").count() == 2
        assert "missed (0.00)" in tab.inner_text("#pair figure >> nth=1")
        curve = "document.getElementById('curve')"
        for width in (1280, 800, 360):  # drawn anew at each width, so that its labels keep their size
            tab.set_viewport_size({"width": width, "height": 900})
            waited_for(tab, f"{curve}.width === Math.round({curve}.clientWidth * devicePixelRatio)")
            assert tab.evaluate("document.documentElement.scrollWidth") <= width
        axe = pytest.importorskip("axe_playwright_python.sync_playwright")
        assert axe.Axe().run(tab, options={"resultTypes": ["violations"]}).violations_count == 0
    assert faults == []
    assert [url for url in asked if not url.startswith(("file:", "blob:"))] == []


@needs_chromium
@pytest.mark.parametrize(("point", "scale"), [(0.125, 1), (40.5, 100)], ids=["between steps", "scores to 100"])
def test_in_a_browser_it_begins_at_the_operating_point_of_the_run(made, tmp_path, browser, point, scale):
    made["scenes"] = dict(list(made["scenes"].items())[:24])
    nodules = [n for s in made["scenes"].values() for n in s["nodules"]]
    for k, nodule in enumerate(nodules):
        nodule["confidence"] = (point / scale + (k % 3 - 1) * 0.004) * scale
    for e in made["expectations"]:
        e["parameters"]["operating_point"] = point
    path = write_explore(made, tmp_path, lambda _: None)
    found = sum(n["confidence"] >= point for n in nodules)
    assert 0 < found < len(nodules)
    with browser.new_context() as context:
        tab = context.new_page()
        tab.goto(path.as_uri())
        waited_for(tab, "document.documentElement.dataset.ready === 'yes'")
        assert f"; {found} of {len(nodules)} nodules found at {point:g}" in tab.inner_text("#count")
