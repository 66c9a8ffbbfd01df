"""The page's server as a process of its own: how it starts and ends, kills, and others who label at the same time."""

from __future__ import annotations

import random
import shutil
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from screens import Screen
from servers import Server, served
from test_label import BILE, CLICK, LANGUAGE, WATER, put, said

from tagger import LabelsError, load, read_listing
from tagger.curation.marks import Mark
from tagger.labels.dataset import read_labels
from tagger.labels.table import read_rows
from tagger.server.session import ReviewSession
from tagger.workspace.workspace import Workspace


@pytest.fixture
def place(tmp_path: Path, tiny: Path) -> Path:
    return put(tmp_path / "place", tiny)


@pytest.fixture
def example(workspace: Path) -> Workspace:
    return Workspace(workspace)


class Client:
    """Somebody whose page is served by a process."""

    def __init__(self, http: httpx2.Client) -> None:
        self.http = http
        self.token = self.http.get("/").text.split('name="tagger-token" content="')[1].split('"')[0]

    def get(self, path: str) -> Any:
        answer = self.http.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: object = None) -> httpx2.Response:
        return self.http.post(path, json=body, headers={"x-tagger-token": self.token})

    def save(self, id: str, marks: Sequence[str], seen: Mapping[str, Any] | None) -> httpx2.Response:
        return self.post(f"session/entries/{id}", {"marks": marks, "was": seen})


@contextmanager
def visiting(server: Server) -> Iterator[Client]:
    with httpx2.Client(base_url=server.address) as http:
        yield Client(http)


def test_the_server_starts_answers_and_ends(place: Path) -> None:
    with served(place, "l.txt") as server:
        assert server.address.startswith("http://127.0.0.1:")
        with httpx2.Client(base_url=server.address) as client:
            assert client.get("session").json()["n_given"] == 4
            assert "server" not in client.get("/").headers
            assert client.get("session/work").json()["state"] == "idle"
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(30) == 0


def test_without_a_listing_labels_are_looked_through_at_once(example: Workspace) -> None:
    with served(example.folder) as server, httpx2.Client(base_url=server.address) as client:
        told = client.get("session/work").json()
        assert (told["what"], told["state"] in ("running", "done")) == ("audit", True)


_VICTIM = """
import os, signal, sys
from tagger.cli import main
from tagger.server.session import ReviewSession

last, seen, armed = int(os.environ["LAST"]), 0, False
save = ReviewSession.save

def first(self, *arguments):
    global armed
    armed = True
    return save(self, *arguments)

def watch(event, arguments):
    global seen
    if armed and event in ("open", "os.rename", "os.remove", "os.chmod") and "labels" in str(arguments):
        seen += 1
        if seen == last:
            os.kill(os.getpid(), signal.SIGKILL)

ReviewSession.save = first
sys.addaudithook(watch)
main()
"""


@pytest.mark.slow
def test_a_kill_of_the_server_at_any_moment_leaves_labels_whole(place: Path, tmp_path: Path) -> None:
    """Killed before one of the file operations of three saves, seeded; what was said to be saved is there."""
    marks = {CLICK: ["yes", "no", "no"], LANGUAGE: ["no", "unsure", "no"], BILE: ["no", "no", "no"]}
    killed = torn = 0
    for last in sorted(random.Random(11).sample(range(1, 28), 5)):
        here = shutil.copytree(place, tmp_path / f"killed-{last}")
        kept = []
        with served(here, "l.txt", program=[sys.executable, "-c", _VICTIM], LAST=str(last)) as server:
            with visiting(server) as client:
                for id, marks_of_entry in marks.items():
                    try:
                        answer = client.save(id, marks_of_entry, None)
                    except httpx2.TransportError:
                        break
                    assert answer.status_code == 200
                    kept.append(id)
            if len(kept) < len(marks):
                assert server.process.wait(30) == -signal.SIGKILL
                killed += 1
        rows = {row.id for row in read_rows(here / "labels/labels.csv")}
        assert rows >= {WATER, *kept}
        assert len(rows) <= len(kept) + 2
        try:
            assert {row.id for row in read_labels(here / "labels").rows} == rows
        except LabelsError as error:
            torn += 1
            (problem,) = error.problems
            assert "no row in" in problem.message, "a text waits for its row, never a row for its text"
        session = ReviewSession(Workspace(here), load(here / "models/topics.safetensors"), read_listing(here / "l.txt"))
        for id in sorted(marks.keys() - rows):
            session.save(id, [Mark(mark) for mark in marks[id]], None)
        assert {row.id for row in read_labels(here / "labels").rows} == {WATER, *marks}
        assert not [*here.rglob("*.tmp")]
    assert killed >= 3, "else the operations are fewer than they were"


