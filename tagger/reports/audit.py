"""What `tagger.audit` finds -> text, for a pipe, a terminal, Markdown or JSON Lines."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

from tagger.formats.markdown import escape_markdown, markdown_table
from tagger.model.explain import term_share_to_json
from tagger.reports.why import highlight_terms, shown_terms, similar_entry_rows

__all__ = [
    "audit_text",
    "question_text",
]


_N_WORDS = 5  # shown of a doubted label


def audit_text(found: dict[str, Any], form: str) -> str:
    """What `tagger.audit.audited` found, in one of the forms table, markdown, jsonl; jsonl holds the doubted labels alone."""
    if form == "jsonl":
        return "".join(json.dumps(_doubt_to_json(doubt), ensure_ascii=False) + "\n" for doubt in found["doubted"])
    shown = len(found["doubted"])
    head = (
        f"{found['n_doubted']} of {found['n_labels']} labels of {found['n_entries']} entries "
        "are not what their out-of-fold score says"
        + (f"; the most doubtful {'one' if shown == 1 else shown}" if 0 < shown < found["n_doubted"] else "")
        + (f"; {found['n_confirmed']} more were confirmed" if found["n_confirmed"] else "")
    )
    odd = list(_odd(found))
    if form == "markdown":
        rows = [
            [doubt["topic"], doubt["label"], f"{doubt['score']:.2f}", doubt["title"], _words(doubt), _other_way(doubt, "; ")]
            for doubt in found["doubted"]
        ]
        parts = [escape_markdown(head) + "\n"]
        if rows:
            header = ["topic", "label", "score", "entry", "words", "labelled the other way"]
            parts.append(markdown_table(header, [[escape_markdown(cell) for cell in row] for row in rows]))
        return "\n".join(parts + (["".join(f"- {escape_markdown(line)}\n" for line in odd)] if odd else []))
    parts = [head + "\n"]
    for doubt in found["doubted"]:
        lines = [
            f"{doubt['id']}  {doubt['title']}",
            f"{doubt['topic']}: labelled {doubt['label']}, score {doubt['score']:.2f}; {_words(doubt)}",
            *filter(None, [_other_way(doubt, f"\n{' ' * 10}")]),
        ]
        parts.append(f"\n{' ' * 10}".join(lines) + "\n")
    return "\n".join(parts + (["".join(line + "\n" for line in odd)] if odd else []))


def question_text(doubt: dict[str, Any], place: str, width: int) -> str:
    """A doubted label as a person is asked about it in a terminal of this width.

    Args:
        doubt: one of `doubted`.
        place: which one of how many.
        width: columns.
    """
    from rich.console import Console
    from rich.text import Text

    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=True, highlight=False, markup=False, emoji=False)
    terms = shown_terms(doubt["terms"])
    label = f"labelled {doubt['label']}, score {doubt['score']:.2f}"
    console.print(Text.assemble((place, "dim"), "  ", (doubt["name"], "bold cyan"), ": ", (label, "bold yellow")))
    console.print(Text.assemble(highlight_terms(doubt["title"], "title", terms), (f"  {doubt['id']}", "dim")))
    console.print(highlight_terms(doubt["abstract"], "abstract", terms))
    console.print(Text(_words(doubt), style="dim"))
    for likeness, _, labels, title in similar_entry_rows(doubt["similar"]):
        line = Text.assemble(f"{likeness}  {title}  ", (labels, "green"))
        line.truncate(width, overflow="ellipsis")
        console.print(line)
    return out.getvalue()


def _doubt_to_json(doubt: dict[str, Any]) -> dict[str, Any]:
    similar = [
        {
            "id": one.labels.id,
            "title": one.labels.title,
            "topics": list(one.labels.topics),
            "unsure": list(one.labels.unsure),
            "likeness": one.similarity,
        }
        for one in doubt["similar"]
    ]
    return doubt | {"terms": [term_share_to_json(term) for term in doubt["terms"]], "similar": similar}


def _words(doubt: dict[str, Any]) -> str:
    """The words that did most for or against the topic."""
    told = sorted(shown_terms(doubt["terms"]), key=lambda term: -abs(term.share))[:_N_WORDS]
    return ", ".join(f"{term.term} {term.share:+.2f}" for term in told) or "no word tells"


def _other_way(doubt: dict[str, Any], between: str) -> str:
    other = "yes" if doubt["label"] == "no" else "no"
    return between.join(f"labelled {other}: {one.labels.title} ({one.similarity:.2f})" for one in doubt["similar"])


def _odd(found: dict[str, Any]) -> Iterator[str]:
    for group in found["duplicates"]:
        titles = " | ".join(f"{entry['id']} {entry['title']}" for entry in group["entries"])
        yield f"near-duplicates that differ in {', '.join(group['differ'])}: {titles}"
    for topic in found["unused"]:
        yield f"no entry has the topic {topic}"
    for pair in found["together"]:
        which = "nor the other way round" if pair["mutual"] else "in all of its entries"
        yield f"{pair['topic']} ({pair['n']} entries) never occurs without {pair['with']}, {which}"
