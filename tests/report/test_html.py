"""The report: everything of the record is told, nothing is fetched, nothing is run."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from synnodtest.canonical import plain
from synnodtest.record import results as record
from synnodtest.record.limitations import LIMITATION
from synnodtest.report import html, order
from tests.loaded import loaded_after
from tests.report import example

HOSTILE = "<script>alert('x')</script> \"quoted\" & 'single' \u202eright-to-left\u202c {{ 7*7 }} ]]> </style>"


class Reader(HTMLParser):
    """Gathers tags, attributes and text; whatever is opened must be closed."""

    VOID = frozenset({"meta", "br", "img", "link", "input", "hr"})

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.text, self.open = [], [], [], []
        self.feed(text)
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, k, v) for k, v in attrs]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, k, v) for k, v in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] not in {"style", "script"}:
            self.text.append(data)


@pytest.fixture(scope="module")
def page(filed):
    return Reader((filed / "report.html").read_text())


def test_all_sections_stand_in_order(page):
    ids = [v for tag, k, v in page.attributes if tag == "section" and k == "id"]
    assert ids == [order.anchor_of(key) for key in order.builders()]
    assert ids[-1] == "section-a"


def test_the_page_is_well_formed_and_ids_are_unique(page):
    ids = [v for _, k, v in page.attributes if k == "id"]
    assert len(ids) == len(set(ids))
    for tag, key, value in page.attributes:
        if key in {"href", "xlink:href"} and value.startswith("#"):
            assert value[1:] in ids, (tag, value)
        if key in {"aria-labelledby"}:
            assert set(value.split()) <= set(ids)


def test_no_script_no_style_attribute_and_nothing_from_elsewhere(page):
    assert not {"script", "link", "iframe", "object", "embed", "base", "form"} & set(page.tags)
    assert not [a for a in page.attributes if a[1] == "style" or a[1].startswith("on")]
    for tag, key, value in page.attributes:
        if key == "src":
            assert value.startswith("data:image/"), (tag, value)
        if key == "href":
            assert value.startswith(("#", "evidence/")), (tag, value)
    policy = next(v for t, k, v in page.attributes if k == "content" and "default-src" in v)
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")


def test_the_fixed_limitation_always_stands(page, small, tmp_path, drawings):
    assert "".join(page.text).count(LIMITATION) == 2
    small["limitations"] = []
    small["run"]["confirmatory"] = True
    assert LIMITATION in html.render(small, tmp_path, store=drawings).read_text()


def test_every_status_and_every_estimate_is_told(page, filed):
    told = " ".join("".join(page.text).split())
    for word in ("PASSED", "FAILED", "INCONCLUSIVE", "INVALID", "ERROR", "WAIVED", "NOT RUN"):
        assert word in told
    for e in record.read(filed)["expectations"]:
        assert e["id"] in told
        if e["ruling"]:
            assert e["ruling"]["criterion"] in told
        if e["error"]:
            assert e["error"] in told


def test_every_drawing_has_a_title_a_description_and_its_numbers(page, filed):
    drawings = [v for t, k, v in page.attributes if t == "svg" and k == "class" and v == "figure"]
    assert len(drawings) >= 10
    assert page.tags.count("desc") == len(drawings)
    parts = re.findall(r"<figure class=.(?:wide|plain).*?</figure>", (filed / "report.html").read_text(), re.S)
    drawn = [part for part in parts if '<svg class="figure"' in part]
    assert sum(part.count('<svg class="figure"') for part in drawn) == len(drawings)
    assert all("<summary>" in part and "<table" in part for part in drawn)


def test_every_picture_is_embedded_once_and_described(page):
    pictures = [v for t, k, v in page.attributes if t == "img" and k == "src"]
    assert pictures
    assert len(pictures) == len(set(pictures))
    assert all(v for t, k, v in page.attributes if t == "img" and k == "alt")


def test_without_pixels_no_picture_is_embedded(small, tmp_path, drawings):
    text = html.render(small, tmp_path, pixels=False, store=drawings).read_text()
    assert "<img" not in text
    assert "Pictures are left out" in text


def hostile(value, keep):
    """Put the hostile text into every text that people write."""
    if isinstance(value, dict):
        return {k: v if k in keep else hostile(v, keep) for k, v in value.items()}
    if isinstance(value, list):
        return [hostile(v, keep) for v in value]
    return f"{HOSTILE}{value}" if isinstance(value, str) else value


def test_hostile_text_in_every_field_is_shown_as_text(made, tmp_path, drawings):
    ready = plain(made)
    keep = {
        "id", "behaviour", "status", "side", "role", "scene", "expectation", "sha256", "file_sha256", "frozen_sha256",
        "worst", "failing", "passing", "scenes", "kind", "regions", "expiry",
    }  # fmt: skip
    spoiled = hostile(ready, keep) | {"scenes": ready["scenes"]}
    for index, e in enumerate(spoiled["expectations"]):
        if e["ruling"]:
            e["ruling"]["figure"] = ready["expectations"][index]["ruling"]["figure"]
            if "labels" in e["ruling"]["figure"]:
                e["ruling"]["figure"]["labels"] = [HOSTILE, HOSTILE]
    spoiled["authored"] = {
        "device": {"name": HOSTILE}, "intended_use": HOSTILE, "people": [{"role": HOSTILE, "name": HOSTILE}],
    }  # fmt: skip
    for item in spoiled["gallery"]:
        item["background"] = HOSTILE
    text = html.render(spoiled, tmp_path, store=drawings).read_text()
    page = Reader(text)
    assert "script" not in page.tags
    assert "49" not in re.findall(r"\{\{.*?\}\}|49 \]\]", text)
    assert "".join(page.text).count("<script>alert('x')</script>") > 50
    assert text.count("\u202e") == sum(t.count("\u202e") for t in page.text) + sum(
        (v or "").count("\u202e") for _, _, v in page.attributes
    )


def test_every_section_has_something_to_say_in_a_run_that_has_everything(made, tmp_path, drawings):
    text = html.render(example.with_everything(made), tmp_path, store=drawings).read_text()
    page = Reader(text)
    told = " ".join("".join(page.text).split())
    assert 'class="empty"' not in text
    for said in (
        "within 1 mm and 5% contrast 63 of 120 fail", "NodeFinder", "Missed nodule", "ANO-12", "aborted", "size-blind",
        "Margins or parameters differ from the earlier run", "rate_at_least", "A. Author",
        "telling synthetic from real nodules", "Of another model.", "within it on 1 of 2 kinds",
        "No behaviour tests requirement SRS-099 Unloved.",
    ):  # fmt: skip
        assert said in told, said


def test_a_picture_outside_the_run_is_never_read(small, tmp_path, drawings):
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"\x89PNG secret")
    run = tmp_path / "run"
    small["gallery"] = [small["gallery"][0] | {"synthetic": "../secret.png", "boxes": str(secret)}]
    assert "data:image" not in html.render(small, run, store=drawings).read_text().replace("img-src data:", "")


def test_a_figure_that_cannot_be_drawn_does_not_stop_the_report(small, tmp_path, drawings):
    small["expectations"][0]["ruling"]["figure"] = {"kind": "monotone", "levels": "many"}
    assert "cannot be drawn" in html.render(small, tmp_path, store=drawings).read_text()


def test_an_empty_run_is_still_a_report(made, tmp_path, drawings):
    for key in ("behaviours", "expectations", "sham", "gallery", "waivers"):
        made[key] = []
    made["scenes"], made["attrition"] = {}, {}
    made["run"]["interrupted"] = True
    assert "interrupted" in html.render(made, tmp_path, store=drawings).read_text()


def test_the_same_record_gives_the_same_report(small, tmp_path, drawings):
    first = html.render(small, tmp_path / "a", store=drawings).read_bytes()  # drawn before, maybe by another process
    assert html.render(small, tmp_path / "b").read_bytes() == first


def test_importing_the_report_loads_nothing_heavy():
    heavy = ("matplotlib", "torch", "pyarrow", "ultralytics", "pydicom")
    assert loaded_after("import synnodtest.report.html, synnodtest.report.crops", *heavy) == []


def test_what_a_search_names_stands_in_its_section_with_its_pictures_and_the_rest_in_the_gallery(
    made, tmp_path, drawings
):
    made = example.with_everything(made)
    node = made["expectations"][-1]["id"]
    keys = made["expectations"][-1]["scenes"]
    rules = ("worst failure", "minimal failure", "random pass")
    made["gallery"] = [{"expectation": node, "scene": k, "rule": r} for k, r in zip(keys, rules, strict=True)]
    example.with_pictures(made, tmp_path)
    text = html.render(plain(made), tmp_path, store=drawings).read_text()
    sections = ("fuzzing", "credibility", "gallery", "hazards")
    cut = [text.index(f'<section id="{order.anchor_of(key)}"') for key in sections]
    search, gallery = text[cut[0] : cut[1]], text[cut[2] : cut[3]]
    assert search.index("Minimal failing example") < search.index("Worst failure")
    assert search.count("<img") == 10
    assert [f"replay {k[:16]}" in search for k in keys] == [True, True, False]
    assert [f"replay {k[:16]}" in gallery for k in keys] == [False, False, True]
    assert "see file" not in search + gallery
    assert 'href="#n-e' in gallery
    assert "<img" not in html.render(plain(made), tmp_path, pixels=False, store=drawings).read_text()


def test_words_of_the_gallery_and_of_methods_are_told_in_the_glossary(filed):
    text = (filed / "report.html").read_text().split('class="glossary"')[-1]
    for word in ("Cluster", "Conspicuity", "Contrast", "Confidence", "Guarded"):
        assert f"<dt>{word}</dt>" in text