@pytest.mark.slow
def test_two_servers_on_one_workspace_lose_no_label(place: Path) -> None:
    """Each labels twelve of twenty entries at the same time as the other; four of them are the same."""
    titles = [f"Click number {n}" for n in range(20)]
    (place / "many.txt").write_text("".join(f"IRMay 2, 2024\n{title}\tCy Ng\nA click.\n\n" for title in titles))
    ids = [entry.id for entry in read_listing(place / "many.txt")]
    shares = [(ids[:12], ["yes", "no", "no"]), (ids[:7:-1], ["no", "yes", "no"])]
    with served(place, "many.txt") as one, served(place, "many.txt") as two, visiting(one) as ann, visiting(two) as bo:

        def label_all(client: Client, ids: Sequence[str], marks: Sequence[str]) -> dict[str, httpx2.Response]:
            return {id: client.save(id, marks, None) for id in ids}

        with ThreadPoolExecutor(2) as pool:
            jobs = [pool.submit(label_all, client, *share) for client, share in zip((ann, bo), shares, strict=True)]
            of_ann, of_bo = (job.result() for job in jobs)
        for id in {*of_ann} - {*of_bo}:
            assert (of_ann[id].status_code, said(place)[id]) == (200, (("ctr",), ()))
        for id in {*of_bo} - {*of_ann}:
            assert (of_bo[id].status_code, said(place)[id]) == (200, (("llm",), ()))
        both = {*of_ann} & {*of_bo}
        assert len(both) == 4
        for id in both:
            assert sorted(answer[id].status_code for answer in (of_ann, of_bo)) == [200, 409]
            first, second, client = (of_ann, of_bo, bo) if of_ann[id].status_code == 200 else (of_bo, of_ann, ann)
            theirs = first[id].json()["row"]
            assert second[id].json()["row"] == theirs, "whoever comes second is told what the first one said"
            assert said(place)[id] == (tuple(theirs["topics"]), ())
            assert client.save(id, ["no", "no", "no"], theirs).status_code == 200, "and can then put something else"
            assert said(place)[id] == ((), ())
        assert {row.id for row in read_labels(place / "labels").rows} == {WATER, *ids}, "every entry has its text once"
        for client in (ann, bo):
            assert client.get("session/counts")["n_labelled"] == 21


@pytest.mark.slow
def test_a_label_on_the_terminal_while_the_page_is_open(place: Path) -> None:
    terminal = Screen([str(Path(sys.executable).parent / "tagger"), "label", "l.txt"], place)
    try:
        with served(place, "l.txt") as server, visiting(server) as page:
            terminal.wait("Click, Click | Click", "q quit")
            seen = page.get(f"session/entries/{CLICK}")
            assert seen["row"] is None
            terminal.type("\r")
            terminal.wait("saved: ctr")
            assert page.get("session/counts")["n_labelled"] == 2, "without a page loaded again"
            refused = page.save(CLICK, ["no", "yes", "no"], seen["row"])
            assert (refused.status_code, refused.json()["row"]) == (409, {"topics": ["ctr"], "unsure": []})
            assert said(place)[CLICK] == (("ctr",), ())
            saved = page.save(CLICK, ["no", "yes", "no"], refused.json()["row"])
            assert saved.status_code == 200
            terminal.type("u")
            terminal.wait("not undone: labels.csv was changed meanwhile")
            assert said(place)[CLICK] == (("llm",), ()), "neither undoes what the other one said"
            terminal.type("2\r")
            terminal.wait("saved: no topic")
            refused = page.post(f"session/undo/{saved.json()['undo']}")
            assert (refused.status_code, refused.json()["row"]) == (409, {"topics": [], "unsure": []})
            assert said(place)[CLICK] == ((), ())
    finally:
        terminal.close()
