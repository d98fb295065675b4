"""From a matplotlib figure to clean inline SVG: no style sheet, no style attribute, unique ids, short numbers."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from markupsafe import escape

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLUE, ORANGE = "#0072B2", "#D55E00"
INK, GREY, SOFT = "#1B1F24", "#4A5560", "#C9D0D6"
PX = 1 / 72
"""One SVG unit in inches: matplotlib writes 72 units per inch."""


@contextmanager
def rcparams() -> Iterator[None]:
    """Draw with the report's look. A glyph that the font lacks is a box in the drawing; the twin table has the text."""
    import matplotlib as mpl

    with mpl.rc_context(_look()), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph \d+", category=UserWarning)
        yield


@cache
def _look() -> Any:
    """Return the settings of ``look.mplstyle``."""
    import matplotlib as mpl

    with resources.as_file(resources.files(__package__).joinpath("look.mplstyle")) as path:
        return mpl.rc_params_from_file(path, use_default_template=False)


def named(parameter: str) -> str:
    """Return what a reader calls a parameter: ``diameter (mm)``."""
    return parameter.replace("_mm", " (mm)").replace("_", " ")


def short(text: object, most: int = 40) -> str:
    """Return the text cut to what fits into a drawing, without control or direction characters."""
    clean = "".join(c for c in str(text) if c.isprintable())
    return clean if len(clean) <= most else f"{clean[: most - 1]}…"


def axes(width: int = 460, height: int = 290, **grid: Any) -> tuple[Figure, Any]:
    """Return a figure of ``width`` x ``height`` px and its axes; further arguments go to ``Figure.subplots``."""
    from matplotlib.figure import Figure as MplFigure

    figure = MplFigure(figsize=(width * PX, height * PX), layout="constrained")
    return figure, figure.subplots(**grid)


def bare(axis: Any) -> None:
    """Take grid, ticks and frame away."""
    axis.grid(visible=False)
    axis.set(xticks=[], yticks=[])
    axis.spines[["left", "bottom"]].set_visible(False)


def to_svg(figure: Figure, name: str, title: str, description: str) -> str:
    """Return the figure as inline SVG with title and description; ``name`` makes its ids unique in the document."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    buffer = io.StringIO()
    canvas: Any = FigureCanvasSVG(figure)  # savefig draws a figure that has an engine of layout once in vain before
    canvas.print_svg(buffer, metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<style[^>]*>.*?</style>|<!--.*?-->", "", text, flags=re.S)
    text = re.sub(r' style="([^"]*)"', lambda m: _attributes(m.group(1)), text)
    text = re.sub(r"-?\d+\.\d{3,}", lambda m: _shorter(m.group()), text)
    text = _unique(text, name)
    text = re.sub(r">\s+<", "><", text)
    size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', text)
    width, height = (float(v) for v in size.groups()) if size else (460.0, 290.0)
    head = (
        f'<svg class="figure" role="img" aria-labelledby="{name}-t {name}-d" '
        f'xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:g} {height:g}" stroke-linejoin="round">'
        f'<title id="{name}-t">{escape(title)}</title><desc id="{name}-d">{escape(description)}</desc>'
    )
    return head + text[text.index(">") + 1 :].strip()


def widened(low: float, high: float, scale: float) -> tuple[float, float]:
    """Return limits of an axis that are no closer than 2% of ``scale``: rounding noise is not to fill a drawing."""
    least = 0.02 * max(abs(scale), 1e-9)
    spare = max(0.05 * (high - low), (least - (high - low)) / 2)
    return low - spare, high + spare


def _shorter(figure: str) -> str:
    """Return a number with as many digits as show: scales of glyphs are small and need more decimals."""
    value = float(figure)
    return f"{value:.2f}".rstrip("0").rstrip(".") if abs(value) >= 1 else f"{value:.4g}"


def _attributes(style: str) -> str:
    """Turn ``fill: #fff; stroke-width: 2`` into presentation attributes, which need no style sheet."""
    pairs = (part.split(":", 1) for part in style.split(";") if ":" in part)
    return "".join(
        f' {key.strip()}="{value.strip()}"' for key, value in pairs if key.strip() != "-inkscape-font-specification"
    )


def _unique(text: str, name: str) -> str:
    """Prefix ids that are referred to with ``name`` and drop the others."""
    used = set(re.findall(r'href="#([^"]+)"', text)) | set(re.findall(r"url\(#([^)]+)\)", text))
    order = {old: f"{name}-{index}" for index, old in enumerate(sorted(used))}
    text = re.sub(r' id="([^"]*)"', lambda m: f' id="{order[m.group(1)]}"' if m.group(1) in order else "", text)
    text = re.sub(r'href="#([^"]+)"', lambda m: f'href="#{order.get(m.group(1), m.group(1))}"', text)
    return re.sub(r"url\(#([^)]+)\)", lambda m: f"url(#{order.get(m.group(1), m.group(1))})", text)
