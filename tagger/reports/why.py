"""What `tagger.why` explains -> text, for a pipe, a terminal, Markdown or JSON."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from tagger.formats.markdown import escape_markdown, markdown_table
from tagger.model.explain import split_by_share

if TYPE_CHECKING:
    from rich.text import Text

__all__ = [
    "highlight_terms",
    "mark_terms",
    "precedents_text",
    "shown_terms",
    "why_text",
]


_N_FOR, _N_AGAINST = 8, 4  # words shown for and against a topic


_SMALL = 0.05  # share of the log-odds that is not worth showing


_PLAIN = {0: ("", ""), 1: ("{+", "+}"), -1: ("{-", "-}")}


_MARKDOWN = {0: ("", ""), 1: ("<b>", "</b>"), -1: ("<i>", "</i>")}


_STYLES = {0: "", 1: "bold green", -1: "bold red"}


def why_text(found: Sequence[dict[str, Any]], form: str, width: int | None = None) -> str:
    """What `tagger.why.explained` found, in one of the forms text, markdown, json.

    Args:
        found: a dict for each entry.
        form: the form.
        width: columns of the terminal, for colours in text; None for plain text.
    """
    if form == "json":
        return json.dumps(found, ensure_ascii=False, indent=1) + "\n"
    if form == "markdown":
        return "\n".join(map(_markdown, found))
    return "\n".join(_plain(entry) if width is None else _terminal(entry, width) for entry in found)


def shown_terms(terms: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of a topic's terms, strongest first, those that people are shown: the first few for it, and the first few against."""
    for_it = [term for term in terms if term["share"] >= _SMALL][:_N_FOR]
    return for_it + [term for term in terms if term["share"] <= -_SMALL][:_N_AGAINST]


def mark_terms(
    text: str,
    part: str,
    terms: Sequence[dict[str, Any]],
    level: Callable[[float], int] = lambda share: (share > 0) - (share < 0),
) -> Iterator[tuple[str, int]]:
    """A title or abstract in pieces, each with 1 where words speak for a topic, -1 where they speak against it, else 0.

    Args:
        text: the title or the abstract.
        part: which of them.
        terms: of the topic, as in `why.explained`.
        level: what a share counts as, where it shall tell strong ones from weak ones.
    """
    places = [
        (term["share"], [(place["start"], place["end"]) for place in term["places"] if place["part"] == part]) for term in terms
    ]
    signs = ((piece, level(share)) for piece, share in split_by_share(text, places))
    for sign, pieces in groupby(signs, key=lambda piece: piece[1]):
        piece = "".join(piece for piece, _ in pieces)
        core = piece.strip() if sign else ""
        before, _, after = piece.partition(core) if core else (piece, "", "")
        yield from ((piece, sign) for piece, sign in ((before, 0), (core, sign), (after, 0)) if piece)


def precedents_text(similar: Sequence[dict[str, Any]]) -> list[list[str]]:
    """Similar entries as rows: likeness, id, labels, title."""
    return [[f"{entry['likeness']:.2f}", entry["id"], _labels(entry), entry["title"]] for entry in similar]


def _labels(said: dict[str, Any]) -> str:
    """What a person said: topics, and those left open with a question mark."""
    return ", ".join([*said["topics"], *(f"{topic}?" for topic in said["unsure"])]) or "none"


def _head(topic: dict[str, Any]) -> str:
    if topic["threshold"] is None:
        return f"{topic['name']}: not learned, for want of yes or of no entries"
    lent = f", that of {topic['implied_by']}, which implies it" if topic["implied_by"] else ""
    others = f" beside {', '.join(topic['gives_way_to'])}" if topic["gives_way_to"] else ""
    tagged = "tagged" if topic["tagged"] else f"not tagged{others}"
    return f"{topic['name']}: {tagged}, score {topic['score']:.2f}{lent}, threshold {topic['threshold']:.2f}"


def _sum(topic: dict[str, Any]) -> list[list[str]]:
    """The shares of words, of all others together and of the intercept, and the log-odds that they add up to.

    What rounding leaves is in the line of the other words.
    """
    if topic["log_odds"] is None:
        return []
    shown = shown_terms(topic["terms"])
    lines = [(round(term["share"], 2), term["term"]) for term in shown]
    others = len(topic["terms"]) - len(shown)
    intercept, total = round(topic["intercept"], 2), round(topic["log_odds"], 2)
    if others:
        rest = round(total - intercept - sum(share for share, _ in lines), 2)
        lines.append((rest, f"{others} other {'term' if others == 1 else 'terms'}"))
    lines += [
        (intercept, "intercept"),
        (total, "log-odds of its own score" if topic["implied_by"] else "log-odds of the score"),
    ]
    return [[f"{share + 0.0:+.2f}", what] for share, what in lines]


