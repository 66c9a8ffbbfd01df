"""`LabellingSession` -> the lines of a terminal of any size: title, abstract with the telling words marked, topics, keys.

Nothing depends on colour alone: a yes is [x], an unsure [?], telling words are underlined.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from tagger.curation.session import KEYS, LabellingSession, Mark
from tagger.entry import Entry, normalize_whitespace
from tagger.text.positions import Position

if TYPE_CHECKING:
    from rich.text import Text

__all__ = [
    "SMALLEST",
    "screen",
]


SMALLEST = (24, 12)  # columns and lines


_CELL = 38  # columns that a topic should have


_MOST, _LOW = 3, 20  # lines that a title or a message may take; below so many on the screen they take one


_BOX = {Mark.no: "[ ]", Mark.yes: "[x]", Mark.unsure: "[?]"}


_STYLE = {Mark.no: "", Mark.yes: "bold green", Mark.unsure: "bold yellow"}


_FOOT = "Enter save  s skip  b back  u undo  ? help  q quit  f all/new"


_HELP = """\
1 2 3 … a c d …   the topic with that key: no [ ], yes [x], unsure [?]
                  (a * marks what differs from what was proposed or saved)
Enter             save what the screen says of all topics, and go on
s                 skip: go on without saving; your marks stay until you quit
b                 back to the entry before
u                 undo the last mark, or the last save, on disk too
space, Down, Up   more of the text; PageDown and PageUp as well
Right, Left       more topics, where not all fit
f                 show all entries, or only those without a label
q                 quit; what was saved is on disk already
Ctrl-Z, Ctrl-C    pause; leave at once

Underlined words spoke most for the proposed topics; numbers are scores.

