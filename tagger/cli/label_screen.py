"""`LabellingSession` -> the lines of a terminal of any size: title, abstract with the telling words marked, topics, keys.

Nothing depends on colour alone: a yes is [x], an unsure [?], telling words are underlined.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from tagger.curation.marks import Mark
from tagger.curation.session import KEYS, LabellingSession
from tagger.entry import Entry
from tagger.text.positions import Position
from tagger.whitespace import normalize_whitespace

if TYPE_CHECKING:
    from rich.text import Text

__all__ = ["MIN_HEIGHT", "MIN_WIDTH", "render_screen"]

MIN_WIDTH, MIN_HEIGHT = 24, 12  # columns and lines; a smaller terminal cannot show what a key does
_TOPIC_WIDTH = 38  # columns that a topic should have
_MAX_LINES = 3  # of a title and of a message
_LOW_HEIGHT = 20  # on a screen with fewer lines, a title and a message have one line each
_MARK_BOX = {Mark.no: "[ ]", Mark.yes: "[x]", Mark.unsure: "[?]"}
_MARK_STYLE = {Mark.no: "", Mark.yes: "bold green", Mark.unsure: "bold yellow"}
_COMMANDS = "Enter save  s skip  b back  u undo  ? help  q quit  f all/new"

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


def render_screen(
    state: LabellingSession, telling: Collection[Position], width: int, height: int
) -> tuple[list[Text], LabellingSession]:
    """What a terminal shows, and the state with what fits there.

    Args:
        state: where the person is.
        telling: where the words of the entry stand that are to be marked.
        width: columns of the terminal.
        height: its lines.

    Returns:
        At most `height` lines of at most `width` columns each; the state with its page, its scroll and their sizes fitted.
    """
    from rich.text import Text

    if width < MIN_WIDTH or height < MIN_HEIGHT:
        advice = f"{width}x{height} is too small: make the terminal {MIN_WIDTH}x{MIN_HEIGHT} at least. Ctrl-C leaves"
        return _wrap(Text(advice), width)[:height], state
    n_columns = max(1, width // _TOPIC_WIDTH)
    per_page = min(len(KEYS), n_columns * max(1, (height - 6) // 2))
    state = replace(state, per_page=per_page, page=min(state.page, (len(state.topics) - 1) // per_page))
    max_lines = _MAX_LINES if height >= _LOW_HEIGHT else 1
    shows_entry = state.current is not None and not state.help
    title = _title_lines(state, telling, width, max_lines) if shows_entry else []
    topics = _topic_lines(state, width, n_columns) if shows_entry else []
    head, message = _head_and_message(state, width, max_lines)
    text = _text_lines(state, telling, width)
    n_visible = max(1, height - len(title) - len(topics) - len(message) - 3)
    state = replace(state, n_visible_lines=n_visible, scroll=max(0, min(state.scroll, len(text) - n_visible)))
    visible = text[state.scroll : state.scroll + n_visible]
    foot = "any other key goes back" if state.help else f"1…{KEYS[len(state.columns) - 1]} mark  {_COMMANDS}"
    return [
        _fit_line(head, width, "reverse", fill=True),
        *title,
        *visible,
        *[Text() for _ in range(n_visible - len(visible))],
        _rule_line(state, len(text), width),
        *topics,
        *message,
        _fit_line(foot, width, "dim"),
    ], state


def _head_and_message(state: LabellingSession, width: int, max_lines: int) -> tuple[str, list[Text]]:
    """The first line, and the lines of the message. A message that fits into the first line leaves more for the abstract."""
    from rich.cells import cell_len
    from rich.text import Text

    where = "the end" if state.current is None else f"entry {state.current + 1} of {len(state.entries)}"
    is_labelled = state.current is not None and state.entries[state.current].id in state.rows
    head = f" {where}{', labelled' * is_labelled}   {state.n_labelled} labelled{', all shown' * state.with_labelled}"
    message = normalize_whitespace(state.message)
    if cell_len(f"{head}   {message}") <= width:
        return f"{head}   {message}".rstrip(), []
    return head, _limit_lines(_wrap(Text(message, "bold"), width), max_lines, width)


def _title_lines(state: LabellingSession, telling: Collection[Position], width: int, max_lines: int) -> list[Text]:
    """The title of the current entry, and a line of what else is known of it."""
    entry = state.entries[state.current or 0]
    title = _limit_lines(_wrap(_underline(entry.title, "title", telling, "bold"), width), max_lines, width)
    return [*title, _fit_line(_facts_text(entry), width, "dim")]


def _facts_text(entry: Entry) -> str:
    authors = ", ".join(entry.authors) + " et al." * entry.et_al
    date = entry.date.isoformat() if entry.date else None
    facts = (entry.id, entry.category, date, "Code" if entry.code else None, authors, entry.affiliation)
    return " · ".join(fact for fact in facts if fact)


def _text_lines(state: LabellingSession, telling: Collection[Position], width: int) -> list[Text]:
    """The abstract, the help, or what there is to say at the end."""
    from rich.text import Text

    if state.help:
        return _help_lines(state, width)
    if state.current is None:
        return _wrap(Text(_end_text(state)), width)
    abstract = state.entries[state.current].abstract
    return _wrap(_underline(abstract, "abstract", telling) if abstract else Text("(no abstract)", "dim"), width)


def _end_text(state: LabellingSession) -> str:
    n_left = len(state.entries) - state.n_labelled
    if not n_left:
        return f"Every entry is labelled: {state.n_labelled}. b goes back, q quits."
    entries = "1 entry has" if n_left == 1 else f"{n_left} entries have"
    return f"This was the last one. {entries} no label yet: f twice goes through them again, b goes back, q quits."


def _help_lines(state: LabellingSession, width: int) -> list[Text]:
    from rich.text import Text

    lines = [line for part in _HELP.split("\n") for line in _wrap(Text(part), width)]
    for topic in state.topics:
        name = (topic.name, "bold")
        lines += _wrap(Text.assemble(name, f" ({topic.id})", ": " * bool(topic.definition), topic.definition), width)
    return lines


def _topic_lines(state: LabellingSession, width: int, n_columns: int) -> list[Text]:
    """The topics of the page, one column after the other."""
    from rich.text import Text

    n = state.current or 0
    marks, baseline = state.marks(n), state.baseline(n)
    n_rows = -(-len(state.columns) // n_columns)
    cell_width = (width - 2 * (n_columns - 1)) // n_columns
    lines = [Text() for _ in range(n_rows)]
    for place, t in enumerate(state.columns):
        line, score = lines[place % n_rows], state.scores[n][t]
        changed = "*" if marks[t] != baseline[t] else " "
        name = f"{KEYS[place]} {_MARK_BOX[marks[t]]}{changed}{state.topics[t].name}"
        cell = _fit_line(name, cell_width - 5, _MARK_STYLE[marks[t]], fill=True)
        cell.append("     " if score is None else f" {score:.2f}", "dim")
        line.append("  " * (place >= n_rows)).append_text(cell)
    return lines


def _rule_line(state: LabellingSession, n_lines: int, width: int) -> Text:
    """The line between text and topics. It says what is not on the screen."""
    parts = []
    n_below = n_lines - state.scroll - state.n_visible_lines
    if n_below > 0:
        parts.append(f"space: {n_below} more {'line' if n_below == 1 else 'lines'}")
    if state.scroll:
        parts.append(f"PageUp: {state.scroll} above")
    if len(state.columns) < len(state.topics) and state.current is not None and not state.help:
        n_pages = -(-len(state.topics) // state.per_page)
        marks = zip(state.topics, state.marks(state.current), strict=True)
        yes = ", ".join(topic.id for topic, mark in marks if mark == Mark.yes) or "none"
        parts.append(f"Right: topics {state.page + 1} of {n_pages}, yes: {yes}")
    line = _fit_line("── " + " ── ".join(parts) + " " if parts else "", width, "dim")
    line.append("─" * (width - line.cell_len), "dim")
    return line


def _underline(text: str, part: str, telling: Collection[Position], style: str = "") -> Text:
    """A title or an abstract with its telling words underlined."""
    from rich.text import Text

    shown = Text(text, style)
    for position in sorted(telling):
        if position.part == part:
            shown.stylize("underline yellow", position.start, position.end)
    return shown


def _fit_line(text: str, width: int, style: str, fill: bool = False) -> Text:
    """One line, cut with an ellipsis where it is too long."""
    from rich.text import Text

    line = Text(text, style)
    line.truncate(width, overflow="ellipsis", pad=fill)
    return line


def _wrap(text: Text, width: int) -> list[Text]:
    """A text as lines of at most this many columns."""
    import io

    from rich.console import Console

    return [*text.wrap(Console(file=io.StringIO(), width=width), width)] if text.plain else []


def _limit_lines(lines: list[Text], max_lines: int, width: int) -> list[Text]:
    """At most this many lines; an ellipsis says that there were more."""
    if len(lines) > max_lines:
        lines = lines[:max_lines]
        lines[-1].truncate(width - 1)
        lines[-1].append("…")
    return lines
