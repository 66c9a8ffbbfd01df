"""The topics of a field, what they imply and exclude, and how they are read from topics.toml.

The order of the topics in a `Taxonomy` is the order of the columns of every array with a column for each topic.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from tagger.entry import normalize_whitespace
from tagger.errors import LabelsError, Problem
from tagger.source import Source

__all__ = ["Gate", "Taxonomy", "Topic", "read_taxonomy"]

_ID = re.compile(r"[a-z0-9][a-z0-9._-]*")
_KEYS = {"id": True, "name": True, "definition": False, "parent": False}
_FLOOR = "floor"
_PRECISION = "precision"
_EXCLUDES = "excludes"
_GATE = "calibration_error"
_ENTRY = "at_most"


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic that entries can have. A topic with a parent implies it; of topics that exclude each other an entry has one.

    `precision` is what the precision of its tags is to be, as far as labels can vouch for it; None for the best F1.
    """

    id: str
    name: str
    definition: str = ""
    parent: str | None = None
    excludes: tuple[str, ...] = ()
    precision: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", normalize_whitespace(self.name))
        object.__setattr__(self, "definition", normalize_whitespace(self.definition))
        object.__setattr__(self, "excludes", tuple(self.excludes))


@dataclass(frozen=True, slots=True)
class Gate:
    """What a model must reach to be used: by topic id the lowest F1, and the highest calibration error."""

    floors: Mapping[str, float] = field(default_factory=dict)
    calibration_error: float | None = None


@dataclass(frozen=True)
class Taxonomy:
    """The topics in the order of the columns, with what follows from their parents and exclusions.

    What is derived is worked out once, when it is first asked for, and is not pickled. A parent or an excluded topic that is
    not in the taxonomy counts for nothing.
    """

    topics: tuple[Topic, ...] = ()
    max_topics: int | None = None  # how many topics an entry has at most, with those that they imply; None for any number
    gate: Gate = field(default_factory=Gate, compare=False)  # it says nothing of what the topics mean

    def __post_init__(self) -> None:
        object.__setattr__(self, "topics", tuple(self.topics))

    def __getstate__(self) -> dict[str, Any]:
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The ids of the topics, (n_topics,)."""
        return tuple(topic.id for topic in self.topics)

    @cached_property
    def column(self) -> Mapping[str, int]:
        """The column of each topic, by its id."""
        return {id: column for column, id in enumerate(self.ids)}

    @cached_property
    def ancestors(self) -> Mapping[str, tuple[str, ...]]:
        """By topic id, the ids that it implies: its parent, the parent's parent and so on."""
        parents = {topic.id: topic.parent for topic in self.topics}
        chains: dict[str, tuple[str, ...]] = {}
        for id in parents:
            chain: list[str] = []
            parent = parents[id]
            while parent is not None and parent in parents and parent not in chain:
                chain.append(parent)
                parent = parents[parent]
            chains[id] = tuple(chain)
        return chains

    @cached_property
    def descendants(self) -> Mapping[str, tuple[str, ...]]:
        """By topic id, the ids of the topics that imply it, in the order of the topics."""
        below: dict[str, list[str]] = {id: [] for id in self.ids}
        for id, chain in self.ancestors.items():
            for ancestor in chain:
                below[ancestor].append(id)
        return {id: tuple(ids) for id, ids in below.items()}

    @cached_property
    def incompatible(self) -> Mapping[str, frozenset[str]]:
        """By topic id, the ids that an entry with it cannot have.

        Two topics are incompatible if one of them, or one of its ancestors, excludes the other or one of the other's ancestors.
        """
        declared: dict[str, set[str]] = {id: set() for id in self.ids}
        for first, second in self.excluded_columns:
            one, other = self.ids[first], self.ids[second]
            declared[one] |= {other, *self.descendants[other]}
            declared[other] |= {one, *self.descendants[one]}
        return {id: frozenset().union(*(declared[up] for up in (id, *self.ancestors[id]))) for id in self.ids}

    @cached_property
    def ancestor_columns(self) -> Mapping[int, tuple[int, ...]]:
        """`ancestors` by column. Topics without an ancestor are left out."""
        return {self.column[id]: tuple(self.column[up] for up in chain) for id, chain in self.ancestors.items() if chain}

    @cached_property
    def incompatible_columns(self) -> Mapping[int, frozenset[int]]:
        """`incompatible` by column. Topics that are compatible with all others are left out."""
        return {
            self.column[id]: frozenset(self.column[other] for other in others)
            for id, others in self.incompatible.items()
            if others
        }

    @cached_property
    def excluded_columns(self) -> tuple[tuple[int, int], ...]:
        """The columns of each topic and of one that it excludes, as declared: what follows for descendants is not here."""
        return tuple(
            (self.column[topic.id], self.column[other])
            for topic in self.topics
            for other in topic.excludes
            if other in self.column
        )

    @property
    def has_constraints(self) -> bool:
        """Whether a tag of an entry may depend on its other tags."""
        return self.max_topics is not None or any(topic.parent or topic.excludes for topic in self.topics)


