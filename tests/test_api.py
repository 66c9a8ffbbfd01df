"""The REST API: whole answers, limits, odd input, and the same answers whatever else goes on."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from starlette.testclient import TestClient

from tagger import Model, ModelError, __version__, load
from tagger.formats import json_lines as jsonl
from tagger.formats import pasted
from tagger.formats.registry import read_listing
from tagger.identity import entry_id
from tagger.labels.table import read_rows, write_rows
from tagger.model.storage import hash_model
from tagger.server import api_page, api_schema
from tagger.server.api import make_api
from tagger.server.api_body import ApiLimits
from tagger.taxonomy import Taxonomy
from tagger.workspace.workspace import Workspace

Run = Callable[..., subprocess.CompletedProcess[str]]

TEXT = {"content-type": "text/plain"}
LISTING = """\
IRJun 9, 2023
Clicks of ListsAnn Lee, Bo Wu
The click is the click.
CLJun 10, 2023Code
Language ModelsBo Wu, Cy Ek
"""
SCRIPT = "<script>alert(1)</script> & \x1b[31mred\x00 click"
ANSWERS: dict[str, TypeAdapter[Any]] = {
    "/v1/health": TypeAdapter(api_schema.Health),
    "/v1/topics": TypeAdapter(api_schema.TopicsAnswer),
    "/v1/tag": TypeAdapter(api_schema.TagAnswer),
    "/v1/why": TypeAdapter(api_schema.WhyAnswer),
    "error": TypeAdapter(api_schema.ErrorAnswer),
}


def client(tagger: Callable[[], Model], *args: Any, **kwargs: Any) -> TestClient:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(make_api(tagger, *args, **kwargs))
    return TestClient(app)


@pytest.fixture
def model(tiny: Path) -> Model:
    return load(tiny)


@pytest.fixture
def api(model: Model) -> TestClient:
    """The API with the tiny model and no labels."""
    return client(lambda: model)


@pytest.fixture(scope="module")
def learned_api(learned: Path) -> TestClient:
    """The API with a model and the labels that it learned from."""
    model = load(learned / "models/topics.safetensors")
    return client(lambda: model, Workspace(learned))


def error(response: Any, status: int) -> dict[str, Any]:
    """An error, which has the one form."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    ANSWERS["error"].validate_json(response.content, strict=True, extra="forbid")
    found: dict[str, Any] = response.json()["error"]
    return found


def test_health_is_that_of_the_model_file(api: TestClient, tiny: Path) -> None:
    from hashlib import blake2b

    there_hash = blake2b(tiny.read_bytes(), digest_size=16).hexdigest()
    assert api.get("/v1/health").json() == {"ok": True, "version": __version__, "model": there_hash, "topics": 3}


def test_topics_are_all_told(api: TestClient, workspace: Path, model: Model) -> None:
    def row(id: str, name: str, threshold: float | None, definition: str = "", parent: str | None = None) -> dict[str, Any]:
        told = {"id": id, "name": name, "parent": parent, "threshold": threshold, "definition": definition}
        told |= {"excludes": ["llm"] if id == "new" else [], "precision": 0.9 if id == "new" else None}
        return told | {"learned": threshold is not None}

    of_model = [row("ctr", "CTR prediction", 0.5), row("llm", "Large language models", 0.5), row("rag", "RAG", None)]
    assert api.get("/v1/topics").json() == {"topics": of_model}

    (workspace / "labels/topics.toml").write_text(
        '[[topic]]\nid = "new"\nname = "New"\ndefinition = "What is new."\n'
        'excludes = ["llm"]\nprecision = 0.9\n[[topic]]\nid = "llm"\nname = "L"\n'
    )
    (workspace / "labels/labels.csv").unlink()
    assert client(lambda: model, Workspace(workspace)).get("/v1/topics").json() == {
        "topics": [row("new", "New", None, "What is new."), of_model[1], of_model[0], of_model[2]]
    }


