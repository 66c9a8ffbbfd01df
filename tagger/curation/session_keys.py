"""What a key does while a person labels entries, and how labels get into labels/. Nothing here knows a terminal.

`press_key` makes the next state from a key. `act_on_key` also puts on disk what was decided, with a function such as
`LabelStore.save`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from tagger.curation.marks import Mark, Marks, row_from_marks, set_mark
from tagger.curation.session import KEYS, LabellingSession, UndoStep
from tagger.errors import TaggerError
from tagger.labels.closure import find_contradictions
from tagger.labels.store import LabelEdit, RowChangedError, SavedRows
from tagger.labels.table import LabelRow, describe_row

__all__ = ["act_on_key", "press_key"]


def act_on_key(state: LabellingSession, key: str, save: Callable[[LabelEdit], SavedRows]) -> LabellingSession:
    """The state after a key. What was decided is on disk; if it cannot be, the state says why and keeps the marks.

    Args:
        state: the state before.
        key: as in `press_key`.
        save: puts an edit on disk.
    """
    after, edit = press_key(state, key)
    if edit is None:
        return after
    try:
        saved = save(edit)
    except RowChangedError as changed:
        return _keep_their_row(state, after, edit.entry.id, changed, is_undo=key == "u")
    except (TaggerError, OSError) as error:
        return replace(state, message=f"not saved: {error}")
    # An entry with a draft keeps the row that the draft was made on, so that a change of the row is noticed when it is saved.
    drafted = {state.entries[n].id for n in after.drafts}
    rows = {id: row for id, row in saved.rows.items() if id not in drafted}
    rows |= {id: row for id, row in after.rows.items() if id in drafted}
    if key == "u":
        return replace(after, rows=rows)
    step = replace(after.history[-1], undo=edit.inverse(saved.added_text))
    return replace(after, rows=rows, history=(*after.history[:-1], step))


def press_key(state: LabellingSession, key: str) -> tuple[LabellingSession, LabelEdit | None]:
    """The state after a key, and the edit that must be saved for it to be true; None for none.

    Keys are characters and the names enter, left, right, up, down, pageup, pagedown and escape. Any other key does nothing.
    """
    if state.help:
        return _scroll_text(state, key) or replace(state, help=False, scroll=0), None
    if key == "q":
        return _leave(state), None
    state = replace(state, leaving=False, message="")
    if key == "u":
        return _undo(state)
    if key == "enter" and state.current is not None:
        return _save_marks(state, state.current)
    return _move_or_mark(state, key), None


def _move_or_mark(state: LabellingSession, key: str) -> LabellingSession:
    """The state after a key that saves nothing."""
    if scrolled := _scroll_text(state, key):
        return scrolled
    if key == "?":
        return replace(state, help=True, scroll=0)
    if key in ("left", "right"):
        n_pages = -(-len(state.topics) // state.per_page)
        return replace(state, page=(state.page + (1 if key == "right" else -1)) % n_pages)
    if key == "b":
        return _go_to(state, max(0, state.position - 1))
    if key == "f":
        return _switch_view(state)
    if state.current is None:
        return state
    if key == "s":
        return _go_to(state, state.position + 1)
    place = KEYS.find(key)
    if len(key) == 1 and 0 <= place < len(state.columns):
        return _turn_mark(state, state.current, state.columns[place])
    return state


def _leave(state: LabellingSession) -> LabellingSession:
    """The end; or, at the first time with marks that are not saved, one of their entries and a question."""
    if not state.drafts or state.leaving:
        return replace(state, done=True)
    at_draft = state if state.current in state.drafts else _go_to_entry(state, min(state.drafts))
    more = f" and on {len(state.drafts) - 1} more" if len(state.drafts) > 1 else ""
    return replace(at_draft, leaving=True, message=f"marks not saved here{more}: Enter saves them, q again quits without")


def _scroll_text(state: LabellingSession, key: str) -> LabellingSession | None:
    """The text moved up or down; None if the key does not move it. Only the screen knows how far it can go."""
    page = max(1, state.n_visible_lines - 1)
    n_lines = {"up": -1, "down": 1, " ": page, "pagedown": page, "pageup": -page}.get(key)
    return None if n_lines is None else replace(state, scroll=max(0, state.scroll + n_lines))


def _go_to(state: LabellingSession, position: int) -> LabellingSession:
    return replace(state, position=min(position, len(state.view)), page=0, scroll=0)


def _go_to_entry(state: LabellingSession, n: int) -> LabellingSession:
    """At an entry, which comes into the view if it is not in it."""
    view = tuple(sorted({*state.view, n}))
    return state if state.current == n else _go_to(replace(state, view=view), view.index(n))


def _switch_view(state: LabellingSession) -> LabellingSession:
    """From the entries without a row to all entries, or back: at the same entry, or at the next one in the view."""
    with_labelled = not state.with_labelled
    view = tuple(n for n, entry in enumerate(state.entries) if with_labelled or entry.id not in state.rows)
    current = len(state.entries) if state.current is None else state.current
    state = _go_to(replace(state, view=view), sum(n < current for n in view))
    message = "all entries" if with_labelled else "entries without a label"
    return replace(state, with_labelled=with_labelled, message=message)


def _turn_mark(state: LabellingSession, n: int, t: int) -> LabellingSession:
    """The next mark of a topic: the opposite of the baseline, then unsure, then the baseline again."""
    baseline, marks = state.baseline(n)[t], state.marks(n)
    turn = [baseline, *(mark for mark in (Mark.yes, Mark.no, Mark.unsure) if mark != baseline)]
    next_mark = turn[(turn.index(marks[t]) + 1) % 3]
    changed = _set_draft(state, n, set_mark(marks, t, next_mark, state.taxonomy))
    return replace(changed, history=(*state.history, UndoStep(n, marks)))


def _set_draft(state: LabellingSession, n: int, marks: Marks) -> LabellingSession:
    """With these marks of an entry on the screen, which are a draft if they differ from the baseline."""
    drafts = {other: draft for other, draft in state.drafts.items() if other != n}
    return replace(state, drafts=drafts if marks == state.baseline(n) else {**drafts, n: marks})


def _save_marks(state: LabellingSession, n: int) -> tuple[LabellingSession, LabelEdit | None]:
    """At the next entry, with the edit that saves the marks of this one; at this one if the marks contradict each other."""
    entry, marks = state.entries[n], state.marks(n)
    before = state.rows.get(entry.id)
    if before is not None and marks == state.baseline(n):
        return replace(_go_to(state, state.position + 1), message="unchanged"), None
    row = row_from_marks(entry, marks, state.taxonomy, before)
    if contradictions := find_contradictions(row, state.taxonomy):
        return replace(state, message=f"not saved: {contradictions[0]}"), None
    after = replace(
        _go_to(_set_draft(state, n, state.baseline(n)), state.position + 1),
        history=(*state.history, UndoStep(n, marks)),
        message=f"saved: {describe_row(row)}",
    )
    return after, LabelEdit(entry, before, row)


def _undo(state: LabellingSession) -> tuple[LabellingSession, LabelEdit | None]:
    """The state before the last mark or save, with the edit that takes a save back."""
    if not state.history:
        return replace(state, message="nothing to undo"), None
    *history, step = state.history
    state = replace(_go_to_entry(state, step.entry), history=tuple(history), message="undone")
    if step.undo is None:
        return _set_draft(state, step.entry, step.marks), None
    rows = _with_row(state.rows, step.undo.entry.id, step.undo.after)
    state = replace(state, rows=rows, message="undone: labels.csv is as it was")
    return _set_draft(state, step.entry, step.marks), step.undo


def _keep_their_row(
    state: LabellingSession, after: LabellingSession, id: str, changed: RowChangedError, is_undo: bool
) -> LabellingSession:
    """The state if somebody else changed the row of an entry meanwhile. Their row stays until a second Enter.

    Args:
        state: the state before the key.
        after: what would have followed.
        id: the entry.
        changed: says what its row is now.
        is_undo: whether the key was to undo.
    """
    rows = _with_row(state.rows, id, changed.row)
    if is_undo:
        state = _go_to_entry(state, after.view[after.position])
        return replace(state, rows=rows, history=after.history, message=f"not undone: {changed}")
    n = state.view[state.position]
    state = _set_draft(replace(state, rows=rows), n, state.marks(n))
    return replace(state, message=f"{changed}. Enter puts your marks in its place" if n in state.drafts else str(changed))


def _with_row(rows: Mapping[str, LabelRow], id: str, row: LabelRow | None) -> dict[str, LabelRow]:
    """Rows with that of one entry replaced; None deletes it."""
    others = {other: theirs for other, theirs in rows.items() if other != id}
    return others if row is None else {**others, id: row}
