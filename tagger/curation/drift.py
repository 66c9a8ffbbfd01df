"""New entries against the labelled ones: are they of the same kind, and which of them would teach most.

Two signs decide whether to label more. Each counts the new entries that lie beyond a bound, by their share of unknown words
or by their similarity to the nearest labelled entry. 95% of the labelled entries lie within the bound, so 5% beyond it is
usual. It is time to label more if the 95% interval of one of the two shares lies above twice that. There is no need if both
intervals lie below. In between it cannot be told.

Rates of topics and scores are reported and decide nothing. Labelled entries are chosen so that every topic has enough of
them, and the model was fitted to them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.curation.query import USUAL_SHARE, Suggestion, build_pool, describe_picks, select_batch
from tagger.entry import Entry
from tagger.evaluation import metrics
from tagger.evaluation.figures import UNDEFINED, Interval, with_bootstrap_interval
from tagger.labels.dataset import Labels
from tagger.model.model import Model

__all__ = ["TOO_LARGE_SHARE", "Drift", "DriftSign", "TopicShift", "measure_drift"]

Floats = NDArray[np.float64]

TOO_LARGE_SHARE = 2 * USUAL_SHARE
_MIN_ENTRIES = 20  # new entries; fewer may all come from one page
_MIN_LABELLED = 100  # with fewer, a share above the limit beyond the bound would not be rare in entries of the same kind


@dataclass(frozen=True, slots=True)
class DriftSign:
    """How many new entries lie beyond the bound of a sign."""

    n: int
    share: Interval  # of the new entries; not defined where there are none
    bound: float

    def to_json(self) -> dict[str, Any]:
        """The sign as JSON has it."""
        return {"n": self.n, "share": self.share.to_json(), "bound": self.bound}


@dataclass(frozen=True, slots=True)
class TopicShift:
    """How often a topic is tagged in the new entries, and labelled in the labelled ones."""

    name: str
    n: int  # new entries with the topic
    new: Interval  # their share of the new entries
    labelled: Interval  # the share of yes entries of those that a person decided
    difference: tuple[float, float] | None  # the 95% interval of new less labelled, for all topics at once

    @property
    def moved(self) -> str | None:
        """Whether the topic is more frequent than chance explains: "more", "fewer" or None."""
        if self.difference is None:
            return None
        low, high = self.difference
        return "more" if low > 0 else "fewer" if high < 0 else None

    def to_json(self) -> dict[str, Any]:
        """The shift as JSON has it."""
        return {
            "name": self.name,
            "n": self.n,
            "new": self.new.to_json(),
            "labelled": self.labelled.to_json(),
            "difference": [None, None] if self.difference is None else list(self.difference),
            "moved": self.moved,
        }


@dataclass(frozen=True, slots=True)
class Drift:
    """How new entries compare with the labelled ones. Shares and rates are not defined where there is nothing to count."""

    n_entries: int
    n_left_out: int  # labelled or repeated entries
    n_labelled: int
    words: DriftSign  # entries with unusually many unknown words
    unlike: DriftSign  # entries unlike every labelled one
    unknown_words: float | None  # their share of all words; None where there are no words
    best_score: Interval  # the mean over new entries of the best score
    labelled_best_score: float | None  # the same of the labelled entries, which the model was fitted to
    topics: Mapping[str, TopicShift]  # by id, those that the model has learned
    teach: tuple[Suggestion, ...]  # entries that would teach most

    @property
    def label_more(self) -> bool | None:
        """Whether it is time to label more; None where it cannot be told."""
        if self.n_entries < _MIN_ENTRIES or self.n_labelled < _MIN_LABELLED:
            return None
        if _is_too_large(self.words.share) or _is_too_large(self.unlike.share):
            return True
        return False if _is_usual(self.words.share) and _is_usual(self.unlike.share) else None

    @property
    def sentence(self) -> str:
        """Whether it is time to label more, in words."""
        return _describe_drift(self)

    def to_json(self) -> dict[str, Any]:
        """The comparison as JSON has it."""
        return {
            "sentence": self.sentence,
            "label_more": self.label_more,
            "n_entries": self.n_entries,
            "n_left_out": self.n_left_out,
            "n_labelled": self.n_labelled,
            "usual": USUAL_SHARE,
            "too_many": TOO_LARGE_SHARE,
            "signs": {"words": self.words.to_json(), "unlike": self.unlike.to_json()},
            "unknown_words": self.unknown_words,
            "best_score": {"new": self.best_score.to_json(), "labelled": self.labelled_best_score},
            "topics": {id: topic.to_json() for id, topic in self.topics.items()},
            "teach": [suggestion.to_json() for suggestion in self.teach],
        }


def measure_drift(model: Model, labels: Labels, entries: Sequence[Entry], n_teach: int = 10) -> Drift:
    """How new entries compare with the labelled ones.

    Args:
        model: the model of these labels.
        labels: what the new entries are compared with.
        entries: the new entries; labelled and repeated ones are left out.
        n_teach: how many entries to name at most that would teach most.
    """
    pool = build_pool(model, labels.entries, entries)
    rows = pool.rows
    min_known_share = float(model.training.usual_known_share or 0)
    n_words, n_known_words = int(rows.n_words.sum()), int(rows.n_known_words.sum())
    return Drift(
        n_entries=len(pool.entries),
        n_left_out=len(entries) - len(pool.entries),
        n_labelled=len(labels.entries),
        words=_count_below(rows.n_known_words / np.maximum(rows.n_words, 1), min_known_share),
        unlike=_count_below(pool.similarity, pool.similarity_bound),
        unknown_words=round(1 - n_known_words / n_words, 4) if n_words else None,
        best_score=_mean_with_interval(pool.scores.max(axis=1)),
        labelled_best_score=round(float(model.scores(labels.entries).max(axis=1).mean()), 4) if labels.entries else None,
        topics=_compare_topics(model, labels, pool.entries),
        teach=tuple(describe_picks(model, pool, select_batch(model, pool, n_teach))),
    )


def _count_below(values: Floats, bound: float) -> DriftSign:
    n = int((values < bound).sum())
    return DriftSign(n, _share_with_interval(n, len(values)), round(bound, 4))


def _share_with_interval(n: int, n_all: int) -> Interval:
    if not n_all:
        return UNDEFINED
    low, high = metrics.wilson_interval(np.array(float(n)), np.array(float(n_all)))
    return Interval.rounded(n / n_all, float(low), float(high))


def _mean_with_interval(values: Floats) -> Interval:
    if not len(values):
        return UNDEFINED
    return with_bootstrap_interval(lambda rows: float(values[rows].mean()), len(values), seed=0, rounds=1000)


def _is_too_large(share: Interval) -> bool:
    return share.low is not None and share.low > TOO_LARGE_SHARE


def _is_usual(share: Interval) -> bool:
    return share.high is not None and share.high <= TOO_LARGE_SHARE


def _compare_topics(model: Model, labels: Labels, entries: Sequence[Entry]) -> dict[str, TopicShift]:
    """The rates of the topics that the model has learned, by id."""
    yes, labelled = labels.arrays()
    n_yes = dict(zip(labels.taxonomy.ids, (yes & labelled).sum(0).tolist(), strict=True))
    n_labelled = dict(zip(labels.taxonomy.ids, labelled.sum(0).tolist(), strict=True))
    n_tagged = Counter(tag.topic.id for result in model.tag(entries) for tag in result.tags)
    learned = [topic for topic in model.topics if model.is_learned(topic.id)]
    shifts = {}
    for topic in learned:
        n, of_topic, n_decided = n_tagged[topic.id], n_yes.get(topic.id, 0), n_labelled.get(topic.id, 0)
        difference: tuple[float, float] | None = None
        if entries and n_decided:
            new, n_new, old, n_old = (np.array(float(count)) for count in (n, len(entries), of_topic, n_decided))
            low, high = metrics.difference_interval(new, n_new, old, n_old, n_comparisons=len(learned))
            difference = round(float(low), 4), round(float(high), 4)
        shifts[topic.id] = TopicShift(
            topic.name, n, _share_with_interval(n, len(entries)), _share_with_interval(of_topic, n_decided), difference
        )
    return shifts


def _describe_drift(drift: Drift) -> str:
    if drift.n_entries < _MIN_ENTRIES:
        return f"Nothing can be told: there {_are(drift.n_entries)} not labelled yet, and it takes at least {_MIN_ENTRIES}."
    if drift.n_labelled < _MIN_LABELLED:
        labelled = f"there {_are(drift.n_labelled)} labelled"
        return f"Nothing can be told: {labelled}, and it takes at least {_MIN_LABELLED} to compare with."
    signs = [
        (drift.words.share, f"{_percent(drift.words.share)} have unusually many unknown words"),
        (drift.unlike.share, f"{_percent(drift.unlike.share)} are unlike every labelled one"),
    ]
    if drift.label_more:
        reasons = " and ".join(words for share, words in signs if _is_too_large(share))
        return f"It is time to label more: of {drift.n_entries} new entries {reasons}, where {USUAL_SHARE:.0%} is usual."
    reasons = " and ".join(words for _, words in signs)
    both = f"of {drift.n_entries} new entries {reasons}, where {USUAL_SHARE:.0%} is usual"
    n_moved = sum(topic.moved is not None for topic in drift.topics.values())
    moved = f"; {n_moved} of {len(drift.topics)} topics have other rates, which decides nothing" if n_moved else ""
    if drift.label_more is None:
        return f"It cannot be told whether to label more: {both} and above {TOO_LARGE_SHARE:.0%} is too much{moved}."
    return f"There is no need to label more: {both}{moved}."


def _percent(share: Interval) -> str:
    return f"{share.value:.0%} ({share.low:.0%}-{share.high:.0%})"


def _are(number: int) -> str:
    return "is 1 entry" if number == 1 else f"are {number} entries"
