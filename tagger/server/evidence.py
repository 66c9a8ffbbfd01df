"""Why an entry has a topic, as the page shows it: its text in pieces by what their words did, and its strongest words."""

from __future__ import annotations

from dataclasses import dataclass

from tagger.entry import Entry
from tagger.model.explain import explain_entries
from tagger.model.model import Model
from tagger.reports.why import mark_terms, shown_terms
from tagger.taxonomy import Topic

__all__ = ["TopicEvidence", "explain_topic", "without_evidence"]

Pieces = tuple[tuple[str, int], ...]  # a text cut into pieces, each with a level from -2 (strongly against) to 2 (strongly for)
_LEVEL_SHARES = (0.25, 1.0)  # of the log-odds: from the first on a word has level 1, from the second on level 2


@dataclass(frozen=True, slots=True)
class TopicEvidence:
    """What the words of an entry did for a topic. Score, threshold, `tagged` and `implied_by` are those of `explain_entries`.

    They are None for a topic that the model does not have yet.
    """

    id: str
    name: str
    score: float | None
    threshold: float | None
    tagged: bool | None
    implied_by: str | None
    title: Pieces
    abstract: Pieces
    terms: tuple[tuple[str, float], ...]  # the strongest words, each with its share of the log-odds


def explain_topic(model: Model, entry: Entry, topic: str) -> TopicEvidence:
    """What the words of an entry did for a topic of the model.

    Raises:
        UsageError: if the model has no such topic.
    """
    (explanation,) = explain_entries(model, [entry], topics=[topic])
    (explained,) = explanation.topics
    return TopicEvidence(
        id=explained.topic.id,
        name=explained.topic.name,
        score=explained.score,
        threshold=explained.threshold,
        tagged=explained.tagged,
        implied_by=explained.implied_by,
        title=tuple(mark_terms(entry.title, "title", explained.terms, _level)),
        abstract=tuple(mark_terms(entry.abstract, "abstract", explained.terms, _level)),
        terms=tuple((term.term, term.share) for term in shown_terms(explained.terms)),
    )


def without_evidence(entry: Entry, topic: Topic) -> TopicEvidence:
    """What there is for a topic that is newer than the model: the text of the entry, and nothing that its words did."""
    return TopicEvidence(
        id=topic.id,
        name=topic.name,
        score=None,
        threshold=None,
        tagged=None,
        implied_by=None,
        title=((entry.title, 0),),
        abstract=((entry.abstract, 0),),
        terms=(),
    )


def _level(share: float) -> int:
    """-2 to 2: how much a word did."""
    return ((share > 0) - (share < 0)) * sum(abs(share) >= bound for bound in _LEVEL_SHARES)
