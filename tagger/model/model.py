"""`Model`: the arrays and the topics of a trained tagger. It scores entries, tags them, and says which terms did it.

It needs numpy, and scipy only where there are many topics.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.entry import Entry
from tagger.errors import UsageError
from tagger.labels.table import LabelRow
from tagger.model.decision import apply_thresholds, blocking_topics, learned_topics, raise_to_descendants, reach_thresholds
from tagger.model.log_odds import sigmoid
from tagger.model.training_record import TrainingRecord
from tagger.model.weights import SparseWeights
from tagger.tags import Reason, Tag, Tagged, TopicScores
from tagger.taxonomy import Taxonomy, Topic
from tagger.text.hashed_vocabulary import HashedVocabulary
from tagger.text.normalize import entry_text
from tagger.text.positions import Position, find_positions
from tagger.text.tfidf import count_terms, tfidf_weights

__all__ = ["Model"]

_BLOCK_SCORES = 1 << 20  # scores that are in memory at once: entries times topics


@dataclass(frozen=True, slots=True, eq=False)
class _ScoredBlock:
    """Some entries that were scored together, and how many of their words the model knows."""

    scores: NDArray[np.float64]  # (n_entries, n_topics)
    n_known_words: NDArray[np.int64]  # (n_entries,)
    n_words: NDArray[np.int64]  # (n_entries,)


@dataclass(frozen=True, eq=False)
class Model:
    """A trained tagger.

    The score of topic t for an entry with TF-IDF row x is 1 / (1 + exp(-(x @ W[:, t] + bias[t]))). The weights W, (n_terms,
    n_topics), stand in compressed sparse rows: those of term j are `weights[weight_starts[j]:weight_starts[j + 1]]`, for the
    topics in `weight_topics` at the same places. Calibration is folded into weights and bias.

    `out_of_fold_tags` are the tags of each labelled entry by a model of the cross-validation that had not seen it. With them
    the next model can be compared with this one fairly.
    """

    taxonomy: Taxonomy
    hashes: NDArray[np.uint64]  # (n_terms,), ascending
    vocabulary_text: NDArray[np.uint8]  # the terms as text, a line each, UTF-8
    idf: NDArray[np.float32]  # (n_terms,)
    weight_starts: NDArray[np.uint64]  # (n_terms + 1,)
    weight_topics: NDArray[np.uint32]  # (n_weights,)
    weights: NDArray[np.float32]  # (n_weights,)
    bias: NDArray[np.float64]  # (n_topics,); -inf for a topic that could not be learned
    thresholds: NDArray[np.float64]  # (n_topics,); inf for a topic that could not be learned
    out_of_fold_tags: NDArray[np.uint8]  # (n_labelled, n_topics), 0 or 1
    out_of_fold_ids: NDArray[np.uint8]  # (n_labelled, 8), ASCII
    min_topics: int = 0  # 1 to tag the best topic of an entry in any case
    training: TrainingRecord = field(default_factory=TrainingRecord)
    shown_topics: tuple[str, ...] | None = None  # ids of the topics to show; None for all

    def __eq__(self, other: object) -> bool:
        """Whether all fields are equal, arrays value by value."""
        if not isinstance(other, Model):
            return NotImplemented
        return all(_equal(getattr(self, name), getattr(other, name)) for name in _fields(self))

    def __hash__(self) -> int:
        return hash((self.topics, self.bias.tobytes(), self.thresholds.tobytes()))

    def __getstate__(self) -> dict[str, Any]:
        """The fields alone. What is cached can be five times as large, and is soon made again."""
        return {name: getattr(self, name) for name in _fields(self)}

    @property
    def topics(self) -> tuple[Topic, ...]:
        """The topics, (n_topics,)."""
        return self.taxonomy.topics

    @cached_property
    def terms(self) -> list[str]:
        """The terms as text: (n_terms,)."""
        return self.vocabulary_text.tobytes().decode(errors="replace").split("\n") if len(self.hashes) else []

    @property
    def trained_ids(self) -> list[str]:
        """The ids of the entries that the model was trained on, in the order of `out_of_fold_ids`: (n_labelled,)."""
        return [bytes(id).decode("ascii", "replace") for id in self.out_of_fold_ids]

    @cached_property
    def learned(self) -> NDArray[np.bool_]:
        """Which topics the model has learned, (n_topics,). The others had too few labels, and are never tagged."""
        return learned_topics(self.thresholds)

    def is_learned(self, topic: str) -> bool:
        """Whether the model has this topic and has learned it."""
        return topic in self.taxonomy.column and bool(self.learned[self.taxonomy.column[topic]])

    def threshold_of(self, topic: str) -> float | None:
        """The threshold of a topic; None for one that the model does not have or has not learned."""
        return float(self.thresholds[self.taxonomy.column[topic]]) if self.is_learned(topic) else None

    @cached_property
    def _vocabulary(self) -> HashedVocabulary:
        return HashedVocabulary(self.hashes)

    @cached_property
    def _idf(self) -> NDArray[np.float64]:
        return self.idf.astype(np.float64)

    @cached_property
    def sparse_weights(self) -> SparseWeights:
        """The weights, ready to compute with."""
        return SparseWeights(self.weight_starts, self.weight_topics, self.weights, len(self.topics))

    @cached_property
    def shown_columns(self) -> NDArray[np.int64]:
        """The columns of the topics that are shown: (n_shown,)."""
        shown = self.taxonomy.ids if self.shown_topics is None else self.shown_topics
        return np.array([self.taxonomy.column[topic] for topic in shown], dtype=np.int64)

    def scores(self, entries: Iterable[Entry]) -> NDArray[np.float64]:
        """(n_entries, n_topics): for each topic the probability that it applies."""
        return self.score_texts(entry_text(entry) for entry in entries)

    def score_texts(self, texts: Iterable[str]) -> NDArray[np.float64]:
        """As `scores`, of texts as `tagger.text.normalize.entry_text` makes them."""
        return np.concatenate([*self.iterate_scores(texts), np.zeros((0, len(self.topics)))])

    def iterate_scores(self, texts: Iterable[str], block_scores: int = _BLOCK_SCORES) -> Iterator[NDArray[np.float64]]:
        """As `score_texts`, a block of texts at a time, so that many topics never fill the memory.

        A block has `block_scores` scores at most, but one text at least.
        """
        return (block.scores for block in self._score_blocks(texts, block_scores))

    def predict(self, scores: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which topics entries with these scores are tagged with, (n_entries, n_topics) both; see `tagger.model.decision`."""
        return apply_thresholds(scores, self.thresholds, self.taxonomy, self.min_topics)

    def tag(
        self,
        entries: Sequence[Entry],
        hand: Mapping[str, LabelRow] | None = None,
        hand_taxonomy: Taxonomy = Taxonomy(),  # noqa: B008 - frozen
        all_scores: bool = False,
    ) -> list[Tagged]:
        """The topics of each entry, best first.

        Args:
            entries: what to tag.
            hand: rows of labels by entry id. An entry that has one gets the row's topics instead of the model's.
            hand_taxonomy: the topics that rows use, where the model does not have them all.
            all_scores: whether to keep the scores of all topics that are learned and shown.
        """
        by_id = {topic.id: topic for topic in (*self.topics, *hand_taxonomy.topics)}
        taxonomy = Taxonomy(tuple(by_id.values()))
        results: list[Tagged] = []
        for block in self._score_blocks(entry_text(entry) for entry in entries):
            tags = self.predict(block.scores)
            for n, entry in enumerate(entries[len(results) : len(results) + len(tags)]):
                row = hand.get(entry.id) if hand is not None else None
                tagged = (
                    self._tag_from_scores(entry, block, n, tags[n]) if row is None else self._tag_from_row(entry, row, taxonomy)
                )
                if all_scores:
                    scores = tuple(block.scores[n, self._scored_columns].tolist())
                    tagged = replace(tagged, scores=TopicScores(self.scored_topics, scores))
                results.append(tagged)
        return results

    def restricted_to(self, topics: Sequence[str]) -> Model:
        """The same model, but these topics alone are shown. Scores and decisions stay as they are.

        Raises:
            UsageError: if the model has no such topic.
        """
        for topic in topics:
            self.column(topic)
        return replace(self, shown_topics=tuple(dict.fromkeys(topics)))

    @cached_property
    def scored_topics(self) -> tuple[Topic, ...]:
        """The topics that are shown and that the model has learned: those of `Tagged.scores`."""
        return tuple(self.topics[t] for t in self._scored_columns)

    @cached_property
    def _scored_columns(self) -> NDArray[np.int64]:
        return self.shown_columns[self.learned[self.shown_columns]]

    def column(self, topic: str) -> int:
        """The column of a topic.

        Raises:
            UsageError: if the model has no such topic.
        """
        if topic not in self.taxonomy.column:
            raise UsageError(f"unknown topic {topic!r}; this model has {', '.join(self.taxonomy.ids)}")
        return self.taxonomy.column[topic]

    def why(self, entry: Entry, topic: str) -> list[Reason]:
        """The terms of an entry by what they did for a topic, strongest first.

        Their shares and the topic's bias add up to the log-odds of its own score, before that of a topic that implies it.

        Raises:
            UsageError: if the model has no such topic.
        """
        column = self.column(topic)
        (counts,) = count_terms([entry_text(entry)], self._vocabulary)
        values = tfidf_weights(counts.starts, counts.terms, counts.counts, self._idf)
        shares = values * self.sparse_weights.of_topic(column, counts.terms)
        reasons = [Reason(self.terms[term], float(share)) for term, share in zip(counts.terms, shares, strict=True) if share]
        return sorted(reasons, key=lambda reason: (-abs(reason.share), reason.term))

    def term_positions(self, entry: Entry) -> dict[str, list[Position]]:
        """Where each known term of an entry stands in its title and abstract; see `find_positions`."""
        return {self.terms[term]: positions for term, positions in find_positions(entry, self._vocabulary).items()}

    def _score_blocks(self, texts: Iterable[str], block_scores: int = _BLOCK_SCORES) -> Iterator[_ScoredBlock]:
        block_rows = max(1, block_scores // max(1, len(self.topics)))
        for counts in count_terms(texts, self._vocabulary):
            values = tfidf_weights(counts.starts, counts.terms, counts.counts, self._idf)
            for first in range(0, len(counts.n_words), block_rows):
                rows = slice(first, min(first + block_rows, len(counts.n_words)))
                starts = counts.starts[first : rows.stop + 1]
                cells = slice(starts[0], starts[-1])
                log_odds = self.sparse_weights.multiply(starts - starts[0], counts.terms[cells], values[cells])
                log_odds += self.bias
                scores = raise_to_descendants(sigmoid(log_odds), self.taxonomy)
                yield _ScoredBlock(scores, counts.n_known_words[rows], counts.n_words[rows])

    def _tag_from_row(self, entry: Entry, row: LabelRow, taxonomy: Taxonomy) -> Tagged:
        """The topics that a person gave, and those that they imply, as far as they are shown."""
        given = dict.fromkeys(topic for label in row.topics for topic in (label, *taxonomy.ancestors.get(label, ())))
        shown = [topic for topic in given if self.shown_topics is None or topic in self.shown_topics]
        topics = [taxonomy.topics[taxonomy.column[id]] if id in taxonomy.column else Topic(id, id) for id in shown]
        note = None if topics else f"labelled by hand as having no{' such' if given else ''} topic"
        return Tagged(entry, tuple(Tag(topic, None, "hand") for topic in topics), note=note, by="hand")

    def _tag_from_scores(self, entry: Entry, block: _ScoredBlock, n: int, tags: NDArray[np.bool_]) -> Tagged:
        """The topics shown that entry n of a block is tagged with, best first, or a note on why there is none."""
        scores = block.scores[n]
        columns = self.shown_columns[tags[self.shown_columns]]
        if len(columns):
            best_first = columns[np.argsort(-scores[columns], kind="stable")]
            return Tagged(entry, tuple(Tag(self.topics[t], float(scores[t]), "model") for t in best_first))
        if not block.n_known_words[n]:
            return Tagged(entry, (), note="no topic: no word of it is known")
        if not self.learned[self.shown_columns].any():
            return Tagged(entry, (), note="no topic: the model has learned none of them")
        nearest = int(self.shown_columns[(self.thresholds - scores)[self.shown_columns].argmin()])
        note = self._note(nearest, scores, tags, int(block.n_known_words[n]) / int(block.n_words[n]))
        return Tagged(entry, (), note=note, nearest=self.topics[nearest])

    def _note(self, nearest: int, scores: NDArray[np.float64], tags: NDArray[np.bool_], known_share: float) -> str:
        """Why an entry has no topic, given the column of the one nearest to its threshold, and its share of known words."""
        name, score, threshold = self.topics[nearest].name, scores[nearest], self.thresholds[nearest]
        if known_share < (self.training.usual_known_share or 0) and (scores < self.thresholds / 2).all():
            return f"unlike the labelled entries: {known_share:.0%} of its words are known, and no topic is near its threshold"
        if reach_thresholds(scores, self.thresholds)[nearest]:
            likelier = ", ".join(self.topics[t].name for t in blocking_topics(nearest, tags, self.taxonomy))
            return f"no such topic: {name} gives way to {likelier}"
        digits = 2 if f"{score:.2f}" != f"{threshold:.2f}" else 4
        return f"no topic: nearest is {name}, {score:.{digits}f} with the threshold at {threshold:.{digits}f}"


def _fields(model: Model) -> list[str]:
    return [field.name for field in fields(model)]


def _equal(value: object, other: object) -> bool:
    if isinstance(value, np.ndarray) and isinstance(other, np.ndarray):
        return value.dtype == other.dtype and np.array_equal(value, other)
    return value == other
