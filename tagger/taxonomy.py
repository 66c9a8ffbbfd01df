"""Topics and their order, which is the order of columns everywhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tagger.entry import squeeze
from tagger.errors import LabelsError, Problem

__all__ = ["Topic", "ancestors", "read_topics"]

_ID = re.compile(r"[a-z0-9][a-z0-9._-]*")
_KEYS = {"id": True, "name": True, "definition": False, "parent": False}


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic that entries can have. A topic with a parent implies it."""

    id: str
    name: str
    definition: str = ""
    parent: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", squeeze(self.name))
        object.__setattr__(self, "definition", squeeze(self.definition))


def read_topics(path: Path) -> tuple[Topic, ...]:
    """The topics of a topics.toml, in the order of the file.

    Raises:
        LabelsError: with every problem in the file.
    """
    import tomllib

    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise LabelsError(f"{path}: cannot be read: {error.strerror}; 'tagger init DIR' makes a workspace") from None
    except UnicodeDecodeError:
        raise LabelsError(f"{path}: expected UTF-8 text; save the file as UTF-8") from None
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise LabelsError(f"{path}: expected TOML: {error}") from None
    tables = found.get("topic")
    lines = [n for n, line in enumerate(text.splitlines(), 1) if re.match(r"\s*\[\[\s*topic\s*\]\]", line)]
    if not isinstance(tables, list) or not tables or len(found) > 1 or len(lines) != len(tables):
        raise LabelsError(f"{path}: expected one [[topic]] table for each topic, and nothing else")
    topics: list[Topic] = []
    problems: list[Problem] = []
    for table, line in zip(tables, lines, strict=True):
        wrong = [Problem(str(path), line, message) for message in _check(table, topics)]
        problems += wrong
        if not wrong:
            topics.append(Topic(**table))
    ids = {topic.id for topic in topics}
    for topic, line in zip(topics, lines, strict=False) if not problems else ():
        if topic.parent is not None and topic.parent not in ids:
            problems.append(Problem(str(path), line, f"the parent {topic.parent!r} of topic {topic.id!r} is no topic"))
        elif topic.id in ancestors(topics)[topic.id]:
            problems.append(Problem(str(path), line, f"topic {topic.id!r} is its own ancestor"))
    if problems:
        raise LabelsError(f"{path}: {len(problems)} to correct", problems)
    return tuple(topics)


def ancestors(topics: Sequence[Topic]) -> dict[str, tuple[str, ...]]:
    """By topic id, the ids that it implies: its parent, the parent's parent and so on."""
    parents = {topic.id: topic.parent for topic in topics}
    chains: dict[str, tuple[str, ...]] = {}
    for topic in parents:
        chain: list[str] = []
        up = parents[topic]
        while up is not None and up in parents and up not in chain:
            chain.append(up)
            up = parents[up]
        chains[topic] = tuple(chain)
    return chains


def _check(table: dict[str, Any], topics: Sequence[Topic]) -> list[str]:
    messages = [f"unknown key {key!r}; a topic has {', '.join(_KEYS)}" for key in table if key not in _KEYS]
    for key, needed in _KEYS.items():
        if key in table and not isinstance(table[key], str):
            messages.append(f"expected text for {key!r}, found {table[key]!r}")
        elif needed and not table.get(key, "").strip():
            messages.append(f"a topic needs {key!r}")
    if not messages and not _ID.fullmatch(table["id"]):
        messages.append(f"expected an id of small letters, digits and dashes, found {table['id']!r}")
    if not messages and table["id"] in {topic.id for topic in topics}:
        messages.append(f"a second topic with the id {table['id']!r}")
    if not messages and squeeze(table["name"]) in {topic.name for topic in topics}:
        messages.append(f"a second topic with the name {table['name']!r}")
    return messages
