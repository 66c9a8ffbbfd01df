"""Markdown: tables, and text that Markdown shows as it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["escape_markdown", "markdown_table"]

_MARKS = r"\`*_[]<>|#~$"


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown, from cells that are escaped already."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def escape_markdown(text: str) -> str:
    """The text as a cell of a table shows it, without any markup of its own."""
    return "".join(f"\\{letter}" if letter in _MARKS else letter for letter in text)
