"""Labels that are probably wrong -> text, for a pipe, a terminal, Markdown or JSON Lines."""

from __future__ import annotations

import io
import json

from tagger.curation.label_errors import LabelAudit, Suspect
from tagger.formats.markdown import escape_markdown, markdown_table
from tagger.reports.why import highlight_terms, shown_terms, similar_entry_rows

__all__ = ["audit_text", "question_text"]

_N_WORDS = 5  # shown of a suspect
_INDENT = f"\n{' ' * 10}"


def audit_text(audit: LabelAudit, form: str) -> str:
    """What an audit found, in one of the forms table, markdown, jsonl. JSON Lines have the suspects alone."""
    if form == "jsonl":
        return "".join(json.dumps(suspect.to_json(), ensure_ascii=False) + "\n" for suspect in audit.suspects)
    return _audit_markdown(audit) if form == "markdown" else _audit_plain_text(audit)


def _audit_markdown(audit: LabelAudit) -> str:
    parts = [escape_markdown(_head_line(audit)) + "\n"]
    rows = [
        [
            suspect.topic.id,
            suspect.label,
            f"{suspect.score:.2f}",
            suspect.entry.title,
            _words_text(suspect),
            "; ".join(_other_way_lines(suspect)),
        ]
        for suspect in audit.suspects
    ]
    if rows:
        header = ["topic", "label", "score", "entry", "words", "labelled the other way"]
        parts.append(markdown_table(header, [[escape_markdown(cell) for cell in row] for row in rows]))
    if oddities := _oddity_lines(audit):
        parts.append("".join(f"- {escape_markdown(line)}\n" for line in oddities))
    return "\n".join(parts)


def _audit_plain_text(audit: LabelAudit) -> str:
    parts = [_head_line(audit) + "\n"]
    for suspect in audit.suspects:
        lines = [
            f"{suspect.entry.id}  {suspect.entry.title}",
            f"{suspect.topic.id}: labelled {suspect.label}, score {suspect.score:.2f}; {_words_text(suspect)}",
            *_other_way_lines(suspect),
        ]
        parts.append(_INDENT.join(lines) + "\n")
    if oddities := _oddity_lines(audit):
        parts.append("".join(line + "\n" for line in oddities))
    return "\n".join(parts)


def question_text(suspect: Suspect, position: str, width: int) -> str:
    """A suspect as a person is asked about it in a terminal.

    Args:
        suspect: the label.
        position: which one of how many.
        width: columns of the terminal.
    """
    from rich.console import Console
    from rich.text import Text

    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=True, highlight=False, markup=False, emoji=False)
    terms = shown_terms(suspect.terms)
    label = f"labelled {suspect.label}, score {suspect.score:.2f}"
    console.print(Text.assemble((position, "dim"), "  ", (suspect.topic.name, "bold cyan"), ": ", (label, "bold yellow")))
    console.print(Text.assemble(highlight_terms(suspect.entry.title, "title", terms), (f"  {suspect.entry.id}", "dim")))
    console.print(highlight_terms(suspect.entry.abstract, "abstract", terms))
    console.print(Text(_words_text(suspect), style="dim"))
    for similarity, _, labels, title in similar_entry_rows(suspect.similar):
        line = Text.assemble(f"{similarity}  {title}  ", (labels, "green"))
        line.truncate(width, overflow="ellipsis")
        console.print(line)
    return out.getvalue()


def _head_line(audit: LabelAudit) -> str:
    n_shown = len(audit.suspects)
    return (
        f"{audit.n_suspects} of {audit.n_labels} labels of {audit.n_entries} entries are not what their out-of-fold score says"
        + (f"; the most doubtful {'one' if n_shown == 1 else n_shown}" if 0 < n_shown < audit.n_suspects else "")
        + (f"; {audit.n_confirmed} more were confirmed" if audit.n_confirmed else "")
    )


def _words_text(suspect: Suspect) -> str:
    """The words that did most for or against the topic."""
    strongest = sorted(shown_terms(suspect.terms), key=lambda term: -abs(term.share))[:_N_WORDS]
    return ", ".join(f"{term.term} {term.share:+.2f}" for term in strongest) or "no word tells"


def _other_way_lines(suspect: Suspect) -> list[str]:
    other = "yes" if suspect.label == "no" else "no"
    return [f"labelled {other}: {similar.labels.title} ({similar.similarity:.2f})" for similar in suspect.similar]


def _oddity_lines(audit: LabelAudit) -> list[str]:
    lines = []
    for group in audit.duplicates:
        titles = " | ".join(f"{row.id} {row.title}" for row in group.rows)
        lines.append(f"near-duplicates that differ in {', '.join(group.topics)}: {titles}")
    lines += [f"no entry has the topic {topic}" for topic in audit.unused_topics]
    for pair in audit.inseparable_topics:
        which = "nor the other way round" if pair.mutual else "in all of its entries"
        lines.append(f"{pair.topic} ({pair.n_yes} entries) never occurs without {pair.other}, {which}")
    return lines
