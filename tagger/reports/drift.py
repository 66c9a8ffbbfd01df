"""New entries against the labelled ones, and what to label next -> text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tagger.evaluation.figures import Interval
from tagger.formats.markdown import escape_markdown, markdown_table
from tagger.formats.plain_text import align_columns, count_noun
from tagger.reports.figures import format_interval

__all__ = [
    "drift_text",
    "reason_text",
    "suggestions_text",
]


_SIGNS = {"words": "with unusually many unknown words", "unlike": "unlike every labelled one"}


def drift_text(found: dict[str, Any], form: str) -> str:
    """New entries against the labelled ones, as `tagger.drift` compares them, in one of the forms text, markdown, json."""
    if form == "json":
        return json.dumps(found, ensure_ascii=False, indent=1) + "\n"
    mark = escape_markdown if form == "markdown" else str
    best, learned = found["best_score"], len(found["topics"])
    head = [
        f"{count_noun(found['n_entries'], 'new entry', 'new entries')} against {found['n_labelled']} labelled"
        + (f"; {found['n_left_out']} left out: labelled already, or given twice" if found["n_left_out"] else ""),
        "unknown words: " + ("-" if found["unknown_words"] is None else f"{found['unknown_words']:.1%}"),
        f"mean of the best scores: {_interval_text(best['new'])}; of the labelled entries, which the model was fitted to: "
        + format_interval(Interval(best["labelled"])),
    ]
    limits = [f"{found['usual']:.2f}", f"{found['too_many']:.2f}"]
    signs = [[_SIGNS[name], str(sign["n"]), _interval_text(sign["share"]), *limits] for name, sign in found["signs"].items()]
    rates = [
        [
            mark(topic["name"]),
            str(topic["n"]),
            _interval_text(topic["new"]),
            _interval_text(topic["labelled"]),
            topic["moved"] or "",
        ]
        for topic in found["topics"].values()
    ]
    moved = f"moved: by more than chance explains, over {count_noun(learned, 'topic', 'topics')} at once; it decides nothing"
    sign_header, rate_header = ["entries", "new", "share", "usual", "too many"], ["topic", "new", "rate", "labelled", "moved"]
    if form == "markdown":
        parts = [f"**{mark(found['sentence'])}**\n", "".join(f"- {mark(line)}\n" for line in head)]
        parts.append(markdown_table(sign_header, signs))
        if rates:
            parts += [markdown_table(rate_header, rates), mark(moved) + "\n"]
        return "\n".join([*parts, *_to_label(found["teach"], "to label first", form)])
    parts = [found["sentence"] + "\n", "".join(line + "\n" for line in head), align_columns(sign_header, signs)]
    if rates:
        parts.append(align_columns(rate_header, rates) + moved + "\n")
    return "\n".join([*parts, *_to_label(found["teach"], "to label first", form)])


def suggestions_text(found: dict[str, Any], form: str) -> str:
    """What to label next, as `tagger.active` chooses it, in one of the forms text, markdown, json."""
    if form == "json":
        return json.dumps(found, ensure_ascii=False, indent=1) + "\n"
    mark = escape_markdown if form == "markdown" else str
    head = (
        f"{count_noun(found['n_entries'], 'entry', 'entries')} to choose from, {found['n_labelled']} labelled"
        + (f"; {found['n_left_out']} left out: labelled already, or given twice" if found["n_left_out"] else "")
        + "\n"
    )
    header = ["topic", "yes", "F1", "about more", "uncertain here"]
    rows = [
        [
            mark(topic["name"]),
            str(topic["yes"]),
            _interval_text(topic["f1"] or [None] * 3),
            str(topic["more"] or ""),
            str(topic["uncertain"]),
        ]
        for topic in found["topics"].values()
    ]
    note = f"about more: yes entries until there are {found['usable']}, and the interval of F1 is {found['narrow']:.2f} wide\n"
    if form == "markdown":
        parts = [f"**{mark(found['sentence'])}**\n", mark(head), markdown_table(header, rows), mark(note)]
    else:
        parts = [found["sentence"] + "\n", head, align_columns(header, rows) + note]
    return "\n".join([*parts, *_to_label(found["entries"], "to label next", form)])


def _to_label(entries: Sequence[dict[str, Any]], heading: str, form: str) -> list[str]:
    """Entries worth a label, each with its reason, under a heading; nothing where there are none."""
    if not entries:
        return []
    rows = [[entry["id"], entry["title"], reason_text(entry), entry["source"] or ""] for entry in entries]
    if form == "markdown":
        return [markdown_table(["id", heading, "reason", "where"], [[escape_markdown(cell) for cell in row] for row in rows])]
    lines = (f"{row[0]}  " + f"\n{' ' * 10}".join(filter(None, row[1:])) + "\n" for row in rows)
    return [f"{heading}:\n" + "".join(lines)]


def _interval_text(sides: Sequence[float | None]) -> str:
    return format_interval(Interval.from_json(sides))


def reason_text(entry: dict[str, Any]) -> str:
    """Why labelling an entry would teach, of one that `tagger.active.listed` gives."""
    kind = entry["reason"]
    many = f"; stands for {entry['stands_for']} {kind} ones" if entry["stands_for"] > 1 else ""
    if kind == "uncertain":
        return f"uncertain: {entry['topic']} {entry['score']:.2f}, threshold {entry['threshold']:.2f}{many}"
    if entry["nearest"] is None:
        return f"unlike: shares no word with any labelled entry{many}"
    return f"unlike: nearest labelled is {entry['nearest']['title']!r}, likeness {entry['likeness']:.2f}{many}"