def test_tag_answers_a_listing_whole(api: TestClient) -> None:
    response = api.post("/v1/tag?all_scores=true&explain=true", content=LISTING, headers=TEXT)
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    assert response.json() == {
        "entries": [
            {
                "id": entry_id("Clicks of Lists"),
                "title": "Clicks of Lists",
                "authors": ["Ann Lee", "Bo Wu"],
                "et_al": False,
                "date": "2023-06-09",
                "category": "IR",
                "code": False,
                "affiliation": None,
                "abstract": "The click is the click.",
                "source": "listing:1",
                # "click" and "the" stand there twice each, so that each has 1 / sqrt(2) of the row
                "topics": [{"id": "ctr", "score": 0.696, "by": "model"}],
                "scores": {"ctr": 0.696, "llm": 0.1192},
                "why": {"ctr": [{"term": "click", "share": 2.8284}]},
                "note": None,
            },
            {
                "id": entry_id("Language Models"),
                "title": "Language Models",
                "authors": ["Bo Wu", "Cy Ek"],
                "et_al": False,
                "date": "2023-06-10",
                "category": "CL",
                "code": True,
                "affiliation": None,
                "abstract": "",
                "source": "listing:4",
                "topics": [{"id": "llm", "score": 0.8808, "by": "model"}],
                "scores": {"ctr": 0.0474, "llm": 0.8808},
                "why": {"llm": [{"term": "language", "share": 4.0}]},
                "note": None,
            },
        ],
        "warnings": [{"source": "listing", "line": 5, "message": "no abstract follows the title 'Language Models'"}],
    }


def test_why_answers_an_entry_whole(api: TestClient) -> None:
    assert api.post("/v1/why", json={"entries": [{"title": "A click", "abstract": "Click."}]}).json() == [
        {
            "id": entry_id("A click"),
            "title": "A click",
            "abstract": "Click.",
            "source": "entries:1",
            "by_hand": None,
            "topics": [
                {
                    "id": "ctr",
                    "name": "CTR prediction",
                    "score": 0.8808,
                    "threshold": 0.5,
                    "tagged": True,
                    "implied_by": None,
                    "gives_way_to": [],
                    "log_odds": 2.0,
                    "intercept": -2.0,
                    "terms": [
                        {
                            "term": "click",
                            "share": 4.0,
                            "places": [
                                {"part": "title", "start": 2, "end": 7},
                                {"part": "abstract", "start": 0, "end": 5},
                            ],
                        }
                    ],
                },
                {
                    "id": "llm",
                    "name": "Large language models",
                    "score": 0.1192,
                    "threshold": 0.5,
                    "tagged": False,
                    "implied_by": None,
                    "gives_way_to": [],
                    "log_odds": -2.0,
                    "intercept": -2.0,
                    "terms": [],
                },
            ],
            "similar": [],
        }
    ]


@pytest.mark.parametrize("options", ["", "?explain=true", "?all_scores=true", "?explain=1&all_scores=1"])
def test_entries_are_the_lines_of_tag_to_the_letter(learned_api: TestClient, learned: Path, run: Run, options: str) -> None:
    flags = [f"--{name.replace('_', '-')}" for name in ("explain", "all_scores") if name in options]
    listing = (learned / "lists/new.txt").read_text()
    done = run("tag", "-", "--format", "jsonl", *flags, cwd=learned, stdin=listing)
    wanted = done.stdout.replace('"source": "standard input:', '"source": "listing:')
    assert done.returncode == 0
    assert wanted.count("\n") == 4

    lines = learned_api.post(f"/v1/tag{options}", content=listing, headers=TEXT | {"accept": "application/x-ndjson"})
    assert (lines.text, lines.headers["content-type"]) == (wanted, "application/x-ndjson")
    whole = learned_api.post(f"/v1/tag{options}", content=listing, headers=TEXT)
    assert whole.text == '{"entries": [\n' + ",\n".join(wanted.splitlines()) + '\n], "warnings": []}\n'

    as_lines = learned_api.post(
        f"/v1/tag{options}", content=jsonl.write_json_lines(read_listing(learned / "lists/new.txt")), headers=TEXT
    )
    entries = {"entries": [json.loads(line) for line in wanted.splitlines()]}  # what was answered can be sent
    as_json = learned_api.post(f"/v1/tag{options}", json=entries)
    for answer, source in ((as_lines, "listing"), (as_json, "entries")):
        for n, (found, line) in enumerate(zip(answer.json()["entries"], wanted.splitlines(), strict=True), 1):
            assert found == json.loads(line) | {"source": f"{source}:{n}"}


