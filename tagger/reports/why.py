"""Explanations -> text, for a pipe, a terminal, Markdown or JSON."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from tagger.entry import Entry
from tagger.formats.markdown import escape_markdown, markdown_table
from tagger.labels.table import LabelRow
from tagger.model.explain import (
    Explanation,
    SimilarEntry,
    TermShare,
    TopicExplanation,
    explanation_to_json,
    split_by_share,
)

if TYPE_CHECKING:
    from rich.text import Text

__all__ = ["format_explanations", "highlight_terms", "mark_terms", "shown_terms", "similar_entry_rows"]

_N_FOR, _N_AGAINST = 8, 4  # terms shown for and against a topic

_MIN_SHARE = 0.05  # a term that does less is not shown

# By sign of a share: what stands before and after a piece of text.
_PLAIN_MARKS = {0: ("", ""), 1: ("{+", "+}"), -1: ("{-", "-}")}

_MARKDOWN_MARKS = {0: ("", ""), 1: ("<b>", "</b>"), -1: ("<i>", "</i>")}

_STYLES = {0: "", 1: "bold green", -1: "bold red"}


def format_explanations(explanations: Sequence[Explanation], form: str, width: int | None = None) -> str:
    """Explanations in one of the forms text, markdown, json.

    Args:
        explanations: what `explain_entries` returned.
        form: the form.
        width: columns of the terminal, for text with colours; None for plain text.
    """
    if form == "json":
        return json.dumps([explanation_to_json(each) for each in explanations], ensure_ascii=False, indent=1) + "\n"
    if form == "markdown":
        return "\n".join(map(_format_markdown, explanations))
    return "\n".join(_format_plain(each) if width is None else _format_terminal(each, width) for each in explanations)


def shown_terms(terms: Sequence[TermShare]) -> list[TermShare]:
    """Of a topic's terms, strongest first, those that people are shown: the first few for it, then the first few against."""
    terms_for = [term for term in terms if term.share >= _MIN_SHARE][:_N_FOR]
    return terms_for + [term for term in terms if term.share <= -_MIN_SHARE][:_N_AGAINST]


def mark_terms(
    text: str,
    part: str,
    terms: Sequence[TermShare],
    level: Callable[[float], int] = lambda share: (share > 0) - (share < 0),
) -> Iterator[tuple[str, int]]:
    """A title or abstract in pieces, each with 1 where words speak for a topic, -1 where they speak against it, else 0.

    Args:
        text: the title or the abstract.
        part: which of the two it is.
        terms: of the topic.
        level: the number for a share, where strong ones are to differ from weak ones.
    """
    places = [
        (term.share, [(position.start, position.end) for position in term.positions if position.part == part]) for term in terms
    ]
    signs = ((piece, level(share)) for piece, share in split_by_share(text, places))
    for sign, pieces in groupby(signs, key=lambda piece: piece[1]):
        piece = "".join(piece for piece, _ in pieces)
        core = piece.strip() if sign else ""
        before, _, after = piece.partition(core) if core else (piece, "", "")
        yield from ((piece, sign) for piece, sign in ((before, 0), (core, sign), (after, 0)) if piece)


def highlight_terms(text: str, part: str, terms: Sequence[TermShare]) -> Text:
    """As `mark_terms`, in green and red for a terminal."""
    from rich.text import Text

    return Text.assemble(*((piece, _STYLES[sign]) for piece, sign in mark_terms(text, part, terms)))


def similar_entry_rows(similar: Sequence[SimilarEntry]) -> list[list[str]]:
    """Similar entries as rows of a table: similarity, id, labels, title."""
    return [[f"{each.similarity:.2f}", each.labels.id, _labels_text(each.labels), each.entry.title] for each in similar]


def _labels_text(row: LabelRow) -> str:
    """The topics that a person gave, and those left unsure with a question mark."""
    return ", ".join([*row.topics, *(f"{topic}?" for topic in row.unsure)]) or "none"


def _by_hand_text(row: LabelRow) -> str:
    return f"by hand: {_labels_text(row)}"


def _verdict(explained: TopicExplanation) -> str:
    """Whether the topic is tagged, with its score and threshold."""
    name = explained.topic.name
    if explained.threshold is None:
        return f"{name}: not learned, for want of yes or of no entries"
    lent = f", that of {explained.implied_by}, which implies it" if explained.implied_by else ""
    likelier = f" beside {', '.join(explained.gives_way_to)}" if explained.gives_way_to else ""
    tagged = "tagged" if explained.tagged else f"not tagged{likelier}"
    return f"{name}: {tagged}, score {explained.score:.2f}{lent}, threshold {explained.threshold:.2f}"


