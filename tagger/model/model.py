"""`Model`: the arrays and the topics of a trained tagger. It scores entries, tags them, and says which terms did it.

Nothing here needs more than numpy, but for models of many topics, which need scipy.
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
from tagger.tags import Reason, Tag, Tagged, TopicScores
from tagger.taxonomy import Taxonomy, Topic
from tagger.text.hashed_vocabulary import HashedVocabulary
from tagger.text.normalize import entry_text
from tagger.text.positions import Position, find_positions
from tagger.text.tfidf import count_terms, tfidf_weights

__all__ = [
    "Model",
    "compress_weights",
]


_MANY, _DENSE = 64, 1 << 25  # from so many topics on, or of more weights with those that are 0, a sparse product is faster


_BLOCK = 1 << 20  # scores that are held at once


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
    shown: tuple[int, ...] | None = None  # columns of the topics to show; None for all

    def __eq__(self, other: object) -> bool:
        """Whether all fields are equal, arrays value by value."""
        if not isinstance(other, Model):
            return NotImplemented
        return all(_equal(getattr(self, name), getattr(other, name)) for name in _fields(self))

    def __hash__(self) -> int:
        return hash((self.topics, self.bias.tobytes(), self.thresholds.tobytes()))

    def __getstate__(self) -> dict[str, Any]:
        """The fields alone: what is cached may be five times as large, and is soon made again."""
        return {name: getattr(self, name) for name in _fields(self)}

    @property
    def topics(self) -> tuple[Topic, ...]:
        """The topics, (n_topics,)."""
        return self.taxonomy.topics

    @cached_property
    def terms(self) -> list[str]:
        """The terms as text: (n_terms,)."""
        return self.vocabulary_text.tobytes().decode(errors="replace").split("\n") if len(self.hashes) else []

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
    def _terms(self) -> HashedVocabulary:
        return HashedVocabulary(self.hashes)

    @cached_property
    def _idf(self) -> NDArray[np.float64]:
        return self.idf.astype(np.float64)

    @cached_property
    def _rows(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Starts, columns and weights in the width to reckon with."""
        return self.weight_starts.astype(np.int64), self.weight_topics.astype(np.int64), self.weights.astype(np.float64)

    @cached_property
    def full_weights(self) -> NDArray[np.float64]:
        """All weights, those that are 0 too: (n_terms, n_topics)."""
        starts, columns, weights = self._rows
        full = np.zeros((len(self.hashes), len(self.topics)))
        full[np.repeat(np.arange(len(full)), np.diff(starts)), columns] = weights
        return full

    def scores(self, entries: Iterable[Entry]) -> NDArray[np.float64]:
        """(n_entries, n_topics): for each topic the probability that it applies."""
        return self.score_texts(entry_text(entry) for entry in entries)

    def score_texts(self, texts: Iterable[str]) -> NDArray[np.float64]:
        """As `scores`, of texts as `tagger.text.normalize.entry_text` makes them."""
        return np.concatenate([*self.iterate_scores(texts), np.zeros((0, len(self.topics)))])

    def iterate_scores(self, texts: Iterable[str]) -> Iterator[NDArray[np.float64]]:
        """As `score_texts`, a block of texts at a time, so that many topics never fill the memory."""
        return (scores for scores, _, _ in self._scored(texts))

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
            hand: rows of labels by entry id; an entry among them gets those topics instead of the model's.
            hand_taxonomy: the topics that the rows use, where the model does not have them all.
            all_scores: whether to keep the scores of all topics that are learned and shown.
        """
        scored_columns, scored_topics = list(self._scored_columns), self.scored_topics
        named = {topic.id: topic for topic in (*self.topics, *hand_taxonomy.topics)}
        ancestors = Taxonomy(tuple(named.values())).ancestors
        shown = None if self.shown is None else {self.topics[t].id for t in self.shown}
        results: list[Tagged] = []
        for scores, known, words in self._scored(entry_text(entry) for entry in entries):
            yes = self.predict(scores)
            for n, entry in enumerate(entries[len(results) : len(results) + len(scores)]):
                if hand is not None and (row := hand.get(entry.id)) is not None:
                    said = dict.fromkeys(up for topic in row.topics for up in (topic, *ancestors.get(topic, ())))
                    tags = tuple(Tag(named.get(id, Topic(id, id)), None, "hand") for id in said if shown is None or id in shown)
                    note = None if tags else f"labelled by hand as having no{' such' if said else ''} topic"
                    results.append(Tagged(entry, tags, note=note, by="hand"))
                else:
                    results.append(self._tagged(entry, scores[n], yes[n], int(known[n]), int(words[n])))
                if all_scores:
                    values = tuple(scores[n, scored_columns].tolist())
                    results[-1] = replace(results[-1], scores=TopicScores(scored_topics, values))
        return results

    def restricted_to(self, topics: Sequence[str]) -> Model:
        """The same model, which scores and decides as before and shows these topics alone.

        Raises:
            UsageError: if the model has no such topic.
        """
        return replace(self, shown=tuple(self.column(topic) for topic in dict.fromkeys(topics)))

    @property
    def columns(self) -> tuple[int, ...]:
        """The columns of the topics that are shown."""
        return tuple(range(len(self.topics))) if self.shown is None else self.shown

    @property
    def scored_topics(self) -> tuple[Topic, ...]:
        """The topics that are shown and that the model has learned: those of `Tagged.scores`."""
        return tuple(self.topics[t] for t in self._scored_columns)

    @property
    def _scored_columns(self) -> tuple[int, ...]:
        return tuple(t for t in self.columns if self.learned[t])

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
        (counts,) = count_terms([entry_text(entry)], self._terms)
        starts, columns, weights = self._rows
        mine = np.concatenate([np.arange(starts[term], starts[term + 1]) for term in counts.terms] or [np.zeros(0, np.int64)])
        owners = np.repeat(np.arange(len(counts.terms)), np.diff(starts)[counts.terms])
        mine, owners = mine[columns[mine] == column], owners[columns[mine] == column]
        shares = np.zeros(len(counts.terms))
        shares[owners] = tfidf_weights(counts.starts, counts.terms, counts.counts, self._idf)[owners] * weights[mine]
        order = sorted(range(len(shares)), key=lambda n: (-abs(shares[n]), self.terms[counts.terms[n]]))
        return [Reason(self.terms[counts.terms[n]], float(shares[n])) for n in order if shares[n]]

    def places(self, entry: Entry) -> dict[str, list[Position]]:
        """Where each known term of an entry stands in its title and abstract; see `find_positions`."""
        return {self.terms[term]: there for term, there in find_positions(entry, self._terms).items()}

    def _scored(self, texts: Iterable[str]) -> Iterator[tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]]:
        """Block by block: scores (n, n_topics), known words (n,), all words (n,)."""
        most = max(1, _BLOCK // max(1, len(self.topics)))
        for counts in count_terms(texts, self._terms):
            values = tfidf_weights(counts.starts, counts.terms, counts.counts, self._idf)
            for first in range(0, len(counts.n_known_words), most):
                rows = slice(first, min(first + most, len(counts.n_known_words)))
                starts = counts.starts[first : rows.stop + 1]
                part = slice(starts[0], starts[-1])
                logits = self._sums(starts - starts[0], counts.terms[part], values[part])
                logits += self.bias
                scores = raise_to_descendants(sigmoid(logits), self.taxonomy)
                yield scores, counts.n_known_words[rows], counts.n_words[rows]

    def _sums(
        self, rows: NDArray[np.integer[Any]], terms: NDArray[np.integer[Any]], values: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Compressed sparse rows, as in `TermCounts`, times the weights: (n, n_topics)."""
        sums = np.zeros((len(rows) - 1, len(self.topics)))
        if sums.size == 0 or len(terms) == 0:
            return sums
        if len(self.topics) < _MANY and len(self.hashes) * len(self.topics) <= _DENSE:
            shares = self.full_weights.take(terms, axis=0)
            shares *= values[:, None]
            filled = np.flatnonzero(np.diff(rows))
            sums[filled] = np.add.reduceat(shares, rows[filled], axis=0)
            return sums
        # With many topics it takes a fraction of numpy's time, which is worth its import.
        from scipy.sparse import csr_array

        x = csr_array((values, terms, rows), shape=(len(sums), len(self.hashes)))
        starts, columns, weights = self._rows
        return np.asarray((x @ csr_array((weights, columns, starts), shape=(len(self.hashes), len(self.topics)))).toarray())

    def _tagged(self, entry: Entry, scores: NDArray[np.float64], yes: NDArray[np.bool_], known: int, words: int) -> Tagged:
        columns = np.array(self.columns, dtype=np.int64)
        found = columns[yes[columns]]
        if len(found):
            order = found[np.argsort(-scores[found], kind="stable")]
            return Tagged(entry, tuple(Tag(self.topics[t], float(scores[t]), "model") for t in order))
        if not known:
            return Tagged(entry, (), note="no topic: no word of it is known")
        if not self.learned[columns].any():
            return Tagged(entry, (), note="no topic: the model has learned none of them")
        near = int(columns[(self.thresholds[columns] - scores[columns]).argmin()])
        if known / words < (self.training.usual_known_share or 0) and (scores < self.thresholds / 2).all():
            note = (
                f"unlike the labelled entries: {known / words:.0%} of its words are known, and no topic is near its threshold"
            )
        elif reach_thresholds(scores, self.thresholds)[near]:
            others = ", ".join(self.topics[t].name for t in blocking_topics(near, yes, self.taxonomy))
            note = f"no such topic: {self.topics[near].name} gives way to {others}"
        else:
            digits = 2 if f"{scores[near]:.2f}" != f"{self.thresholds[near]:.2f}" else 4
            note = (
                f"no topic: nearest is {self.topics[near].name}, {scores[near]:.{digits}f} "
                f"with the threshold at {self.thresholds[near]:.{digits}f}"
            )
        return Tagged(entry, (), note=note, nearest=self.topics[near])


def compress_weights(full: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """A full array of weights, (n_terms, n_topics), in the three arrays of a `Model`."""
    there = full != 0
    return {
        "weight_starts": np.concatenate([[0], np.cumsum(there.sum(axis=1))]).astype(np.uint64),
        "weight_topics": np.nonzero(there)[1].astype(np.uint32),
        "weights": full[there].astype(np.float32),
    }


def _fields(model: Model) -> list[str]:
    return [field.name for field in fields(model)]


def _equal(one: object, other: object) -> bool:
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    return one == other
