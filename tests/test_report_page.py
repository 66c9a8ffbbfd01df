"""`tagger report`: one page that needs nothing else."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tagger.errors import UsageError
from tagger.evaluation.figures import require_figures
from tagger.labels.dataset import read_labels
from tagger.model.storage import model_to_bytes
from tagger.reports import card as card_report
from tagger.reports import figures as figures_report
from tagger.reports.page import build_report, render_report
from tagger.training.settings import Settings
from tagger.workspace.promotion import promote_model
from tagger.workspace.retrain import cross_validate_labels
from tagger.workspace.scaffold import create_workspace
from tagger.workspace.workspace import Workspace

RunCommand = Callable[..., subprocess.CompletedProcess[str]]


class Page(HTMLParser):
    """Tags with their attributes, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a topic whose name is an attack, a model, and a previous one that had other labels."""
    folder = tmp_path_factory.mktemp("report") / "ws"
    create_workspace(folder)
    topics, table = folder / "labels/topics.toml", folder / "labels/labels.csv"
    topics.write_text(topics.read_text().replace('"Recommender systems"', '"<script>alert(1)</script> & \\u001b[31m"'))
    good = table.read_text()
    for text in (good.replace(",recsys,\n", ",,\n", 4), good):
        table.write_text(text)
        model, _ = cross_validate_labels(read_labels(folder / "labels"), Settings(), 1)
        promote_model(Workspace(folder), model_to_bytes(model), card_report.model_card(model))
    return folder


@pytest.fixture
def ws(trained: Path, tmp_path: Path) -> Path:
    shutil.copytree(trained, tmp_path / "ws")
    return tmp_path / "ws"


@pytest.fixture(scope="module")
def text(trained: Path) -> str:
    return build_report(Workspace(trained), read_labels(trained / "labels"))


def test_the_page_needs_nothing_else(text: str) -> None:
    page = Page(text)
    assert not {tag for tag, _ in page.tags} & {"script", "link", "img", "iframe", "object", "embed", "base", "form", "use-"}
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for tag, attributes in page.tags:
        assert "src" not in attributes
        assert not any(name.startswith("on") for name in attributes)
        if "href" in attributes:
            assert (attributes["href"] or "")[:1] == "#", tag
            assert (attributes["href"] or "")[1:] in ids
    assert "url(http" not in text
    assert "@import" not in text
    assert "@font-face" not in text
    policies = [attributes.get("content") for tag, attributes in page.tags if tag == "meta" and "http-equiv" in attributes]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'"]


def test_names_are_text(text: str) -> None:
    assert "<script" not in text
    assert "\x1b" not in text
    assert "<script>alert(1)</script> & [31m" in Page(text).text


def test_the_figures_are_those_of_cross_validation(text: str, trained: Path) -> None:
    model, held_out = cross_validate_labels(read_labels(trained / "labels"), Settings(), 1)
    figures = require_figures(model)
    page = re.sub(r"\s+", " ", Page(text).text)
    for name, label in figures_report.OVERALL.items():
        figure = getattr(figures, name)
        assert f"{label} {figure.value:.2f} {figure.low:.2f} to {figure.high:.2f}" in page
    for topic in figures.topics.values():
        for figure in (topic.precision, topic.recall, topic.f1):
            assert figures_report.format_interval(figure) in page
    assert render_report(Workspace(trained), read_labels(trained / "labels"), model, held_out) == text, (
        "too few labels for a curve"
    )


def test_it_says_what_to_label_more_and_what_changed(text: str) -> None:
    page = re.sub(r"\s+", " ", Page(text).text)
    assert "What to label more Topics with fewer than 20 yes entries" in page
    assert "models/topics.safetensors is what these labels give." in page
    assert "Against the model before Over 25 entries" in page
    assert re.search(r"micro-F1 0\.\d{3} → 0\.\d{3}, macro-F1 0\.\d{3} → 0\.\d{3}", page)


def test_a_model_that_labels_do_not_give_is_what_is_compared_with(ws: Path) -> None:
    table = ws / "labels/labels.csv"
    table.write_text(table.read_text().replace(",recsys,\n", ",,recsys\n", 1))
    page = re.sub(r"\s+", " ", Page(build_report(Workspace(ws), read_labels(ws / "labels"), with_curve=False)).text)
    assert "is not what these labels give. The figures are those of the model that 'tagger retrain' makes." in page
    assert "Against the model before" in page
    for path in (ws / "models").iterdir():
        path.unlink()
    page = re.sub(r"\s+", " ", Page(build_report(Workspace(ws), read_labels(ws / "labels"), with_curve=False)).text)
    assert "models/topics.safetensors is not there, or cannot be read" in page
    assert "Against the model before" not in page


def test_the_command_writes_the_same_bytes_wherever_it_runs(ws: Path, text: str, tmp_path: Path, run: RunCommand) -> None:
    done = run("tagger", "report", "-o", "report.html", cwd=ws)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (ws / "report.html").read_text(encoding="utf-8") == text
    piped = run("tagger", "report", "--no-learning-curve", "--workspace", ws, cwd=tmp_path)
    assert (piped.returncode, piped.stdout) == (0, text)


def test_what_goes_wrong_leaves_the_old_report(ws: Path, run: RunCommand) -> None:
    (ws / "report.html").write_text("old")
    table = ws / "labels/labels.csv"
    good = table.read_text()
    table.write_text(good.replace(",recsys,", ",recsis,", 1))
    done = run("tagger", "report", "-o", "report.html", cwd=ws)
    assert done.returncode == 2
    assert "unknown topic 'recsis'; did you mean 'recsys'?" in done.stderr
    table.write_text(good.replace(",recsys,\n", ",,\n").replace(",llm,\n", ",,\n"))
    done = run("tagger", "report", "-o", "report.html", cwd=ws)
    assert done.returncode == 2
    assert done.stderr.startswith("tagger: nothing can be learned from 25 labelled entries")
    assert (ws / "report.html").read_text() == "old"
    table.write_text(good)
    done = run("tagger", "report", "-o", "none/report.html", cwd=ws)
    assert (done.returncode, done.stderr) == (2, "tagger: none/report.html: cannot be written: No such file or directory\n")


def test_what_is_not_installed_is_named_before_the_work(ws: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(UsageError, match=r"^a report needs jinja2, not installed here; pip install 'paper-tagger\[review\]'$"):
        build_report(Workspace(ws), read_labels(ws / "labels"))


@pytest.mark.slow
def test_a_browser_shows_it_without_complaint(text: str, tmp_path: Path) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed here; .ci/run installs it before it runs this")
    page = tmp_path / "report.html"
    page.write_text(text, encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", f"--user-data-dir={tmp_path / 'user'}"]
    done = subprocess.run([chromium, *options, "--dump-dom", page.as_uri()], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "CONSOLE" not in done.stderr, "the page's own content policy forbids nothing that it has"
    assert "&lt;script&gt;alert(1)" in done.stdout
    assert done.stdout.count('role="img"') == text.count('role="img"')
