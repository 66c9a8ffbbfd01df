"""What tagging returns: an entry with its tags and, where they were asked for, all scores and the reasons."""

from __future__ import annotations

from dataclasses import dataclass

from tagger.entry import Entry
from tagger.taxonomy import Topic

__all__ = ["Reason", "Tag", "Tagged", "TopicReasons", "TopicScores"]


@dataclass(frozen=True, slots=True)
class Tag:
    """A topic that an entry has. `score` is a calibrated probability; None where a person said so."""

    topic: Topic
    score: float | None
    by: str  # "model" or "hand"


@dataclass(frozen=True, slots=True)
class Reason:
    """What a term did for a topic: its share of the score's log-odds, negative if it spoke against."""

    term: str
    share: float


@dataclass(frozen=True, slots=True)
class TopicReasons:
    """The terms of an entry that speak most for a topic and most against it, strongest first."""

    topic: Topic
    supporting: tuple[Reason, ...]
    opposing: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class TopicScores:
    """The scores of an entry for several topics: `values[n]` is that of `topics[n]`."""

    topics: tuple[Topic, ...]
    values: tuple[float, ...]

    def by_id(self) -> dict[str, float]:
        """The scores by topic id, in the order of the topics."""
        return {topic.id: score for topic, score in zip(self.topics, self.values, strict=True)}


@dataclass(frozen=True, slots=True)
class Tagged:
    """An entry with its tags, best first.

    Attributes:
        entry: what was tagged.
        tags: its topics; none where no score reaches its threshold.
        scores: of every topic that the model has learned and shows; None where they were not asked for.
        why: the reasons for each tag of the model, and for `nearest`; None where they were not asked for.
        note: why there is no tag; None where there is one.
        nearest: where there is no tag, the topic whose score came nearest to its threshold.
        by: who gave the tags, "model" or "hand".
    """

    entry: Entry
    tags: tuple[Tag, ...]
    scores: TopicScores | None = None
    why: tuple[TopicReasons, ...] | None = None
    note: str | None = None
    nearest: Topic | None = None
    by: str = "model"
