"""Pictures of all topics together: how reliable scores are, and what more labels brought."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tagger.curation.learning_curve import CurvePoint
from tagger.evaluation import metrics
from tagger.evaluation.figures import UNDEFINED, Interval
from tagger.reports.figures import format_interval
from tagger.reports.svg import BLUE, INK, ORANGE, Picture, add_axes, render_svg, style_axes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_learning_curve", "plot_reliability"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

_BINS = 10


def plot_reliability(yes: Bools, labelled: Bools, scores: Floats) -> Picture:
    """The reliability diagram of all cells that a person decided.

    Args:
        yes: which topics apply, (n_entries, n_topics).
        labelled: which cells a person decided, (n_entries, n_topics).
        scores: out-of-fold scores, (n_entries, n_topics).
    """
    n_cells, sums, n_yes = metrics.reliability(yes, labelled, scores, _BINS)
    low, high = metrics.wilson_interval(n_yes, n_cells)
    filled = np.flatnonzero(n_cells)
    mean, share = sums[filled] / n_cells[filled], n_yes[filled] / n_cells[filled]

    def draw(figure: Figure) -> None:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        style_axes(upper, "share that is a yes")
        upper.plot([0, 1], [0, 1], color=INK, alpha=0.5, linewidth=1, linestyle=(0, (3, 3)))
        upper.vlines(mean, low[filled], high[filled], color=BLUE, linewidth=1.6)
        upper.plot(mean, share, "o", color=BLUE, markersize=5, gid="part-bins")
        upper.set(xlim=(0, 1), ylim=(-0.03, 1.03), yticks=np.arange(0, 1.1, 0.25))
        style_axes(lower, "cells", "score")
        lower.bar((filled + 0.5) / _BINS, n_cells[filled], width=0.9 / _BINS, color=BLUE, alpha=0.5)
        lower.set(yscale="log", ylim=(0.5, 12 * max(n_cells.max(initial=1), 1)), yticks=(), xticks=np.arange(0, 1.1, 0.1))
        lower.minorticks_off()
        for bin in filled:
            top = (bin + 0.5) / _BINS, n_cells[bin] * 1.25
            lower.annotate(f"{n_cells[bin]:,.0f}", top, ha="center", va="bottom", fontsize=9.5)

    title = "Reliability of the scores"
    text = (
        "A cell is an entry and a topic. Where the dots lie on the dashed line a score is a probability: of the cells scored "
        "about 0.8, about 80% are a yes. Lines through the dots are 95% intervals; below, how many cells there are, on a "
        "logarithmic scale."
    )
    rows = tuple(
        (
            f"{bin / _BINS:.1f}-{(bin + 1) / _BINS:.1f}",
            f"{n_cells[bin]:.0f}",
            f"{sums[bin] / n_cells[bin]:.2f}" if n_cells[bin] else "-",
            format_interval(Interval(n_yes[bin] / n_cells[bin], low[bin], high[bin]) if n_cells[bin] else UNDEFINED),
        )
        for bin in range(_BINS)
    )
    panel = render_svg((5.2, 4.4), draw, "reliability", title, text)
    return Picture("reliability", title, text, (panel,), ("score", "cells", "mean score", "share that is a yes"), rows)


def plot_learning_curve(curve: Sequence[CurvePoint]) -> Picture:
    """The learning curve, of two points at least."""
    sizes = [point.n_entries for point in curve]
    lows = [figure.low for point in curve for figure in (point.micro_f1, point.macro_f1) if figure.low is not None]
    start = np.floor(min(lows) * 10) / 10

    def draw(figure: Figure) -> None:
        axes = add_axes(figure, "entries learned from", "F1")
        lines = [("micro-F1", BLUE, [point.micro_f1 for point in curve]), ("macro-F1", ORANGE, [p.macro_f1 for p in curve])]
        for name, colour, figures in lines:
            value, low, high = zip(*(f1.to_json() for f1 in figures), strict=True)
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
    panel = render_svg((5.2, 4.0), draw, "learning-curve", title, text)
    return Picture("learning-curve", title, text, (panel,), ("entries learned from", "micro-F1", "macro-F1"), rows)
