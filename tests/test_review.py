"""The page for labelling, without a browser: what a review session says, what the server answers, and whom it refuses."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient
from test_label import BILE, CLICK, LANGUAGE, WATER, put, said

from tagger import Entry, Model, Taxonomy, Topic, UsageError, load, read_listing
from tagger.curation.marks import Mark
from tagger.labels.confirmed import read_confirmed
from tagger.labels.dataset import read_labels
from tagger.labels.store import RowChangedError
from tagger.labels.table import LabelRow, read_rows, write_rows
from tagger.model.storage import save_model
from tagger.server import candidate
from tagger.server.app import make_app
from tagger.server.doubts import DoubtedLabel
from tagger.server.entry_state import SeenLabels
from tagger.server.evidence import TopicEvidence
from tagger.server.guard import PAGE_POLICY, Guard
from tagger.server.jobs import JobRunner
from tagger.server.live_labels import UnknownEntryError
from tagger.server.page_json import entry_json, row_json
from tagger.server.queue import ORDERS, STATES, QueueFilter
from tagger.server.review import Review
from tagger.server.serving import check_can_serve
from tagger.server.session import ReviewSession
from tagger.workspace import retrain
from tagger.workspace.workspace import Workspace

YES, NO, UNSURE = Mark.yes, Mark.no, Mark.unsure
ADDRESS = "http://127.0.0.1:8417"
NASTY = "<script>alert('t')</script> \x1b[2J\x07 & \"q\" <img src=x onerror=alert(1)>"


@pytest.fixture
def place(tmp_path: Path, tiny: Path) -> Path:
    return put(tmp_path / "place", tiny)


def session_of(place: Path, *extra: Entry) -> ReviewSession:
    return ReviewSession(Workspace(place), load(place / "models/topics.safetensors"), [*read_listing(place / "l.txt"), *extra])


@pytest.fixture
def session(place: Path) -> ReviewSession:
    return session_of(place)


class Page:
    """A page that was loaded from a server in the same process."""

    def __init__(
        self, session: ReviewSession, secret: str | None = None, host: str = "127.0.0.1", jobs: JobRunner | None = None
    ) -> None:
        self.guard = Guard(host, 8417, secret)
        self.app = make_app(Review(session, jobs or JobRunner()), self.guard)
        self.client = TestClient(self.app, base_url=ADDRESS, follow_redirects=False)
        self.headers = {"origin": ADDRESS, "x-tagger-token": self.guard.token}

    def get(self, path: str, **options: Any) -> httpx2.Response:
        return self.client.get(path, **options)

    def post(self, path: str, body: object = None, **headers: str | None) -> httpx2.Response:
        sent = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return self.client.post(path, json=body, headers={name: value for name, value in sent.items() if value is not None})


@pytest.fixture
def page(session: ReviewSession) -> Page:
    return Page(session)


# --- the review session


def ids(session: ReviewSession, **wanted: str) -> list[str]:
    return [row.id for row in session.queue(QueueFilter(**wanted))]


def test_the_queue_is_the_listing_and_then_what_is_in_labels(session: ReviewSession) -> None:
    assert ids(session) == [CLICK, LANGUAGE, WATER, BILE]
    assert ids(session, state="new") == [CLICK, LANGUAGE, BILE]
    assert ids(session, state="labelled") == [WATER]
    assert ids(session, topic="llm") == [LANGUAGE], "by what is proposed"
    assert ids(session, topic="ctr") == [CLICK, WATER], "by what is labelled"
    assert ids(session, search="LEE click") == [CLICK], "authors too, whatever the case"
    assert ids(session, search="gęślą") == [BILE]
    assert ids(session, search="nothing of the kind") == []
    assert session.counts(QueueFilter()) == {"new": 3, "labelled": 1, "unsure": 0, "doubted": 0, "all": 4}
    assert session.counts(QueueFilter(topic="ctr")) == {"new": 1, "labelled": 1, "unsure": 0, "doubted": 0, "all": 2}
    assert session.n_given == 4


@pytest.mark.parametrize("wanted", [{"state": "x"}, {"topic": "x"}, {"order": "x"}])
def test_a_filter_that_there_is_not(session: ReviewSession, wanted: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="unknown filter value 'x'; known: "):
        session.queue(QueueFilter(**wanted))


def test_without_a_listing_the_queue_is_what_is_in_labels(place: Path) -> None:
    (place / "labels/entries/new.txt").write_text("CLMay 2, 2024\nLanguage in ClicksCy Ng\nLanguage and a click.\n")
    session = ReviewSession(Workspace(place), load(place / "models/topics.safetensors"))
    assert ids(session) == [LANGUAGE, WATER], "an entry without a row waits for it, as a killed run leaves it"
    assert session.n_given == 0


def test_an_entry_comes_with_its_marks_and_the_words_of_its_best_topic(session: ReviewSession) -> None:
    found = session.entry(CLICK)
    assert (found.state.row, found.state.marks, found.evidence.id) == (None, (YES, NO, NO), "ctr")
    assert [score and round(score, 2) for score in found.scores] == [0.82, 0.12, None]
    assert entry_json(found)["about"] == ["IR", "2023-06-09", "Ann Lee, Bo Wu", "Code"]
    assert session.entry(CLICK, "llm").evidence.id == "llm"
    assert row_json(session.entry(WATER).state.row) == {"topics": ("ctr",), "unsure": ()}


def test_the_pieces_of_a_text_are_the_text_and_say_what_words_did(session: ReviewSession) -> None:
    for topic in ("ctr", "llm", "chat"):
        why = session.evidence(LANGUAGE, topic)
        assert "".join(piece for piece, _ in why.title) == "Language in Clicks"
        assert "".join(piece for piece, _ in why.abstract) == "Language and a click."
    assert session.evidence(LANGUAGE, "ctr").abstract == (("Language", -1), (" and a ", 0), ("click", 2), (".", 0))
    assert session.evidence(LANGUAGE, "chat") == TopicEvidence(
        id="chat",
        name="Chat",
        score=None,
        threshold=None,
        tagged=None,
        implied_by=None,
        title=(("Language in Clicks", 0),),
        abstract=(("Language and a click.", 0),),
        terms=(),
    ), "a topic that the model does not have yet"
    with pytest.raises(UsageError, match="unknown topic 'x'"):
        session.evidence(LANGUAGE, "x")


def test_precedents_are_labelled_and_new_labels_are_among_them(session: ReviewSession) -> None:
    assert session.similar(LANGUAGE) == (), "the only labelled entry shares no known word"
    session.save(CLICK, [YES, NO, UNSURE], None)
    (found,) = session.similar(LANGUAGE)
    assert (found.entry.id, found.labels.topics, found.labels.unsure) == (CLICK, ("ctr",), ("chat",))


def test_a_mark_takes_with_it_what_follows_from_it(session: ReviewSession) -> None:
    assert session.change_mark([NO, NO, NO], "chat", YES) == (NO, YES, YES)
    assert session.change_mark([NO, YES, YES], "llm", UNSURE) == (NO, UNSURE, UNSURE)
    for marks, topic in (([NO], "ctr"), ([NO, NO, NO], "x")):
        with pytest.raises(UsageError, match="the topics have changed"):
            session.change_mark(marks, topic, YES)


def test_what_is_saved_is_on_disk_and_can_be_undone(session: ReviewSession, place: Path) -> None:
    before = {path: path.read_bytes() for path in (place / "labels").rglob("*") if path.is_file()}
    saved = session.save(CLICK, [YES, UNSURE, NO], None)
    assert row_json(saved.state.row) == {"topics": ("ctr",), "unsure": ("llm",)}
    assert said(place)[CLICK] == (("ctr",), ("llm",))
    assert {entry.id for entry in read_labels(place / "labels").entries} == {WATER, CLICK}
    assert ids(session, state="unsure") == [CLICK]
    assert saved.undo is not None
    undone = session.undo(saved.undo)
    assert (undone.row, undone.marks) == (None, (YES, NO, NO))
    assert {path: path.read_bytes() for path in (place / "labels").rglob("*") if path.is_file()} == before
    with pytest.raises(UsageError, match="nothing to undo"):
        session.undo(saved.undo)
    for number in (-1, 7):
        with pytest.raises(UsageError, match="nothing to undo"):
            session.undo(number)


def test_a_save_that_changes_nothing_has_nothing_to_undo(session: ReviewSession, place: Path) -> None:
    saved = session.save(WATER, [YES, NO, NO], SeenLabels(("ctr",)))
    assert saved.undo is None
    assert said(place) == {WATER: (("ctr",), ())}


def test_of_two_on_one_entry_the_second_is_told_and_nothing_is_lost(place: Path) -> None:
    one, two = session_of(place), session_of(place)
    first = one.save(CLICK, [YES, NO, NO], None)
    with pytest.raises(RowChangedError, match=r"says of this entry: ctr") as told:
        two.save(CLICK, [NO, YES, NO], None)
    assert told.value.row is not None
    assert said(place)[CLICK] == (("ctr",), ())
    assert row_json(two.entry(CLICK).state.row) == {"topics": ("ctr",), "unsure": ()}, "what is on disk, whoever wrote it"
    two.save(CLICK, [NO, YES, NO], SeenLabels(("ctr",)))
    assert first.undo is not None
    with pytest.raises(RowChangedError):
        one.undo(first.undo)
    assert said(place)[CLICK] == (("llm",), ())


def test_rows_of_others_and_of_topics_that_are_gone_stay(place: Path) -> None:
    session = session_of(place)
    write_rows(place / "labels/labels.csv", [LabelRow(WATER, "The Shape of Water", ("ctr",), ("old",))])
    session.save(WATER, [NO, NO, NO], SeenLabels(("ctr",), ("old",)))
    assert said(place)[WATER] == ((), ("old",))


def test_marks_that_contradict_each_other_are_not_saved(place: Path) -> None:
    topics = place / "labels/topics.toml"
    topics.write_text(topics.read_text().replace('name = "CTR prediction"', 'name = "CTR prediction"\nexcludes = ["chat"]'))
    topics.write_text(topics.read_text() + "\n[entry]\nat_most = 2\n")
    session = session_of(place)
    assert session.change_mark([YES, NO, NO], "chat", YES) == (NO, YES, YES), "what is excluded goes"
    with pytest.raises(UsageError, match="exclude each other"):
        session.save(CLICK, [YES, NO, YES], None)
    page = Page(session)
    refused = page.post(f"/session/entries/{CLICK}", {"marks": ["yes", "yes", "yes"], "was": None})
    assert refused.status_code == 400
    assert said(place) == {WATER: (("ctr",), ())}


def test_an_order_leaves_nobody_out(session: ReviewSession) -> None:
    for order in ORDERS:
        assert sorted(ids(session, order=order)) == sorted(ids(session))


def test_the_rest_api_is_on_the_same_server(page: Page, place: Path) -> None:
    answer = page.client.post("/v1/tag", json={"entries": [{"title": "Click", "abstract": "click"}]})
    assert answer.status_code == 200, "it changes nothing, so it needs no token of the run"
    refused = page.client.post("/v1/tag", json={"entries": []}, headers={"origin": "http://evil.example"})
    assert refused.status_code == 403
    why = "a page of 'http://evil.example' changes nothing here"
    assert refused.json() == {"error": {"problems": [], "message": why}}, "in the form of the API's own errors"
    assert page.get("/v1/health", headers={"host": "evil.example"}).status_code == 421
    assert "script-src" not in page.get("/v1/docs").headers["content-security-policy"], "its own policy is stricter"
    page.post(f"/session/entries/{CLICK}", {"marks": ["no", "yes", "no"], "was": None})
    (entry,) = page.client.post("/v1/tag", json={"entries": [{"title": "Click, Click | Click"}]}).json()["entries"]
    assert [(tag["id"], tag["by"]) for tag in entry["topics"]] == [("llm", "hand")], "a label holds there at once"


def test_an_entry_or_marks_that_there_are_not(session: ReviewSession) -> None:
    for call in (session.entry, session.similar):
        with pytest.raises(UnknownEntryError, match="no entry has the id 'nothing0'"):
            call("nothing0")
    with pytest.raises(UnknownEntryError):
        session.save("nothing0", [NO, NO, NO], None)
    with pytest.raises(UsageError, match="the topics have changed"):
        session.save(CLICK, [NO], None)


def test_a_doubt_is_answered_by_what_is_saved_and_open_again_after_undo(session: ReviewSession, place: Path) -> None:
    session.save(CLICK, [YES, NO, NO], None)
    cells = [(CLICK, "ctr", "yes", 0.3), (CLICK, "llm", "no", 0.7), (WATER, "ctr", "yes", 0.01), (WATER, "llm", "yes", 0.0)]
    session.set_doubted(DoubtedLabel(*cell) for cell in cells)
    assert ids(session, state="doubted") == [CLICK, WATER]
    assert ids(session, state="doubted", order="doubtful") == [WATER, CLICK]
    assert session.entry(WATER).evidence.id == "ctr", "the doubted topic is in focus"
    assert ids(session, state="doubted", topic="llm") == [CLICK], "a label that is another by now is not doubted"
    saved = session.save(CLICK, [YES, YES, NO], SeenLabels(("ctr",)))
    assert read_confirmed(place / "labels") == {(CLICK, "ctr"): "yes", (CLICK, "llm"): "yes"}
    assert ids(session, state="doubted") == [WATER]
    same = session.save(WATER, [YES, NO, NO], SeenLabels(("ctr",)))
    assert read_confirmed(place / "labels")[WATER, "ctr"] == "yes", "saved as it was: looked at"
    assert ids(session, state="doubted") == []
    for number in (same.undo, saved.undo):
        assert number is not None
        session.undo(number)
    assert read_confirmed(place / "labels") == {}
    assert ids(session, state="doubted") == [CLICK, WATER]
    assert said(place) == {CLICK: (("ctr",), ()), WATER: (("ctr",), ())}
    session.save(WATER, [UNSURE, NO, NO], SeenLabels(("ctr",)))
    assert (said(place)[WATER], read_confirmed(place / "labels")) == (((), ("ctr",)), {})


# --- the work in the background


@pytest.fixture
def example(workspace: Path) -> Workspace:
    return Workspace(workspace)


def wait(page: Page, jobs: JobRunner) -> dict[str, Any]:
    jobs.wait()
    found: dict[str, Any] = page.get("/session/work").json()
    return found


def full(descriptor: int) -> None:
    raise OSError(28, "No space left on device")


def test_training_writes_nothing_until_it_is_accepted(example: Workspace, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = JobRunner()
    session = ReviewSession(example, load(tiny), read_listing(example.folder / "examples/new-listing.txt"))
    page = Page(session, jobs=jobs)
    assert page.get("/session/work").json() == {"what": "", "state": "idle", "done": 0, "total": 0, "error": ""}
    assert page.post("/session/train").json()["what"] == "train"
    told = wait(page, jobs)
    assert (told["state"], told["done"] == told["total"] > 0) == ("done", True)
    trained = told["trained"]
    assert trained["n_entries"] == 25
    assert [row["name"] for row in trained["figures"]][2:] == ["Recommender systems", "Large language models"]
    assert (trained["figures"][0]["before"], trained["p_worse"], trained["worse"]) == (None, None, False)
    assert not example.model.exists()
    assert page.post("/session/train/keep").json()["state"] == "idle"
    assert not example.model.exists()
    refused = page.post("/session/train/accept")
    assert (refused.status_code, refused.json()) == (400, {"error": "no training is done, so there is no new model to accept"})

    page.post("/session/train")
    wait(page, jobs)
    for path in ("/session/train", "/session/audit", "/session/draw"):
        refused = page.post(path)
        assert (refused.status_code, "accept it or keep the old one first" in refused.json()["error"]) == (400, True)
    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        refused = page.post("/session/train/accept")
    assert (refused.status_code, "No space left on device" in refused.json()["error"]) == (400, True)
    assert not example.model.exists()
    page.post("/session/train/accept")
    assert example.model.exists(), "the result was kept"
    assert session.model.training.n_entries == 25, "it proposes from now on"
    page.post("/session/train")
    assert wait(page, jobs)["trained"] is None, "the model is what the labels give"
    page.post("/session/train/accept")

    (changed,) = [row for row in read_rows(example.labels / "labels.csv") if row.topics == ("llm",)][:1]
    session.save(changed.id, [NO, NO], SeenLabels(("llm",)))
    page.post("/session/train")
    trained = wait(page, jobs)["trained"]
    assert len(trained["figures"][2]["before"]) == len(trained["figures"][2]["after"]) == 3
    assert 0 <= trained["p_worse"] <= 1
    labelled = {row.id for row in read_rows(example.labels / "labels.csv")}
    for name, of_labelled in (("flips", False), ("labelled_flips", True)):
        assert len(trained[name]) == trained[f"n_{name}"]
        for flip in trained[name]:
            assert flip["added"] or flip["removed"]
            assert {*flip["against"]} <= {*flip["added"], *flip["removed"]}
            assert (flip["id"] in labelled) == of_labelled


@pytest.mark.slow
def test_a_model_that_is_significantly_worse_is_said_to_be(example: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    from tagger.training.settings import Settings

    good = retrain.train_from_labels(read_labels(example.labels), Settings(), 1)
    example.model.parent.mkdir(exist_ok=True)
    save_model(good, example.model)
    rows = read_rows(example.labels / "labels.csv")
    real = retrain.train_from_labels
    monkeypatch.setattr(candidate, "is_current", lambda *arguments: False)

    def blind(labels: Any, *arguments: Any, **more: Any) -> Any:
        """A model of labels that say the opposite, judged by those that are there."""
        from dataclasses import replace

        turned = tuple(LabelRow(row.id, row.title, tuple({"recsys", "llm"} - {*row.topics})) for row in rows)
        return real(replace(labels, rows=turned), *arguments, **more)

    monkeypatch.setattr(candidate, "train_from_labels", blind)
    found = candidate.train_candidate(example, good, read_labels(example.labels).entries, lambda done, total: None)
    assert found is not None
    assert found.worse
    assert found.p_worse is not None
    assert found.p_worse < 0.05
    assert any(change.worse for change in found.f1)
    assert any(change.against for change in found.labelled_tag_changes)


def test_a_model_that_somebody_else_replaced_is_not_overwritten(example: Workspace, tiny: Path) -> None:
    found = candidate.train_candidate(example, load(tiny), (), lambda done, total: None)
    assert found is not None
    example.model.parent.mkdir(exist_ok=True)
    shutil.copy(tiny, example.model)
    with pytest.raises(UsageError, match="was changed meanwhile, so the comparison does not hold; train again"):
        candidate.promote_candidate(example, found)
    assert example.model.read_bytes() == tiny.read_bytes()


def test_a_model_file_that_cannot_be_read_is_compared_with_nothing(example: Workspace, tiny: Path) -> None:
    example.model.parent.mkdir(exist_ok=True)
    example.model.write_bytes(b"nonsense")
    found = candidate.train_candidate(example, load(tiny), (), lambda done, total: None)
    assert found is not None
    assert (found.p_worse, found.worse, {change.before for change in found.f1}) == (None, False, {None})
    candidate.promote_candidate(example, found)
    assert len(load(example.model).topics) == 2


def test_an_audit_marks_what_is_doubted(example: Workspace, tiny: Path) -> None:
    jobs = JobRunner()
    session = ReviewSession(example, load(tiny))
    page = Page(session, jobs=jobs)
    page.post("/session/audit")
    told = wait(page, jobs)
    assert told["state"] == "done"
    assert told["n_doubted"] == sum(len(row.doubts) for row in session.queue(QueueFilter("doubted"))) > 0


@pytest.mark.slow
def test_the_pictures_of_the_figures_are_drawn_when_asked_for(example: Workspace, tiny: Path) -> None:
    jobs = JobRunner()
    page = Page(ReviewSession(example, load(tiny)), jobs=jobs)
    assert page.get("/figures/labels.svg").status_code == 404
    assert "<img" not in page.get("/figures").text
    page.post("/session/draw")
    assert wait(page, jobs)["state"] == "done"
    names = re.findall(r'<img src="/figures/([\w-]+)\.svg"', page.get("/figures").text)
    assert {*names} >= {"precision-recall", "reliability", "label-counts"}, "a learning curve needs more labels"
    for name in names:
        answer = page.get(f"/figures/{name}.svg")
        assert answer.headers["content-type"] == "image/svg+xml"
        assert "script" not in answer.headers["content-security-policy"]
        assert answer.text.startswith("<svg ")


def test_work_that_fails_says_why_and_two_at_once_are_refused(session: ReviewSession, place: Path) -> None:
    jobs = JobRunner()
    page = Page(session, jobs=jobs)
    page.post("/session/train")
    told = wait(page, jobs)
    assert told["state"] == "failed"
    assert told["error"].startswith("nothing can be learned from 1 labelled entries")
    go_on = threading.Event()
    jobs.start("train", lambda told: go_on.wait(30))
    refused = page.post("/session/audit")
    assert (refused.status_code, refused.json()["error"]) == (400, "train is under way; wait until it is done")
    go_on.set()
    jobs.wait()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_work_that_breaks_is_not_taken_for_done(page: Page, capsys: pytest.CaptureFixture[str]) -> None:
    jobs = JobRunner()
    jobs.start("train", lambda told: 1 / 0)
    jobs.wait()
    assert jobs.status().state == "failed"
    assert "the terminal of the server shows it" in jobs.status().error


# --- the server


def test_every_answer_says_what_a_browser_may_do_with_it(page: Page) -> None:
    for answer in (
        page.get("/"),
        page.get("/figures"),
        page.get("/session"),
        page.get("/nothing"),
        page.post("/session/turn", {}),
    ):
        assert answer.headers["content-security-policy"] == PAGE_POLICY
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["cache-control"] == "no-store"
    for rule in ("default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"):
        assert rule in PAGE_POLICY.split("; ")
    assert "unsafe" not in PAGE_POLICY


def test_a_label_by_hand_goes_to_disk(page: Page, place: Path) -> None:
    entry = page.get(f"/session/entries/{CLICK}").json()
    marks = page.post("/session/turn", {"marks": entry["marks"], "topic": "chat", "mark": "yes"}).json()
    assert marks == ["yes", "yes", "yes"]
    saved = page.post(f"/session/entries/{CLICK}", {"marks": marks, "was": None})
    assert (saved.status_code, saved.json()["row"]) == (200, {"topics": ["ctr", "llm", "chat"], "unsure": []})
    assert said(place)[CLICK] == (("ctr", "llm", "chat"), ())
    again = page.post(f"/session/entries/{CLICK}", {"marks": entry["marks"], "was": None})
    assert again.status_code == 409
    assert again.json()["row"] == {"topics": ["ctr", "llm", "chat"], "unsure": []}
    assert page.post(f"/session/undo/{saved.json()['undo']}").json()["row"] is None
    assert CLICK not in said(place)


def test_the_page_asks_for_the_words_of_a_topic_and_for_similar_entries(page: Page) -> None:
    why = page.get(f"/session/entries/{LANGUAGE}/why/ctr").json()
    assert (why["id"], why["abstract"]) == ("ctr", [["Language", -1], [" and a ", 0], ["click", 2], [".", 0]])
    page.post(f"/session/entries/{CLICK}", {"marks": ["yes", "no", "no"], "was": None})
    (similar,) = page.get(f"/session/entries/{LANGUAGE}/similar").json()
    assert similar["likeness"] > 0
    del similar["likeness"]
    assert similar == {"id": CLICK, "title": "Click, Click | Click", "topics": ["ctr"], "unsure": []}


REFUSED = [
    ({"host": "evil.example"}, 421, "this server is not called 'evil.example'; it is "),
    ({"host": "127.0.0.1:80"}, 421, "this server is not called"),
    ({"origin": "http://evil.example"}, 403, "a page of 'http://evil.example' changes nothing here"),
    ({"origin": "null"}, 403, "a page of 'null' changes nothing here"),
    ({"origin": "http://127.0.0.1:1234"}, 403, "changes nothing here"),
    ({"sec_fetch_site": "cross-site"}, 403, "a page of another site changes nothing here"),
    ({"sec_fetch_site": "same-site"}, 403, "a page of another site changes nothing here"),
    ({"x_tagger_token": None}, 403, "the server was restarted; reload the page"),
    ({"x_tagger_token": "x" * 43}, 403, "the server was restarted; reload the page"),
    ({"x_tagger_token": "é"}, 403, "the server was restarted; reload the page"),
]


@pytest.mark.parametrize(("headers", "status", "message"), REFUSED)
def test_a_change_from_elsewhere_is_refused(
    page: Page, place: Path, headers: dict[str, str | None], status: int, message: str
) -> None:
    body = {"marks": ["yes", "no", "no"], "was": None}
    for path in (f"/session/entries/{CLICK}", "/session/undo/0", "/session/train", "/session/audit", "/session/train/accept"):
        headers_now = {name: value.encode() if value and not value.isascii() else value for name, value in headers.items()}
        answer = page.post(path, body, **headers_now)  # type: ignore[arg-type]
        assert answer.status_code == status
        assert message in answer.json()["error"]
    assert said(place) == {WATER: (("ctr",), ())}


@pytest.mark.parametrize("host", ["127.0.0.1:8417", "localhost:8417", "[::1]:8417", "LOCALHOST:8417"])
def test_this_machine_has_several_names(page: Page, host: str) -> None:
    assert page.get("/session", headers={"host": host}).status_code == 200


def test_a_read_by_another_name_is_refused(page: Page) -> None:
    for path in ("/", "/session", "/static/review.js"):
        assert page.get(path, headers={"host": "rebound.example:8417"}).status_code == 421


def test_with_a_secret_nothing_is_read_without_it(session: ReviewSession, place: Path) -> None:
    page = Page(session, "a long enough secret")
    for path in ("/session", "/", f"/session/entries/{CLICK}", "/figures", "/nothing", "/v1/topics", "/enter/session"):
        assert page.get(path).status_code == 401
        assert page.get(path, headers={"authorization": "Bearer wrong"}).status_code == 401
        assert page.get(path, headers={"cookie": "tagger-8417=wrong"}).status_code == 401
    assert page.post(f"/session/entries/{CLICK}", {"marks": ["yes", "no", "no"], "was": None}).status_code == 401
    assert page.get("/", headers={"accept": "text/html"}).headers["location"] == "/enter"
    assert "The token" in page.get("/enter").text
    assert page.get("/static/review.css").status_code == 200
    assert page.get("/session", headers={"authorization": "Bearer a long enough secret"}).status_code == 200
    wrong = page.client.post("/enter", data={"secret": "no"}, headers={"origin": ADDRESS})
    assert (wrong.status_code, "This is not the token" in wrong.text) == (401, True)
    abroad = page.client.post("/enter", data={"secret": "a long enough secret"}, headers={"origin": "http://evil.example"})
    assert abroad.status_code == 403
    right = page.client.post("/enter", data={"secret": "a long enough secret"}, headers={"origin": ADDRESS})
    assert (right.status_code, right.headers["location"]) == (303, "/")
    cookie = right.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "a long enough secret" not in cookie
    assert page.get("/session").status_code == 200
    assert page.post(f"/session/entries/{CLICK}", {"marks": ["yes", "no", "no"], "was": None}).status_code == 200
    refused = page.post(f"/session/entries/{CLICK}", {"marks": ["no", "no", "no"], "was": None}, x_tagger_token=None)
    assert refused.status_code == 403, "the secret alone changes nothing"


def test_at_an_address_for_all_names_the_secret_decides(session: ReviewSession) -> None:
    page = Page(session, "a long enough secret", host="0.0.0.0")
    assert page.get("/session", headers={"host": "box.lan:8417"}).status_code == 401
    known = {"host": "box.lan:8417", "authorization": "Bearer a long enough secret"}
    assert page.get("/session", headers=known).status_code == 200


def test_no_path_of_a_request_reaches_a_file(page: Page, place: Path) -> None:
    for name in (
        "../session.py",
        "..%2fdesk.py",
        "%2e%2e/session.py",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "__init__.py",
        "review.html",
    ):
        answer = page.get(f"/static/{name}")
        assert answer.status_code == 404
        assert "error" in answer.json()
        assert page.get(f"/session/entries/{name}").status_code in (404, 405)
        assert page.post(f"/session/entries/{name}", {"marks": ["no", "no", "no"], "was": None}).status_code in (404, 405)
    assert page.get("/static/review.css").headers["content-type"].startswith("text/css")


BAD = [
    ("/session/turn", {"marks": ["maybe"], "topic": "ctr", "mark": "yes"}, 422, "Input should be 'no', 'yes' or 'unsure'"),
    ("/session/turn", {"marks": ["no"], "topic": "ctr", "mark": "yes"}, 400, "the topics have changed"),
    (f"/session/entries/{CLICK}", {"marks": ["no", "no", "no"]}, 422, "body.was: Field required"),
    (f"/session/entries/{CLICK}", {"marks": [], "was": None}, 400, "the topics have changed"),
    ("/session/entries/none0000", {"marks": ["no", "no", "no"], "was": None}, 404, "no entry has the id 'none0000'"),
    ("/session/undo/5", None, 400, "nothing to undo"),
    ("/session/undo/x", None, 422, "unable to parse"),
    ("/session/nothing", None, 404, "Not Found"),
]


@pytest.mark.parametrize(("path", "body", "status", "message"), BAD)
def test_a_request_that_is_not_understood(page: Page, path: str, body: object, status: int, message: str) -> None:
    answer = page.post(path, body)
    assert (answer.status_code, message in answer.json()["error"]) == (status, True), answer.text


def test_a_body_that_is_too_long_is_not_read(page: Page) -> None:
    assert page.post("/session/turn", {"marks": ["no"] * 300_000}).status_code == 413

    def endless() -> Iterator[bytes]:
        for _ in range(3):
            yield b" " * 600_000

    answer = page.client.post("/session/turn", content=endless(), headers=page.headers)
    assert (answer.status_code, answer.json()["error"]) == (413, "expected a body of at most 1048576 bytes, found more")


def test_a_disk_that_is_full_is_said_and_nothing_is_lost(page: Page, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (place / "labels/labels.csv").read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        answer = page.post(f"/session/entries/{CLICK}", {"marks": ["yes", "no", "no"], "was": None})
    assert (answer.status_code, "No space left on device" in answer.json()["error"]) == (400, True)
    assert (place / "labels/labels.csv").read_bytes() == before


def test_a_folder_that_may_not_be_read_is_named(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: ReviewSession) -> None:
        raise PermissionError(13, "Permission denied", "labels")

    monkeypatch.setattr(ReviewSession, "topics", refuse)
    answer = page.get("/session")
    assert (answer.status_code, answer.json()) == (500, {"error": "labels: Permission denied"})


def test_a_table_that_somebody_broke_is_said(page: Page, place: Path) -> None:
    (place / "labels/labels.csv").write_text("nonsense\n")
    answer = page.get("/session/queue")
    assert (answer.status_code, "expected the columns id,title,topics,unsure" in answer.json()["error"]) == (400, True)


def test_names_and_titles_are_text_wherever_they_stand(place: Path) -> None:
    nasty = place.rename(place.parent / "<b>&'\"")
    topics = (nasty / "labels/topics.toml").read_text().replace('"Chat"', json.dumps(NASTY))
    (nasty / "labels/topics.toml").write_text(topics)
    session = session_of(nasty, Entry(NASTY, abstract="</p><script>" + NASTY, authors=("<i>A</i>",)))
    page = Page(session)
    (found,) = page.get("/session/queue", params={"search": "alert"}).json()["entries"]
    entry = page.get(f"/session/entries/{found['id']}")
    assert entry.headers["content-type"] == "application/json"
    assert "\x1b" not in entry.text
    assert "\\u001b" not in entry.text
    for path in ("/", "/figures"):
        text = page.get(path).text
        assert "<b>&" not in text
        assert "&lt;b&gt;&amp;" in text
        assert "<script>alert" not in text


def test_the_figures_of_a_model_with_a_nasty_topic(place: Path, model: Model) -> None:
    from dataclasses import replace

    topics = (Topic(model.topics[0].id, NASTY), *model.topics[1:])
    page = Page(ReviewSession(Workspace(place), replace(model, taxonomy=Taxonomy(topics))))
    text = page.get("/figures").text
    assert "&lt;script&gt;alert" in text
    assert "<script>alert" not in text
    assert "micro-F1" in text
    assert "does not say what it was trained on" in Page(session_of(place)).get("/figures").text


# --- the command


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tagger.server.serving.find_spec", lambda name: None if name == "uvicorn" else object())
    with pytest.raises(UsageError, match=r"the page needs uvicorn; run: pip install 'paper-tagger\[review\]'"):
        check_can_serve("127.0.0.1", None)


COMMANDS = [
    (
        ["--host", "0.0.0.0"],
        "tagger: --host 0.0.0.0: other machines can reach this address; give --token too, or leave both out\n",
    ),
    (["--host", "192.0.2.1", "--token", "short"], "tagger: --token: expected 16 letters or digits at least, found 5\n"),
    (
        ["--host", "192.0.2.1", "--token", "x" * 16],
        "tagger: 192.0.2.1:8417: cannot listen on this address: Cannot assign requested address; --port 0 takes a free one\n",
    ),
    (["nothing.txt"], "nothing.txt: cannot be read: No such file or directory\nnothing was done; 1 to correct\n"),
]


@pytest.mark.parametrize(("arguments", "message"), COMMANDS)
def test_a_command_that_cannot_be_done(
    place: Path, run: Callable[..., subprocess.CompletedProcess[str]], arguments: list[str], message: str
) -> None:
    done = run("tagger", "review", *arguments, cwd=place)
    assert (done.stdout, done.returncode) == ("", 2)
    assert done.stderr.splitlines()[0] == message.splitlines()[0]


def test_states_are_those_of_the_page(page: Page) -> None:
    text = page.get("/").text
    for state in STATES:
        assert f'name="state" value="{state}"' in text
