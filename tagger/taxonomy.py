"""Topics and their order, which is the order of columns everywhere."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tagger.entry import squeeze
from tagger.errors import LabelsError, Problem

__all__ = ["Gate", "Topic", "ancestors", "read_gate", "read_topics"]

_ID = re.compile(r"[a-z0-9][a-z0-9._-]*")
_KEYS = {"id": True, "name": True, "definition": False, "parent": False}
_FLOOR = "floor"
_GATE = "calibration_error"


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


@dataclass(frozen=True, slots=True)
class Gate:
    """What a model must reach to be used: by topic id the lowest F1, and the highest calibration error."""

    floors: Mapping[str, float] = field(default_factory=dict)
    calibration_error: float | None = None


def read_topics(path: Path) -> tuple[Topic, ...]:
    """The topics of a topics.toml, in the order of the file.

    Raises:
        LabelsError: with every problem in the file.
    """
    return _read(path)[0]


def read_gate(path: Path) -> Gate:
    """What a topics.toml asks of a model.

    Raises:
        LabelsError: with every problem in the file.
    """
    return _read(path)[1]


def _read(path: Path) -> tuple[tuple[Topic, ...], Gate]:
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
        place = re.search(r"at line (\d+)", str(error))
        problem = Problem(str(path), int(place[1]) if place else 0, f"expected TOML: {error}")
        raise LabelsError(f"{path}: 1 to correct", [problem]) from None
    tables, gate = found.get("topic"), found.get("gate", {})
    lines = _lines(text, r"\[\[\s*topic\s*\]\]")
    if not isinstance(tables, list) or not tables or found.keys() - {"topic", "gate"} or len(lines) != len(tables):
        raise LabelsError(f"{path}: expected one [[topic]] table for each topic, perhaps one [gate], and nothing else")
    topics: list[Topic] = []
    floors: dict[str, float] = {}
    line_of_gate = next(iter(_lines(text, r"\[\s*gate\s*\]|gate\b")), 0)
    problems = [Problem(str(path), line_of_gate, message) for message in _check_gate(gate)]
    for table, line in zip(tables, lines, strict=True):
        wrong = [Problem(str(path), line, message) for message in _check(table, topics)]
        problems += wrong
        if not wrong:
            topics.append(Topic(**{key: value for key, value in table.items() if key != _FLOOR}))
            if _FLOOR in table:
                floors[table["id"]] = float(table[_FLOOR])
    ids = {topic.id for topic in topics}
    for topic, line in zip(topics, lines, strict=False) if not problems else ():
        if topic.parent is not None and topic.parent not in ids:
            problems.append(Problem(str(path), line, f"the parent {topic.parent!r} of topic {topic.id!r} is no topic"))
        elif topic.id in ancestors(topics)[topic.id]:
            problems.append(Problem(str(path), line, f"topic {topic.id!r} is its own ancestor"))
    if problems:
        raise LabelsError(f"{path}: {len(problems)} to correct", problems)
    return tuple(topics), Gate(floors, gate.get(_GATE))


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


def _lines(text: str, pattern: str) -> list[int]:
    return [n for n, line in enumerate(text.splitlines(), 1) if re.match(rf"\s*(?:{pattern})", line)]


def _check_gate(gate: Any) -> list[str]:
    if not isinstance(gate, dict):
        return [f"expected a table [gate] with {_GATE}, found {gate!r}"]
    messages = [f"unknown key {key!r}; [gate] has {_GATE}" for key in gate if key != _GATE]
    return messages + [_not_a_share(key, value) for key, value in gate.items() if key == _GATE and not _is_share(value)]


def _is_share(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1


def _not_a_share(key: str, value: Any) -> str:
    return f"expected a number from 0 to 1 for {key!r}, found {value!r}"


def _check(table: dict[str, Any], topics: Sequence[Topic]) -> list[str]:
    keys = [*_KEYS, _FLOOR]
    messages = [f"unknown key {key!r}; a topic has {', '.join(keys)}" for key in table if key not in keys]
    if not _is_share(table.get(_FLOOR, 0)):
        messages.append(_not_a_share(_FLOOR, table[_FLOOR]))
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