def _said_by_hand(entry: dict[str, Any]) -> str:
    return "" if entry["by_hand"] is None else f"by hand: {_labels(entry['by_hand'])}"


def _plain(entry: dict[str, Any]) -> str:
    lines = [f"{entry['id']}  {entry['title']}"]
    if entry["by_hand"] is not None:
        lines.append(f"{' ' * 10}{_said_by_hand(entry)}")
    for topic in entry["topics"]:
        lines += ["", _head(topic)]
        lines += [f"  {share:>6}  {what}" for share, what in _sum(topic)]
        terms = shown_terms(topic["terms"])
        for part in ("title", "abstract"):
            if any(place["part"] == part for term in terms for place in term["places"]):
                pieces = (_PLAIN[sign][0] + piece + _PLAIN[sign][1] for piece, sign in mark_terms(entry[part], part, terms))
                lines.append(f"  {part}: {''.join(pieces)}")
    if entry["similar"]:
        lines += ["", "most similar labelled entries:"]
        lines += [
            f"  {likeness}  {id}  {title}\n{' ' * 18}{labels}"
            for likeness, id, labels, title in precedents_text(entry["similar"])
        ]
    return "\n".join(lines) + "\n"


def _markdown(entry: dict[str, Any]) -> str:
    parts = [f"### {escape_markdown(entry['title'])} ({entry['id']})\n"]
    if entry["by_hand"] is not None:
        parts.append(escape_markdown(_said_by_hand(entry)) + "\n")
    for topic in entry["topics"]:
        parts.append(f"**{escape_markdown(_head(topic))}**\n")
        if rows := _sum(topic):
            parts.append(markdown_table(["share", "term"], [[share, escape_markdown(what)] for share, what in rows]))
        terms = shown_terms(topic["terms"])
        for part in ("title", "abstract") if terms else ():
            if entry[part]:
                pieces = ((escape_markdown(piece), _MARKDOWN[sign]) for piece, sign in mark_terms(entry[part], part, terms))
                parts.append(f"> {''.join(start + piece + end for piece, (start, end) in pieces)}\n")
    if entry["similar"]:
        rows = [[escape_markdown(cell) for cell in row] for row in precedents_text(entry["similar"])]
        parts.append(markdown_table(["likeness", "id", "labels", "most similar labelled entries"], rows))
    return "\n".join(parts)


def _terminal(entry: dict[str, Any], width: int) -> str:
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=True, highlight=False, markup=False, emoji=False)
    console.print(Text.assemble((entry["title"], "bold"), (f"  {entry['id']}", "dim")))
    if entry["by_hand"] is not None:
        console.print(Text(_said_by_hand(entry), style="green"))
    for topic in entry["topics"]:
        name, _, rest = _head(topic).partition(": ")
        console.print(Text.assemble("\n", (name, "bold cyan"), f": {rest}"))
        for share, what in _sum(topic):
            style = "dim" if what.endswith(" score") or what == "intercept" else _STYLES[-1 if share[0] == "-" else 1]
            console.print(Padding(Text.assemble((f"{share:>6}", style), f"  {what}"), (0, 0, 0, 2)))
        terms = shown_terms(topic["terms"])
        for part in ("title", "abstract") if terms else ():
            if entry[part]:
                console.print(Padding(highlight_terms(entry[part], part, terms), (0, 0, 0, 2)))
    if entry["similar"]:
        console.print(Text("\nmost similar labelled entries:", style="bold cyan"))
        for likeness, id, labels, title in precedents_text(entry["similar"]):
            console.print(
                Padding(Text.assemble(f"{likeness}  {title}", (f"  {id}", "dim"), ("\n" + labels, "green")), (0, 0, 0, 2))
            )
    return out.getvalue()


def highlight_terms(text: str, part: str, terms: Sequence[dict[str, Any]]) -> Text:
    """As `marked`, in green and red."""
    from rich.text import Text

    return Text.assemble(*((piece, _STYLES[sign]) for piece, sign in mark_terms(text, part, terms)))
