"""Labelling entries one at a time: what a key does, and how a decision comes to be in labels/. No terminal is known here.

`LabellingSession` is the whole state and never changes. `press_key` makes the next one from a key, `act_on_key` puts on disk
what was decided by it, and `LabelStore` is where that goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from tagger.entry import Entry
from tagger.errors import TaggerError
from tagger.labels.closure import find_contradictions, implied_labels
from tagger.labels.store import LabelEdit, RowChangedError, SavedRows
from tagger.labels.table import LabelRow, describe_row
from tagger.model.model import Model
from tagger.taxonomy import Taxonomy, Topic
from tagger.text.positions import Position

__all__ = [
    "KEYS",
    "LabellingSession",
    "Mark",
    "Marks",
    "act_on_key",
    "marks_from_row",
    "press_key",
    "row_from_marks",
    "set_mark",
    "start_session",
    "telling_positions",
]


KEYS = "1234567890acdeghijklmnoprtvwxyz"  # of the topics on a page; the other letters are commands


_N_TELLING = 6  # words of a topic that are highlighted


class Mark(StrEnum):
    """What is said of one topic of an entry."""

    no = "no"
    yes = "yes"
    unsure = "unsure"


Marks = tuple[Mark, ...]  # (n_topics,)


_SURE = (Mark.no, Mark.unsure, Mark.yes)


@dataclass(frozen=True, slots=True)
class _Step:
    """What undo goes back to: the marks of an entry that were on the screen, and the edit that takes back what was saved."""

    n: int
    marks: Marks
    undo: LabelEdit | None = None


@dataclass(frozen=True, slots=True)
class LabellingSession:
    """Where somebody is in labelling some entries.

    `scores` and `proposed` have a tuple of n_topics for each entry; a score is None where the model does not know the topic.
    """

    entries: tuple[Entry, ...]
    taxonomy: Taxonomy
    scores: tuple[tuple[float | None, ...], ...]
    proposed: tuple[Marks, ...]
    rows: Mapping[str, LabelRow]  # of labels.csv, as last read
    view: tuple[int, ...]  # the entries to go through
    at: int = 0  # a place in the view, or its end
    everything: bool = False  # whether the view has the labelled entries too
    drafts: Mapping[int, Marks] = field(default_factory=dict)  # marks that differ from what is saved or proposed
    steps: tuple[_Step, ...] = ()
    page: int = 0  # of topics
    per_page: int = len(KEYS)
    scroll: int = 0  # lines of text above the screen
    room: int = 1  # lines of text on it
    help: bool = False
    leaving: bool = False  # whether leaving was asked for while marks are not saved
    done: bool = False
    message: str = ""

    @property
    def topics(self) -> tuple[Topic, ...]:
        """The topics to decide, (n_topics,)."""
        return self.taxonomy.topics

    @property
    def n(self) -> int | None:
        """The entry on the screen; None after the last one."""
        return self.view[self.at] if self.at < len(self.view) else None

    @property
    def shown(self) -> range:
        """The topics on the screen."""
        return range(len(self.topics))[self.page * self.per_page :][: self.per_page]

    @property
    def n_labelled(self) -> int:
        """How many of the entries have a row."""
        return sum(entry.id in self.rows for entry in self.entries)

    def base(self, n: int) -> Marks:
        """What is saved of an entry, else what is proposed."""
        row = self.rows.get(self.entries[n].id)
        return self.proposed[n] if row is None else marks_from_row(row, self.taxonomy)

    def marks(self, n: int) -> Marks:
        """What the screen says of an entry."""
        return self.drafts.get(n, self.base(n))


def start_session(
    entries: Iterable[Entry],
    taxonomy: Taxonomy,
    rows: Mapping[str, LabelRow],
    model: Model,
    everything: bool = False,
) -> LabellingSession:
    """Labelling at its first entry.

    Args:
        entries: what to label; of two with one id the first.
        taxonomy: the topics to decide; marks of more than it allows are not saved.
        rows: what is labelled, by entry id.
        model: what proposes; of topics that it does not know it proposes none.
        everything: whether to go through labelled entries too.
    """
    first: dict[str, Entry] = {}
    for entry in entries:
        first.setdefault(entry.id, entry)
    distinct = tuple(first.values())
    scores = model.scores(distinct)
    tagged = model.predict(scores)
    columns = [model.column(id) if model.is_learned(id) else None for id in taxonomy.ids]
    view = tuple(n for n, entry in enumerate(distinct) if everything or entry.id not in rows)
    return LabellingSession(
        distinct,
        taxonomy,
        tuple(tuple(None if t is None else float(line[t]) for t in columns) for line in scores),
        tuple(tuple(Mark.yes if t is not None and line[t] else Mark.no for t in columns) for line in tagged),
        rows,
        view,
        everything=everything,
    )


def telling_positions(model: Model, entry: Entry) -> frozenset[Position]:
    """Where the terms of an entry stand that spoke most for its topics, or for the nearest one."""
    (found,) = model.tag([entry])
    topics = [tag.topic for tag in found.tags] + ([found.nearest] if found.nearest else [])
    reasons = [[reason for reason in model.why(entry, topic.id) if reason.share > 0] for topic in topics]
    there = model.term_positions(entry)
    return frozenset(place for some in reasons for reason in some[:_N_TELLING] for place in there[reason.term])


def act_on_key(state: LabellingSession, key: str, save: Callable[[LabelEdit], SavedRows]) -> LabellingSession:
    """The state after a key, with what was decided on disk. If it cannot be there, the state says why and keeps the marks."""
    after, decision = press_key(state, key)
    if decision is None:
        return after
    try:
        saved = save(decision)
    except RowChangedError as changed:
        return _conflict(state, after, decision.entry.id, changed, key == "u")
    except (TaggerError, OSError) as error:
        return replace(state, message=f"not saved: {error}")
    # An entry with marks of its own keeps the row that they were made on, so that a change of it does not go unseen.
    mine = {state.entries[n].id for n in after.drafts}
    rows = {id: row for id, row in saved.rows.items() if id not in mine}
    rows |= {id: row for id, row in after.rows.items() if id in mine}
    if key == "u":
        return replace(after, rows=rows)
    step = replace(after.steps[-1], undo=decision.inverse(saved.added_text))
    return replace(after, rows=rows, steps=(*after.steps[:-1], step))


def press_key(state: LabellingSession, key: str) -> tuple[LabellingSession, LabelEdit | None]:
    """The state after a key, and what has to be on disk before that is so.

    Keys are characters and the names enter, left, right, up, down, pageup, pagedown and escape; any other one does nothing.
    """
    if state.help:
        return _scrolled(state, key) or replace(state, help=False, scroll=0), None
    if key == "q":
        if not state.drafts or state.leaving:
            return replace(state, done=True), None
        here = state if state.n in state.drafts else _at(state, min(state.drafts))
        more = f" and on {len(state.drafts) - 1} more" if len(state.drafts) > 1 else ""
        message = f"marks not saved here{more}: Enter saves them, q again quits without"
        return replace(here, leaving=True, message=message), None
    state = replace(state, leaving=False, message="")
    if scrolled := _scrolled(state, key):
        return scrolled, None
    if key == "?":
        return replace(state, help=True, scroll=0), None
    if key in ("left", "right"):
        pages = -(-len(state.topics) // state.per_page)
        return replace(state, page=(state.page + (1 if key == "right" else -1)) % pages), None
    if key == "b":
        return _moved(state, max(0, state.at - 1)), None
    if key == "u":
        return _undone(state)
    if key == "f":
        return _filtered(state), None
    if state.n is None:
        return state, None
    if key == "s":
        return _moved(state, state.at + 1), None
    if key == "enter":
        return _decided(state, state.n)
    place = KEYS.find(key)
    if len(key) == 1 and 0 <= place < len(state.shown):
        return _toggled(state, state.n, state.shown[place]), None
    return state, None


def _scrolled(state: LabellingSession, key: str) -> LabellingSession | None:
    """The text moved up or down; how far it can go only the screen knows."""
    page = max(1, state.room - 1)
    by = {"up": -1, "down": 1, " ": page, "pagedown": page, "pageup": -page}.get(key)
    return None if by is None else replace(state, scroll=max(0, state.scroll + by))


def _moved(state: LabellingSession, at: int) -> LabellingSession:
    return replace(state, at=min(at, len(state.view)), page=0, scroll=0)


def _at(state: LabellingSession, n: int) -> LabellingSession:
    """At an entry, which comes into the view if it was not there."""
    view = tuple(sorted({*state.view, n}))
    return state if state.n == n else _moved(replace(state, view=view), view.index(n))


def _filtered(state: LabellingSession) -> LabellingSession:
    """All entries, or those without a row; at the same entry, or at the next one that is left."""
    everything = not state.everything
    view = tuple(n for n, entry in enumerate(state.entries) if everything or entry.id not in state.rows)
    here = len(state.entries) if state.n is None else state.n
    what = "all entries" if everything else "entries without a label"
    return replace(_moved(replace(state, view=view), sum(n < here for n in view)), everything=everything, message=what)


def _toggled(state: LabellingSession, n: int, t: int) -> LabellingSession:
    """The next mark of a topic: the first key turns it round, the second makes it unsure, the third puts it back."""
    base, marks = state.base(n), state.marks(n)
    turn = [base[t], *(mark for mark in (Mark.yes, Mark.no, Mark.unsure) if mark != base[t])]
    made = set_mark(marks, t, turn[(turn.index(marks[t]) + 1) % 3], state.taxonomy)
    return replace(_drafted(state, n, made), steps=(*state.steps, _Step(n, marks)))


def set_mark(marks: Marks, t: int, mark: Mark, taxonomy: Taxonomy) -> Marks:
    """Marks with one changed, and what follows from it, as in `implied_labels`.

    Topics that it implies become at least what it is, and those that imply it at most; one that it excludes becomes a no beside
    a yes, and no more than unsure beside an unsure one.
    """
    made, id, column = [*marks], taxonomy.ids[t], taxonomy.column
    made[t] = mark
    for other in taxonomy.ancestors[id]:
        made[column[other]] = max(made[column[other]], mark, key=_SURE.index)
    for other in taxonomy.descendants[id]:
        made[column[other]] = min(made[column[other]], mark, key=_SURE.index)
    for other in taxonomy.incompatible[id]:
        made[column[other]] = min(made[column[other]], _SURE[2 - _SURE.index(mark)], key=_SURE.index)
    return tuple(made)


def _drafted(state: LabellingSession, n: int, marks: Marks) -> LabellingSession:
    drafts = {other: made for other, made in state.drafts.items() if other != n}
    return replace(state, drafts=drafts if marks == state.base(n) else {**drafts, n: marks})


def _decided(state: LabellingSession, n: int) -> tuple[LabellingSession, LabelEdit | None]:
    entry, marks = state.entries[n], state.marks(n)
    was = state.rows.get(entry.id)
    if was is not None and marks == state.base(n):
        return replace(_moved(state, state.at + 1), message="as it was"), None
    row = row_from_marks(entry, marks, state.taxonomy, was)
    if wrong := find_contradictions(row, state.taxonomy):
        return replace(state, message=f"not saved: {wrong[0]}"), None
    step = _Step(n, marks)
    after = replace(
        _moved(_drafted(state, n, state.base(n)), state.at + 1),
        steps=(*state.steps, step),
        message=f"saved: {describe_row(row)}",
    )
    return after, LabelEdit(entry, was, row)


def _undone(state: LabellingSession) -> tuple[LabellingSession, LabelEdit | None]:
    if not state.steps:
        return replace(state, message="nothing to undo"), None
    *steps, step = state.steps
    state = replace(_at(state, step.n), steps=tuple(steps), message="undone")
    if step.undo is None:
        return _drafted(state, step.n, step.marks), None
    entry, was = step.undo.entry, step.undo.after
    rows = {id: other for id, other in state.rows.items() if id != entry.id} | ({} if was is None else {entry.id: was})
    after = _drafted(replace(state, rows=rows, message="undone: labels.csv is as it was"), step.n, step.marks)
    return after, step.undo


def _conflict(
    state: LabellingSession, after: LabellingSession, id: str, changed: RowChangedError, undo: bool
) -> LabellingSession:
    """The state where somebody else changed the row of an entry meanwhile: theirs stays until a second Enter."""
    rows = {other: found for other, found in state.rows.items() if other != id} | (
        {} if changed.row is None else {id: changed.row}
    )
    if undo:
        return replace(_at(state, after.view[after.at]), rows=rows, steps=after.steps, message=f"not undone: {changed}")
    n = state.view[state.at]
    kept = _drafted(replace(state, rows=rows), n, state.marks(n))
    return replace(kept, message=f"{changed}. Enter puts your marks in its place" if n in kept.drafts else str(changed))


def marks_from_row(row: LabelRow, taxonomy: Taxonomy) -> Marks:
    """What a row says of each topic: (n_topics,)."""
    yes, unsure = implied_labels(row, taxonomy)
    return tuple(Mark.yes if id in yes else Mark.unsure if id in unsure else Mark.no for id in taxonomy.ids)


def row_from_marks(entry: Entry, marks: Marks, taxonomy: Taxonomy, was: LabelRow | None) -> LabelRow:
    """The row that says these marks; what the old one says of topics that there are no more stays."""
    ids = taxonomy.ids
    yes, unsure = ([id for id, found in zip(ids, marks, strict=True) if found == mark] for mark in (Mark.yes, Mark.unsure))
    if was is not None:
        yes += [id for id in was.topics if id not in ids]
        unsure += [id for id in was.unsure if id not in ids]
    return LabelRow(entry.id, entry.title if was is None else was.title, tuple(yes), tuple(unsure))
