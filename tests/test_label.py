"""Labelling: the state by any keys, the files by any kill, and the terminal as a person sees it."""

from __future__ import annotations

import json
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from screens import Screen

from tagger import Entry, LabelsError, Model, OutputError, Topic, load, read_listing
from tagger.cli.label_screen import render_screen
from tagger.cli.terminal import parse_keys
from tagger.curation.marks import Mark
from tagger.curation.session import KEYS, LabellingSession, find_telling_positions, start_session
from tagger.curation.session_keys import act_on_key, press_key
from tagger.formats.registry import append_entry, remove_entry
from tagger.labels.dataset import read_labels
from tagger.labels.store import LabelEdit, LabelStore, SavedRows
from tagger.labels.table import LabelRow, read_rows, write_rows
from tagger.taxonomy import Taxonomy, read_taxonomy
from tagger.text.positions import Position

BIN = Path(sys.executable).parent

TOPICS = """\
[[topic]]
id = "ctr"
name = "CTR prediction"
definition = "Whether a user clicks."

[[topic]]
id = "llm"
name = "Large language models"

[[topic]]
id = "chat"
name = "Chat"
parent = "llm"
"""
OLD = "LGMay 3, 2020\nThe Shape of WaterDi Pi\nOn water.\n"
LISTING = """\
IRJun 9, 2023Code
Click, Click | ClickAnn Lee, Bo Wu
The click of the click.

CLMay 2, 2024
Language in ClicksCy Ng
Language and a click.

LGMay 3, 2020
The Shape of WaterDi Pi
On water.

CVMay 4, 2020
Żółć gęśląJaźń Lis
Kształt.
"""
CLICK, LANGUAGE, WATER, BILE = "j885z8ba", "cj1qyswd", "g08zjrht", "cy6rwsaa"


def put(folder: Path, tiny: Path) -> Path:
    """A workspace with one labelled entry, the model made by hand and a listing."""
    (folder / "labels/entries").mkdir(parents=True)
    (folder / "models").mkdir()
    (folder / "labels/topics.toml").write_text(TOPICS)
    (folder / "labels/entries/old.txt").write_text(OLD)
    write_rows(folder / "labels/labels.csv", [LabelRow(WATER, "The Shape of Water", ("ctr",))])
    shutil.copy(tiny, folder / "models/topics.safetensors")
    (folder / "l.txt").write_text(LISTING)
    return folder


@pytest.fixture
def place(tmp_path: Path, tiny: Path) -> Path:
    return put(tmp_path / "place", tiny)


def start(place: Path, everything: bool = False, extra: tuple[Entry, ...] = ()) -> LabellingSession:
    rows = {row.id: row for row in read_rows(place / "labels/labels.csv")}
    taxonomy, model = read_taxonomy(place / "labels/topics.toml"), load(place / "models/topics.safetensors")
    return start_session([*read_listing(place / "l.txt"), *extra], taxonomy, rows, model, everything)


def after(state: LabellingSession, keys: str, save: Callable[[LabelEdit], SavedRows]) -> LabellingSession:
    for key in keys.replace("\n", "\r"):
        state = act_on_key(state, "enter" if key == "\r" else key, save)
    return state


def said(place: Path) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    return {row.id: (row.topics, row.unsure) for row in read_rows(place / "labels/labels.csv")}


def files(place: Path) -> dict[str, bytes]:
    return {str(path.relative_to(place)): path.read_bytes() for path in sorted((place / "labels").rglob("*")) if path.is_file()}


# --- the state


def test_proposals_are_preset_and_labelled_entries_left_out(place: Path) -> None:
    state = start(place)
    assert [state.entries[n].id for n in state.view] == [CLICK, LANGUAGE, BILE]
    assert state.marks(0) == (Mark.yes, Mark.no, Mark.no)
    assert [None if score is None else round(score, 2) for score in state.scores[1]] == [0.23, 0.83, None]
    everything = start(place, everything=True)
    assert [everything.entries[n].id for n in everything.view] == [CLICK, LANGUAGE, WATER, BILE]
    assert everything.marks(2) == (Mark.yes, Mark.no, Mark.no), "a label goes before any proposal"


