"""Why an entry has a topic or not: the shares of its terms, where they stand, and the labelled entries most like it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.entry import Entry
from tagger.labels.dataset import Labels
from tagger.labels.table import LabelRow
from tagger.model.decision import blocking_topics, reach_thresholds
from tagger.model.log_odds import sigmoid
from tagger.model.model import Model
from tagger.tags import Tagged, TopicReasons
from tagger.taxonomy import Topic
from tagger.text.hashed_vocabulary import HashedVocabulary
from tagger.text.positions import Position
from tagger.text.similarity import nearest_rows, tfidf_rows

__all__ = [
    "Explanation",
    "SimilarEntry",
    "SimilarEntryIndex",
    "TermShare",
    "TopicExplanation",
    "add_reasons",
    "explain_entries",
    "explanation_to_json",
    "similar_entry_to_json",
    "split_by_share",
    "term_share_to_json",
]

_N_NEAREST_TOPICS = 2  # explained besides those tagged

_N_SUPPORTING, _N_OPPOSING = 5, 2  # terms that `add_reasons` names for each topic

_SCORE_DIGITS, _SHARE_DIGITS = 4, 6  # so that every form of an explanation shows the same numbers


@dataclass(frozen=True, slots=True)
class TermShare:
    """What a term of an entry did for a topic, and where it stands in the entry.

    `share` is its part of the log-odds of the score, negative where it speaks against the topic.
    """

    term: str
    share: float
    positions: tuple[Position, ...]


@dataclass(frozen=True, slots=True)
class TopicExplanation:
    """Why an entry has a topic or not.

    The score is 1 / (1 + exp(-log_odds)), and `log_odds` is the sum of `intercept` and of the shares of all terms. But where
    `implied_by` names a topic, the score is that topic's: it implies this one and is likelier.
    """

    topic: Topic
    score: float
    threshold: float | None  # None for a topic that is not learned, as are the two below
    tagged: bool
    implied_by: str | None  # the id of the topic that lends its score
    gives_way_to: tuple[str, ...]  # ids of likelier tags that leave no room for this one, whose score reaches the threshold
    log_odds: float | None
    intercept: float | None
    terms: tuple[TermShare, ...]  # strongest first


@dataclass(frozen=True, slots=True)
class SimilarEntry:
    """A labelled entry that is like the one explained. `similarity` is the cosine of their TF-IDF rows."""

    entry: Entry
    labels: LabelRow
    similarity: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why an entry has its topics."""

    entry: Entry
    by_hand: LabelRow | None  # what a person said of it
    topics: tuple[TopicExplanation, ...]  # best score first
    similar: tuple[SimilarEntry, ...]  # nearest first


class SimilarEntryIndex:
    """Labelled entries as a model sees them: counted once, then searched for those most like others."""

    def __init__(self, model: Model, labels: Labels) -> None:
        self._labels = labels
        self._vocabulary, self._idf = HashedVocabulary(model.hashes), model.idf.astype(np.float64)
        self._rows = tfidf_rows(labels.entries, self._vocabulary, self._idf)

    def find(self, entries: Sequence[Entry], n_similar: int) -> list[tuple[SimilarEntry, ...]]:
        """For each entry the labelled ones most like it, nearest first: at most `n_similar`.

        An entry is not similar to itself, and one that shares no term is not similar at all.
        """
        rows = tfidf_rows(entries, self._vocabulary, self._idf)
        # One more than wanted, since a labelled entry is the nearest to itself.
        cosines, nearest = nearest_rows(rows, self._rows, len(self._idf), n_similar + 1)
        return [
            tuple(
                SimilarEntry(self._labels.entries[at], self._labels.rows[at], round(cosine, _SCORE_DIGITS))
                for cosine, at in zip(cosines[n].tolist(), nearest[n].tolist(), strict=True)
                if cosine > 0 and self._labels.rows[at].id != entry.id
            )[:n_similar]
            for n, entry in enumerate(entries)
        ]


def explain_entries(
    model: Model, entries: Sequence[Entry], labels: Labels | None = None, topics: Sequence[str] = (), n_similar: int = 5
) -> list[Explanation]:
    """For each entry why it has its topics.

    Args:
        model: the model that tags.
        entries: what to explain.
        labels: what a person said of entries, for `by_hand` and `similar`; without them both are empty.
        topics: ids of the topics to explain; none for those tagged and the two that come nearest to their thresholds.
        n_similar: how many labelled entries to name at most.

    Raises:
        UsageError: if the model has no such topic.
    """
    asked = [model.column(topic) for topic in dict.fromkeys(topics)]
    by_hand = {row.id: row for row in labels.rows} if labels is not None else {}
    similar = SimilarEntryIndex(model, labels).find(entries, n_similar) if labels is not None else [()] * len(entries)
    scores = model.scores(entries)
    tags = model.predict(scores)
    explanations = []
    for n, (entry, tagged) in enumerate(zip(entries, model.tag(entries), strict=True)):
        columns = asked or _columns_to_explain(model, scores[n], {tag.topic.id for tag in tagged.tags})
        columns = sorted(columns, key=lambda column: -scores[n, column])
        positions = model.term_positions(entry)
        explained = tuple(_explain_topic(model, entry, column, scores[n], tags[n], positions) for column in columns)
        explanations.append(Explanation(entry, by_hand.get(entry.id), explained, similar[n]))
    return explanations


def _columns_to_explain(model: Model, scores: NDArray[np.float64], tagged: set[str]) -> list[int]:
    """The columns of the topics tagged, by id, and of the others that come nearest to their thresholds."""
    learned = [t for t in model.shown_columns if model.learned[t]]
    others = [t for t in learned if model.topics[t].id not in tagged]
    others.sort(key=lambda t: float(model.thresholds[t] - scores[t]))  # as in a note of `Model.tag`
    return [t for t in learned if model.topics[t].id in tagged] + others[:_N_NEAREST_TOPICS]