@pytest.mark.parametrize("options", ["", "?similar=0", "?topic=solar&topic=wind&similar=2"])
def test_reasons_are_those_of_why_to_the_letter(learned_api: TestClient, learned: Path, run: Run, options: str) -> None:
    flags = [f"--{name}={value}" for name, value in (pair.split("=") for pair in options.lstrip("?").split("&") if pair)]
    listing = (learned / "lists/new.txt").read_text()
    done = run("tagger", "why", "-", "--format", "json", *flags, cwd=learned, stdin=listing)
    assert done.returncode == 0
    wanted = done.stdout.replace('"source": "standard input:', '"source": "listing:')
    assert learned_api.post(f"/v1/why{options}", content=listing, headers=TEXT).text == wanted


def test_a_labelled_entry_has_what_a_person_said(learned_api: TestClient, learned: Path) -> None:
    entries = read_listing(learned / "labels/entries/made-up.txt")[:20]
    rows = {row.id: row for row in read_rows(learned / "labels/labels.csv")}
    found = learned_api.post("/v1/tag", content=pasted.write_pasted(entries), headers=TEXT).json()["entries"]
    for entry in found:
        assert {topic["id"] for topic in entry["topics"]} >= set(rows[entry["id"]].topics)
        assert all(topic["by"] == "hand" and topic["score"] is None for topic in entry["topics"])
    reasons = learned_api.post("/v1/why", content=pasted.write_pasted(entries[:2]), headers=TEXT).json()
    for entry in reasons:
        row = rows[entry["id"]]
        assert entry["by_hand"] == {"topics": list(row.topics), "unsure": list(row.unsure)}
        assert len(entry["similar"]) == 5
        assert entry["id"] not in {similar["id"] for similar in entry["similar"]}


def test_a_correction_takes_effect_at_once(workspace: Path, model: Model) -> None:
    api = client(lambda: model, Workspace(workspace))
    table = workspace / "labels/labels.csv"
    row = read_rows(table)[0]
    body = {"entries": [{"title": row.title}]}

    def said() -> list[dict[str, Any]]:
        topics: list[dict[str, Any]] = api.post("/v1/tag", json=body).json()["entries"][0]["topics"]
        return topics

    assert [topic["id"] for topic in said()] == list(row.topics)
    for topics in (("llm",), (), ("recsys", "llm")):
        write_rows(table, [replace(row, topics=topics), *read_rows(table)[1:]])
        assert said() == [{"id": id, "score": None, "by": "hand"} for id in topics]
        assert api.post("/v1/why", json=body).json()[0]["by_hand"]["topics"] == list(topics)

    table.write_text("id,title\n")
    for path in ("tag", "why"):
        broken = error(api.post(f"/v1/{path}", json=body), 503)
        message = "expected the columns id,title,topics,unsure, found id,title"
        assert {"source": str(table), "line": 1, "message": message} in broken["problems"]
    write_rows(table, [row])
    assert [topic["id"] for topic in said()] == list(row.topics)


def test_the_model_may_be_replaced_in_between(model: Model) -> None:
    models = [
        model,
        replace(model, bias=model.bias + 3),
        replace(model, taxonomy=Taxonomy((replace(model.topics[0], id="clicks"), *model.topics[1:]))),
    ]
    now = models[0]
    api = client(lambda: now)
    found = []
    for now in models:
        answer = api.post("/v1/tag", json={"entries": [{"title": "language click"}]}).json()["entries"][0]["topics"]
        tagged = now.tag(jsonl.read_json_lines('{"title": "language click"}', "").entries)
        assert answer == [{"id": tag.topic.id, "score": round(tag.score or 0, 4), "by": "model"} for tag in tagged[0].tags]
        health = api.get("/v1/health").json()
        assert health["model"] == hash_model(now)
        found.append((str(answer), health["model"], api.get("/v1/topics").text))
    assert [len(set(column)) for column in zip(*found, strict=True)] == [3, 3, 2]


def test_a_model_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    def gone() -> Model:
        return load(tmp_path / "gone.safetensors")

    with pytest.raises(ModelError) as raised:
        gone()
    api = client(gone)
    for response in (api.get("/v1/health"), api.get("/v1/topics"), api.post("/v1/tag", json={"entries": []})):
        assert error(response, 503) == {"problems": [], "message": str(raised.value)}


