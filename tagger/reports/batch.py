"""What a batch would change or did, and what changed between two runs or models -> text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tagger.formats.markdown import escape_markdown, markdown_table
from tagger.formats.plain_text import align_columns, count_noun

if TYPE_CHECKING:
    from tagger.batch.outputs import FileChange
    from tagger.batch.plan import Plan

__all__ = [
    "batch_summary_text",
    "diff_text",
    "plan_text",
]


_MARKS = {"new": "+ ", "changed": "  ", "gone": "- "}


def plan_text(changes: Sequence[FileChange], out: Path) -> str:
    """What a batch would change: by output, the entries that come (+), go (-) or have other topics."""
    lines = []
    for change in changes:
        size = f", {count_noun(change.n_entries, 'entry', 'entries')}" if change.state == "new" else ""
        same = "" if change.entries else "; no topic changes"
        lines.append(f"{out / change.output}: {change.state}{size}{same}")
        lines += [
            f"{_MARKS[entry.state]}{entry.id}  {entry.title}{_moves(entry.added, entry.removed)}" for entry in change.entries
        ]
    return "".join(line + "\n" for line in lines)


def batch_summary_text(plan: Plan) -> str:
    """How many listings and entries there were, and what became of the outputs."""
    states = [change.state for change in plan.changes]
    counts = ", ".join(f"{states.count(state)} {state}" for state in ("new", "changed", "removed"))
    listings, entries = count_noun(plan.n_listings, "listing", "listings"), count_noun(plan.n_entries, "entry", "entries")
    return f"{listings}, {entries}; outputs: {counts}"


def _moves(added: Iterable[str], removed: Iterable[str]) -> str:
    moves = [*(f"+ {topic}" for topic in added), *(f"- {topic}" for topic in removed)]
    return f": {', '.join(moves)}" if moves else ""


def diff_text(found: dict[str, Any], form: str) -> str:
    """A comparison of two runs or models, as `tagger.diff` makes it, in one of the forms text, markdown, json."""
    if form == "json":
        return json.dumps(found, ensure_ascii=False, indent=1) + "\n"
    states = [entry["state"] for entry in found["entries"]]
    head = (
        f"{found['old']} ({found['n_old']}) -> {found['new']} ({count_noun(found['n_new'], 'entry', 'entries')}): "
        f"{found['n_changed']} with other topics, {states.count('new')} new, {states.count('gone')} gone"
    )
    header = ["topic", "added", "removed"]
    counts = [[id, str(count["added"]), str(count["removed"])] for id, count in found["topics"].items()]
    if form == "markdown":
        rows = [
            [
                f"{entry['state']}: {escape_markdown(entry['title'])}",
                escape_markdown(_moves(entry["added"], entry["removed"])[2:]),
                "<br>".join(map(escape_markdown, _moved_lines(entry))),
            ]
            for entry in found["entries"]
        ]
        tables = [(header, counts), (["entry", "topics", "words"], rows)]
        return "\n".join([escape_markdown(head) + "\n", *(markdown_table(*table) for table in tables if table[1])])
    parts = [head + "\n"]
    if counts:
        parts.append(align_columns(header, counts))
    entries = [
        f"\n{' ' * 12}".join(
            [
                f"{_MARKS[entry['state']]}{entry['id']}  {entry['title']}{_moves(entry['added'], entry['removed'])}",
                *_moved_lines(entry),
            ]
        )
        + "\n"
        for entry in found["entries"]
    ]
    return "\n".join(parts + (["".join(entries)] if entries else []))


def _moved_lines(entry: dict[str, Any]) -> list[str]:
    """For each topic that an entry got or lost, its scores and thresholds and the words responsible."""
    lines = []
    for topic, why in entry["why"].items():
        words = ", ".join(f"{term['term']} {_pair((term['old'], term['new']), '+.2f')}" for term in why["terms"])
        score, threshold = _pair(why["score"], ".2f"), _pair(why["threshold"], ".2f")
        lines.append(f"{topic} {score}, threshold {threshold}: {words or 'no word of it changed'}")
    return lines


def _pair(sides: Iterable[float | None], form: str) -> str:
    """Old and new of a figure, or the one that there is."""
    return " -> ".join(dict.fromkeys(format(side, form) for side in sides if side is not None)) or "-"