def _sum_rows(explained: TopicExplanation) -> list[list[str]]:
    """Rows of share and term: the terms shown, all others together, the intercept, and the log-odds that they add up to.

    The row of the other terms takes up what rounding leaves.
    """
    if explained.log_odds is None or explained.intercept is None:
        return []
    shown = shown_terms(explained.terms)
    rows = [(round(term.share, 2), term.term) for term in shown]
    n_others = len(explained.terms) - len(shown)
    intercept, total = round(explained.intercept, 2), round(explained.log_odds, 2)
    if n_others:
        rest = round(total - intercept - sum(share for share, _ in rows), 2)
        rows.append((rest, f"{n_others} other {'term' if n_others == 1 else 'terms'}"))
    rows += [
        (intercept, "intercept"),
        (total, "log-odds of its own score" if explained.implied_by else "log-odds of the score"),
    ]
    return [[f"{share + 0.0:+.2f}", term] for share, term in rows]


def _parts(entry: Entry) -> list[tuple[str, str]]:
    """The parts of an entry that terms stand in: (name, text)."""
    return [("title", entry.title), ("abstract", entry.abstract)]


def _format_plain(explanation: Explanation) -> str:
    entry = explanation.entry
    lines = [f"{entry.id}  {entry.title}"]
    if explanation.by_hand is not None:
        lines.append(f"{' ' * 10}{_by_hand_text(explanation.by_hand)}")
    for explained in explanation.topics:
        lines += ["", _verdict(explained)]
        lines += [f"  {share:>6}  {term}" for share, term in _sum_rows(explained)]
        terms = shown_terms(explained.terms)
        for part, text in _parts(entry):
            if any(position.part == part for term in terms for position in term.positions):
                marked = mark_terms(text, part, terms)
                lines.append(
                    f"  {part}: {''.join(_PLAIN_MARKS[sign][0] + piece + _PLAIN_MARKS[sign][1] for piece, sign in marked)}"
                )
    if explanation.similar:
        lines += ["", "most similar labelled entries:"]
        lines += [
            f"  {similarity}  {id}  {title}\n{' ' * 18}{labels}"
            for similarity, id, labels, title in similar_entry_rows(explanation.similar)
        ]
    return "\n".join(lines) + "\n"


def _format_markdown(explanation: Explanation) -> str:
    entry = explanation.entry
    paragraphs = [f"### {escape_markdown(entry.title)} ({entry.id})\n"]
    if explanation.by_hand is not None:
        paragraphs.append(escape_markdown(_by_hand_text(explanation.by_hand)) + "\n")
    for explained in explanation.topics:
        paragraphs.append(f"**{escape_markdown(_verdict(explained))}**\n")
        if rows := _sum_rows(explained):
            paragraphs.append(markdown_table(["share", "term"], [[share, escape_markdown(term)] for share, term in rows]))
        terms = shown_terms(explained.terms)
        for part, text in _parts(entry) if terms else ():
            if text:
                marked = ((escape_markdown(piece), _MARKDOWN_MARKS[sign]) for piece, sign in mark_terms(text, part, terms))
                paragraphs.append(f"> {''.join(start + piece + end for piece, (start, end) in marked)}\n")
    if explanation.similar:
        rows = [[escape_markdown(cell) for cell in row] for row in similar_entry_rows(explanation.similar)]
        paragraphs.append(markdown_table(["likeness", "id", "labels", "most similar labelled entries"], rows))
    return "\n".join(paragraphs)


def _format_terminal(explanation: Explanation, width: int) -> str:
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=True, highlight=False, markup=False, emoji=False)
    entry = explanation.entry

    def print_indented(text: Text) -> None:
        console.print(Padding(text, (0, 0, 0, 2)))

    console.print(Text.assemble((entry.title, "bold"), (f"  {entry.id}", "dim")))
    if explanation.by_hand is not None:
        console.print(Text(_by_hand_text(explanation.by_hand), style="green"))
    for explained in explanation.topics:
        name, _, rest = _verdict(explained).partition(": ")
        console.print(Text.assemble("\n", (name, "bold cyan"), f": {rest}"))
        for share, term in _sum_rows(explained):
            style = "dim" if term.endswith(" score") or term == "intercept" else _STYLES[-1 if share[0] == "-" else 1]
            print_indented(Text.assemble((f"{share:>6}", style), f"  {term}"))
        terms = shown_terms(explained.terms)
        for part, text in _parts(entry) if terms else ():
            if text:
                print_indented(highlight_terms(text, part, terms))
    if explanation.similar:
        console.print(Text("\nmost similar labelled entries:", style="bold cyan"))
        for similarity, id, labels, title in similar_entry_rows(explanation.similar):
            print_indented(Text.assemble(f"{similarity}  {title}", (f"  {id}", "dim"), ("\n" + labels, "green")))
    return out.getvalue()