def test_concurrent_requests_give_what_sequential_ones_give(learned: Path, tmp_path: Path) -> None:
    shutil.copytree(learned / "labels", tmp_path / "labels")
    model = load(learned / "models/topics.safetensors")
    listing = (learned / "lists/new.txt").read_text()
    many = pasted.write_pasted(read_listing(learned / "labels/entries/made-up.txt"))
    calls: list[tuple[str, dict[str, Any]]] = [
        ("/v1/tag", {"content": listing, "headers": TEXT}),
        ("/v1/tag?explain=true", {"content": listing, "headers": TEXT}),
        ("/v1/tag", {"content": many, "headers": TEXT | {"accept": "application/x-ndjson"}}),
        ("/v1/why?similar=3", {"content": listing, "headers": TEXT}),
        ("/v1/tag", {"json": {"entries": [{"title": "A click model"}]}}),
        ("/v1/tag", {"json": {"entries": [{"title": ""}]}}),
    ] * 4
    cold = client(lambda: replace(model), Workspace(tmp_path))  # nothing that a model keeps once it was used is there
    with cold, ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda call: cold.post(call[0], **call[1]), calls))
    alone = client(lambda: model, Workspace(tmp_path))
    for call, found in zip(calls, together, strict=True):
        wanted = alone.post(call[0], **call[1])
        assert (found.status_code, found.content) == (wanted.status_code, wanted.content)


def test_chunks_do_not_matter(api: TestClient, model: Model) -> None:
    entries = [{"title": f"click {n} language"} for n in range(1_203)]
    found = api.post("/v1/tag", json={"entries": entries}, headers={"accept": "application/x-ndjson"}).text.splitlines()
    assert len(found) == 1_203
    whole = api.post("/v1/tag", json={"entries": entries}).json()["entries"]
    assert [json.loads(line) for line in found] == whole
    assert [entry["source"] for entry in whole] == [f"entries:{n}" for n in range(1, 1_204)]


def test_limits_of_a_request(model: Model) -> None:
    api = client(lambda: model, limits=ApiLimits(n_bytes=2_000, n_entries=5, n_explained=2))
    for n, path, status in (
        (5, "tag", 200),
        (6, "tag", 413),
        (2, "tag?explain=true", 200),
        (3, "tag?explain=true", 413),
        (2, "why", 200),
        (3, "why", 413),
    ):
        titles = [f"click {n}" for n in range(n)]
        most = 5 if path == "tag" else 2
        for response in (
            api.post(f"/v1/{path}", json={"entries": [{"title": title} for title in titles]}),
            api.post(f"/v1/{path}", content="".join(f'{{"title": "{title}"}}\n' for title in titles), headers=TEXT),
            api.post(
                f"/v1/{path}", content="".join(f"IRJun 9, 2023\n{title}\tAnn Lee\nA.\n" for title in titles), headers=TEXT
            ),
        ):
            assert response.status_code == status
            if status == 413:
                wanted = f"expected at most {most} entries, found more; send them in several requests"
                assert error(response, 413) == {"problems": [], "message": wanted}
    assert api.post("/v1/tag", content=" " * 2_000, headers=TEXT).json() == {"entries": [], "warnings": []}
    for size in (2_001, 20_000_000):
        for body in (b" " * size, iter([b" " * size])):  # with its length told, and without
            assert error(api.post("/v1/tag", content=body, headers=TEXT), 413) == {
                "problems": [],
                "message": "expected a body of at most 2000 bytes, found more; send the entries in several requests",
            }


WANTED = 'expected a JSON object such as {"entries": [{"title": "…"}]}, found '


@pytest.mark.parametrize(
    "body, message",
    [
        (b"", WANTED + "something else (Expecting value: line 1 column 1 (char 0))"),
        (b"{", WANTED + "something else (Expecting property name"),
        (b"[" * 100_000, WANTED + "something else (maximum recursion depth"),
        (b"9" * 5_000, WANTED + "something else (Exceeds the limit"),
        (b'["entries"]', WANTED + "list"),
        (b"null", WANTED + "NoneType"),
        (b"{}", WANTED + "no list under 'entries'"),
        (b'{"entries": {"title": "A"}}', WANTED + "no list under 'entries'"),
        (b'{"entries": [], "explain": true}', WANTED + "the key 'explain'; options stand in the query, as in ?explain=true"),
        (b"\xff\xfe{\x00}\x00", "no entry was read"),
        (b'{"entries": [{"title": "\xe9t\xe9"}]}', "no entry was read"),
    ],
)
def test_what_is_not_the_json_wanted_is_named(api: TestClient, body: bytes, message: str) -> None:
    for path in ("tag", "why"):
        found = error(api.post(f"/v1/{path}", content=body, headers={"content-type": "application/json"}), 422)
        assert found["message"].startswith(message)


