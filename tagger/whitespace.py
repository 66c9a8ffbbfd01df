"""White space and control characters of a text, made plain spaces. This is done here and nowhere else."""

from __future__ import annotations

__all__ = ["UNPRINTABLE", "normalize_whitespace"]

# Control and format characters: none of them may reach a terminal or split a line.
UNPRINTABLE = (*range(0x20), *range(0x7F, 0xA0), 0x200B, 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF)
_SPACES = dict.fromkeys(UNPRINTABLE, " ")


def normalize_whitespace(text: str) -> str:
    """The text with each run of white space and control characters made one space, and none at the ends."""
    if not (text.isascii() and text.isprintable()):
        text = text.translate(_SPACES).encode("utf-8", "replace").decode()  # half a surrogate pair cannot be written
    return " ".join(text.split())
