"""The rows of labels.csv that do not say what the base's table says."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tagger.errors import Problem
from tagger.labels.dataset import Labels
from tagger.labels.table import LABELS_CSV, LabelRow
from tagger.source import Source
from tagger.workspace.workspace import Workspace

__all__ = ["ChangedRow", "describe_changed_rows", "find_changed_rows"]

_MAX_ROWS = 20  # named for one check


@dataclass(frozen=True, slots=True)
class ChangedRow:
    """A row that is not as the base's, and what changed in it."""

    id: str
    topics: frozenset[str]  # those that changed, and those that follow from them
    in_both: bool  # whether both tables have the row
    problem: Problem


def find_changed_rows(workspace: Workspace, labels: Labels, base: Sequence[LabelRow]) -> list[ChangedRow]:
    """The rows that differ from those of the base, by id.

    Args:
        workspace: whose labels.csv is compared.
        labels: what it holds.
        base: the rows of the base.
    """
    path = str(workspace.labels / LABELS_CSV)
    before, now = {row.id: row for row in base}, {row.id: row for row in labels.rows}
    changed = []
    for id in sorted(before | now):
        topics, moves = _compare_rows(before.get(id), now.get(id))
        in_both = id in before and id in now
        if in_both and not topics:
            continue
        row = now.get(id) or before[id]
        state = "" if in_both else "a new row: " if id in now else "a row that is gone: "
        source = Source(path, row.line if id in now else 0)
        problem = Problem(source, f"{state}{moves} ({id} {row.title})")
        changed.append(ChangedRow(id, _with_implied(topics, labels), in_both, problem))
    return changed


def _compare_rows(before: LabelRow | None, now: LabelRow | None) -> tuple[list[str], str]:
    """The topics of which two rows say something else, and what they say of them."""
    old, new = _labels_by_topic(before), _labels_by_topic(now)
    topics = [topic for topic in dict.fromkeys((*old, *new)) if old.get(topic) != new.get(topic)]
    moves = ", ".join(f"{topic} {old.get(topic, 'no')} -> {new.get(topic, 'no')}" for topic in topics)
    return topics, moves or "no topic"


def _labels_by_topic(row: LabelRow | None) -> dict[str, str]:
    """By topic "yes" or "unsure"; every other topic is a no."""
    return {} if row is None else dict.fromkeys(row.unsure, "unsure") | dict.fromkeys(row.topics, "yes")


def _with_implied(topics: Sequence[str], labels: Labels) -> frozenset[str]:
    """Topics with those whose labels follow from theirs."""
    ancestors, incompatible = labels.taxonomy.ancestors, labels.taxonomy.incompatible
    implied = {other for topic in topics for other in (*ancestors.get(topic, ()), *incompatible.get(topic, ()))}
    return frozenset({*topics, *implied})


def describe_changed_rows(changed: Sequence[ChangedRow] | None, topics: Collection[str]) -> tuple[str, tuple[Problem, ...]]:
    """What to add to the message of a check that failed, and the rows to look at.

    Args:
        changed: the rows that changed; None if that is not known.
        topics: those that the check is about. If no changed row is about them, all changed rows are named.
    """
    if changed is None:
        return "; --base-labels names the rows of labels.csv that changed", ()
    if not changed:
        return "; no row of labels.csv changed", ()
    about = [row.problem for row in changed if row.topics & set(topics)] or [row.problem for row in changed]
    n_more = len(about) - _MAX_ROWS
    more = [Problem(Source(about[0].source.path), f"{n_more} more rows changed")] if n_more > 0 else []
    return "; look at the rows of labels.csv that changed", (*about[:_MAX_ROWS], *more)
