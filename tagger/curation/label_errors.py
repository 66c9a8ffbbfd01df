"""How label errors are found: labels that are probably wrong, and what else is odd about labels.

A label is a suspect where the out-of-fold score says the opposite, the more so the higher the odds are against it. Labels that
are wrong also teach the models that judge them. So there are two cross-validations: the second one leaves the suspects of the
first one out of training, and the mean of the two log-odds counts. docs/audit.md says what this finds, and what was tried
beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.curation.label_oddities import (
    ConflictingDuplicates,
    InseparableTopics,
    find_conflicting_duplicates,
    find_inseparable_topics,
    find_unused_topics,
)
from tagger.entry import Entry
from tagger.errors import LabelsError
from tagger.labels.dataset import Labels
from tagger.labels.table import LabelRow
from tagger.model.explain import SimilarEntry, SimilarEntryIndex, TermShare, explain_entries, term_share_to_json
from tagger.model.log_odds import logit, sigmoid
from tagger.model.model import Model
from tagger.taxonomy import Taxonomy, Topic
from tagger.text.normalize import entry_text
from tagger.training.settings import Settings
from tagger.training.trainer import train
from tagger.workspace.retrain import limit_n_jobs

__all__ = ["LabelAudit", "Suspect", "cross_validate_twice", "find_label_errors", "label_error_log_odds"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

_N_SIMILAR = 3  # entries that are labelled the other way, for each suspect
_N_TERMS = 12  # with the largest shares, for each suspect
_LABEL = {True: "yes", False: "no"}


@dataclass(frozen=True, slots=True)
class Suspect:
    """A label that is probably wrong."""

    entry: Entry
    topic: Topic
    label: str  # "yes" or "no"
    score: float  # out-of-fold
    terms: tuple[TermShare, ...]  # strongest first, by a model of all labels
    similar: tuple[SimilarEntry, ...]  # those labelled the other way, nearest first

    def to_json(self) -> dict[str, Any]:
        """The suspect as a line of JSON Lines has it; a person fills in the `decision`."""
        return {
            "id": self.entry.id,
            "title": self.entry.title,
            "abstract": self.entry.abstract,
            "topic": self.topic.id,
            "name": self.topic.name,
            "label": self.label,
            "score": self.score,
            "terms": [term_share_to_json(term) for term in self.terms],
            "similar": [
                {
                    "id": similar.labels.id,
                    "title": similar.labels.title,
                    "topics": list(similar.labels.topics),
                    "unsure": list(similar.labels.unsure),
                    "likeness": similar.similarity,
                }
                for similar in self.similar
            ],
            "decision": None,
        }


@dataclass(frozen=True, slots=True)
class LabelAudit:
    """What is odd about labels."""

    n_entries: int
    n_labels: int  # cells that are yes or no
    n_suspects: int  # those whose score says the opposite, without those that a person confirmed
    n_confirmed: int
    suspects: tuple[Suspect, ...]  # the most doubtful ones, most doubtful first
    duplicates: tuple[ConflictingDuplicates, ...]
    unused_topics: tuple[str, ...]  # ids of topics that no entry has
    inseparable_topics: tuple[InseparableTopics, ...]


def find_label_errors(
    labels: Labels,
    settings: Settings,
    confirmed: Mapping[tuple[str, str], str] | None = None,
    top: int | None = None,
    n_jobs: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> LabelAudit:
    """What is odd about labels.

    Args:
        labels: what to look at.
        settings: see `Settings`.
        confirmed: by (entry id, topic id) labels that are no suspects, as `read_confirmed` reads them.
        top: how many suspects to describe at most; None for all.
        n_jobs: processes to use.
        progress: called with the number of fits done and of all fits.

    Raises:
        LabelsError: if there are too few labels to learn anything.
    """
    yes, labelled = labels.arrays()
    texts = [entry_text(entry) for entry in labels.entries]
    n_jobs = limit_n_jobs(n_jobs, len(texts))
    try:
        model, scores = cross_validate_twice(texts, yes, labelled, labels.taxonomy, settings, n_jobs, progress)
    except ValueError as error:
        raise LabelsError(f"nothing can be learned from {len(texts)} labelled entries: {error}; label more") from None
    log_odds = label_error_log_odds(scores, yes)
    log_odds[~labelled | _implied_cells(labels.rows, labels.taxonomy)] = np.nan
    doubtful = _rank_doubtful_cells(log_odds)
    suspects = [
        (n, t)
        for n, t in doubtful
        if (confirmed or {}).get((labels.rows[n].id, labels.topics[t].id)) != _LABEL[bool(yes[n, t])]
    ]
    return LabelAudit(
        n_entries=len(texts),
        n_labels=int(labelled.sum()),
        n_suspects=len(suspects),
        n_confirmed=len(doubtful) - len(suspects),
        suspects=tuple(_describe_suspect(model, labels, yes, labelled, n, t, scores[n, t]) for n, t in suspects[:top]),
        duplicates=find_conflicting_duplicates(labels, texts, yes, labelled),
        unused_topics=find_unused_topics(labels.taxonomy, yes),
        inseparable_topics=find_inseparable_topics(labels.taxonomy, yes, labelled),
    )


def cross_validate_twice(
    texts: Sequence[str],
    yes: Bools,
    labelled: Bools,
    taxonomy: Taxonomy,
    settings: Settings,
    n_jobs: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[Model, Floats]:
    """A model of all labels, and the out-of-fold scores of two cross-validations, the second one without suspects.

    Args:
        texts: what the model reads of each entry, (n_entries,).
        yes: which topics apply, (n_entries, n_topics).
        labelled: which cells a person decided, (n_entries, n_topics).
        taxonomy: the topics, (n_topics,).
        settings: see `Settings`.
        n_jobs: processes to use.
        progress: called with the number of fits done and of all fits.

    Returns:
        The model, and for each cell the mean of both log-odds as a probability, (n_entries, n_topics). It is not a number
        where a topic could not be learned.

    Raises:
        ValueError: if there is nothing to learn from.
    """
    model, first = train(texts, yes, labelled, taxonomy, settings, n_jobs, lambda done, total: progress(done, 2 * total))
    trusted = labelled & ~(label_error_log_odds(first.scores, yes) > 0)
    # A topic that would be left with too few entries keeps its suspects.
    too_few = np.minimum((yes & trusted).sum(0), (~yes & trusted).sum(0)) < settings.min_positives
    trusted[:, too_few] = labelled[:, too_few]
    other_folds = replace(settings, seed=settings.seed + 1)
    # Only the scores of this fit are used, so it does without the limit on topics.
    unlimited = replace(taxonomy, max_topics=None)
    _, second = train(
        texts, yes, trusted, unlimited, other_folds, n_jobs, lambda done, total: progress(total + done, 2 * total)
    )
    with np.errstate(invalid="ignore"):
        return model, sigmoid((_logit(first.scores) + _logit(second.scores)) / 2)


def label_error_log_odds(scores: Floats, yes: Bools) -> Floats:
    """The log-odds against each label by its out-of-fold score, (n_entries, n_topics). Above 0 it is more likely wrong."""
    log_odds: Floats = np.where(yes, -1, 1) * _logit(scores)
    return log_odds


def _logit(scores: Floats) -> Floats:
    """Log-odds; not a number for a score of 0, which a topic has that could not be learned."""
    return logit(np.where(scores > 0, scores, np.nan))


def _implied_cells(rows: Sequence[LabelRow], taxonomy: Taxonomy) -> Bools:
    """Which cells follow from another topic of the entry, (n_entries, n_topics). That topic may be a suspect instead."""
    implied = np.zeros((len(rows), len(taxonomy.topics)), dtype=bool)
    for n, row in enumerate(rows):
        others = (other for topic in row.topics for other in (*taxonomy.ancestors[topic], *taxonomy.incompatible[topic]))
        implied[n, [taxonomy.column[other] for other in others]] = True
    return implied


def _rank_doubtful_cells(log_odds: Floats) -> list[tuple[int, int]]:
    """The (entry, topic) cells with log-odds above 0, highest first."""
    ranked = np.argsort(-log_odds, axis=None, kind="stable")
    cells = (divmod(int(cell), log_odds.shape[1]) for cell in ranked)
    return [(n, t) for n, t in cells if log_odds[n, t] > 0]


def _describe_suspect(model: Model, labels: Labels, yes: Bools, labelled: Bools, n: int, t: int, score: float) -> Suspect:
    entry, topic = labels.entries[n], labels.topics[t]
    (explanation,) = explain_entries(model, [entry], topics=[topic.id])
    return Suspect(
        entry,
        topic,
        _LABEL[bool(yes[n, t])],
        round(float(score), 4),
        terms=explanation.topics[0].terms[:_N_TERMS],
        similar=_find_similar(model, labels, n, np.flatnonzero(labelled[:, t] & (yes[:, t] != yes[n, t]))),
    )


def _find_similar(model: Model, labels: Labels, n: int, candidates: NDArray[np.int64]) -> tuple[SimilarEntry, ...]:
    """The candidates that are most like an entry; those without a term in common are left out."""
    entries, rows = (tuple(values[other] for other in candidates) for values in (labels.entries, labels.rows))
    (similar,) = SimilarEntryIndex(model, Labels(labels.taxonomy, entries, rows)).find([labels.entries[n]], _N_SIMILAR)
    return similar
