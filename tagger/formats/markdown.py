"""Markdown: tables, text that Markdown shows as it is, and tagged entries as a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tagger.formats.format import TextFormat, WriteOptions
from tagger.formats.wording import describe_reasons, describe_score, describe_scores
from tagger.tags import Tagged

__all__ = ["MARKDOWN", "escape_markdown", "markdown_table", "write_markdown"]

_MARKS = r"\`*_[]<>|#~$"


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown, from cells that are escaped already."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def escape_markdown(text: str) -> str:
    """The text as a cell of a table shows it, without any markup of its own."""
    return "".join(f"\\{letter}" if letter in _MARKS else letter for letter in text)


def write_markdown(results: Sequence[Tagged], options: WriteOptions) -> str:
    """Tagged entries as a table in Markdown, a row an entry."""
    rows = []
    for result in results:
        entry, note = result.entry, escape_markdown(result.note or "")
        cell = ", ".join(f"{escape_markdown(tag.topic.name)} {describe_score(tag)}" for tag in result.tags) or f"*{note}*"
        if result.tags and note:
            cell += f" (*{note}*)"
        cell += "".join(f"<br>{escape_markdown(line)}" for line in describe_reasons(result))
        if options.scored_topics is not None:
            cell += f"<br>{describe_scores(result)}"
        rows.append([escape_markdown(entry.title), str(entry.date or ""), cell])
    return markdown_table(["entry", "date", "topics"], rows)


MARKDOWN = TextFormat(
    name="markdown",
    title="Markdown",
    ending=".md",
    endings=(".md",),
    media_types=("text/markdown",),
    write=write_markdown,
)
