"""The page for labelling in a real browser: keys, undo, a page loaded anew, training, two pages at once, accessibility.

`TAGGER_PICTURES=docs pytest tests/test_review_browser.py` also takes the pictures of the documentation.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from screens import Screen
from servers import Server, served

from tagger.identity import entry_id
from tagger.labels.confirmed import read_confirmed
from tagger.labels.dataset import read_labels
from tagger.labels.table import read_rows
from tagger.model.storage import load

PATIENCE = 30_000  # milliseconds; reached only by a test that fails
WHERE = "run in CI by .ci/run; here: pip install '.[browser]', and Chromium by apt or 'playwright install chromium'"
playwright = pytest.importorskip("playwright.sync_api", reason=f"needs playwright; {WHERE}")
axe = pytest.importorskip("axe_core_python.sync_playwright", reason=f"needs axe-core-python; {WHERE}")
pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

MORE = """\
IRMar 4, 2025Code
What the Second Click Says: Dwell Time and Rank in a Browsing ModelIda Holm, Per Aas
A click model that takes the time between clicks into account tells users who skim from users who read. Its examination
probabilities are learned from the logs of a search engine and explain second clicks better than a cascade does.

CLMar 5, 2025
Small Judges: Distilling a Language Model That Grades SummariesMara Lind, Tom Beck
Large language models grade summaries well and cost much. A model a hundredth of the size is distilled from their grades and
their reasons, and agrees with people as often.

LGMar 6, 2025
A Survey of Graph Neural Networks for Bus TimetablesNils Orr
This survey orders a decade of graph neural networks that predict delays of buses by what they take for a node, and lists what
is still open.

IRMar 7, 2025Code
Cold Starts in Warm Feeds: Sequential Recommendation from Three ClicksAda Voss, Kim Rey
New users leave a feed after three clicks. A sequential recommender that is trained on prefixes of long histories ranks for them
as well as it does for others after thirty.

SEMar 8, 2025
Tests That Read the Diff: Code Generation for Regression SuitesLeo Marsh
A language model of code writes regression tests from the difference between two versions, retrieves the functions that it
touches, and finds faults that hand-written suites miss.
"""
SIZES = {"desktop": (1280, 800), "phone": (360, 740)}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    playwright.expect.set_options(timeout=PATIENCE)
    found = shutil.which("chromium") or shutil.which("google-chrome")
    with playwright.sync_playwright() as driver:
        if found is None and not Path(driver.chromium.executable_path).exists():
            pytest.skip(f"needs Chromium; {WHERE}")
        opened = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])  # in a container no sandbox can be had
        yield opened
        opened.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open a page, as somebody of their own does, and be told whatever the browser complains of."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def call(address: str, size: str = "desktop", **options: object) -> Page:
        width, height = SIZES[size]
        contexts.append(
            browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce", **options)  # type: ignore[arg-type]
        )
        page = contexts[-1].new_page()
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: None if request.url.startswith(address) else complaints.append(request.url))
        page.goto(address)
        page.wait_for_selector("body[data-ready]")
        return page

    yield call
    for context in contexts:
        context.close()
    # Every answer that is no success is in the console; that of a conflict is meant, and a server ends before its page does.
    assert [said for said in complaints if "409" not in said and "net::ERR_CONNECTION" not in said] == []


@pytest.fixture
def place(root: Path, tmp_path: Path) -> Path:
    """This repository's labels and model, and a listing of eleven entries."""
    folder = tmp_path / "papers"
    for name in ("labels", "models"):
        shutil.copytree(root / name, folder / name)
    (folder / "today.txt").write_text((root / "examples/new-listing.txt").read_text().rstrip() + "\n\n" + MORE)
    return folder


@pytest.fixture
def example(workspace: Path, tiny: Path) -> Path:
    """A small workspace with a listing whose titles and texts try to be more than text."""
    listing = "".join(
        f"IRMay {n}, 2024\n<img src=x onerror=alert({n})> \x1b[2J Click & language {n}Ann Lee\n"
        f'</p><script>document.title="owned"</script> the click of language {n}.\n\n'
        for n in range(1, 5)
    )
    (workspace / "nasty.txt").write_text(listing)
    return workspace


def press(page: Page, keys: str) -> None:
    for key in keys.split():
        page.keyboard.press(key)


def status(page: Page, *wanted: str) -> str:
    """What the page says, as soon as it says this."""
    for part in wanted:
        playwright.expect(page.locator("#status")).to_contain_text(part)
    return page.inner_text("#status")


