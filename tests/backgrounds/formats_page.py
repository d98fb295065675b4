"""The page of what is read, refused and noted, by format, made from the tables that the readers themselves use.

``python -m tests.backgrounds.formats_page > docs/formats.md`` writes it.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from synnodtest import text_files

_MODULES = (
    "annotations", "columns", "dicom", "dicom_header", "dicom_range", "file_formats", "folder_files",
    "manifest", "mha", "other_annotations", "plausible", "reading", "tables",
)  # fmt: skip
"""Whose constants the page states."""


def formats_page() -> str:
    """Return the page as Markdown."""
    modules = {name: import_module(f"synnodtest.backgrounds.{name}") for name in _MODULES}
    files = FileSystemLoader(Path(__file__).parent)
    page = Environment(loader=files, undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True)
    return page.get_template("formats.md.j2").render(**modules, text_files=text_files)


if __name__ == "__main__":
    sys.stdout.write(formats_page())
