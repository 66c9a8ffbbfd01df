"""Pictures of a model's quality, as SVG, from the out-of-fold scores of a retraining; each with a table that says the same.

Matplotlib draws them. Its output is then made fit for a page: ink takes the colour of the text around it, hues are legible on
light and on dark, text stays text, no style sheet and no script is needed, and titles and descriptions are there to be read
aloud. The same input gives the same bytes.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from threading import Lock
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

from tagger import DISTRIBUTION
from tagger.curation.learning_curve import Point
from tagger.errors import UsageError
from tagger.evaluation import metrics
from tagger.formats.plain_text import strip_unprintable
from tagger.labels.dataset import Labels
from tagger.model.model import Model
from tagger.reports.figures import format_interval
from tagger.training.trainer import OutOfFold

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "Picture",
    "plot_all",
    "plot_model",
]


Bools = NDArray[np.bool_]


Floats = NDArray[np.float64]


_INK, _BLUE, _ORANGE = (
    "#010101",
    "#2f81c7",
    "#d9730d",
)  # the ink stands for currentColor; the hues are over 3:1 on either ground


_SOFT = 0.3  # opacity of what stands behind


_MOST = 24  # topics drawn: if there are more, half of it from either end


_RECALLS = (0.5, 0.8, 0.9, 0.95)


_BINS = 10


_FINE = 200  # points of a curve, as many as can be told apart


_COLUMNS = 3  # of small multiples in one file


_GROUND = (  # matches nothing where an SVG stands in a page, whose colour and ground it takes
    "<style>svg:root{color:#1f2328;background:#fff}"
    "@media(prefers-color-scheme:dark){svg:root{color:#d1d7e0;background:#15191e}}</style>"
)


_LONG = re.compile(r"\d+\.\d{3,}")


_drawing = Lock()  # matplotlib's settings are those of the process


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture and what it shows."""

    name: str
    title: str
    text: str  # how to read it
    panels: tuple[str, ...]  # SVG to stand in a page; small multiples are one each, so that they may flow
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]  # the same as a table

    @property
    def svg(self) -> str:
        """The whole of it as one SVG, to be kept in a file or shown as an image: it has a ground of its own, light or dark."""
        if len(self.panels) == 1:
            return self.panels[0].replace("</desc>", f"</desc>{_GROUND}", 1)
        sizes = [tuple(map(float, re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', panel)[0])) for panel in self.panels]
        width, height = (max(side) for side in zip(*sizes, strict=True))
        columns = min(_COLUMNS, len(self.panels))
        placed = [
            panel.replace("<svg ", f'<svg x="{n % columns * width:g}" y="{n // columns * height:g}" ', 1)
            for n, panel in enumerate(self.panels)
        ]
        size = width * columns, height * -(-len(self.panels) // columns)
        return f"{_opening(self.name, self.title, self.text, *size)}{_GROUND}{''.join(placed)}</svg>\n"


def plot_model(labels: Labels, model: Model, held_out: OutOfFold, curve: Sequence[Point] = ()) -> dict[str, str]:
    """By name, each picture as one SVG, to be kept in a file or shown as an image; see `drawn`."""
    return {picture.name: picture.svg for picture in plot_all(labels, model, held_out, curve)}


def plot_all(labels: Labels, model: Model, held_out: OutOfFold, curve: Sequence[Point] = ()) -> list[Picture]:
    """Precision-recall curves, a reliability diagram, the learning curve if it has two points, and how many labels there are.

    Args:
        labels: of the entries in `held_out`.
        model: the model that these labels give, with its figures.
        held_out: out-of-fold scores and tags, from `retraining.cross_validated`.
        curve: from `learning_curve`.

    Raises:
        UsageError: if matplotlib is not installed.
    """
    if find_spec("matplotlib") is None:
        raise UsageError(f"pictures need matplotlib, which is not installed; pip install '{DISTRIBUTION}[review]'")
    yes, known = labels.arrays()
    topics = _Topics(
        tuple(strip_unprintable(topic.name) for topic in labels.topics),
        tuple(model.about["figures"]["topics"][topic.id] for topic in labels.topics),
        tuple(bool(np.isfinite(cut)) for cut in model.thresholds),
    )
    found = [_precision_recall(topics, yes, known, held_out.scores), _reliability(yes, known, held_out.scores)]
    if len(curve) > 1:
        found.append(_learning(curve))
    return [*found, _counts(topics)]


@dataclass(frozen=True, slots=True)
class _Topics:
    """What the pictures say of topics, (n_topics,) each."""

    names: tuple[str, ...]
    figures: tuple[dict[str, Any], ...]
    learned: tuple[bool, ...]

    def ends(self, worst: Callable[[int], Any]) -> list[int]:
        """All topics, the most frequent first; of too many, half of what fits, and then the worst of the others."""
        often = sorted(range(len(self.names)), key=lambda t: (-self.figures[t]["yes"], t))
        if len(often) <= _MOST:
            return often
        first, others = often[: _MOST // 2], often[_MOST // 2 :]
        return first + sorted(others, key=lambda t: (worst(t), t))[: _MOST // 2]

    def shown(self, worst: str) -> str:
        """Which topics are drawn, where it is not all of them."""
        n = len(self.names)
        some = f" Of {n} topics the {_MOST // 2} most frequent are drawn, then the {_MOST // 2} {worst} of the others."
        return f"{some} The table has all." if n > _MOST else ""


def _precision_recall(topics: _Topics, yes: Bools, known: Bools, scores: Floats) -> Picture:
    curves = [_curve(yes[known[:, t], t], scores[known[:, t], t]) for t in range(len(topics.names))]
    rows = []
    for name, figures, learned, (recall, precision) in zip(topics.names, topics.figures, topics.learned, curves, strict=True):
        at = [f"{precision[recall >= wanted].max():.2f}" if len(recall) and learned else "-" for wanted in _RECALLS]
        rows.append((name, str(figures["yes"]), *at, *(format_interval(figures[key]) for key in _TABLE)))

    def f1(t: int) -> float:
        value = topics.figures[t]["f1"][0]
        return float(value) if topics.learned[t] and value is not None else 2.0  # there is nothing to see of the others

    title = "Precision and recall of each topic"
    text = (
        "Each curve runs through every threshold that a topic could have: recall is the share of its entries found, precision "
        "the share of its tags that are right. The dot is where the thresholds are, with 95% intervals."
    )
    panels = []
    for n, t in enumerate(topics.ends(f1)):
        own = topics.figures[t]
        panels.append(
            _svg(
                (2.1, 2.2),
                partial(_curve_drawn, topics=topics, t=t, recall=curves[t][0], precision=curves[t][1]),
                f"precision-recall-{n}",
                f"{topics.names[t]}: precision and recall",
                f"Average precision {format_interval(own['average_precision'])}. At the thresholds: precision "
                f"{format_interval(own['precision'])}, recall {format_interval(own['recall'])}.",
            )
        )
    header = ("topic", "yes", *(f"precision at recall {wanted:g}" for wanted in _RECALLS), *_TABLE.values())
    return Picture("precision-recall", title, text + topics.shown("lowest in F1"), tuple(panels), header, tuple(rows))


_TABLE = {"average_precision": "average precision", "precision": "precision", "recall": "recall"}


def _curve(yes: Bools, scores: Floats) -> tuple[Floats, Floats]:
    """Each recall that there is, ascending, and the best precision with it; at last those of tagging everything.

    Nothing where there is no yes.
    """
    from sklearn.metrics import precision_recall_curve

    if not yes.any():
        return np.zeros(0), np.zeros(0)
    precision, recall, _ = precision_recall_curve(yes, scores)
    precision, recall = precision[-2::-1], recall[-2::-1]  # without the point (0, 1), which no score has
    _, first = np.unique(recall, return_index=True)  # more tags that find nothing more are no better
    first = np.append(first[recall[first] > 0], len(recall) - 1)
    return recall[first], precision[first]


def _curve_drawn(figure: Figure, topics: _Topics, t: int, recall: Floats, precision: Floats) -> None:
    found = topics.figures[t]
    axes = _axes(figure, "recall", "precision")
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), xticks=(0, 0.5, 1), yticks=(0, 0.5, 1), aspect="equal")
    axes.set_xticklabels(("0", "0.5", "1"))
    axes.set_yticklabels(("0", "0.5", "1"))
    figure.suptitle(_short(topics.names[t], 32), x=0.02, ha="left", fontsize=11, parse_math=False)
    yes = f"{found['yes']} yes"
    if not topics.learned[t] or not len(recall):
        axes.text(0.06, 0.06, f"{yes}: not learned", fontsize=10.5)
        return
    # Between two points the precision is that of the later one, so that the area below is the average precision.
    kept = [*np.unique(np.linspace(0, len(recall) - 2, _FINE).round().astype(int)), -1]
    x, y = [0, *recall[kept]], [precision[0], *precision[kept]]
    axes.fill_between(x, y, step="pre", color=_BLUE, alpha=0.12, linewidth=0)
    axes.plot(x, y, drawstyle="steps-pre", color=_BLUE, linewidth=1.6, gid="part-curve")
    axes.text(0.06, 0.06, f"{yes}, AP {found['average_precision'][0]:.2f}", fontsize=10.5)
    (p, p_low, p_high), (r, r_low, r_high) = found["precision"], found["recall"]
    if p is not None and r is not None:
        axes.plot([r_low, r_high], [p, p], color=_ORANGE, linewidth=1.4, zorder=3, solid_capstyle="butt")
        axes.plot([r, r], [p_low, p_high], color=_ORANGE, linewidth=1.4, zorder=3, solid_capstyle="butt")
        axes.plot([r], [p], "o", color=_ORANGE, markersize=5, zorder=4, clip_on=False, gid="part-threshold")


def _reliability(yes: Bools, known: Bools, scores: Floats) -> Picture:
    n_cells, sums, n_yes = metrics.reliability(yes, known, scores, _BINS)
    low, high = metrics.wilson_interval(n_yes, n_cells)
    filled = np.flatnonzero(n_cells)
    mean, share = sums[filled] / n_cells[filled], n_yes[filled] / n_cells[filled]

    def draw(figure: Figure) -> None:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        _bare(upper, "share that is a yes")
        upper.plot([0, 1], [0, 1], color=_INK, alpha=0.5, linewidth=1, linestyle=(0, (3, 3)))
        upper.vlines(mean, low[filled], high[filled], color=_BLUE, linewidth=1.6)
        upper.plot(mean, share, "o", color=_BLUE, markersize=5, gid="part-bins")
        upper.set(xlim=(0, 1), ylim=(-0.03, 1.03), yticks=np.arange(0, 1.1, 0.25))
        _bare(lower, "cells", "score")
        lower.bar((filled + 0.5) / _BINS, n_cells[filled], width=0.9 / _BINS, color=_BLUE, alpha=0.5)
        lower.set(yscale="log", ylim=(0.5, 12 * max(n_cells.max(initial=1), 1)), yticks=(), xticks=np.arange(0, 1.1, 0.1))
        lower.minorticks_off()
        for n in filled:
            at = (n + 0.5) / _BINS, n_cells[n] * 1.25
            lower.annotate(f"{n_cells[n]:,.0f}", at, ha="center", va="bottom", fontsize=9.5)

    title = "Reliability of the scores"
    text = (
        "A cell is an entry and a topic. Where the dots lie on the dashed line a score is a probability: of the cells scored "
        "about 0.8, about 80% are a yes. Lines through the dots are 95% intervals; below, how many cells there are, on a "
        "logarithmic scale."
    )
    rows = tuple(
        (
            f"{n / _BINS:.1f}-{(n + 1) / _BINS:.1f}",
            f"{n_cells[n]:.0f}",
            f"{sums[n] / n_cells[n]:.2f}" if n_cells[n] else "-",
            format_interval((n_yes[n] / n_cells[n], low[n], high[n]) if n_cells[n] else (None, None, None)),
        )
        for n in range(_BINS)
    )
    header = ("score", "cells", "mean score", "share that is a yes")
    return Picture("reliability", title, text, (_svg((5.2, 4.4), draw, "reliability", title, text),), header, rows)


def _learning(curve: Sequence[Point]) -> Picture:
    sizes = [point.n_entries for point in curve]
    start = np.floor(min(min(point.micro_f1[1], point.macro_f1[1]) for point in curve) * 10) / 10

    def draw(figure: Figure) -> None:
        axes = _axes(figure, "entries learned from", "F1")
        sides = [("micro-F1", _BLUE, [point.micro_f1 for point in curve]), ("macro-F1", _ORANGE, [p.macro_f1 for p in curve])]
        for name, colour, found in sides:
            value, low, high = zip(*found, strict=True)
            axes.fill_between(sizes, low, high, color=colour, alpha=0.18, linewidth=0)
            axes.plot(sizes, value, "o-", color=colour, linewidth=1.6, markersize=5, label=name, gid=f"part-{name}")
        axes.set_xscale("log")
        axes.set_xticks(sizes, map(str, sizes))
        axes.minorticks_off()
        axes.set_ylim(start, 1.0)
        axes.legend(loc="lower right", frameon=False, fontsize=11)

    title = "What more labels brought"
    text = (
        f"Micro-F1 and macro-F1 of models that learned from {', '.join(map(str, sizes[:-1]))} and {sizes[-1]} entries, on the "
        "entries of folds that they had not seen. Bands are 95% intervals. The scale of entries is logarithmic"
        + (f", and that of F1 begins at {start:.1f}." if start else ".")
    )
    rows = tuple((str(point.n_entries), format_interval(point.micro_f1), format_interval(point.macro_f1)) for point in curve)
    header = ("entries learned from", "micro-F1", "macro-F1")
    return Picture("learning-curve", title, text, (_svg((5.2, 4.0), draw, "learning-curve", title, text),), header, rows)


def _counts(topics: _Topics) -> Picture:
    order = topics.ends(lambda t: topics.figures[t]["yes"])
    yes, unsure = (np.array([topics.figures[t][key] for t in order]) for key in ("yes", "unsure"))

    def draw(figure: Figure) -> None:
        axes = _axes(figure, "entries", "")
        at = np.arange(len(order))[::-1]
        axes.barh(at, yes, height=0.62, color=_BLUE, label="yes")
        axes.barh(at, unsure, left=yes, height=0.62, color=_BLUE, alpha=_SOFT, label="unsure")
        for where, n, more in zip(at, yes, unsure, strict=True):
            axes.annotate(
                f"{n} + {more}" if more else f"{n}",
                (n + more, where),
                (4, 0),
                textcoords="offset points",
                va="center",
                fontsize=10,
            )
        axes.set_yticks(at, [_short(topics.names[t], 34) for t in order], parse_math=False, fontsize=10.5)
        axes.set(ylim=(-0.7, len(order) - 0.3), xlim=(0, max(1, (yes + unsure).max()) * 1.18))
        axes.grid(axis="y", visible=False)
        axes.legend(loc="lower right", frameon=False, fontsize=11)

    title = "How many labels there are"
    text = (
        "Entries with a yes for each topic and, after it, those that a person left unsure; the others are a no."
        + topics.shown("rarest")
    )
    rows = tuple(
        (name, *(str(figures[key]) for key in ("yes", "no", "unsure")))
        for name, figures in zip(topics.names, topics.figures, strict=True)
    )
    size = (5.2, 0.9 + 0.29 * len(order))
    return Picture(
        "label-counts", title, text, (_svg(size, draw, "label-counts", title, text),), ("topic", "yes", "no", "unsure"), rows
    )


def _axes(figure: Figure, x: str, y: str) -> Axes:
    axes = figure.subplots()
    _bare(axes, y, x)
    return axes


def _bare(axes: Axes, y: str, x: str = "") -> None:
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.spines[["top", "right", "left", "bottom"]].set_visible(False)
    axes.grid(color=_INK, alpha=0.15, linewidth=0.8)
    axes.tick_params(length=0)
    axes.set_axisbelow(True)


def _short(name: str, width: int) -> str:
    return name if len(name) <= width else name[: width - 1].rstrip() + "…"


def _svg(size: tuple[float, float], draw: Callable[[Figure], None], name: str, title: str, text: str) -> str:
    """An SVG of a figure of this size in inches, with 100 units an inch; ids in it are unique to the name."""
    import matplotlib
    from matplotlib.figure import Figure

    style: dict[Any, Any] = {key: value for key, value in matplotlib.rcParamsDefault.items() if key != "backend"}
    style |= dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), _INK)
    style |= {"svg.hashsalt": name, "svg.fonttype": "none", "path.simplify": False, "font.size": 11, "figure.dpi": 72}
    out = io.StringIO()
    scale = 100 / 72  # a user unit of matplotlib's SVG is a point
    with _drawing, matplotlib.rc_context(style), warnings.catch_warnings():
        # The reader's fonts are used; what those that come with matplotlib lack is nothing to warn of.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure = Figure(figsize=(size[0] * scale, size[1] * scale), layout="constrained")
        draw(figure)
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(out, format="svg", transparent=True, metadata=nothing)
    return _fit(out.getvalue(), name, title, text)


def _fit(svg: str, name: str, title: str, text: str) -> str:
    """Matplotlib's SVG, without what a page has no use for or a strict content policy forbids, and with words for it."""
    root = ElementTree.fromstring(svg)
    used = set(re.findall(r'(?:#)([\w-]+)[")]', svg))
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        own = element.attrib
        for key in [key for key in own if "}" in key]:
            own[key.rpartition("}")[2]] = own.pop(key)
        for part in own.pop("style", "").split(";"):
            key, _, value = (side.strip() for side in part.partition(":"))
            if key and key != "font-family":
                own[key] = "currentColor" if value == _INK else value
        if own.get("id") not in used:
            id = own.pop("id", "")
            if id.startswith("part-"):
                own["class"] = id.removeprefix("part-")
        for key in own.keys() & {"d", "x", "y", "transform"}:
            own[key] = " ".join(_LONG.sub(lambda number: f"{float(number[0]):.1f}", own[key]).split())
        if element.tag == "text" and "fill" not in own:
            own["fill"] = "currentColor"
        element.tail = None
        if not (element.text or "").strip():
            element.text = None
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in ("metadata", "style") or (child.tag in ("defs", "g") and not len(child)):
                parent.remove(child)
    width, height = map(float, root.attrib["viewBox"].split()[2:])
    inside = "".join(ElementTree.tostring(child, encoding="unicode") for child in root)
    return f"{_opening(name, title, text, width, height)}{inside}</svg>\n"


def _opening(name: str, title: str, text: str, width: float, height: float) -> str:
    """The start of an SVG."""
    title, text = (escape(strip_unprintable(side)) for side in (title, text))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="picture" role="img" aria-labelledby="{name}-title {name}-text" '
        f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" font-family="system-ui, sans-serif" '
        f'stroke-linejoin="round"><title id="{name}-title">{title}</title><desc id="{name}-text">{text}</desc>'
    )