def titled(page: Page, part: str) -> None:
    playwright.expect(page.locator("#title")).to_contain_text(part)


def marked(page: Page, topic: str) -> str:
    return page.input_value(f'input[name="mark-{topic}"]:checked')


def picture(page: Page, name: str) -> None:
    """Taken only where somebody asks for it, so that a test leaves nothing behind."""
    if folder := os.environ.get("TAGGER_PICTURES"):
        page.screenshot(path=Path(folder) / name, animations="disabled")


def test_ten_entries_by_keys_undo_reload_train_accept(place: Path, visit: Callable[..., Page]) -> None:
    before = read_rows(place / "labels/labels.csv")
    old = (place / "models/topics.safetensors").read_bytes()
    with served(place, "today.txt") as server:
        page = visit(server.address)
        titled(page, "Time Matters")
        playwright.expect(page.locator("#progress")).to_have_text(f"{len(before)} of {len(before) + 11} labelled")
        assert page.locator("#title").evaluate("found => found === document.activeElement"), "the entry has the focus"
        assert [marked(page, topic) for topic in ("ctr", "sequential", "rag")] == ["yes", "yes", "no"]
        press(page, "Enter")
        status(page, "Saved: CTR prediction, Recommender systems, Sequential behaviour.")
        titled(page, "RefineCoder")
        picture(page, "review.png")
        press(page, "2 Enter")
        titled(page, "Mitigating Popularity Bias")
        press(page, "7 7")
        status(page, "Graph learning: unsure")
        press(page, "Enter")
        titled(page, "A Whole Page Click Model")
        press(page, "Enter")
        titled(page, "Gloss-Free")
        press(page, "s")
        status(page, "Skipped; nothing was saved.")
        press(page, "b")
        titled(page, "Gloss-Free")
        press(page, "Enter")
        titled(page, "Why I Stopped")
        press(page, "Enter")
        status(page, "Saved: no topic.")
        titled(page, "What the Second Click Says")
        ids = {row.title.split(":")[0]: row.id for row in read_rows(place / "labels/labels.csv")}
        assert "Why I Stopped Cycling to Work" in ids

        press(page, "u")
        status(page, "Undone: labels.csv is as it was.")
        titled(page, "Why I Stopped")
        assert "Why I Stopped Cycling to Work" not in {row.title for row in read_rows(place / "labels/labels.csv")}
        press(page, "a")
        status(page, "Survey: yes")
        page.reload()
        page.wait_for_selector("body[data-ready]")
        titled(page, "Why I Stopped")
        assert marked(page, "survey") == "yes", "marks that were not saved outlive the page"
        press(page, "u")
        status(page, "Undone.")
        assert marked(page, "survey") == "no"
        press(page, "Enter")
        titled(page, "What the Second Click Says")
        for title in ("Small Judges", "A Survey of Graph", "Cold Starts", "Tests That Read"):
            press(page, "Enter")
            titled(page, title)
        playwright.expect(page.locator("#progress")).to_have_text(f"{len(before) + 10} of {len(before) + 11} labelled")

        rows = {row.id: row for row in read_labels(place / "labels").rows}
        assert [row for row in before if rows[row.id].topics != row.topics or rows[row.id].unsure != row.unsure] == []
        new = {row.title.split(":")[0]: row for row in rows.values() if row.id not in {row.id for row in before}}
        assert len(new) == 10
        assert new["RefineCoder"].topics == ("code",)
        assert new["Mitigating Popularity Bias in Collaborative Filtering through Fair Sampling"].unsure == ("graph",)
        assert new["Why I Stopped Cycling to Work"].topics == ()
        assert {entry.title for entry in read_labels(place / "labels").entries} >= {row.title for row in new.values()}

        page.click("#open-work")
        page.get_by_role("button", name="Train now").click()
        page.get_by_role("progressbar", name="Training").wait_for()
        page.keyboard.press("Escape")
        playwright.expect(page.locator("#open-work")).to_contain_text("Training")
        press(page, "1")
        status(page, "CTR prediction: yes")
        press(page, "u")
        status(page, "Undone.")
        playwright.expect(page.locator("#status")).to_contain_text("Training is done", timeout=300_000)
        page.click("#open-work")
        playwright.expect(page.locator("#work tbody tr")).to_have_count(15)
        assert "significantly worse" not in page.inner_text("#work-body")
        picture(page, "review-train.png")
        assert (place / "models/topics.safetensors").read_bytes() == old
        page.get_by_role("button", name="Accept the new model").click()
        status(page, "The new model is in its place")
        new_model = load(place / "models/topics.safetensors")
        assert new_model.training.labels_hash == read_labels(place / "labels").hash()
        assert (place / "models/topics.previous.safetensors").read_bytes() == old
        assert page.locator("#work").is_hidden()
        press(page, "Enter")
        status(page, "Saved: ", "That was the last one of this queue.")