def test_a_key_turns_a_mark_round_then_makes_it_unsure_then_puts_it_back(place: Path) -> None:
    folder = LabelStore(place / "labels")
    state = start(place)
    seen = []
    for _ in range(3):
        state = after(state, "1", folder.save)
        seen.append(state.marks(0)[0])
    assert seen == [Mark.no, Mark.unsure, Mark.yes]
    assert not state.drafts
    assert after(state, "2", folder.save).marks(0)[1] == Mark.yes
    assert said(place) == {WATER: (("ctr",), ())}, "no mark is a decision before Enter"


def test_a_topic_takes_along_what_it_implies(place: Path) -> None:
    folder = LabelStore(place / "labels")
    state = after(start(place), "3", folder.save)
    assert state.marks(0) == (Mark.yes, Mark.yes, Mark.yes)
    state = after(state, "2", folder.save)
    assert state.marks(0) == (Mark.yes, Mark.unsure, Mark.unsure)
    assert after(state, "uu", folder.save).marks(0) == (Mark.yes, Mark.no, Mark.no)


def test_enter_saves_row_and_text_and_undo_takes_them_back(place: Path) -> None:
    folder, before = LabelStore(place / "labels"), files(place)
    state = after(start(place), "2\n", folder.save)
    assert state.message == "saved: ctr, llm"
    assert said(place) == {WATER: (("ctr",), ()), CLICK: (("ctr", "llm"), ())}
    assert (place / "labels/entries/l.txt").read_text() == LISTING.split("\n\n")[0] + "\n"
    state = after(state, "22\n", folder.save)
    assert said(place)[LANGUAGE] == ((), ("llm",))
    assert read_listing(place / "labels/entries/l.txt") == read_listing(place / "l.txt")[:2]
    state = after(state, "uu", folder.save)
    assert state.current == 1
    assert state.entries[1].id == LANGUAGE
    assert state.marks(1) == (Mark.no, Mark.no, Mark.no), "the marks that were on the screen, one back"
    state = after(state, "uu", folder.save)
    assert files(place) == before
    assert after(state, "uu", folder.save).message == "nothing to undo"
    assert files(place) == before


def test_a_text_that_was_there_stays_after_undo(place: Path) -> None:
    """As somebody pasted it, or a run that was killed left it."""
    (place / "labels/entries/l.txt").write_text(LISTING.split("\n\n")[0] + "\n")
    folder, state = LabelStore(place / "labels"), start(place)
    before = files(place)
    state = after(state, "\n", folder.save)
    assert len(read_labels(place / "labels").rows) == 2
    after(state, "u", folder.save)
    assert files(place) == before


def test_skip_back_filter_and_the_end(place: Path) -> None:
    folder = LabelStore(place / "labels")
    state = after(start(place), "1s", folder.save)
    assert (state.current, state.drafts) == (1, {0: (Mark.no, Mark.no, Mark.no)})
    assert after(state, "b", folder.save).marks(0)[0] == Mark.no, "marks wait for their entry"
    state = after(state, "f", folder.save)
    assert (state.current, state.view) == (1, (0, 1, 2, 3))
    state = after(state, "\n", folder.save)
    assert (state.current, folder.table.read_text().count(LANGUAGE)) == (2, 1)
    assert after(state, "\n", folder.save).message == "unchanged", "a label that says the same is not written"
    state = after(state, "f", folder.save)
    assert (state.current, state.view) == (3, (0, 3))
    state = after(state, "s", folder.save)
    assert state.current is None
    assert after(state, "1\nxs", folder.save) == replace(state, message="")
    state = after(state, "q", folder.save)
    assert (state.current, state.done, state.leaving) == (0, False, True)
    assert state.message == "marks not saved here: Enter saves them, q again quits without"
    assert not after(state, "sq", folder.save).done
    assert after(state, "q", folder.save).done
    assert after(state, "\nq", folder.save).done
    assert said(place)[CLICK] == ((), ())


