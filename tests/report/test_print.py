"""The printed report: nothing is lost, and the gallery's heading is not left alone at the foot of a page."""

import re
import shutil
import subprocess
from html import unescape
from pathlib import Path

import pytest

from synnodtest import report
from tests.browser import CHROMIUM

missing = CHROMIUM is None or shutil.which("pdftotext") is None
pytestmark = pytest.mark.skipif(missing, reason="needs Chromium and pdftotext (poppler-utils)")


@pytest.fixture(scope="module")
def pdf(filed, tmp_path_factory):
    """The report as Chromium prints it."""
    return printed(filed / "report.html", tmp_path_factory.mktemp("print") / "report.pdf")


def printed(page, pdf):
    """Print an HTML page with Chromium."""
    words = ["--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer", f"--print-to-pdf={pdf}"]
    subprocess.run([CHROMIUM, *words, page.as_uri()], capture_output=True, timeout=120)
    if not pdf.is_file():
        pytest.skip("Chromium wrote no PDF")
    return pdf


@pytest.fixture(scope="module")
def pages(pdf):
    """The text of each page."""
    return text_of(pdf).split("\f")[:-1]


def text_of(pdf):
    return subprocess.run(["pdftotext", "-layout", str(pdf), "-"], capture_output=True, text=True, check=True).stdout


def letters(text):
    return re.sub(r"[^0-9a-z]", "", text.lower())


def test_every_table_cell_of_the_report_is_printed(filed, pages):
    printed = letters("".join(pages))
    text = re.sub(r"<svg.*?</svg>", "", (filed / "report.html").read_text(), flags=re.S)
    cells = [unescape(re.sub(r"<[^>]+>", " ", c)) for c in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", text, flags=re.S)]
    words = {w for cell in cells for w in (letters(word) for word in cell.split()) if 3 < len(w) < 16}
    lost = {word for word in words if word not in printed}
    assert len(words) > 100
    assert lost == set()


def test_the_gallery_s_heading_stands_with_its_first_scene(pages):
    page = next(p for p in pages if re.search(r"^\s*\d+\s+Gallery", p, re.M))
    assert "synnodtest replay" in page.split("Gallery", 1)[1]


def test_no_page_between_the_first_and_the_last_is_left_half_empty(pdf):
    boxes = subprocess.run(["pdftotext", "-bbox", str(pdf), "-"], capture_output=True, text=True, check=True).stdout
    fill = []
    for height, words in re.findall(r'<page [^>]*height="([\d.]+)">(.*?)</page>', boxes, re.S):
        ends = [float(end) / float(height) for end in re.findall(r'yMax="([\d.]+)"', words)]
        fill.append(max(end for end in ends if end < 0.945))  # the running foot lies below
    assert len(fill) > 5
    assert min(fill[1:-1]) > 0.6, fill


def test_the_heads_of_the_overview_stand_on_each_of_its_pages(pages):
    last = next(k for k, page in enumerate(pages) if re.search(r"^\s*1\s+Identification", page, re.M))
    over = [page.partition("Identification")[0] for page in pages[: last + 1]]
    assert len(over) > 1
    assert all(
        re.search(r"Expectation +Verdict +Interval +Required +Estimate", page) for page in over if "PASSED" in page
    )


def figure(of, height):
    """A figure of 80 mm by so many, and the table of 16 rows behind it."""
    drawing = f"<div class='drawing'><svg width='80mm' height='{height}mm' viewBox='0 0 80 {height}'></svg></div>"
    rows = "".join(f"<tr><td>row {number}</td><td>0.5</td></tr>" for number in range(16))
    table = f"<table><thead><tr><th>{of}</th><th>value</th></tr></thead><tbody>{rows}</tbody></table>"
    return f"{drawing}<details><summary>Numbers of this figure</summary><div class='scroll'>{table}</div></details>"


def test_the_numbers_of_a_figure_in_two_columns_stand_in_one_table(tmp_path):
    """At the right of the figure, where both are too high for what a wide figure leaves of the page."""
    style = (Path(report.__file__).parent / "style.css").read_text()
    tiles = f"<figure class='wide'>{figure('distance', 60)}</figure><figure>{figure('measured', 72)}</figure>"
    page = tmp_path / "page.html"
    page.write_text(f"<!doctype html><style>{style}</style><main><div class='tiles'>{tiles}</div></main>")
    text = text_of(printed(page, tmp_path / "page.pdf"))
    assert (text.count("distance"), text.count("measured")) == (1, 1)


def test_a_figure_of_two_columns_and_its_table_stand_in_one_column(tmp_path):
    style = (Path(report.__file__).parent / "style.css").read_text()
    figure = (
        '<figure class="plain"><figcaption>Figure{0}</figcaption><div class="drawing">'
        '<svg width="300" height="{1}"></svg></div>'
        "<details><summary>Numbers</summary><table><tbody><tr><td>Table{0}</td></tr></tbody></table></details></figure>"
    )
    figures = "".join(figure.format(name, height) for name, height in (("A", 60), ("B", 220), ("C", 220)))
    (tmp_path / "page.html").write_text(f'<style>{style}</style><main><div class="tiles">{figures}</div></main>')
    pdf = printed(tmp_path / "page.html", tmp_path / "page.pdf")
    text = subprocess.run(["pdftotext", "-bbox", str(pdf), "-"], capture_output=True, text=True, check=True).stdout
    left = {word: float(x) for x, word in re.findall(r'xMin="([0-9.]+)"[^>]*>((?:Figure|Table)[ABC])<', text)}
    assert len(left) == 6
    assert len({round(x / 100) for x in left.values()}) == 2
    for name in "ABC":
        assert abs(left[f"Figure{name}"] - left[f"Table{name}"]) < 20, name
