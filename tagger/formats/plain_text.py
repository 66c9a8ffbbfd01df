"""Plain text for people: columns, and counts of things."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

__all__ = ["align_columns", "count_noun"]

_STARTS_OF_NUMBERS = "0123456789-∞"


def count_noun(number: int, singular: str, plural: str) -> str:
    """A number with the word for what it counts.

    >>> count_noun(1, "entry", "entries"), count_noun(0, "entry", "entries")
    ('1 entry', '0 entries')
    """
    return f"{number} {singular if number == 1 else plural}"


def align_columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table for a fixed-width font. Each column is as wide as its widest cell; numbers stand at the right.

    >>> print(align_columns(["topic", "yes"], [["ctr", "9"], ["llm", "10"]]), end="")
    topic  yes
    ctr      9
    llm     10
    """
    lines = [header, *rows]
    widths = [max(map(len, column)) for column in zip_longest(*lines, fillvalue="")]
    is_number = [
        all(row[column][:1] in _STARTS_OF_NUMBERS for row in rows if len(row) > column and row[column])
        for column in range(len(header))
    ]
    return "".join(
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, is_number, strict=False)
        ).rstrip()
        + "\n"
        for line in lines
    )
