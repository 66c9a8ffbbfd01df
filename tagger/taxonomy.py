"""`Taxonomy`: the topics, which of them imply or exclude each other, and the file topics.toml that says so.

The order of the topics in a taxonomy is the order of the columns of all arrays with a column for each topic.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from tagger.errors import LabelsError, Problem
from tagger.source import Source
from tagger.whitespace import normalize_whitespace

__all__ = ["Gate", "Taxonomy", "Topic", "read_taxonomy"]

_ID = re.compile(r"[a-z0-9][a-z0-9._-]*")
_TEXT_KEYS = {"id": True, "name": True, "definition": False, "parent": False}  # of a topic, and whether it must have them
_TOPIC_KEYS = (*_TEXT_KEYS, "floor", "precision", "excludes")
_GATE_KEY = "calibration_error"
_ENTRY_KEY = "at_most"


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic that entries can have."""

    id: str
    name: str
    definition: str = ""
    parent: str | None = None  # id of the topic that this one implies
    excludes: tuple[str, ...] = ()  # ids of topics that no entry with this one has
    precision: float | None = None  # the precision that its tags should reach; None for the threshold with the best F1

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", normalize_whitespace(self.name))
        object.__setattr__(self, "definition", normalize_whitespace(self.definition))
        object.__setattr__(self, "excludes", tuple(self.excludes))


@dataclass(frozen=True, slots=True)
class Gate:
    """What a model must reach to be used."""

    floors: Mapping[str, float] = field(default_factory=dict, hash=False)  # by topic id the lowest F1
    calibration_error: float | None = None  # the highest one; None for any


@dataclass(frozen=True)
class Taxonomy:
    """The topics in the order of the columns, and what follows from their parents and exclusions.

    A parent or an excluded topic that is not among the topics is ignored. What follows is computed when it is first asked
    for, and is not pickled. Two taxonomies are equal whatever their gates: a gate does not change what topics mean.
    """

    topics: tuple[Topic, ...] = ()
    max_topics: int | None = None  # how many topics an entry has at most, with all ancestors; None for any number
    gate: Gate = field(default_factory=Gate, compare=False)

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
        """By topic id, the ids of the topics that it implies: its parent, the parent's parent and so on."""
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
        """By topic id, the ids of the topics that no entry with it can have.

        Two topics are incompatible if one of them, or one of its ancestors, excludes the other or an ancestor of the other.
        """
        excluded: dict[str, set[str]] = {id: set() for id in self.ids}
        for column, other_column in self.excluded_columns:
            id, other = self.ids[column], self.ids[other_column]
            excluded[id] |= {other, *self.descendants[other]}
            excluded[other] |= {id, *self.descendants[id]}
        return {id: frozenset(excluded[id]).union(*(excluded[up] for up in self.ancestors[id])) for id in self.ids}

    @cached_property
    def ancestor_columns(self) -> Mapping[int, tuple[int, ...]]:
        """`ancestors` by column. Topics without an ancestor are left out."""
        return {self.column[id]: tuple(self.column[other] for other in chain) for id, chain in self.ancestors.items() if chain}

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
        """(column of a topic, column of a topic that it excludes), as topics.toml has them, without what follows."""
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
    """The taxonomy in a topics.toml, with the topics in the order of the file.

    Raises:
        LabelsError: if the file cannot be read, or with every problem in it.
    """
    text = _read_text(path)
    document = _parse_toml(text, path)
    tables, gate, entry = document.get("topic"), document.get("gate", {}), document.get("entry", {})
    lines = _lines_that_match(text, r"\[\[\s*topic\s*\]\]")
    others = document.keys() - {"topic", "gate", "entry"}
    if not isinstance(tables, list) or not tables or others or len(lines) != len(tables):
        raise LabelsError(
            f"{path}: expected one [[topic]] table for each topic, perhaps one [gate] and one [entry], and nothing else"
        )
    problems: list[Problem] = []

    def report(line: int, messages: Iterable[str]) -> None:
        problems.extend(Problem(Source(str(path), line), message) for message in messages)

    for name, messages in (("gate", _check_gate_table(gate)), ("entry", _check_entry_table(entry))):
        report(next(iter(_lines_that_match(text, rf"\[\s*{name}\s*\]|{name}\b")), 0), messages)
    topics: dict[str, Topic] = {}
    floors: dict[str, float] = {}
    names: set[str] = set()
    for table, line in zip(tables, lines, strict=True):
        if messages := _check_topic_table(table, topics, names):
            report(line, messages)
            continue
        topic = Topic(**{key: value for key, value in table.items() if key != "floor"})
        topics[topic.id] = topic
        names.add(topic.name)
        if "floor" in table:
            floors[topic.id] = float(table["floor"])
    if not problems:
        taxonomy = Taxonomy(tuple(topics.values()), entry.get(_ENTRY_KEY), Gate(floors, gate.get(_GATE_KEY)))
        for topic, line in zip(taxonomy.topics, lines, strict=True):
            report(line, _check_relations(topic, taxonomy))
    if problems:
        raise LabelsError(f"{path}: {len(problems)} to correct", problems)
    return taxonomy


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise LabelsError(f"{path}: cannot be read: {error.strerror}; 'tagger init DIR' makes a workspace") from None
    except UnicodeDecodeError:
        raise LabelsError(f"{path}: expected UTF-8 text; save the file as UTF-8") from None


