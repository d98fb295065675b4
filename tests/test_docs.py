"""Pages that readers can follow: every link leads somewhere, every page can be reached."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def targets(page):
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    return [link.partition("#")[0] for link in LINK.findall(text) if "://" not in link and not link.startswith("#")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_to_a_file(page):
    missing = [target for target in targets(page) if not (page.parent / target).exists()]
    assert missing == []


def test_the_index_lists_every_page_of_the_documentation():
    listed = {(ROOT / "docs" / target).resolve() for target in targets(ROOT / "docs" / "index.md")}
    assert set((ROOT / "docs").rglob("*.md")) - {ROOT / "docs" / "index.md"} <= listed
