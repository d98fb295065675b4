"""Offline pages: a template, with its style in it and a content security policy that lets it fetch nothing."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources

from jinja2 import Environment
from markupsafe import Markup

from synnodtest.record import words
from synnodtest.record.statuses import STATUSES
from synnodtest.report.model import code
from synnodtest.report.order import anchor_of, number_of
from synnodtest.templates import templates_of


def page(template: str, style: str, *, sources: str = "style-src '{style}'", **shown: object) -> str:
    """Return a page as HTML. Every text that it shows is escaped; nothing in it is fetched or run.

    Args:
        template: Its name.
        style: Its style sheet.
        sources: What its policy allows; ``{style}`` stands for the hash of the style.
        shown: What the template shows.
    """
    policy = f"default-src 'none'; {sources.format(style=hash_of(style))}; base-uri 'none'; form-action 'none'"
    return templates().get_template(template).render(style=Markup(style), policy=policy, **shown)


def style_of(*names: str) -> str:
    """Return the colours of the statuses and these style sheets, one after the other."""
    colours = (f".s-{look.key}{{--status:{look.colour}}}\n" for look in STATUSES.values())
    return "".join([*colours, *map(asset, names)])


def asset(name: str) -> str:
    """Return a file of the pages: a style sheet or a script."""
    return resources.files("synnodtest.report").joinpath(name).read_text(encoding="utf-8")


def hash_of(text: str) -> str:
    """Return the hash by which a policy names a style or a script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


WORDS = ("bound_text", "date", "duration", "estimate", "interval", "joined", "number", "p_text", "parameters_text",
         "plural", "short_hash", "value_text")  # fmt: skip
"""Filters of the templates."""


@cache
def templates() -> Environment:
    """Return the templates; each is compiled once."""
    environment = templates_of("synnodtest.report", escaped=True)
    environment.globals |= {"STATUSES": STATUSES, "number_of": number_of, "anchor_of": anchor_of, "code": code}
    environment.filters |= {name: getattr(words, name) for name in WORDS}
    return environment