def nested(depth: int) -> Any:
    return [nested(depth - 1)] if depth else "x"


@pytest.mark.parametrize(
    "entry, message",
    [
        ({}, "an entry needs a title; this one is empty"),
        ({"title": "\x00 \u200b"}, "an entry needs a title; this one is empty"),
        ({"title": 3}, "expected text under 'title', found 3"),
        ({"title": "A", "authors": "Ann Lee"}, "expected a list of names under 'authors', found 'Ann Lee'"),
        ({"title": "A", "authors": [1]}, "expected a list of names under 'authors', found something else in it"),
        ({"title": "A", "date": "9 June"}, "expected a date such as 2023-06-09 under 'date', found '9 June'"),
        ({"title": "A", "code": 1}, "expected true or false under 'code', found 1"),
        ("A", "expected a JSON object with a title, found str"),
        ({"title": nested(200)}, "expected text under 'title', found [[[[[[[...]]]]]]]"),
        ({"title": "A", "date": "9" * 5_000}, re.compile(r"expected a date .* found '9{20,}\.\.\.9{20,}'")),
    ],
)
def test_an_entry_that_is_not_understood_is_named(api: TestClient, entry: Any, message: Any) -> None:
    body = json.dumps({"entries": [{"title": "Click"}, entry]})
    found = error(api.post("/v1/tag", content=body, headers={"content-type": "application/json"}), 422)
    assert found["message"] == "1 entry read, 1 place not understood; correct what is named above"
    (problem,) = found["problems"]
    assert (problem["source"], problem["line"]) == ("entries", 2)
    assert message.fullmatch(problem["message"]) if isinstance(message, re.Pattern) else problem["message"] == message


def test_lines_that_are_not_understood_are_named(api: TestClient, run: Run) -> None:
    listing = "Reading list\n" + LISTING + "IRFeb 30, 2023\nNo DayAnn Lee\nText.\n"
    done = run("tag", "-", "--no-labels", stdin=listing)
    assert done.returncode == 2
    *problems, message = [line for line in done.stderr.splitlines() if "no abstract" not in line]
    found = error(api.post("/v1/tag", content=listing, headers=TEXT), 422)
    assert [f"standard input:{problem['line']}: {problem['message']}" for problem in found["problems"]] == problems
    assert [problem["line"] for problem in found["problems"]] == [1, 7]
    assert found["message"] == message

    found = error(api.post("/v1/tag", content=b"IRJun 9, 2023\nCaf\xe9\nA.\n", headers=TEXT), 422)
    message = "expected UTF-8 text, found the byte 0xe9; save the file as UTF-8"
    assert found["problems"] == [{"source": "listing", "line": 2, "message": message}]

    found = error(api.post("/v1/tag", content="IRJun 9, 2023\n" * 3_000, headers=TEXT), 422)
    assert len(found["problems"]) == 100
    assert found["message"].startswith("0 entries read, 3000 places not understood")


def test_a_year_is_that_of_the_query(api: TestClient) -> None:
    text = "IRJun 9\nClick\tAnn Lee\nA.\n"
    answer = api.post("/v1/tag?year=1999", content=text, headers=TEXT)
    assert answer.json()["entries"][0]["date"] == "1999-06-09"


@pytest.mark.parametrize(
    "path, problems",
    [
        ("tag?explian=true", ["explian: Extra inputs are not permitted, found 'true'"]),
        (
            "tag?year=0&explain=2",
            ["explain: Input should be a valid boolean", "year: Input should be greater than or equal to 1"],
        ),
        ("why?similar=-1", ["similar: Input should be greater than or equal to 0, found '-1'"]),
    ],
)
def test_an_option_that_is_not_understood_is_named(api: TestClient, path: str, problems: list[str]) -> None:
    found = error(api.post(f"/v1/{path}", json={"entries": []}), 422)
    assert found["message"] == "an option of the query was not understood; /v1/docs names them"
    for problem, message in zip(found["problems"], problems, strict=True):
        assert (problem["source"], problem["line"]) == ("query", None)
        assert problem["message"].startswith(message)


