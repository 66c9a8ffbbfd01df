"""What a batch would change or did, and what changed between two runs or models -> text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from tagger.batch.changes import EntryChange
from tagger.batch.diff import EntryDiff, RunDiff, diff_to_json
from tagger.batch.outputs import FileChange
from tagger.batch.plan import Plan
from tagger.formats.markdown import escape_markdown, markdown_table
from tagger.formats.plain_text import align_columns, count_noun

__all__ = ["format_diff", "format_plan", "summarize_batch"]

_CHANGE_MARKS = {"new": "+ ", "changed": "  ", "gone": "- "}
_INDENT = " " * 12


def format_plan(changes: Sequence[FileChange], folder: Path) -> str:
    """What a batch would change: by output, the entries that come (+), go (-) or have other topics."""
    lines = []
    for change in changes:
        size = f", {count_noun(change.n_entries, 'entry', 'entries')}" if change.state == "new" else ""
        note = "" if change.entries else "; no topic changes"
        lines.append(f"{folder / change.output}: {change.state}{size}{note}")
        lines += map(_entry_line, change.entries)
    return "".join(line + "\n" for line in lines)


def summarize_batch(plan: Plan) -> str:
    """How many listings and entries there were, and what became of the outputs."""
    states = [change.state for change in plan.changes]
    counts = ", ".join(f"{states.count(state)} {state}" for state in ("new", "changed", "removed"))
    listings, entries = count_noun(plan.n_listings, "listing", "listings"), count_noun(plan.n_entries, "entry", "entries")
    return f"{listings}, {entries}; outputs: {counts}"


def format_diff(diff: RunDiff, form: str) -> str:
    """A comparison of two runs or models, in one of the forms text, markdown, json."""
    if form == "json":
        return json.dumps(diff_to_json(diff), ensure_ascii=False, indent=1) + "\n"
    header = ["topic", "added", "removed"]
    counts = [[topic, str(count.added), str(count.removed)] for topic, count in diff.topics.items()]
    if form == "markdown":
        rows = [_markdown_row(entry) for entry in diff.entries]
        tables = [(header, counts), (["entry", "topics", "words"], rows)]
        return "\n".join([escape_markdown(_headline(diff)) + "\n", *(markdown_table(*table) for table in tables if table[1])])
    parts = [_headline(diff) + "\n"]
    if counts:
        parts.append(align_columns(header, counts))
    if diff.entries:
        entries = (f"\n{_INDENT}".join([_entry_line(entry.change), *_reason_lines(entry)]) for entry in diff.entries)
        parts.append("".join(entry + "\n" for entry in entries))
    return "\n".join(parts)


def _headline(diff: RunDiff) -> str:
    return (
        f"{diff.old} ({diff.n_old}) -> {diff.new} ({count_noun(diff.n_new, 'entry', 'entries')}): "
        f"{diff.count_entries('changed')} with other topics, {diff.count_entries('new')} new, {diff.count_entries('gone')} gone"
    )


def _markdown_row(entry: EntryDiff) -> list[str]:
    return [
        f"{entry.change.state}: {escape_markdown(entry.change.title)}",
        escape_markdown(_describe_topics(entry.change)),
        "<br>".join(map(escape_markdown, _reason_lines(entry))),
    ]


def _entry_line(change: EntryChange) -> str:
    topics = _describe_topics(change)
    return f"{_CHANGE_MARKS[change.state]}{change.id}  {change.title}" + (f": {topics}" if topics else "")


def _describe_topics(change: EntryChange) -> str:
    return ", ".join([*(f"+ {topic}" for topic in change.added), *(f"- {topic}" for topic in change.removed)])


def _reason_lines(entry: EntryDiff) -> list[str]:
    """For each topic that an entry got or lost, its scores and thresholds and the words responsible."""
    lines = []
    for topic, reason in entry.why.items():
        words = ", ".join(f"{term.term} {_old_to_new((term.old, term.new), '+.2f')}" for term in reason.terms)
        score, threshold = _old_to_new(reason.score, ".2f"), _old_to_new(reason.threshold, ".2f")
        lines.append(f"{topic} {score}, threshold {threshold}: {words or 'no word of it changed'}")
    return lines


def _old_to_new(figures: Iterable[float | None], format_spec: str) -> str:
    """A figure before and after; once where both are shown as the same, or where there is only one."""
    return " -> ".join(dict.fromkeys(format(figure, format_spec) for figure in figures if figure is not None)) or "-"
