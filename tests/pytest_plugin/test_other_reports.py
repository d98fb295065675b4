"""allure-pytest and pytest-html show verdict, numbers and pictures of an item."""

import json

import pytest

pytest.importorskip("allure_pytest", reason="allure-pytest is not installed")
pytest.importorskip("pytest_html", reason="pytest-html is not installed")


def test_verdict_numbers_and_pictures_stand_in_both(project):
    words = ("-k", "size and sensitivity", "--alluredir=allure", "--html=page.html", "--self-contained-html")
    project(*words, detector="dets:silent")
    (result,) = (json.loads(p.read_text()) for p in (project.path / "allure").glob("*-result.json"))
    parameters = {p["name"]: p["value"].strip("'") for p in result["parameters"]}
    assert parameters["synnodtest.verdict"] == "FAILED"
    assert float(parameters["synnodtest.bound"]) == 0.65
    pictures = [a for a in result["attachments"] if a["type"] == "image/webp"]
    assert pictures
    assert all((project.path / "allure" / a["source"]).stat().st_size > 100 for a in pictures)
    page = (project.path / "page.html").read_text()
    assert "synnodtest.verdict" in page
    assert "data:image/webp;base64," in page