def test_a_topic_that_is_none_any_more_stays_in_its_row(place: Path) -> None:
    table = place / "labels/labels.csv"
    write_rows(table, [LabelRow(WATER, "the shape of water", ("gone", "ctr"), ("lost",))])
    after(start(place, everything=True), "ss2\n", LabelStore(place / "labels").save)
    assert table.read_text().splitlines()[1:] == [f"{WATER},the shape of water,ctr;llm;gone,lost"]


KEY = st.sampled_from([*"123", *"123", "enter", "enter", "enter", *"sbufq?x ", "left", "right", "up", "down", "escape"])


@settings(max_examples=60)  # none is written to
@given(keys=st.lists(KEY, max_size=40), everything=st.booleans(), size=st.sampled_from([(80, 24), (24, 12), (200, 60), (9, 3)]))
def test_any_keys_keep_the_files_whole_and_undo_restores_them(
    tiny: Path, keys: list[str], everything: bool, size: tuple[int, int]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        place = put(Path(name) / "place", tiny)
        folder, before = LabelStore(place / "labels"), files(place)
        undated = Entry("Clicks without a date", ("Ed Oh",), abstract="A click.")
        state = start(place, everything, (undated,))
        for key in keys:
            state = act_on_key(state, key, folder.save)
            found = read_labels(place / "labels")
            assert {row.id: (row.topics, row.unsure) for row in state.rows.values()} == said(place)
            assert [entry for entry in found.entries if entry in state.entries] == [*found.entries]
            drawn, state = render_screen(state, {Position("title", 0, 5), Position("abstract", 2, 7)}, *size)
            assert len(drawn) == size[1]
            assert all(line.cell_len <= size[0] for line in drawn)
            state = replace(state, done=False)
        state = replace(state, help=False)
        for _ in range(len(state.history)):
            state = act_on_key(state, "u", folder.save)
        assert not state.history
        assert not state.drafts
        assert files(place) == before


# --- the folder, and who else writes there


def test_what_others_wrote_meanwhile_stays(place: Path) -> None:
    folder, state = LabelStore(place / "labels"), start(place)
    other = Entry("Another", date=None, category=None, abstract="Words.")
    LabelStore(place / "labels").save(LabelEdit(other, None, LabelRow(other.id, "Another", ("llm",))))
    table = place / "labels/labels.csv"
    table.write_text(table.read_text().replace(",ctr,", ",,ctr"))  # a person, by an editor
    state = after(state, "\n", folder.save)
    assert said(place) == {WATER: ((), ("ctr",)), other.id: (("llm",), ()), CLICK: (("ctr",), ())}
    assert state.rows[WATER].unsure == ("ctr",), "and is known from then on"
    assert json.loads((place / "labels/entries/by-hand.jsonl.txt").read_text())["title"] == "Another"
    read_labels(place / "labels")


def test_a_row_that_somebody_else_wrote_is_shown_and_not_overwritten_unasked(place: Path) -> None:
    folder, state = LabelStore(place / "labels"), start(place)
    theirs = LabelStore(place / "labels")
    theirs.save(LabelEdit(state.entries[0], None, LabelRow(CLICK, "Click, Click | Click", ("llm",))))
    before = files(place)
    state = after(state, "\n", folder.save)
    assert files(place) == before
    assert state.message == ("labels.csv was changed meanwhile and says of this entry: llm. Enter puts your marks in its place")
    assert (state.current, state.marks(0), state.baseline(0)) == (0, (Mark.yes, Mark.no, Mark.no), (Mark.no, Mark.yes, Mark.no))
    state = after(state, "\n", folder.save)
    assert said(place)[CLICK] == (("ctr",), ())
    state = after(state, "u", folder.save)
    assert said(place)[CLICK] == (("llm",), ()), "undo gives theirs back"

    state = after(state, "\n", folder.save)
    theirs.save(LabelEdit(state.entries[0], LabelRow(CLICK, "", ("ctr",)), None))
    state = after(state, "u", folder.save)
    assert state.message == "not undone: labels.csv was changed meanwhile and says of this entry: nothing, its row is gone"
    assert CLICK not in state.rows


def test_marks_are_kept_while_a_file_is_not_in_order(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, table = LabelStore(place / "labels"), place / "labels/labels.csv"
    whole = table.read_text()
    state = after(start(place), "2", folder.save)
    for wrong, message in (
        ("id,title\n", "labels.csv:1: expected the columns id,title,topics,unsure, found id,title"),
        (
            whole + whole.splitlines()[1].replace(WATER, CLICK) + "\n" + f"{CLICK},x,,\n",
            f"labels.csv:4: a second row for '{CLICK}'",
        ),
    ):
        table.write_text(wrong)
        state = after(state, "\n", folder.save)
        assert message in state.message
        assert state.message.startswith("not saved: ")
        assert table.read_text() == wrong
        assert state.marks(0) == (Mark.yes, Mark.yes, Mark.no)
    table.write_text(whole)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        assert "cannot be written: No space left on device" in after(state, "\n", folder.save).message
    after(state, "\n", folder.save)
    assert said(place)[CLICK] == (("ctr", "llm"), ())


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written to: No such file or directory"):
        LabelStore(tmp_path / "no").save(LabelEdit(Entry("X"), None, None))


_VICTIM = """
import os, signal, sys
from pathlib import Path
from tagger import read_listing
from tagger.labels.store import LabelEdit, LabelStore
from tagger.labels.table import LabelRow

place, last = Path(sys.argv[1]), int(sys.argv[2])
entry = read_listing(place / "l.txt")[0]
row = LabelRow(entry.id, entry.title, ("ctr",))
folder = LabelStore(place / "labels")
seen = 0

def watch(event, arguments):
    global seen
    if event in ("open", "os.rename", "os.remove", "os.chmod", "os.listdir", "os.scandir") and place.name in str(arguments):
        seen += 1
        if seen == last:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(watch)
saved = folder.save(LabelEdit(entry, None, row))
folder.save(LabelEdit(entry, row, None, saved.added_text))
print(seen)
"""


def test_a_kill_at_any_moment_leaves_what_the_next_run_puts_right(place: Path, tmp_path: Path) -> None:
    """Killed before each single file operation of a save and its undo, a seeded third of them."""

    def run(place: Path, last: int) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-c", _VICTIM, place, str(last)], capture_output=True, text=True)

    n = int(run(shutil.copytree(place, tmp_path / "killed-0"), -1).stdout)
    assert n > 10
    torn = 0
    for last in sorted(random.Random(5).sample(range(1, n + 1), n // 3)):
        here = shutil.copytree(place, tmp_path / f"killed-{last}")
        assert run(here, last).returncode == -signal.SIGKILL
        rows = read_rows(here / "labels/labels.csv")
        assert {row.id for row in rows} in ({WATER}, {WATER, CLICK})
        try:
            assert len(read_labels(here / "labels").rows) == len(rows)
        except LabelsError as error:
            torn += 1
            (problem,) = error.problems
            assert "no row in" in problem.message, "a text waits for its row, never a row for its text"
        state = after(start(here), "\n", LabelStore(here / "labels").save)
        assert CLICK in state.rows
        assert {row.id for row in read_labels(here / "labels").rows} >= {WATER, CLICK}
        assert not [*here.rglob("*.tmp")]
    assert torn


def test_a_text_without_a_row_is_named_with_the_row_to_add(
    place: Path, run: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    (place / "labels/entries/l.txt").write_text(LISTING.split("\n\n")[0] + "\n")
    done = run("tagger", "retrain", cwd=place)
    assert done.returncode == 2
    assert (
        f'l.txt:1: no row in labels/labels.csv; add this one with its topics: {CLICK},"Click, Click | Click",,' in done.stderr
    )


# --- what it leans on


def test_texts_are_added_and_taken_away_to_the_letter(root: Path, frozen: Path) -> None:
    entries = read_listing(root / "examples/new-listing.txt")
    for path in [frozen / "labels/entries/energy.txt", root / "tagger/example/labels/entries/example.txt"]:
        text, before = path.read_text(), read_listing(path)
        longer = append_entry(text, entries[1])
        assert longer.startswith(text)
        (path := Path(tempfile.mkdtemp()) / "l.txt").write_text(longer)
        assert read_listing(path) == [*before, entries[1]]
        assert remove_entry(longer, entries[1].id) == text
        assert append_entry(remove_entry(text, before[-1].id), before[-1]).split() == text.split()


def test_an_abstract_that_tells_how_another_entry_is_split_does_not_split_it(tmp_path: Path) -> None:
    """`Ada` is a word of a title until another entry's abstract makes it a name."""
    text = "IRJun 9, 2023\r\nOn Graph Ann Lee, Bo Wu\r\nWords.\r\n\r\nIRJun 9, 2023\r\nTwo\tCy Ng\r\nMore.\r\n"
    path = tmp_path / "l.txt"
    path.write_text(text)
    before = read_listing(path)
    entry = Entry(
        "Graph Ann", ("Lee Bo",), date=before[0].date, category="IR", abstract="Graph Ann and graph Ann Lee, On Graph."
    )
    path.write_text(append_entry(text, entry))
    assert read_listing(path) == [*before, entry]
    assert remove_entry(text, before[0].id).split("\n", 1)[1] == "Two\tCy Ng\r\nMore.\n"


def test_telling_words_are_found_where_they_stand(model: Model, frozen: Path) -> None:
    for entry in read_listing(frozen / "lists/new.txt")[:3]:
        there = find_telling_positions(model, entry)
        assert there
        (tagged,) = model.tag([entry])
        topics = [tag.topic for tag in tagged.tags] or [tagged.nearest]
        speak = {reason.term for topic in topics if topic for reason in model.why(entry, topic.id) if reason.share > 0}
        texts = [getattr(entry, place.part)[place.start : place.end].casefold() for place in there]
        assert {" ".join(re.findall(r"\w\w+", text)) for text in texts} <= speak
        assert all(place.end <= len(getattr(entry, place.part)) for place in there)


def test_the_telling_words_of_title_and_abstract_are_underlined(place: Path) -> None:
    state = start(place)
    assert state.current is not None
    entry = state.entries[state.current]
    lines, _ = render_screen(state, {Position("title", 0, 5), Position("abstract", 2, 7)}, 80, 24)
    marked = [line.plain[span.start : span.end] for line in lines for span in line.spans if "underline" in str(span.style)]
    assert marked == [entry.title[:5], entry.abstract[2:7]]


def test_keys_in_pieces_and_what_is_none() -> None:
    keys, rest = parse_keys("q\x1b")
    assert (keys, rest) == (["q"], "\x1b")
    assert parse_keys(rest + "[5") == ([], "\x1b[5")
    assert parse_keys(rest + "[5~1") == (["pageup", "1"], "")
    assert parse_keys("\x1b[200~1\r") == ([], "\x1b[200~1\r"), "a pasted listing is no answer"
    assert parse_keys("\x1b[200~1\rq\x1b[201~2\x1bx\x1b[1;5A\x03\x1a") == (["2", "ctrl-c", "ctrl-z"], "")


# --- the screen


def test_many_topics_come_in_pages_and_long_texts_scroll(place: Path) -> None:
    state = start(place)
    many = tuple(Topic(f"t{n}", f"Topic 表{n}") for n in range(50))
    state = replace(state, taxonomy=Taxonomy(many), scores=((0.5,) * 50,) * 4, proposed=((Mark.no,) * 50,) * 4)
    state = replace(state, entries=(replace(state.entries[0], abstract="word " * 500), *state.entries[1:]))
    lines, state = render_screen(state, (), 80, 24)
    assert (state.per_page, state.page, len(state.columns)) == (18, 0, 18)
    assert "── space: 22 more lines ── Right: topics 1 of 3, yes: none ──" in "\n".join(line.plain for line in lines)
    state = press_key(press_key(state, "right")[0], "2")[0]
    lines, state = render_screen(press_key(state, " ")[0], (), 80, 24)
    plain = "\n".join(line.plain for line in lines)
    assert state.drafts[0].index(Mark.yes) == 19
    assert "2 [x]*Topic 表19" in plain
    assert "PageUp: 9 above ── Right: topics 2 of 3, yes: t19 ──" in plain
    for _ in range(9):
        _, state = render_screen(press_key(state, "pagedown")[0], (), 80, 24)
    lines, state = render_screen(press_key(state, "left")[0], (), 40, 12)
    assert (state.per_page, state.page) == (3, 0)
    assert {len(lines), *(line.cell_len <= 40 for line in lines)} == {12, True}
    lines, _ = render_screen(state, (), 20, 12)
    assert (
        " ".join(line.plain.strip() for line in lines) == "20x12 is too small: make the terminal 24x12 at least. Ctrl-C leaves"
    )
    assert len(set(KEYS) & set("sbufq? ")) == 0


FIRST = f"""\
 entry 1 of 4   1 labelled
Click, Click | Click
j885z8ba · IR · 2023-06-09 · Code · Ann Lee, Bo Wu
The click of the click.
{15 * chr(10)}
{80 * "─"}
1 [x] CTR prediction               0.82  3 [ ] Chat
2 [ ] Large language models        0.12
1…3 mark  Enter save  s skip  b back  u undo  ? help  q quit  f all/new"""


@pytest.fixture
def at(place: Path) -> Iterator[Callable[..., Screen]]:
    """Terminals in the workspace."""
    opened: list[Screen] = []

    def call(*command: str, columns: int = 80, lines: int = 24, **environment: str) -> Screen:
        opened.append(Screen(command or (str(BIN / "tagger"), "label", "l.txt"), place, columns, lines, **environment))
        return opened[-1]

    yield call
    for each in opened:
        each.close()


def test_labelling_on_a_terminal_leaving_and_going_on(
    place: Path, at: Callable[..., Screen], run: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    assert "CTR prediction 0.82" in run("tag", "l.txt", cwd=place).stdout
    first = at()
    assert first.wait("q quit") == FIRST
    underlined = {x for x in range(80) if first.screen.buffer[3][x].underscore}
    assert underlined == {*range(4, 9), *range(17, 22)}, "click, twice"
    assert first.screen.buffer[21][0].fg == "green"
    first.type("1")
    assert first.wait("1 [ ]*CTR").count("[x]") == 0
    first.type("2\r")
    assert first.wait("saved: llm").splitlines()[:3] == [
        " entry 2 of 4   2 labelled   saved: llm",
        "Language in Clicks",
        "cj1qyswd · CL · 2024-05-02 · Cy Ng",
    ]
    assert said(place)[CLICK] == (("llm",), ()), "on disk as soon as it is on the screen"
    assert "Large language models by hand" in run("tag", "l.txt", cwd=place).stdout, "in force without retraining"
    first.type("s")
    first.wait("Żółć gęślą")
    first.type("q")
    assert first.end() == 0
    assert "2 of 4 entries are labelled in labels/labels.csv" in first.text()
    assert first.restored()

    again = at()
    assert again.wait("q quit").startswith(" entry 2 of 4   2 labelled\nLanguage in Clicks\n")
    again.type("\r\r")
    assert "Every entry is labelled: 4. b goes back, q quits." in again.wait("saved: no topic")
    again.type("b3?")
    assert "CTR prediction (ctr): Whether a user clicks." in again.wait("any other key goes back")
    again.type("\x1b")
    assert "[x]*Chat" in again.wait("q quit"), "and the topic that it implies"
    again.type("q")
    again.wait("marks not saved here: Enter saves them, q again quits without")
    again.type("q")
    assert again.end() == 0
    assert said(place)[BILE] == ((), ())
    assert len(read_labels(place / "labels").rows) == 4
    done = run("tagger", "label", "l.txt", cwd=place)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "4 of 4 entries are labelled in labels/labels.csv\n")


def test_narrow_colourless_and_resized(at: Callable[..., Screen]) -> None:
    screen = at(columns=40, lines=12, NO_COLOR="1")
    assert (
        screen.wait("b back")
        == """\
 entry 1 of 4   1 labelled
Click, Click | Click
j885z8ba · IR · 2023-06-09 · Code · Ann…
The click of the click.



────────────────────────────────────────
1 [x] CTR prediction                0.82
2 [ ] Large language models         0.12
3 [ ] Chat
1…3 mark  Enter save  s skip  b back  u…"""
    )
    assert {cell.fg for line in screen.screen.buffer.values() for cell in line.values()} == {"default"}
    assert screen.screen.buffer[3][4].underscore, "what is no colour stays"
    screen.resize(80, 24)
    assert screen.wait("0.82  3 [ ] Chat") == FIRST


def test_control_codes_reach_no_terminal(place: Path, at: Callable[..., Screen]) -> None:
    title, abstract = "Evil \x1b]0;owned\x07\x1b[2J\u202e\u2066title", "Also \x9b31m\x1b[Aevil\u2067."
    entry = json.dumps({"title": title, "abstract": abstract, "date": "2020-01-02", "category": "IR"})
    (place / "l.txt").write_text(entry + "\n")
    screen = at()
    assert screen.wait("q quit").splitlines()[1:4] == [
        "Evil ]0;owned [2J title",
        f"{read_listing(place / 'l.txt')[0].id} · IR · 2020-01-02",
        "Also 31m [Aevil .",
    ]
    screen.type("\r")
    screen.wait("saved")
    assert not {"\x1b", "\x07", "\x9b", "\u202e", "\u2066", "\u2067"} & {*(place / "labels/entries/l.txt").read_text()}
    assert not {"\x1b", "\x07", "\u202e", "\u2066"} & {*(place / "labels/labels.csv").read_text()}


@pytest.mark.parametrize("how", ["ctrl-c", "term", "error"])
def test_the_terminal_is_given_back(place: Path, at: Callable[..., Screen], how: str) -> None:
    if how == "error":
        take = "from tagger.cli.terminal import open_terminal\nwith open_terminal() as t:\n"
        script = take + " t.paint([]); t.read_key(); raise RuntimeError('x')"
        screen = at(sys.executable, "-c", script)
        while b"2004h" not in screen.raw:
            screen.look(0.1)
        screen.type("x")
    else:
        screen = at()
        screen.wait("q quit")
        if how == "term":
            screen.process.terminate()
        else:
            screen.type("1\x03")
    assert screen.end() == {"ctrl-c": 130, "term": 143, "error": 1}[how]
    assert screen.restored()
    assert said(place) == {WATER: (("ctr",), ())}


def test_pause_gives_the_terminal_back_and_going_on_paints_again(at: Callable[..., Screen]) -> None:
    shell = at("bash", "--norc", "--noprofile", "-i", PS1="shell> ", HISTFILE="", BASH_SILENCE_DEPRECATION_WARNING="1")
    shell.wait("shell>")
    shell.type(f"{BIN / 'tagger'} label l.txt\n")
    shell.wait("q quit")
    shell.type("1")
    shell.wait("1 [ ]*CTR")
    shell.type("\x1a")
    shell.wait("Stopped", "shell>")
    shell.type("stty -a | tr ' ' '\\n' | grep -xE -e '-?(icanon|isig|echo|ixon|icrnl)' | sort | tr '\\n' ' '; echo done\n")
    assert "echo icanon icrnl isig ixon done" in shell.wait("done\n")
    shell.type("clear; fg\n")
    assert "1 [ ]*CTR prediction" in shell.wait("q quit"), "the marks are still there"
    shell.type("11q")
    shell.wait("1 of 4 entries are labelled")
    shell.type("exit\n")
    assert shell.end() == 0


def test_where_there_is_no_terminal(
    place: Path, at: Callable[..., Screen], run: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    done = run("tagger", "label", "l.txt", cwd=place)
    assert done.stderr == "tagger: labelling wants a terminal, and standard input is none; edit labels/labels.csv instead\n"
    assert (done.returncode, done.stdout) == (2, "")
    dumb = at(TERM="dumb")
    assert dumb.end() == 2
    assert "labelling wants a terminal that can be painted on, and TERM names none" in dumb.text().replace("\n", "")
    done = run("tagger", "label", "nowhere.txt", cwd=place)
    assert done.stderr.startswith("nowhere.txt: cannot be read: No such file or directory")
