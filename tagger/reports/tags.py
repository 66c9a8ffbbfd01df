"""Results -> text. Everything that a person or a program reads is made here; nothing here prints.

Scores are rounded to two digits where people read them and to four where programs do.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from tagger.formats import json_lines as jsonl
from tagger.formats import pasted
from tagger.formats.markdown import escape_markdown, markdown_table
from tagger.formats.plain_text import count_noun
from tagger.model.model import Model
from tagger.tags import Reason, Tag, Tagged
from tagger.taxonomy import Topic

if TYPE_CHECKING:
    import pandas as pd


__all__ = [
    "format_tagged",
    "tagged_frame",
    "tagging_summary",
]


_N_FOR, _N_AGAINST = 5, 2  # words shown for and against a topic


def format_tagged(
    results: Sequence[Tagged],
    model: Model,
    form: str,
    explain: bool = False,
    all_scores: bool = False,
    width: int | None = None,
    digits: int = 4,
) -> str:
    """Tagged entries in one of the forms table, jsonl, csv, markdown, listing.

    Args:
        results: what `model.tag` returned.
        model: the model that tagged.
        form: the form.
        explain: add the words that spoke for and against each topic (table, jsonl, markdown).
        all_scores: add the score of every topic shown (table, jsonl, csv, markdown).
        width: columns of the terminal; None for plain text.
        digits: of the scores of tags in jsonl and csv.
    """
    if form == "jsonl":
        records = (_record(result, model, explain, all_scores, digits) for result in results)
        return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    if form == "csv":
        return _csv(results, model, all_scores, digits)
    if form == "listing":
        lines = {result.entry.id: _topics_line(result) for result in results}
        return pasted.write_pasted([result.entry for result in results], lines)
    if form == "markdown":
        return _markdown(results, model, explain, all_scores)
    if width is not None:
        return _terminal(results, model, explain, all_scores, width)
    return "".join(_plain(result, model, explain, all_scores) for result in results)


def tagging_summary(results: Sequence[Tagged]) -> str:
    """How many entries there were, and what became of them."""
    hand = sum(result.by == "hand" for result in results)
    none = sum(not result.tags for result in results)
    entries = count_noun(len(results), "entry", "entries")
    return f"{entries}: {len(results) - none} with topics, {none} without; {hand} labelled by hand"


def _said(tag: Tag) -> str:
    return "by hand" if tag.score is None else f"{tag.score:.2f}"


def _topics_line(result: Tagged) -> str:
    return "Topics: " + ("; ".join(f"{tag.topic.id} {_said(tag)}" for tag in result.tags) or "none")


def _reasons(result: Tagged, model: Model) -> list[tuple[Topic, list[Reason], list[Reason]]]:
    """For each tag of the model, and for the nearest topic where there is none: (topic, for, against)."""
    topics = [tag.topic for tag in result.tags if tag.score is not None] + ([result.nearest] if result.nearest else [])
    found = []
    for topic in topics:
        reasons = model.why(result.entry, topic.id)
        for_it = [reason for reason in reasons if reason.share > 0][:_N_FOR]
        found.append((topic, for_it, [reason for reason in reasons if reason.share < 0][:_N_AGAINST]))
    return found


def _words(reasons: Iterable[Reason]) -> str:
    return ", ".join(f"{reason.term} {reason.share:+.2f}" for reason in reasons)


def _why_lines(result: Tagged, model: Model) -> list[str]:
    return [
        f"{topic.name}: {_words(for_it) or 'no word for it'}" + (f"; against: {_words(against)}" if against else "")
        for topic, for_it, against in _reasons(result, model)
    ]


def _every_score(result: Tagged, model: Model) -> dict[str, float]:
    """By topic id, for the topics that the model has learned."""
    if result.scores is None:
        raise ValueError("these results came without the scores of all topics; tag with all_scores=True")
    return {model.topics[t].id: round(float(result.scores[t]), 4) for t in model.columns if model.learned[t]}


def _plain(result: Tagged, model: Model, explain: bool, all_scores: bool) -> str:
    lines = [f"{result.entry.id}  {result.entry.title}"]
    if result.tags:
        lines.append(", ".join(f"{tag.topic.name} {_said(tag)}" for tag in result.tags))
    if result.note:
        lines.append(result.note)
    if explain:
        lines += ["why " + line for line in _why_lines(result, model)]
    if all_scores:
        lines.append("all " + ", ".join(f"{id} {score:.2f}" for id, score in _every_score(result, model).items()))
    return f"\n{' ' * 10}".join(lines) + "\n"


def _terminal(results: Sequence[Tagged], model: Model, explain: bool, all_scores: bool, width: int) -> str:
    """A table with colours, as `rich` draws it for a terminal of this width."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, expand=False, padding=(0, 1), show_edge=False)
    table.add_column("entry", ratio=3, overflow="fold")
    table.add_column("topics", ratio=2, overflow="fold")
    for result in results:
        left = Text(result.entry.title, style="bold")
        left.append(f"  {result.entry.id}", style="dim not bold")
        right = Text()
        for tag in result.tags:
            right.append(f"{tag.topic.name} ", style="cyan")
            right.append(f"{_said(tag)}\n", style="green" if tag.by == "hand" else "default")
        if result.note:
            right.append(result.note + "\n", style="yellow")
        right.rstrip()
        table.add_row(left, right)
        if explain:
            for line in _why_lines(result, model):
                name, _, words = line.partition(": ")
                table.add_row(Text.assemble((f"  {name}: ", "dim cyan"), (words, "dim")), "")
        if all_scores:
            scores = ", ".join(f"{id} {score:.2f}" for id, score in _every_score(result, model).items())
            table.add_row(Text(f"  {scores}", style="dim"), "")
        table.add_row("", "")
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=True, highlight=False, markup=False, emoji=False)
    console.print(table)
    return out.getvalue()


