"""The manifest of a batch is a file that anybody may have written: what is no manifest is refused in one line."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagger.batch.manifest import MANIFEST, InputRecord, Manifest, OutputRecord, TagRecord, read_manifest
from tagger.batch.plan import plan_batch
from tagger.batch.settings import BatchSettings
from tagger.errors import OutputError

LISTING = "IRMay 3, 2020\nClicks\tAnn Lee\nA click.\n"
RECORD = OutputRecord(
    hash="0" * 32,
    made_with="1" * 32,
    found_in="lists",
    inputs=(InputRecord("lists/a.txt", "2" * 32, 2020),),
    records=(TagRecord("s12qsv0r", "Clicks", "3" * 16, (("ctr", 0.88), ("llm", None)), "model", None),),
)
WRITTEN = json.loads(Manifest({"a.csv": RECORD}, {"a.csv": None}).to_text())

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=9)
scores = st.none() | st.floats(0, 1)
records = st.builds(
    TagRecord, texts, texts, texts, st.lists(st.tuples(texts, scores), max_size=3).map(tuple), texts, st.none() | texts
)
inputs = st.builds(InputRecord, texts, texts, st.integers(1, 9999))
outputs = st.builds(
    OutputRecord,
    texts,
    texts,
    st.none() | texts,
    st.lists(inputs, max_size=2).map(tuple),
    st.lists(records, max_size=3).map(tuple),
)
manifests = st.builds(
    Manifest, st.dictionaries(texts, outputs, max_size=3), st.dictionaries(texts, st.none() | texts, max_size=2)
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one listing, below a folder with somebody's file."""
    (tmp_path / "victim.csv").write_text("not made by tagger\n")
    (tmp_path / "work/lists").mkdir(parents=True)
    (tmp_path / "work/lists/a.txt").write_text(LISTING)
    (tmp_path / "work/tags").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


@given(manifests)
def test_what_is_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, manifest: Manifest) -> None:
    path = tmp_path_factory.mktemp("manifest") / MANIFEST
    path.write_text(manifest.to_text(), encoding="utf-8")
    assert read_manifest(path) == manifest
    assert read_manifest(path).to_text() == manifest.to_text()


def test_no_file_is_an_empty_manifest(tmp_path: Path) -> None:
    assert read_manifest(tmp_path / MANIFEST) == Manifest()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00\x01\x02",
        b"\xff\xfe{\x00}\x00\xff",
        b"<<<<<<< ours\n{}\n=======\n{}\n>>>>>>> theirs\n",
        b'{"format": 1, "writing": {}, "outputs": {',
        b"null",
        b"17",
        b'"text"',
        b"[]",
        b"[" * 100_000,
        b"{}",
    ],
    ids=["empty", "binary", "UTF-16", "merge conflict", "cut off", "null", "number", "text", "list", "deep", "no keys"],
)
def test_what_is_no_manifest_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / MANIFEST).write_bytes(data)
    with pytest.raises(OutputError, match="not a manifest as tagger writes it; delete it, and a run takes up the outputs"):
        read_manifest(tmp_path / MANIFEST)


@pytest.mark.parametrize("format", [2, 0, "1", None, [1]])
def test_another_format_is_refused(tmp_path: Path, format: object) -> None:
    (tmp_path / MANIFEST).write_text(json.dumps(WRITTEN | {"format": format}))
    with pytest.raises(OutputError, match="this is manifest format .*, wanted 1; install a newer tagger"):
        read_manifest(tmp_path / MANIFEST)


def test_a_folder_in_its_place_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).mkdir()
    with pytest.raises(OutputError, match=f"{MANIFEST}: cannot be read: Is a directory"):
        read_manifest(tmp_path / MANIFEST)


