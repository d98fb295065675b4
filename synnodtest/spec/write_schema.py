"""``python -m synnodtest.spec.write_schema``: write ``schema.json`` anew from the kinds of this package."""

from pathlib import Path

from synnodtest.spec.language import built_in, text

if __name__ == "__main__":
    Path(__file__).with_name("schema.json").write_text(text(built_in()), encoding="utf-8")
