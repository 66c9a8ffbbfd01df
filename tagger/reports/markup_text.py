"""Text that XML and HTML can hold."""

from __future__ import annotations

import re

__all__ = ["strip_unprintable"]

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def strip_unprintable(text: str) -> str:
    """The text without what XML and HTML cannot hold: control characters, half surrogate pairs, non-characters."""
    return _NOT_XML.sub("", text)