"""


def screen(
    state: LabellingSession, telling: Collection[Position], width: int, height: int
) -> tuple[list[Text], LabellingSession]:
    """What a terminal shows, and the state with what fits there.

    Args:
        state: where somebody is.
        telling: where words of the entry stand that are to be marked.
        width: columns of the terminal.
        height: its lines.

    Returns:
        At most `height` lines, each of at most `width` columns; the state with its page, its scroll and their sizes fitted.
    """
    from rich.cells import cell_len
    from rich.text import Text

    if width < SMALLEST[0] or height < SMALLEST[1]:
        wanted = f"{width}x{height} is too small: make the terminal {SMALLEST[0]}x{SMALLEST[1]} at least. Ctrl-C leaves"
        return _wrapped(Text(wanted), width)[:height], state
    columns = max(1, width // _CELL)
    fits = min(len(KEYS), columns * max(1, (height - 6) // 2))
    state = replace(state, per_page=fits, page=min(state.page, (len(state.topics) - 1) // fits))
    most = _MOST if height >= _LOW else 1
    title: list[Text] = []
    topics: list[Text] = []
    if state.help:
        text = _help(state, width)
    elif state.n is None:
        text = _wrapped(Text(_end(state)), width)
    else:
        entry = state.entries[state.n]
        title = _shortened(_wrapped(_marked(entry.title, "title", telling, "bold"), width), most, width)
        title.append(_line(_facts(entry), width, "dim"))
        text = _wrapped(_marked(entry.abstract, "abstract", telling) if entry.abstract else Text("(no abstract)", "dim"), width)
        topics = _topics(state, state.n, width, columns)
    # What fits at the top goes there: a line more for the abstract.
    head, said = _head(state), normalize_whitespace(state.message)
    if cell_len(f"{head}   {said}") <= width:
        head, said = f"{head}   {said}".rstrip(), ""
    message = _shortened(_wrapped(Text(said, "bold"), width), most, width)
    room = max(1, height - len(title) - len(topics) - len(message) - 3)
    state = replace(state, room=room, scroll=max(0, min(state.scroll, len(text) - room)))
    shown = text[state.scroll : state.scroll + room]
    return [
        _line(head, width, "reverse", fill=True),
        *title,
        *shown,
        *[Text() for _ in range(room - len(shown))],
        _rule(state, len(text), width),
        *topics,
        *message,
        _line("any other key goes back" if state.help else f"1…{KEYS[len(state.shown) - 1]} mark  {_FOOT}", width, "dim"),
    ], state


def _head(state: LabellingSession) -> str:
    where = "the end" if state.n is None else f"entry {state.n + 1} of {len(state.entries)}"
    here = state.n is not None and state.entries[state.n].id in state.rows
    return f" {where}{', labelled' * here}   {state.n_labelled} labelled{', all shown' * state.everything}"


def _facts(entry: Entry) -> str:
    names = ", ".join(entry.authors) + " et al." * entry.et_al
    day = entry.date.isoformat() if entry.date else None
    parts = (entry.id, entry.category, day, "Code" if entry.code else None, names, entry.affiliation)
    return " · ".join(part for part in parts if part)


def _end(state: LabellingSession) -> str:
    left = len(state.entries) - state.n_labelled
    if not left:
        return f"Every entry is labelled: {state.n_labelled}. b goes back, q quits."
    entries = "1 entry has" if left == 1 else f"{left} entries have"
    return f"This was the last one. {entries} no label yet: f twice goes through them again, b goes back, q quits."


def _help(state: LabellingSession, width: int) -> list[Text]:
    from rich.text import Text

    lines = [line for part in _HELP.split("\n") for line in _wrapped(Text(part), width)]
    for topic in state.topics:
        lines += _wrapped(
            Text.assemble((topic.name, "bold"), f" ({topic.id})", ": " * bool(topic.definition), topic.definition), width
        )
    return lines


def _topics(state: LabellingSession, n: int, width: int, columns: int) -> list[Text]:
    """The topics of the page, one column after the other."""
    from rich.text import Text

    marks, base = state.marks(n), state.base(n)
    rows = -(-len(state.shown) // columns)
    wide = (width - 2 * (columns - 1)) // columns
    lines = [Text() for _ in range(rows)]
    for place, t in enumerate(state.shown):
        line, score = lines[place % rows], state.scores[n][t]
        right = "    " if score is None else f"{score:.2f}"
        left = f"{KEYS[place]} {_BOX[marks[t]]}{'*' if marks[t] != base[t] else ' '}{state.topics[t].name}"
        cell = _line(left, wide - 5, _STYLE[marks[t]], fill=True)
        cell.append(f" {right}", "dim")
        line.append("  " * (place >= rows)).append_text(cell)
    return lines


def _rule(state: LabellingSession, n_lines: int, width: int) -> Text:
    """The line between text and topics, which says what is not on the screen."""
    parts = []
    above, below = state.scroll, n_lines - state.scroll - state.room
    if below > 0:
        parts.append(f"space: {below} more {'line' if below == 1 else 'lines'}")
    if above:
        parts.append(f"PageUp: {above} above")
    if len(state.shown) < len(state.topics) and state.n is not None and not state.help:
        marks, ids = state.marks(state.n), [topic.id for topic in state.topics]
        pages = -(-len(ids) // state.per_page)
        yes = ", ".join(id for id, mark in zip(ids, marks, strict=True) if mark == Mark.yes) or "none"
        parts.append(f"Right: topics {state.page + 1} of {pages}, yes: {yes}")
    line = _line("── " + " ── ".join(parts) + " " if parts else "", width, "dim")
    line.append("─" * (width - line.cell_len), "dim")
    return line


def _marked(text: str, part: str, telling: Collection[Position], style: str = "") -> Text:
    from rich.text import Text

    shown = Text(text, style)
    for place in sorted(telling):
        if place.part == part:
            shown.stylize("underline yellow", place.start, place.end)
    return shown


def _line(text: str, width: int, style: str, fill: bool = False) -> Text:
    """One line, cut with an ellipsis where it is too long."""
    from rich.text import Text

    line = Text(text, style)
    line.truncate(width, overflow="ellipsis", pad=fill)
    return line


def _wrapped(text: Text, width: int) -> list[Text]:
    """Lines of at most this many columns."""
    import io

    from rich.console import Console

    return [*text.wrap(Console(file=io.StringIO(), width=width), width)] if text.plain else []


def _shortened(lines: list[Text], most: int, width: int) -> list[Text]:
    """At most so many lines; an ellipsis says that there were more."""
    if len(lines) > most:
        lines = lines[:most]
        lines[-1].truncate(width - 1)
        lines[-1].append("…")
    return lines