def _record(result: Tagged, model: Model, explain: bool, all_scores: bool, digits: int) -> dict[str, Any]:
    record = jsonl.entry_record(result.entry)
    record["topics"] = [
        {"id": tag.topic.id, "score": None if tag.score is None else round(tag.score, digits), "by": tag.by}
        for tag in result.tags
    ]
    if all_scores:
        record["scores"] = _every_score(result, model)
    if explain:
        record["why"] = {
            topic.id: [{"term": reason.term, "share": round(reason.share, 4)} for reason in (*for_it, *against)]
            for topic, for_it, against in _reasons(result, model)
        }
    record["note"] = result.note
    return record


def _csv(results: Sequence[Tagged], model: Model, all_scores: bool, digits: int) -> str:
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    learned = [model.topics[t].id for t in model.columns if model.learned[t]]
    table.writerow(
        ["id", "title", "topics", "scores", "by", "note", "source"] + [f"score {id}" for id in learned if all_scores]
    )
    for result in results:
        row = [
            result.entry.id,
            result.entry.title,
            ";".join(tag.topic.id for tag in result.tags),
            ";".join("" if tag.score is None else f"{tag.score:.{digits}f}" for tag in result.tags),
            result.by,
            result.note or "",
            str(result.entry.source or ""),
        ]
        table.writerow(row + ([f"{score:.4f}" for score in _every_score(result, model).values()] if all_scores else []))
    return out.getvalue()


def tagged_frame(results: Sequence[Tagged]) -> pd.DataFrame:
    """Tagged entries as a table: a row an entry, the topics and their scores as lists."""
    import pandas as pd

    rows = [
        {
            "id": result.entry.id,
            "title": result.entry.title,
            "date": result.entry.date and result.entry.date.isoformat(),
            "topics": [tag.topic.id for tag in result.tags],
            "scores": [tag.score for tag in result.tags],
            "by": result.by,
            "note": result.note,
            "source": result.entry.source and str(result.entry.source),
        }
        for result in results
    ]
    return pd.DataFrame(rows, columns=["id", "title", "date", "topics", "scores", "by", "note", "source"])


def _markdown(results: Sequence[Tagged], model: Model, explain: bool, all_scores: bool) -> str:
    rows = []
    for result in results:
        topics = (
            ", ".join(f"{escape_markdown(tag.topic.name)} {_said(tag)}" for tag in result.tags)
            or f"*{escape_markdown(result.note or '')}*"
        )
        if result.tags and result.note:
            topics += f" (*{escape_markdown(result.note)}*)"
        if explain:
            topics += "".join(f"<br>{escape_markdown(line)}" for line in _why_lines(result, model))
        if all_scores:
            topics += "<br>" + ", ".join(f"{id} {score:.2f}" for id, score in _every_score(result, model).items())
        rows.append([escape_markdown(result.entry.title), str(result.entry.date or ""), topics])
    return markdown_table(["entry", "date", "topics"], rows)