def _parse_toml(text: str, path: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        problem = Problem(Source(str(path), int(line[1]) if line else 0), f"expected TOML: {error}")
        raise LabelsError(f"{path}: 1 to correct", [problem]) from None


def _check_relations(topic: Topic, taxonomy: Taxonomy) -> list[str]:
    """What is wrong with the parent and the exclusions of a topic."""
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


def _lines_that_match(text: str, pattern: str) -> list[int]:
    return [n for n, line in enumerate(text.splitlines(), 1) if re.match(rf"\s*(?:{pattern})", line)]


def _check_gate_table(gate: Any) -> list[str]:
    if not isinstance(gate, dict):
        return [f"expected a table [gate] with {_GATE_KEY}, found {gate!r}"]
    messages = [f"unknown key {key!r}; [gate] has {_GATE_KEY}" for key in gate if key != _GATE_KEY]
    return messages + _check_share(gate, _GATE_KEY)


def _check_entry_table(entry: Any) -> list[str]:
    if not isinstance(entry, dict):
        return [f"expected a table [entry] with {_ENTRY_KEY}, found {entry!r}"]
    messages = [f"unknown key {key!r}; [entry] has {_ENTRY_KEY}" for key in entry if key != _ENTRY_KEY]
    max_topics = entry.get(_ENTRY_KEY, 1)
    if not isinstance(max_topics, int) or isinstance(max_topics, bool) or max_topics < 1:
        messages.append(f"expected a whole number from 1 for {_ENTRY_KEY!r}, found {max_topics!r}")
    return messages


def _check_topic_table(table: dict[str, Any], ids: Container[str], names: Container[str]) -> list[str]:
    """What is wrong with the table of a topic, beside the ids and names of those before it."""
    messages = [f"unknown key {key!r}; a topic has {', '.join(_TOPIC_KEYS)}" for key in table if key not in _TOPIC_KEYS]
    messages += _check_share(table, "floor")
    precision, excludes = table.get("precision", 0.5), table.get("excludes", [])
    if not _is_share(precision) or precision in (0, 1):
        messages.append(f"expected a number above 0 and below 1 for 'precision', found {precision!r}")
    if not isinstance(excludes, list) or not all(isinstance(other, str) for other in excludes):
        messages.append(f"expected a list of topic ids for 'excludes', found {excludes!r}")
    for key, needed in _TEXT_KEYS.items():
        if key in table and not isinstance(table[key], str):
            messages.append(f"expected text for {key!r}, found {table[key]!r}")
        elif needed and not table.get(key, "").strip():
            messages.append(f"a topic needs {key!r}")
    if not messages and not _ID.fullmatch(table["id"]):
        messages.append(f"expected an id of small letters, digits and dashes, found {table['id']!r}")
    if not messages and table["id"] in ids:
        messages.append(f"a second topic with the id {table['id']!r}")
    if not messages and normalize_whitespace(table["name"]) in names:
        messages.append(f"a second topic with the name {table['name']!r}")
    return messages


def _check_share(table: dict[str, Any], key: str) -> list[str]:
    if key not in table or _is_share(table[key]):
        return []
    return [f"expected a number from 0 to 1 for {key!r}, found {table[key]!r}"]


def _is_share(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1
