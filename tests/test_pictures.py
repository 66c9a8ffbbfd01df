"""Pictures: what they show is what the figures say, and any page or file can hold them."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from numpy.typing import NDArray

from tagger.curation.learning_curve import CurvePoint, compute_learning_curve, count_curve_fits
from tagger.entry import Entry
from tagger.errors import UsageError
from tagger.evaluation import metrics
from tagger.evaluation.figures import Interval, compute_figures, require_figures
from tagger.labels.dataset import Labels
from tagger.labels.table import LabelRow
from tagger.model.model import Model
from tagger.model.storage import load
from tagger.model.training_record import TrainingRecord
from tagger.reports.figures import format_interval
from tagger.reports.pictures import plot_all, plot_model
from tagger.reports.svg import Picture
from tagger.taxonomy import Taxonomy, Topic
from tagger.training.out_of_fold import OutOfFold
from tagger.training.settings import Settings
from tagger.workspace.retrain import cross_validate_labels

Results = tuple[Labels, Model, OutOfFold]
CURVE = [
    CurvePoint(50, Interval(0.5, 0.4, 0.6), Interval(0.45, 0.35, 0.55)),
    CurvePoint(100, Interval(0.7, 0.65, 0.75), Interval(0.6, 0.5, 0.7)),
    CurvePoint(200, Interval(0.8, 0.75, 0.85), Interval(0.75, 0.7, 0.8)),
]
NASTY = [
    "<script>alert(1)</script>",
    "$x^2$ & $",
    "中文 العربية",
    "a\x1b[31mb\ufffec",
    'a "quoted" name that is longer than any panel',
]
NAMES = ["precision-recall", "reliability", "learning-curve", "label-counts"]


@pytest.fixture
def results(tiny: Path) -> Results:
    return made(load(tiny), [60, 20, 5])


def made(model: Model, n_yes: Sequence[int], names: Sequence[str] = (), seed: int = 0) -> Results:
    """Labels of 200 entries with so many yes a topic, some unsure, and scores that say something of them."""
    random = np.random.default_rng(seed)
    topics = tuple(Topic(f"t{n}", names[n] if names else f"Topic {n}") for n in range(len(n_yes)))
    yes = np.zeros((200, len(n_yes)), dtype=bool)
    for t, n in enumerate(n_yes):
        yes[random.permutation(200)[:n], t] = True
    known = yes | (random.random(yes.shape) > 0.05)
    entries = tuple(Entry(title=f"Entry {n}", abstract="Words.") for n in range(200))
    rows = tuple(
        LabelRow(
            entry.id,
            entry.title,
            tuple(topics[t].id for t in np.flatnonzero(yes[n])),
            tuple(topics[t].id for t in np.flatnonzero(~known[n])),
        )
        for n, entry in enumerate(entries)
    )
    learned = np.array([n >= 5 for n in n_yes])
    scores = np.where(learned, 1 / (1 + np.exp(-(4 * yes - 2 + 1.5 * random.normal(size=yes.shape)))), 0.0)
    thresholds = np.where(learned, 0.5, np.inf)
    tagged = scores >= thresholds
    training = TrainingRecord(n_entries=200, figures=compute_figures(yes, known, scores, tagged, topics).to_json())
    return (
        Labels(Taxonomy(topics), entries, rows),
        replace(model, taxonomy=Taxonomy(topics), thresholds=thresholds, training=training),
        OutOfFold(scores, tagged, np.arange(200) % 5),
    )


def by_name(found: Sequence[Picture]) -> dict[str, Picture]:
    return {picture.name: picture for picture in found}


def parts(svg: str, of: str) -> list[ElementTree.Element]:
    """The groups of a picture that draw something."""
    root = ElementTree.fromstring(re.sub(r' xmlns="[^"]+"', "", svg))
    return [group for group in root.iter("g") if group.get("class") == of]


def numbers(path: str) -> NDArray[np.float64]:
    """The points of a path, (n_points, 2)."""
    return np.array(re.findall(r"[ML] ([\d.]+) ([\d.]+)", path), dtype=float)


def frame(svg: str) -> NDArray[np.float64]:
    """Where the outermost grid lines are: ((left, right), (bottom, top))."""
    found = [
        numbers(path) for path in re.findall(r'<path d="(M [\d.]+ [\d.]+ L [\d.]+ [\d.]+)"[^>]*stroke-opacity="0.15"', svg)
    ]
    x = sorted({line[0, 0] for line in found if line[0, 0] == line[1, 0]})
    y = sorted({line[0, 1] for line in found if line[0, 1] == line[1, 1]})
    return np.array([[x[0], x[-1]], [y[-1], y[0]]])


def dots(svg: str, of: str) -> NDArray[np.float64]:
    """Where the marks of a part are, (n_marks, 2)."""
    (part,) = parts(svg, of)
    return np.array([[use.get("x"), use.get("y")] for use in part.iter("use")], dtype=float)


def test_pictures_are_svg_that_any_page_can_hold(results: Results) -> None:
    found = plot_all(*results, CURVE)
    assert [picture.name for picture in found] == NAMES
    page = "".join(panel for picture in found for panel in picture.panels)
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids)), "in one page, no id stands twice"
    for one in re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', page):
        assert {*one} & {*ids}
    for picture in found:
        for svg in (*picture.panels, picture.svg):
            root = ElementTree.fromstring(svg)
            assert root.tag == "{http://www.w3.org/2000/svg}svg"
            name, text = (root.find(f"{{http://www.w3.org/2000/svg}}{tag}") for tag in ("title", "desc"))
            assert name is not None
            assert text is not None
            assert name.text
            assert text.text
            assert root.get("role") == "img"
            assert root.get("aria-labelledby") == f"{name.get('id')} {text.get('id')}"
            assert " style=" not in svg, "a strict content policy forbids it"
            assert ("<style>" in svg) == (svg == picture.svg), "so it does a style sheet in a page"
            assert "<script" not in svg
            assert set(re.findall(r"https?://[^\"' ]+", svg)) == {"http://www.w3.org/2000/svg"}
            assert "currentColor" in svg
            assert "#010101" not in svg
            assert "DejaVu" not in svg


def test_the_same_input_gives_the_same_bytes_whatever_matplotlib_is_set_to(results: Results) -> None:
    import matplotlib

    once = plot_model(*results, CURVE)
    with matplotlib.rc_context({"lines.linewidth": 9, "svg.hashsalt": "x", "font.size": 30, "svg.fonttype": "path"}):
        before = dict(matplotlib.rcParams)
        assert plot_model(*results, CURVE) == once
        assert dict(matplotlib.rcParams) == before
    assert list(once) == NAMES


def test_a_curve_has_the_area_of_the_average_precision_and_its_dot_the_figures(results: Results) -> None:
    labels, model, held_out = results
    yes, known = labels.arrays()
    picture = by_name(plot_all(*results))["precision-recall"]
    assert len(picture.panels) == 3
    area = metrics.average_precision(yes, known, held_out.scores)
    for t, svg in enumerate(picture.panels):
        (left, right), (bottom, top) = frame(svg)
        (curve,) = parts(svg, "curve")
        (path,) = curve.iter("path")
        points = numbers(path.get("d", ""))
        x, y = (points[:, 0] - left) / (right - left), (points[:, 1] - bottom) / (top - bottom)
        assert x[0] == pytest.approx(0, abs=0.002)
        assert x[-1] == pytest.approx(1, abs=0.002), "all yes entries are found in the end"
        assert float(np.sum(np.diff(x) * y[1:])) == pytest.approx(area[t], abs=0.005)
        share = yes[known[:, t], t].mean()
        assert y[-1] == pytest.approx(share, abs=0.002), "and with them all others are tagged"
        own = require_figures(model).topics[f"t{t}"]
        ((dot_x, dot_y),) = dots(svg, "threshold")
        assert (dot_x - left) / (right - left) == pytest.approx(own.recall.value, abs=0.002)
        assert (dot_y - bottom) / (top - bottom) == pytest.approx(own.precision.value, abs=0.002)
        row = picture.rows[t]
        assert row[-3:] == tuple(map(format_interval, (own.average_precision, own.precision, own.recall)))
        assert f"{own.n_yes} yes, AP {own.average_precision.value:.2f}" in svg


def test_precision_at_a_recall_is_the_best_that_finds_as_much(results: Results) -> None:
    labels, _, held_out = results
    yes, known = labels.arrays()
    picture = by_name(plot_all(*results))["precision-recall"]
    assert picture.header[2:6] == tuple(f"precision at recall {share}" for share in (0.5, 0.8, 0.9, 0.95))
    y, s = yes[known[:, 0], 0], held_out.scores[known[:, 0], 0]
    cuts = [(y[s >= cut].mean(), y[s >= cut].sum() / y.sum()) for cut in s]
    for cell, share in zip(picture.rows[0][2:6], (0.5, 0.8, 0.9, 0.95), strict=True):
        assert cell == f"{max(precision for precision, recall in cuts if recall >= share):.2f}"


def test_the_reliability_diagram_shows_every_cell_once(results: Results) -> None:
    labels, _, held_out = results
    yes, known = labels.arrays()
    picture = by_name(plot_all(*results))["reliability"]
    n_cells, sums, n_yes = metrics.reliability(yes, known, held_out.scores)
    assert n_cells.sum() == known.sum()
    assert [row[1] for row in picture.rows] == [f"{n:.0f}" for n in n_cells]
    assert picture.rows[3][0] == "0.3-0.4"
    cells = known & (held_out.scores >= 0.3) & (held_out.scores < 0.4)
    assert picture.rows[3][2] == f"{held_out.scores[cells].mean():.2f}"
    assert picture.rows[3][3].startswith(f"{yes[cells].mean():.2f} (")
    (svg,) = picture.panels
    (left, right), _ = frame(svg)
    found = dots(svg, "bins")
    assert (found[:, 0] - left) / (right - left) == pytest.approx(sums / n_cells, abs=0.002)
    share = n_yes / n_cells
    assert np.corrcoef(found[:, 1], share)[0, 1] == pytest.approx(-1, abs=1e-4), "further up is more"


def test_the_learning_curve_shows_its_points(results: Results) -> None:
    picture = by_name(plot_all(*results, CURVE))["learning-curve"]
    assert picture.rows == tuple((str(p.n_entries), format_interval(p.micro_f1), format_interval(p.macro_f1)) for p in CURVE)
    (svg,) = picture.panels
    found = dots(svg, "micro-F1"), dots(svg, "macro-F1")
    assert np.diff(found[0][:, 0]) == pytest.approx(np.diff(found[0][:, 0])[0], abs=0.2), "doubling is a step"
    values = np.array([[point.micro_f1.value, point.macro_f1.value] for point in CURVE]).T.ravel()
    heights = np.concatenate([found[0][:, 1], found[1][:, 1]])
    assert np.corrcoef(heights, values)[0, 1] == pytest.approx(-1, abs=1e-4)
    assert "learning-curve" not in plot_model(*results, CURVE[:1]), "a point is no curve"


def test_the_counts_are_those_of_the_labels(results: Results) -> None:
    labels, _, _ = results
    yes, known = labels.arrays()
    picture = by_name(plot_all(*results))["label-counts"]
    assert picture.rows == tuple(
        (f"Topic {t}", str(yes[:, t].sum()), str((known & ~yes)[:, t].sum()), str((~known)[:, t].sum())) for t in range(3)
    )
    text = " ".join(ElementTree.fromstring(picture.svg).itertext())
    for t in range(3):
        assert f"{yes[:, t].sum()} + {(~known)[:, t].sum()}" in text


@pytest.mark.parametrize("n_yes", [[40], [40, 0], [200, 3], [0, 40]])
def test_few_topics_and_some_that_are_not_learned(tiny: Path, n_yes: list[int]) -> None:
    results = made(load(tiny), n_yes)
    for svg in plot_model(*results, CURVE).values():
        ElementTree.fromstring(svg)
    panels = by_name(plot_all(*results))["precision-recall"].panels
    for svg, n in zip(panels, sorted(n_yes, reverse=True), strict=True):
        assert (f"{n} yes: not learned" in svg) == (n < 5)
        assert len(parts(svg, "threshold")) == len(parts(svg, "curve")) == (n >= 5)


@pytest.mark.slow
def test_of_many_topics_the_most_frequent_and_the_worst_are_drawn(tiny: Path) -> None:
    results = made(load(tiny), [*range(6, 106)])
    _, model, _ = results
    found = by_name(plot_all(*results))
    curves, counts = found["precision-recall"], found["label-counts"]
    assert (len(curves.panels), len(curves.rows), len(counts.rows)) == (24, 100, 100)
    assert "Of 100 topics the 12 most frequent are drawn, then the 12 lowest in F1 of the others" in curves.text
    shown = [re.findall(r"<title[^>]*>Topic (\d+): ", svg)[0] for svg in curves.panels]
    assert [int(n) for n in shown[:12]] == list(range(99, 87, -1))
    f1 = {n: require_figures(model).topics[f"t{n}"].f1.value for n in range(88)}
    assert sorted(f1[int(n)] for n in shown[12:]) == sorted(f1.values())[:12]
    texts = re.findall(r">(Topic \d+)</text>", counts.svg)
    assert {int(text.split()[1]) for text in texts} == {*range(88, 100), *range(12)}
    assert len(curves.svg) < 500_000


def test_names_are_text_whatever_they_hold(tiny: Path) -> None:
    results = made(load(tiny), [50, 40, 30, 20, 10], NASTY)
    found = by_name(plot_all(*results))
    for name, svg in ((name, picture.svg) for name, picture in found.items()):
        text = " ".join(ElementTree.fromstring(svg).itertext())
        if name in ("precision-recall", "label-counts"):
            assert "<script>alert(1)</script>" in text
            assert "$x^2$ & $" in text
            assert "中文 العربية" in text
            assert "a [31mbc" in text
            assert "that is longer" in text
            assert "longer than any panel" not in re.sub("<title.*?</title>", "", svg)
    assert '"quoted" name that is longer than any panel: precision' in "".join(
        ElementTree.fromstring(found["precision-recall"].panels[4]).itertext()
    )


def test_without_matplotlib_it_is_said(results: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(UsageError, match=r"^pictures need matplotlib, .*; pip install 'paper-tagger\[review\]'$"):
        plot_all(*results)


@pytest.fixture(scope="module")
def worded() -> Labels:
    """160 entries of two topics, each told by a few words, with noise that takes labels to learn."""
    random = np.random.default_rng(0)
    topics = (Topic("a", "A"), Topic("b", "B"))
    words = [[f"{letter}{n}" for n in range(30)] for letter in ("alpha", "beta", "gamma")]
    entries, rows = [], []
    for n in range(160):
        said = random.random(2) < 0.4
        text = [*random.choice(words[2], 12)]
        for t in np.flatnonzero(said):
            text += [*random.choice(words[t], 4)]
        entry = Entry(title=f"Entry {n}", abstract=" ".join(random.permutation(text)))
        entries.append(entry)
        rows.append(LabelRow(entry.id, entry.title, tuple(topics[t].id for t in np.flatnonzero(said))))
    order = sorted(range(160), key=lambda n: entries[n].id)
    return Labels(Taxonomy(topics), tuple(entries[n] for n in order), tuple(rows[n] for n in order))


def test_a_learning_curve_ends_where_the_figures_are(worded: Labels) -> None:
    model, held_out = cross_validate_labels(worded, Settings(), 1)
    seen: list[tuple[int, int]] = []
    curve = compute_learning_curve(worded, held_out, Settings(), 1, lambda done, total: seen.append((done, total)))
    assert seen == [(n + 1, count_curve_fits(Settings())) for n in range(15)]
    assert [point.n_entries for point in curve] == [16, 32, 64, 128]
    figures = require_figures(model)
    for point, figure in ((curve[-1].micro_f1, figures.micro_f1), (curve[-1].macro_f1, figures.macro_f1)):
        assert Interval.rounded(point.value, point.low, point.high) == figure
    assert curve[0].micro_f1.high < curve[-1].micro_f1.low, "of these labels, more help"
    assert curve == compute_learning_curve(worded, held_out, Settings(), 2)


def test_points_of_a_learning_curve_come_from_entries_that_were_not_seen(worded: Labels) -> None:
    """Of labels by chance nothing can be learned, at any size."""
    random = np.random.default_rng(1)
    rows = tuple(
        LabelRow(row.id, row.title, tuple(topic for topic in ("a", "b") if random.random() < 0.4)) for row in worded.rows
    )
    labels = Labels(worded.taxonomy, worded.entries, rows)
    _, held_out = cross_validate_labels(labels, Settings(), 1)
    for point in compute_learning_curve(labels, held_out, Settings()):
        assert point.micro_f1.value < 0.65, "tagging everything has 0.57"


def test_sizes_with_too_few_labels_are_left_out(worded: Labels) -> None:
    few = Labels(worded.taxonomy, worded.entries[:40], worded.rows[:40])
    _, held_out = cross_validate_labels(few, Settings(), 1)
    sizes = [point.n_entries for point in compute_learning_curve(few, held_out, Settings())]
    assert sizes[-1] == 32
    assert 4 not in sizes
