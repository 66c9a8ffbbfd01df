"""The table that a person reads: plain text for a pipe or a file, colours for a terminal."""

from __future__ import annotations

import io
from collections.abc import Sequence

from tagger.formats.format import TextFormat, WriteOptions
from tagger.formats.wording import describe_reasons, describe_score, describe_scores, describe_tags
from tagger.tags import Tagged

__all__ = ["TABLE", "write_table"]

_INDENT = " " * 10  # as wide as an id and the two spaces after it


def write_table(results: Sequence[Tagged], options: WriteOptions) -> str:
    """Tagged entries as plain text, or as `rich` draws them for a terminal of `options.width` columns."""
    if options.width is not None:
        return _draw_for_terminal(results, options, options.width)
    return "".join(_describe(result, options) for result in results)


def _describe(result: Tagged, options: WriteOptions) -> str:
    lines = [f"{result.entry.id}  {result.entry.title}"]
    if result.tags:
        lines.append(describe_tags(result.tags))
    if result.note:
        lines.append(result.note)
    lines += [f"why {line}" for line in describe_reasons(result)]
    if options.scored_topics is not None:
        lines.append(f"all {describe_scores(result)}")
    return f"\n{_INDENT}".join(lines) + "\n"


def _draw_for_terminal(results: Sequence[Tagged], options: WriteOptions, width: int) -> str:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, expand=False, padding=(0, 1), show_edge=False)
    table.add_column("entry", ratio=3, overflow="fold")
    table.add_column("topics", ratio=2, overflow="fold")
    for result in results:
        entry = Text(result.entry.title, style="bold")
        entry.append(f"  {result.entry.id}", style="dim not bold")
        topics = Text()
        for tag in result.tags:
            topics.append(f"{tag.topic.name} ", style="cyan")
            topics.append(f"{describe_score(tag)}\n", style="green" if tag.by == "hand" else "default")
        if result.note:
            topics.append(result.note + "\n", style="yellow")
        topics.rstrip()
        table.add_row(entry, topics)
        for line in describe_reasons(result):
            name, _, terms = line.partition(": ")
            table.add_row(Text.assemble((f"  {name}: ", "dim cyan"), (terms, "dim")), "")
        if options.scored_topics is not None:
            table.add_row(Text(f"  {describe_scores(result)}", style="dim"), "")
        table.add_row("", "")
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=True, highlight=False, markup=False, emoji=False)
    console.print(table)
    return out.getvalue()


TABLE = TextFormat(
    name="table",
    title="Table",
    ending=".txt",  # a file with this ending is taken for a listing, so it is no ending to know a table by
    media_types=("text/plain",),
    write=write_table,
)