def _explain_topic(
    model: Model,
    entry: Entry,
    column: int,
    scores: NDArray[np.float64],
    tags: NDArray[np.bool_],
    positions: Mapping[str, Sequence[Position]],
) -> TopicExplanation:
    """Why an entry with these scores and tags, (n_topics,) each, has one topic or not."""
    topic, score, bias = model.topics[column], scores[column], model.bias[column]
    threshold, tagged = model.threshold_of(topic.id), bool(tags[column])
    reasons = model.why(entry, topic.id)
    log_odds = float(bias) + sum(reason.share for reason in reasons)
    lent = score > sigmoid(log_odds) + 1e-9  # by a topic that implies this one
    blocking = (
        blocking_topics(column, tags, model.taxonomy)
        if not tagged and reach_thresholds(scores, model.thresholds)[column]
        else []
    )
    return TopicExplanation(
        topic=topic,
        score=round(float(score), _SCORE_DIGITS),
        threshold=None if threshold is None else round(threshold, _SCORE_DIGITS),
        tagged=tagged,
        implied_by=_likeliest_descendant(model, topic, scores).id if lent else None,
        gives_way_to=tuple(model.topics[t].id for t in blocking),
        log_odds=None if threshold is None else round(log_odds, _SHARE_DIGITS),
        intercept=None if threshold is None else round(float(bias), _SHARE_DIGITS),
        terms=tuple(
            TermShare(reason.term, round(reason.share, _SHARE_DIGITS), tuple(positions[reason.term])) for reason in reasons
        ),
    )


def _likeliest_descendant(model: Model, topic: Topic, scores: NDArray[np.float64]) -> Topic:
    """Of the topics that imply this one, the one with the best score."""
    columns = (model.column(id) for id in model.taxonomy.descendants[topic.id])
    return model.topics[max(columns, key=lambda column: float(scores[column]))]


def add_reasons(model: Model, results: Iterable[Tagged]) -> list[Tagged]:
    """Tagged entries with the terms that did most for and against each tag of the model.

    An entry without a tag gets the reasons of the topic that came nearest to its threshold. What a person said needs none.
    """
    return [replace(result, why=tuple(_strongest_reasons(model, result))) for result in results]


def _strongest_reasons(model: Model, result: Tagged) -> Iterator[TopicReasons]:
    topics = [tag.topic for tag in result.tags if tag.score is not None] + ([result.nearest] if result.nearest else [])
    for topic in topics:
        reasons = model.why(result.entry, topic.id)
        supporting = [reason for reason in reasons if reason.share > 0][:_N_SUPPORTING]
        opposing = [reason for reason in reasons if reason.share < 0][:_N_OPPOSING]
        yield TopicReasons(topic, tuple(supporting), tuple(opposing))


def split_by_share(text: str, terms: Iterable[tuple[float, Iterable[tuple[int, int]]]]) -> list[tuple[str, float]]:
    """A text cut where the shares of its terms change: (part, share). The share is 0 where no term stands.

    Where terms overlap, their shares add up.

    Args:
        text: a title or an abstract.
        terms: the share of each term, and where it stands as (start, end).

    >>> split_by_share("a large language", [(2.0, [(2, 16)]), (-0.5, [(8, 16)])])
    [('a ', 0.0), ('large ', 2.0), ('language', 1.5)]
    """
    shares = np.zeros(len(text))
    for share, positions in terms:
        for start, end in positions:
            shares[start:end] += share
    edges = [0, *(np.flatnonzero(np.diff(shares)) + 1).tolist(), len(text)] if text else []
    return [(text[start:end], float(shares[start])) for start, end in pairwise(edges)]


def explanation_to_json(explanation: Explanation) -> dict[str, Any]:
    """An explanation as `tagger why --format json` and the API write it; docs/formats.md describes it."""
    entry, by_hand = explanation.entry, explanation.by_hand
    return {
        "id": entry.id,
        "title": entry.title,
        "abstract": entry.abstract,
        "source": entry.source and str(entry.source),
        "by_hand": None if by_hand is None else _labels_to_json(by_hand),
        "topics": [_topic_explanation_to_json(topic) for topic in explanation.topics],
        "similar": [similar_entry_to_json(similar) for similar in explanation.similar],
    }


def similar_entry_to_json(similar: SimilarEntry) -> dict[str, Any]:
    """A similar entry as an object of `similar` in the JSON of an explanation."""
    record = {"id": similar.labels.id, "title": similar.entry.title, "likeness": similar.similarity}
    return record | _labels_to_json(similar.labels)


def term_share_to_json(term: TermShare) -> dict[str, Any]:
    """A term as an object of `terms` in the JSON of an explanation."""
    places = [{"part": position.part, "start": position.start, "end": position.end} for position in term.positions]
    return {"term": term.term, "share": term.share, "places": places}


def _topic_explanation_to_json(explained: TopicExplanation) -> dict[str, Any]:
    return {
        "id": explained.topic.id,
        "name": explained.topic.name,
        "score": explained.score,
        "threshold": explained.threshold,
        "tagged": explained.tagged,
        "implied_by": explained.implied_by,
        "gives_way_to": list(explained.gives_way_to),
        "log_odds": explained.log_odds,
        "intercept": explained.intercept,
        "terms": [term_share_to_json(term) for term in explained.terms],
    }


def _labels_to_json(row: LabelRow) -> dict[str, list[str]]:
    return {"topics": list(row.topics), "unsure": list(row.unsure)}