def read_taxonomy(path: Path) -> Taxonomy:
    """What a topics.toml says: the topics in the order of the file, the limit on topics, and the gate.

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
        place = re.search(r"at line (\d+)", str(error))
        problem = Problem(Source(str(path), int(place[1]) if place else 0), f"expected TOML: {error}")
        raise LabelsError(f"{path}: 1 to correct", [problem]) from None
    tables, gate, entry = found.get("topic"), found.get("gate", {}), found.get("entry", {})
    lines = _lines(text, r"\[\[\s*topic\s*\]\]")
    if not isinstance(tables, list) or not tables or found.keys() - {"topic", "gate", "entry"} or len(lines) != len(tables):
        raise LabelsError(
            f"{path}: expected one [[topic]] table for each topic, perhaps one [gate] and one [entry], and nothing else"
        )
    topics: list[Topic] = []
    floors: dict[str, float] = {}
    problems = []
    for name, messages in (("gate", _check_gate(gate)), ("entry", _check_entry(entry))):
        line = next(iter(_lines(text, rf"\[\s*{name}\s*\]|{name}\b")), 0)
        problems += [Problem(Source(str(path), line), message) for message in messages]
    for table, line in zip(tables, lines, strict=True):
        wrong = [Problem(Source(str(path), line), message) for message in _check(table, topics)]
        problems += wrong
        if not wrong:
            topics.append(Topic(**{key: value for key, value in table.items() if key != _FLOOR}))
            if _FLOOR in table:
                floors[table["id"]] = float(table[_FLOOR])
    if not problems:
        taxonomy = Taxonomy(tuple(topics), entry.get(_ENTRY), Gate(floors, gate.get(_GATE)))
        for topic, line in zip(topics, lines, strict=True):
            problems += [Problem(Source(str(path), line), message) for message in _check_among(topic, taxonomy)]
    if problems:
        raise LabelsError(f"{path}: {len(problems)} to correct", problems)
    return taxonomy


def _check_among(topic: Topic, taxonomy: Taxonomy) -> list[str]:
    """What is wrong with a topic beside the others."""
    ancestors, max_topics = taxonomy.ancestors, taxonomy.max_topics
    if topic.parent is not None and topic.parent not in ancestors:
        return [f"the parent {topic.parent!r} of topic {topic.id!r} is no topic"]
    if topic.id in ancestors[topic.id]:
        return [f"topic {topic.id!r} is its own ancestor"]
    messages = []
    for other in topic.excludes:
        if other not in ancestors:
            messages.append(f"topic {topic.id!r} excludes {other!r}, which is no topic")
        elif other == topic.id:
            messages.append(f"topic {topic.id!r} excludes itself")
        elif other in ancestors[topic.id]:
            messages.append(f"topic {topic.id!r} excludes {other!r}, which it implies as its parent or above")
        elif topic.id in ancestors[other]:
            messages.append(f"topic {topic.id!r} excludes {other!r}, which implies it as its parent or above")
    if max_topics is not None and (n := 1 + len(ancestors[topic.id])) > max_topics:
        messages.append(f"topic {topic.id!r} and those that it implies are {n} topics, and an entry has at most {max_topics}")
    return messages


def _lines(text: str, pattern: str) -> list[int]:
    return [n for n, line in enumerate(text.splitlines(), 1) if re.match(rf"\s*(?:{pattern})", line)]


def _check_gate(gate: Any) -> list[str]:
    if not isinstance(gate, dict):
        return [f"expected a table [gate] with {_GATE}, found {gate!r}"]
    messages = [f"unknown key {key!r}; [gate] has {_GATE}" for key in gate if key != _GATE]
    return messages + [_not_a_share(key, value) for key, value in gate.items() if key == _GATE and not _is_share(value)]


def _check_entry(entry: Any) -> list[str]:
    if not isinstance(entry, dict):
        return [f"expected a table [entry] with {_ENTRY}, found {entry!r}"]
    messages = [f"unknown key {key!r}; [entry] has {_ENTRY}" for key in entry if key != _ENTRY]
    most = entry.get(_ENTRY, 1)
    if not isinstance(most, int) or isinstance(most, bool) or most < 1:
        messages.append(f"expected a whole number from 1 for {_ENTRY!r}, found {most!r}")
    return messages


def _is_share(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1


def _not_a_share(key: str, value: Any) -> str:
    return f"expected a number from 0 to 1 for {key!r}, found {value!r}"


def _check(table: dict[str, Any], topics: Sequence[Topic]) -> list[str]:
    keys = [*_KEYS, _FLOOR, _PRECISION, _EXCLUDES]
    messages = [f"unknown key {key!r}; a topic has {', '.join(keys)}" for key in table if key not in keys]
    if not _is_share(table.get(_FLOOR, 0)):
        messages.append(_not_a_share(_FLOOR, table[_FLOOR]))
    precision, excludes = table.get(_PRECISION, 0.5), table.get(_EXCLUDES, [])
    if not _is_share(precision) or precision in (0, 1):
        messages.append(f"expected a number above 0 and below 1 for {_PRECISION!r}, found {precision!r}")
    if not isinstance(excludes, list) or not all(isinstance(other, str) for other in excludes):
        messages.append(f"expected a list of topic ids for {_EXCLUDES!r}, found {excludes!r}")
    for key, needed in _KEYS.items():
        if key in table and not isinstance(table[key], str):
            messages.append(f"expected text for {key!r}, found {table[key]!r}")
        elif needed and not table.get(key, "").strip():
            messages.append(f"a topic needs {key!r}")
    if not messages and not _ID.fullmatch(table["id"]):
        messages.append(f"expected an id of small letters, digits and dashes, found {table['id']!r}")
    if not messages and table["id"] in {topic.id for topic in topics}:
        messages.append(f"a second topic with the id {table['id']!r}")
    if not messages and normalize_whitespace(table["name"]) in {topic.name for topic in topics}:
        messages.append(f"a second topic with the name {table['name']!r}")
    return messages