def test_two_pages_on_one_entry_lose_no_label(example: Path, visit: Callable[..., Page]) -> None:
    with served(example, "examples/new-listing.txt") as server:
        one, two = visit(server.address), visit(server.address)
        id = two.evaluate("JSON.parse(sessionStorage.getItem('tagger-review')).id")
        press(two, "2")
        status(two, "Large language models: ")
        wanted = marked(two, "llm")
        press(one, "1 1 Enter")
        theirs = status(one, "Saved: ").removeprefix("Saved: ")
        press(two, "Enter")
        status(two, f"The label was changed meanwhile to: {theirs} Your marks are kept")
        assert marked(two, "llm") == wanted
        (row,) = [row for row in read_rows(example / "labels/labels.csv") if row.id == id]
        assert row.unsure == ("recsys",), "nothing was written over it"
        press(two, "Enter")
        status(two, "Saved: ")
        (row,) = [row for row in read_rows(example / "labels/labels.csv") if row.id == id]
        assert ("llm" in row.topics) == (wanted == "yes")
        assert row.unsure == ()


def test_a_label_on_the_terminal_is_not_overwritten_by_a_page_that_is_loaded_again(
    example: Path, visit: Callable[..., Page]
) -> None:
    listing = "examples/new-listing.txt"
    terminal = Screen([str(Path(sys.executable).parent / "tagger"), "label", listing], example)
    try:
        with served(example, listing) as server:
            page = visit(server.address)
            id = page.evaluate("JSON.parse(sessionStorage.getItem('tagger-review')).id")
            title = page.inner_text("#title")
            press(page, "1 1")
            status(page, "Recommender systems: unsure")
            terminal.wait("q quit")
            terminal.type("22\r")
            terminal.wait("saved: ")
            (theirs,) = [row for row in read_rows(example / "labels/labels.csv") if row.id == id]
            assert theirs.unsure == ("llm",)
            page.reload()
            page.wait_for_selector("body[data-ready]")
            press(page, "f")  # the entry is labelled now, and so not among those to label
            page.locator("#list button", has_text=title).click()
            titled(page, title)
            assert marked(page, "recsys") == "unsure", "the marks that were not saved are kept"
            press(page, "Enter")
            status(page, "The label was changed meanwhile to: ", "Your marks are kept")
            assert theirs in read_rows(example / "labels/labels.csv"), "nothing was written over it"
            press(page, "Enter")
            status(page, "Saved: ")
            (row,) = [row for row in read_rows(example / "labels/labels.csv") if row.id == id]
            assert row.unsure == ("recsys",)
    finally:
        terminal.close()


def test_a_title_is_never_more_than_text(example: Path, visit: Callable[..., Page]) -> None:
    with served(example, "nasty.txt") as server:
        page = visit(server.address)
        assert "<img src=x onerror=alert(1)> [2J Click & language 1" in page.inner_text("#title")
        assert '</p><script>document.title="owned"</script>' in page.inner_text("#abstract")
        assert page.locator("main img, main script, #queue img").count() == 0
        press(page, "Enter")
        titled(page, "onerror=alert(2)")
        assert page.title() == f"{example.name} · tagger review"


def test_filters_search_and_the_queue_by_keys(place: Path, visit: Callable[..., Page]) -> None:
    with served(place, "today.txt") as server:
        page = visit(server.address)
        entries = page.locator("#list li")
        playwright.expect(entries).to_have_count(11)
        press(page, "/")
        page.keyboard.type("HOLM second")
        playwright.expect(entries).to_have_count(1)
        press(page, "Escape f")
        playwright.expect(page.locator("#status")).to_have_text("1 entry.")
        page.fill("#search", "")
        page.select_option("#topic-filter", "code")
        page.get_by_text("to label", exact=False).first.click()
        playwright.expect(entries).to_have_count(2)
        press(page, "q")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        titled(page, "Tests That Read the Diff")
        assert page.inner_text("#why-head") == "Why Code intelligence", "the topic that is filtered by is in focus"
        press(page, "ArrowRight")
        playwright.expect(page.locator("#why-head")).to_have_text("Why CTR prediction")
        press(page, "?")
        assert page.locator("#help").is_visible()
        page.uncheck("#single-keys")
        press(page, "Escape")
        press(page, "1")
        assert marked(page, "ctr") == "no", "single keys can be turned off"


