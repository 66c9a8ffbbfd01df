"""Pictures as SVG: what a figure of matplotlib needs to stand in a page.

Ink takes the colour of the text around it, hues are legible on light and on dark, and text stays text. There is no style
sheet and no script. A title and a description are there to be read aloud. The same input gives the same bytes.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from tagger.reports.markup_text import strip_unprintable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["BLUE", "INK", "ORANGE", "Picture", "add_axes", "render_svg", "shorten_name", "style_axes"]

INK = "#010101"  # becomes currentColor
BLUE, ORANGE = "#2f81c7", "#d9730d"  # a contrast of over 3:1 on a light and on a dark ground
_COLUMNS = 3  # of small multiples in one file
_UNITS_PER_INCH = 100
_POINTS_PER_INCH = 72

# The ground of a picture in a file of its own. In a page nothing matches, and the picture takes the colours of the page.
_GROUND = (
    "<style>svg:root{color:#1f2328;background:#fff}"
    "@media(prefers-color-scheme:dark){svg:root{color:#d1d7e0;background:#15191e}}</style>"
)

_LONG_NUMBER = re.compile(r"\d+\.\d{3,}")
_drawing = Lock()  # matplotlib's settings are those of the process


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture, and a table that says the same."""

    name: str
    title: str
    text: str  # how to read it
    panels: tuple[str, ...]  # SVG to stand in a page; each of several small multiples is one, so that they may flow
    header: tuple[str, ...]  # of the table
    rows: tuple[tuple[str, ...], ...]  # of the table

    @property
    def svg(self) -> str:
        """All panels as one SVG, to be kept in a file or shown as an image. It has a ground of its own, light or dark."""
        if len(self.panels) == 1:
            return self.panels[0].replace("</desc>", f"</desc>{_GROUND}", 1)
        sizes = [tuple(map(float, re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', panel)[0])) for panel in self.panels]
        width, height = (max(lengths) for lengths in zip(*sizes, strict=True))
        n_columns = min(_COLUMNS, len(self.panels))
        placed = [
            panel.replace("<svg ", f'<svg x="{n % n_columns * width:g}" y="{n // n_columns * height:g}" ', 1)
            for n, panel in enumerate(self.panels)
        ]
        size = width * n_columns, height * -(-len(self.panels) // n_columns)
        return f"{_opening_tag(self.name, self.title, self.text, *size)}{_GROUND}{''.join(placed)}</svg>\n"


def add_axes(figure: Figure, x: str, y: str) -> Axes:
    """The only axes of a figure, with the names of what they show."""
    axes = figure.subplots()
    style_axes(axes, y, x)
    return axes


def style_axes(axes: Axes, y: str, x: str = "") -> None:
    """Axes with names, a faint grid, and neither a frame nor ticks."""
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.spines[["top", "right", "left", "bottom"]].set_visible(False)
    axes.grid(color=INK, alpha=0.15, linewidth=0.8)
    axes.tick_params(length=0)
    axes.set_axisbelow(True)


def shorten_name(name: str, max_length: int) -> str:
    """A name, cut with an ellipsis where it is too long."""
    return name if len(name) <= max_length else name[: max_length - 1].rstrip() + "…"


def render_svg(size: tuple[float, float], draw: Callable[[Figure], None], name: str, title: str, text: str) -> str:
    """An SVG of what is drawn on a figure.

    Args:
        size: width and height in inches, of 100 units each.
        draw: draws on the figure.
        name: makes the ids in the SVG its own.
        title: to be read aloud.
        text: to be read aloud after the title.
    """
    import matplotlib
    from matplotlib.figure import Figure

    style: dict[Any, Any] = {key: value for key, value in matplotlib.rcParamsDefault.items() if key != "backend"}
    style |= dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), INK)
    style |= {"svg.hashsalt": name, "svg.fonttype": "none", "path.simplify": False, "font.size": 11}
    style |= {"figure.dpi": _POINTS_PER_INCH}
    scale = _UNITS_PER_INCH / _POINTS_PER_INCH  # a unit of matplotlib's SVG is a point
    out = io.StringIO()
    with _drawing, matplotlib.rc_context(style), warnings.catch_warnings():
        # A page uses the fonts of its reader, so a glyph that matplotlib's own fonts lack does not matter.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure = Figure(figsize=(size[0] * scale, size[1] * scale), layout="constrained")
        draw(figure)
        no_metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(out, format="svg", transparent=True, metadata=no_metadata)
    return _tidy_svg(out.getvalue(), name, title, text)


def _tidy_svg(svg: str, name: str, title: str, text: str) -> str:
    """Matplotlib's SVG with a title and a description, without what a strict content policy forbids or nobody needs."""
    root = ElementTree.fromstring(svg)
    used_ids = set(re.findall(r'(?:#)([\w-]+)[")]', svg))
    for element in root.iter():
        _tidy_element(element, used_ids)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in ("metadata", "style") or (child.tag in ("defs", "g") and not len(child)):
                parent.remove(child)
    width, height = map(float, root.attrib["viewBox"].split()[2:])
    inside = "".join(ElementTree.tostring(child, encoding="unicode") for child in root)
    return f"{_opening_tag(name, title, text, width, height)}{inside}</svg>\n"


def _tidy_element(element: ElementTree.Element, used_ids: set[str]) -> None:
    """No namespaces and no `style`; a `part-…` id becomes a class, other ids that nothing uses go, numbers are short."""
    element.tag = element.tag.rpartition("}")[2]
    attributes = element.attrib
    for key in [key for key in attributes if "}" in key]:
        attributes[key.rpartition("}")[2]] = attributes.pop(key)
    for declaration in attributes.pop("style", "").split(";"):
        key, _, value = (part.strip() for part in declaration.partition(":"))
        if key and key != "font-family":
            attributes[key] = "currentColor" if value == INK else value
    if attributes.get("id") not in used_ids:
        id = attributes.pop("id", "")
        if id.startswith("part-"):
            attributes["class"] = id.removeprefix("part-")
    for key in attributes.keys() & {"d", "x", "y", "transform"}:
        attributes[key] = " ".join(_LONG_NUMBER.sub(lambda number: f"{float(number[0]):.1f}", attributes[key]).split())
    if element.tag == "text" and "fill" not in attributes:
        attributes["fill"] = "currentColor"
    element.tail = None
    if not (element.text or "").strip():
        element.text = None


def _opening_tag(name: str, title: str, text: str, width: float, height: float) -> str:
    """The start of an SVG, with its title and its description."""
    title, text = (escape(strip_unprintable(words)) for words in (title, text))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="picture" role="img" aria-labelledby="{name}-title {name}-text" '
        f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" font-family="system-ui, sans-serif" '
        f'stroke-linejoin="round"><title id="{name}-title">{title}</title><desc id="{name}-text">{text}</desc>'
    )