def test_an_unknown_topic_is_named(api: TestClient) -> None:
    found = error(api.post("/v1/why?topic=nix", json={"entries": [{"title": "Click"}]}), 422)
    assert found == {"problems": [], "message": "unknown topic 'nix'; this model has ctr, llm, rag"}


@pytest.mark.parametrize(
    "header",
    ["", "application/x-www-form-urlencoded", "text/html", "text/plain; charset=latin-1", 'application/json; charset="utf-16"'],
)
def test_another_kind_of_body_is_refused(api: TestClient, header: str) -> None:
    found = error(api.post("/v1/tag", content=b"{}", headers={"content-type": header}), 415)
    wanted = "expected application/json, text/plain or application/x-ndjson in UTF-8 as the content-type, found "
    assert found == {"problems": [], "message": wanted + (header or "none")}
    for good in ("Text/Plain", 'text/plain; charset="UTF-8"', "application/x-ndjson;charset=utf8"):
        assert api.post("/v1/tag", content=b"", headers={"content-type": good}).json() == {"entries": [], "warnings": []}


def test_a_client_that_goes_away_ends_in_no_traceback(api: TestClient) -> None:
    async def call() -> list[dict[str, Any]]:
        came = iter([{"type": "http.request", "body": b"abc", "more_body": True}, {"type": "http.disconnect"}])
        sent: list[dict[str, Any]] = []

        async def receive() -> Any:
            return next(came)

        async def send(message: Any) -> None:
            sent.append(dict(message))

        scope = {
            "type": "http",
            "method": "POST",
            "path": "/v1/tag",
            "query_string": b"",
            "headers": [(b"content-type", b"text/plain")],
        }
        await api.app(scope, receive, send)
        return sent

    start, body = asyncio.run(call())
    assert start["status"] == 400
    assert json.loads(body["body"])["error"]["message"] == "the body ended early, after 3 bytes; send it again"


def test_another_path_or_method_is_refused_in_the_same_form(api: TestClient) -> None:
    assert error(api.get("/v1/nix"), 404)["message"].endswith("found /v1/nix; /v1/docs tells of them")
    assert error(api.get("/v1/docs/..%2f..%2fetc%2fpasswd"), 404)["problems"] == []
    response = api.get("/v1/tag")
    assert error(response, 405)["message"] == "expected POST, found GET; /v1/docs tells more"
    assert response.headers["allow"] == "POST"
    assert error(api.delete("/v1/docs"), 405)["message"] == "expected GET, found DELETE; /v1/docs tells more"


def test_odd_texts_come_back_as_text(api: TestClient) -> None:
    titles = [SCRIPT, "x" * 200_000, "Ünï — 点击 \u2028 🦆 \ud83e", "</script><!--", '"; \\ \n {} ]', "click\x00click"]
    body = json.dumps({"entries": [{"title": title, "authors": [title]} for title in titles]})
    response = api.post("/v1/tag?explain=true", content=body, headers={"content-type": "application/json"})
    assert response.headers["content-type"] == "application/json"
    found = response.json()["entries"]
    assert [entry["title"] for entry in found] == [
        "<script>alert(1)</script> & [31mred click",
        "x" * 200_000,
        "Ünï — 点击 🦆 ?",
        "</script><!--",
        '"; \\ {} ]',
        "click click",
    ]
    assert [topic["id"] for topic in found[5]["topics"]] == ["ctr"]
    why = api.post("/v1/why", content=body, headers={"content-type": "application/json"}).json()
    assert [entry["title"] for entry in why] == [entry["title"] for entry in found]


@settings(max_examples=40)
@given(
    st.lists(st.fixed_dictionaries({"title": st.text()}, optional={"abstract": st.text(), "category": st.text() | st.none()}))
)
def test_any_entries_are_answered_or_named(api: TestClient, entries: list[dict[str, Any]]) -> None:
    response = api.post("/v1/tag", content=json.dumps({"entries": entries}), headers={"content-type": "application/json"})
    wanted = jsonl.read_json_lines("".join(json.dumps(entry) + "\n" for entry in entries), "entries")
    if wanted.problems:
        assert [problem["line"] for problem in error(response, 422)["problems"]] == [
            problem.source.line for problem in wanted.problems
        ]
    else:
        assert [entry["id"] for entry in response.json()["entries"]] == [entry.id for entry in wanted.entries]