def places(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every object and list in a manifest."""
    if isinstance(value, (dict, list)):
        yield path
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inner, (*path, key))


@pytest.mark.parametrize("wrong", [None, 5, 1.5, True])
@pytest.mark.parametrize("place", [place for place in places(WRITTEN) if place], ids=lambda place: ".".join(map(str, place)))
def test_a_value_in_place_of_an_object_or_a_list_is_refused(tmp_path: Path, place: tuple[Any, ...], wrong: object) -> None:
    manifest = copy.deepcopy(WRITTEN)
    *outer, last = place
    holder = manifest
    for key in outer:
        holder = holder[key]
    holder[last] = wrong
    (tmp_path / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(OutputError, match="not a manifest as tagger writes it"):
        read_manifest(tmp_path / MANIFEST)


@pytest.mark.parametrize("key", ["format", "writing", "outputs"])
def test_a_missing_key_is_refused(tmp_path: Path, key: str) -> None:
    (tmp_path / MANIFEST).write_text(json.dumps({name: value for name, value in WRITTEN.items() if name != key}))
    with pytest.raises(OutputError, match="not a manifest as tagger writes it"):
        read_manifest(tmp_path / MANIFEST)


@pytest.mark.parametrize("key", ["hash", "made_with", "found_in", "inputs", "entries"])
def test_a_missing_key_of_an_output_is_refused(tmp_path: Path, key: str) -> None:
    manifest = copy.deepcopy(WRITTEN)
    del manifest["outputs"]["a.csv"][key]
    (tmp_path / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(OutputError, match="not a manifest as tagger writes it"):
        read_manifest(tmp_path / MANIFEST)


def test_a_large_manifest_is_read(tmp_path: Path) -> None:
    many = tuple(TagRecord(f"{n:08}", "x" * 80, f"{n:016}", (("ctr", 0.5),), "model", None) for n in range(20_000))
    manifest = Manifest({"a.csv": OutputRecord("0" * 32, "1" * 32, None, (), many)})
    (tmp_path / MANIFEST).write_text(manifest.to_text())
    assert read_manifest(tmp_path / MANIFEST) == manifest


@pytest.mark.parametrize("output", ["../../victim.csv", "ABSOLUTE"])
def test_a_file_elsewhere_that_is_not_as_the_manifest_says_is_left_alone(here: Path, tiny: Path, output: str) -> None:
    """Its listing is gone, so that it would be removed if it were an output of tagger."""
    victim = here.parent / "victim.csv"
    name = str(victim) if output == "ABSOLUTE" else output
    lost = OutputRecord("0" * 32, "1" * 32, "lists", (InputRecord("lists/gone.txt", "2" * 32, 2020),), ())
    (here / "tags" / MANIFEST).write_text(Manifest({name: lost}).to_text())
    planned = plan_batch(["lists"], Path("tags"), BatchSettings(model=tiny))
    assert [str(warning) for warning in planned.warnings] == [
        f"{Path('tags') / name}: kept, though lists/gone.txt is gone: not as tagger wrote it; --force removes it"
    ]
    assert planned.write() == [Path("tags/a.csv")]
    assert victim.read_text() == "not made by tagger\n"


def test_a_hash_or_a_year_that_cannot_be_true_makes_an_output_anew(here: Path, tiny: Path) -> None:
    settings = BatchSettings(model=tiny)
    plan_batch(["lists"], Path("tags"), settings).write()
    as_written = {path: path.read_bytes() for path in (here / "tags").iterdir()}
    for change in ({"made_with": 5}, {"made_with": "x"}, {"hash": None}, {"inputs": []}, {"inputs": [["lists/a.txt", "", 0]]}):
        manifest = json.loads((here / "tags" / MANIFEST).read_text())
        manifest["outputs"]["a.csv"] |= change
        (here / "tags" / MANIFEST).write_text(json.dumps(manifest))
        plan_batch(["lists"], Path("tags"), settings, force=True).write()
        assert {path: path.read_bytes() for path in (here / "tags").iterdir()} == as_written, change
