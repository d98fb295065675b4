"""Templates of texts and pages, in the folders of the packages that fill them in."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment


@cache
def templates_of(
    package: str, folder: str = "templates", *, escaped: bool = False, last_newline: bool = False
) -> Environment:
    """Return the templates of a package, each compiled once; a name that they are not given is an error.

    Args:
        package: Import path.
        folder: Where they lie in it.
        escaped: Whether they are HTML, in which whatever they are given is text.
        last_newline: Whether the end of a template's last line is kept.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader(package, folder),
        autoescape=escaped,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=last_newline,
    )