@settings(max_examples=60)
@given(st.binary(max_size=200), st.sampled_from(["text/plain", "application/json"]))
def test_no_bytes_break_it(api: TestClient, body: bytes, kind: str) -> None:
    response = api.post("/v1/tag", content=body, headers={"content-type": kind})
    if response.status_code != 200:
        error(response, 422)


def test_answers_are_those_that_the_schema_tells_of(learned_api: TestClient, learned: Path) -> None:
    listing = (learned / "lists/new.txt").read_text()
    labelled = pasted.write_pasted(read_listing(learned / "labels/entries/made-up.txt")[:3])
    for path in ("/v1/health", "/v1/topics"):
        ANSWERS[path].validate_json(learned_api.get(path).content, strict=True, extra="forbid")
    for path in ("/v1/tag", "/v1/tag?explain=true&all_scores=true", "/v1/why"):
        response = learned_api.post(path, content=listing + labelled, headers=TEXT)
        ANSWERS[path.partition("?")[0]].validate_json(response.content, strict=True, extra="forbid")


def test_the_schema_names_every_path_and_its_examples_hold(api: TestClient) -> None:
    schema = api.get("/v1/openapi.json").json()
    assert {path: list(methods) for path, methods in schema["paths"].items()} == {
        "/v1/health": ["get"],
        "/v1/topics": ["get"],
        "/v1/tag": ["post"],
        "/v1/why": ["post"],
    }
    names = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(schema)))
    assert names == set(schema["components"]["schemas"])
    for path, methods in schema["paths"].items():
        (operation,) = methods.values()
        for status, answer in operation["responses"].items():
            assert answer["description"]
            example = json.dumps(answer["content"]["application/json"]["example"])
            ANSWERS[path if status == "200" else "error"].validate_json(example, strict=True, extra="forbid")
        for option in operation.get("parameters", []):
            assert option["description"], option["name"]
        for kind, content in operation.get("requestBody", {"content": {}})["content"].items():
            if "example" in content:
                sent = content["example"] if isinstance(content["example"], str) else json.dumps(content["example"])
                response = api.post(path, content=sent, headers={"content-type": kind})
                assert response.status_code == 200
                entry = (response.json()["entries"] if path == "/v1/tag" else response.json())[0]
                assert (entry["id"], entry["title"]) == ("8tfahmek", "A Click Model for Voice Search")
    limit = api.get("/v1/openapi.json").json()["paths"]["/v1/why"]["post"]["requestBody"]["content"]["application/json"]
    assert limit["schema"]["properties"]["entries"]["maxItems"] == ApiLimits().n_explained


class _Page(HTMLParser):
    """What a page would fetch or run, its ids, and where its links lead."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.add(tag)
        assert not [name for name in given if name.startswith("on") or name == "style"]
        self.fetched += [
            value or "" for name, value in attrs if name in ("src", "srcset", "action") or (tag, name) == ("link", "href")
        ]
        self.ids += [given["id"] or ""] if "id" in given else []
        self.links += [given["href"] or ""] if tag == "a" else []


def test_the_page_fetches_a_stylesheet_and_nothing_else(api: TestClient) -> None:
    response = api.get("/v1/docs")
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    policy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    assert response.headers["content-security-policy"] == policy
    page = _Page(response.text)
    assert page.fetched == ["docs.css"]
    assert not page.tags & {"script", "style", "iframe", "img", "object", "embed", "form"}
    assert len(page.ids) == len(set(page.ids))
    assert all(link == "openapi.json" or link[1:] in page.ids for link in page.links)
    style = api.get("/v1/docs.css")
    assert style.headers["content-type"] == "text/css; charset=utf-8"
    assert not re.search(r"url\(|@import", style.text)
    schema = api.get("/v1/openapi.json").json()
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            assert f"<code>{method.upper()} {path}</code>" in response.text
            for option in operation.get("parameters", []):
                assert f"<code>{option['name']}</code>" in response.text


def test_the_page_shows_markup_of_a_schema_as_text(api: TestClient) -> None:
    schema = api.get("/v1/openapi.json").json()
    schema["info"]["title"] = SCRIPT
    schema["components"]["schemas"]["Tag"]["properties"]["score"]["description"] = f"`{SCRIPT}`"
    text = api_page.render_page(schema)
    assert "<script>" not in text
    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 3