def test_doubted_labels_are_looked_at_once(example: Path, visit: Callable[..., Page]) -> None:
    with served(example) as server:
        page = visit(server.address)
        doubted = int(re.match(r"\d+", status(page, " labels are doubted"))[0])  # type: ignore[index]
        page.locator("label", has=page.locator("input[value=doubted]")).click()
        page.select_option("#order", "doubtful")
        entries = page.locator("#list li")
        playwright.expect(entries.locator("[data-state=doubted]")).to_have_count(int(page.inner_text("#n-doubted")))
        assert 0 < entries.count() <= doubted
        entries.first.click()
        playwright.expect(page.locator(".remark:visible").first).to_contain_text("doubted: labelled ")
        title = page.inner_text("#title")
        press(page, "Enter")
        status(page, "Saved: ")
        assert {id for id, _ in read_confirmed(example / "labels")} == {entry_id(title)}
        playwright.expect(page.locator("#n-doubted")).to_have_text(str(entries.count() - 1))
        press(page, "u")
        status(page, "Undone: labels.csv is as it was.")
        assert read_confirmed(example / "labels") == {}


def test_more_topics_than_keys(example: Path, visit: Callable[..., Page]) -> None:
    topics = "".join(f'\n[[topic]]\nid = "t{n}"\nname = "Topic number {n}"\n' for n in range(40))
    (example / "labels/topics.toml").write_text((example / "labels/topics.toml").read_text() + topics)
    with served(example, "nasty.txt") as server:
        page = visit(server.address)
        rows = page.locator("#marks li")
        playwright.expect(rows).to_have_count(31)
        page.fill("#find-topic", "number 39")
        playwright.expect(rows).to_have_count(1)
        press(page, "Escape 1")
        status(page, "Topic number 39: yes")
        page.fill("#find-topic", "")
        playwright.expect(rows).to_have_count(31)
        assert marked(page, "t39") == "yes", "what is marked is among those shown"
        press(page, "Escape Enter")
        status(page, "Saved: ")
        assert any("t39" in row.topics for row in read_rows(example / "labels/labels.csv"))


def violations(page: Page) -> list[str]:
    found = axe.Axe().run(page)
    assert len(found["passes"]) > 20
    return [
        f"{one['id']}: {one['nodes'][0]['html']}" for one in found["violations"] if one["impact"] in ("serious", "critical")
    ]


@pytest.fixture(scope="module")
def example_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    from tagger.workspace.scaffold import create_workspace

    folder = tmp_path_factory.mktemp("axe") / "ws"
    create_workspace(folder)
    with served(folder, "examples/new-listing.txt") as server:
        yield server


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_nothing_is_in_the_way_of_a_screen_reader(
    example_server: Server, visit: Callable[..., Page], size: str, colours: str
) -> None:
    """axe is put into the page, which the page's own policy would not let happen."""
    page = visit(example_server.address, size, color_scheme=colours, bypass_csp=True)
    assert violations(page) == []
    press(page, "1 2 2")
    status(page, "Large language models: ")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    press(page, "?")
    assert violations(page) == []
    press(page, "Escape")
    if size == "phone":
        page.click("#open-queue")
        assert page.locator("#list button").first.is_visible()
        assert violations(page) == []
        page.locator("#list button").last.click()
        playwright.expect(page.locator("#list button").first).to_be_hidden()
    if page.inner_text("#work-label") == "Train":
        page.click("#open-work")
        page.get_by_role("button", name="Train now").click()
    else:
        page.click("#open-work")
    page.get_by_role("button", name="Keep the old one").wait_for(timeout=120_000)
    assert violations(page) == []
    page.goto(f"{example_server.address}figures")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_page_that_needs_a_token(example: Path, browser: Browser, visit: Callable[..., Page]) -> None:
    with served(example, "nasty.txt", TAGGER_TOKEN="correct-horse-battery") as server:
        context = browser.new_context(bypass_csp=True)
        page = context.new_page()
        page.goto(server.address)
        assert violations(page) == []
        page.get_by_label("token").fill("wrong")
        page.get_by_role("button", name="Enter").click()
        page.get_by_text("This is not the token.").wait_for()
        page.get_by_label("token").fill("correct-horse-battery")
        page.get_by_role("button", name="Enter").click()
        page.wait_for_selector("body[data-ready]")
        press(page, "Enter")
        status(page, "Saved: ")
        context.close()
