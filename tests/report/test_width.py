"""Words that do not end widen no page: nothing of the report is cut or pushed out of sight."""

from synnodtest.report import html
from tests.browser import needs_chromium, opened_browser

WORD = "x" * 300


@needs_chromium
def test_words_of_300_letters_are_broken_on_screen_and_in_print(small, tmp_path, drawings):
    (behaviour,), (entry,) = small["behaviours"], small["expectations"]
    entry["id"] = entry["id"].replace(f"::{behaviour['id']}::", f"::{WORD}::")
    for scene in small["scenes"].values():
        scene["behaviour"] = WORD
    behaviour |= {"id": WORD, "statement": f"A nodule {WORD} is found.", "rationale": WORD, "requirement": [WORD]}
    entry |= {"behaviour": WORD, "rationale": WORD}
    entry["ruling"] |= {"notes": [WORD]}
    small["identification"]["detector"]["name"] = WORD
    small["identification"]["specs"][0]["title"] = WORD
    small |= {"gallery": [], "limitations": [WORD], "hazards": [{"id": WORD, "title": WORD}]}
    page = html.render(small, tmp_path, store=drawings)
    with opened_browser() as browser:
        tab = browser.new_page()
        tab.goto(page.as_uri())
        wide = {}
        for media, width in (("screen", 1280), ("screen", 360), ("print", 695)):  # an A4 page less its margins
            tab.emulate_media(media=media)
            tab.set_viewport_size({"width": width, "height": 900})
            wide[media, width] = tab.evaluate("document.documentElement.scrollWidth") - width
    assert {place: most for place, most in wide.items() if most > 0} == {}
