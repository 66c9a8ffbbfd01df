"""Labels that are probably wrong, and what else is odd about labels.

A label is doubted where the out-of-fold score says the opposite, the more the higher the odds are against it. Labels that
are wrong teach the model that judges them, so there are two cross-validations: the second leaves those out of training that
the first doubts, and the mean of the two log-odds counts. docs/audit.md says what this finds, and what was tried beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.errors import LabelsError
from tagger.labels.dataset import Labels
from tagger.labels.table import LabelRow
from tagger.model.explain import SimilarEntry, explain_entries
from tagger.model.log_odds import logit, sigmoid
from tagger.model.model import Model
from tagger.taxonomy import Taxonomy
from tagger.text.hashed_vocabulary import HashedVocabulary
from tagger.text.near_duplicates import group_near_duplicate_texts
from tagger.text.normalize import entry_text
from tagger.text.similarity import nearest_rows, tfidf_rows
from tagger.training.settings import Settings
from tagger.training.trainer import train

__all__ = [
    "find_label_errors",
    "label_error_log_odds",
    "out_of_fold_log_odds",
]


Bools = NDArray[np.bool_]


Floats = NDArray[np.float64]


_MANY = 200  # labelled entries: with fewer, starting processes takes longer than fitting


_N_SIMILAR = 3  # entries that are labelled the other way, for each doubted label


_N_TERMS = 12  # of its telling words


_LABEL = {True: "yes", False: "no"}


_OFTEN = 5  # yes entries from which on it tells something that a topic never occurs alone


def find_label_errors(
    labels: Labels,
    settings: Settings,
    confirmed: Mapping[tuple[str, str], str] | None = None,
    top: int | None = None,
    n_jobs: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """What is odd about labels.

    Args:
        labels: what to look at.
        settings: see `Settings`.
        confirmed: by (entry id, topic id) labels that are not doubted again, as `read_confirmed` reads them.
        top: how many doubted labels to name at most; None for all.
        n_jobs: processes to use.
        progress: called with the number of fits done and of all fits.

    Returns:
        `n_entries`; `n_labels`, cells that are yes or no; `n_confirmed`, of those that would be doubted the ones that were
        confirmed; `n_doubted`, all others whose score says the opposite of the label.

        `doubted`: the first of them, most doubtful first: `id`, `title` and `abstract` of the entry; `topic` and its `name`;
        `label`, "yes" or "no"; the out-of-fold `score`; `terms`, the strongest, each a `TermShare`, of a model trained on
        all labels; `similar`, the nearest entries that are labelled the other way, each a `SimilarEntry`;
        `decision`, None, for a person to fill in (see `decisions`).

        `duplicates`: near-duplicates that are labelled differently: `entries`, each with `id`, `title`, `topics` and
        `unsure`, and the topics that `differ`. `unused`: ids of topics without a yes. `together`: topics that never occur
        without another one: `topic`, `with`, `n`, its number of yes entries, and whether it is `mutual`.

    Raises:
        LabelsError: if there are too few labels to learn anything.
    """
    yes, known = labels.arrays()
    texts = [entry_text(entry) for entry in labels.entries]
    jobs = n_jobs if len(texts) >= _MANY else 1
    try:
        model, scores = out_of_fold_log_odds(texts, yes, known, labels.taxonomy, settings, jobs, progress)
    except ValueError as error:
        raise LabelsError(f"nothing can be learned from {len(texts)} labelled entries: {error}; label more") from None
    odds = label_error_log_odds(scores, yes)
    odds[~known | _implied(labels.rows, labels.taxonomy)] = np.nan
    ranked = [divmod(int(cell), len(labels.topics)) for cell in np.argsort(-odds, axis=None, kind="stable")]
    found = [(n, t) for n, t in ranked if odds[n, t] > 0]
    asked = [
        (n, t) for n, t in found if (confirmed or {}).get((labels.rows[n].id, labels.topics[t].id)) != _LABEL[bool(yes[n, t])]
    ]
    return {
        "n_entries": len(texts),
        "n_labels": int(known.sum()),
        "n_confirmed": len(found) - len(asked),
        "n_doubted": len(asked),
        "doubted": [_suspects(model, labels, yes, known, n, t, scores[n, t]) for n, t in asked[:top]],
        "duplicates": _duplicates(labels, texts, yes, known),
        "unused": [topic.id for topic, n in zip(labels.topics, yes.sum(0).tolist(), strict=True) if not n],
        "together": _together(labels.taxonomy, yes, known),
    }


def out_of_fold_log_odds(
    texts: Sequence[str],
    yes: Bools,
    known: Bools,
    taxonomy: Taxonomy,
    settings: Settings,
    n_jobs: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[Model, Floats]:
    """A model of all labels, and for each cell a score by models that have not seen the entry, from two cross-validations.

    Args:
        texts: (n_entries,).
        yes: (n_entries, n_topics).
        known: which cells a person decided, (n_entries, n_topics).
        taxonomy: the topics, (n_topics,).
        settings: see `Settings`.
        n_jobs: processes to use.
        progress: called with the number of fits done and of all fits.

    Returns:
        The model, and (n_entries, n_topics): the mean of both log-odds as a probability, not a number where a topic could
        not be learned.

    Raises:
        ValueError: if there is nothing to learn from.
    """
    model, first = train(texts, yes, known, taxonomy, settings, n_jobs, lambda done, total: progress(done, 2 * total))
    kept = known & ~(label_error_log_odds(first.scores, yes) > 0)
    # A topic that would have too few entries left keeps all.
    few = np.minimum((yes & kept).sum(0), (~yes & kept).sum(0)) < settings.min_positives
    kept[:, few] = known[:, few]
    again = replace(settings, seed=settings.seed + 1)
    # Only the scores of this fit are used, so it does without the limit on topics.
    unlimited = replace(taxonomy, max_topics=None)
    _, second = train(texts, yes, kept, unlimited, again, n_jobs, lambda done, total: progress(total + done, 2 * total))
    with np.errstate(invalid="ignore"):
        return model, sigmoid((_logit(first.scores) + _logit(second.scores)) / 2)


def label_error_log_odds(scores: Floats, yes: Bools) -> Floats:
    """The log-odds against each label by its out-of-fold score, (n_entries, n_topics): above 0 it is more likely wrong."""
    odds: Floats = np.where(yes, -1, 1) * _logit(scores)
    return odds


def _logit(scores: Floats) -> Floats:
    """Log-odds; not a number for a score of 0, which a topic has that could not be learned."""
    return logit(np.where(scores > 0, scores, np.nan))


def _implied(labelled: Sequence[LabelRow], taxonomy: Taxonomy) -> Bools:
    """Which cells follow from another topic of the entry, (n_entries, n_topics): the other one is to be doubted."""
    implied = np.zeros((len(labelled), len(taxonomy.topics)), dtype=bool)
    for n, row in enumerate(labelled):
        others = (other for topic in row.topics for other in (*taxonomy.ancestors[topic], *taxonomy.incompatible[topic]))
        implied[n, [taxonomy.column[other] for other in others]] = True
    return implied


def _suspects(model: Model, labels: Labels, yes: Bools, known: Bools, n: int, t: int, score: float) -> dict[str, Any]:
    entry, topic = labels.entries[n], labels.topics[t]
    (explanation,) = explain_entries(model, [entry], topics=[topic.id])
    terms, idf = HashedVocabulary(model.hashes), model.idf.astype(np.float64)
    other = np.flatnonzero(known[:, t] & (yes[:, t] != yes[n, t]))
    others = [labels.entries[at] for at in other]
    likeness, which = nearest_rows(tfidf_rows([entry], terms, idf), tfidf_rows(others, terms, idf), len(idf), _N_SIMILAR)
    return {
        "id": entry.id,
        "title": entry.title,
        "abstract": entry.abstract,
        "topic": topic.id,
        "name": topic.name,
        "label": _LABEL[bool(yes[n, t])],
        "score": round(float(score), 4),
        "terms": explanation.topics[0].terms[:_N_TERMS],
        "similar": [
            SimilarEntry(labels.entries[at], labels.rows[at], round(cosine, 4))
            for cosine, at in zip(likeness[0].tolist(), other[which[0]].tolist(), strict=True)
            if cosine > 0
        ],
        "decision": None,
    }


def _row(row: LabelRow) -> dict[str, Any]:
    return {"id": row.id, "title": row.title, "topics": list(row.topics), "unsure": list(row.unsure)}


def _duplicates(labels: Labels, texts: Sequence[str], yes: Bools, known: Bools) -> list[dict[str, Any]]:
    group = group_near_duplicate_texts(texts)
    found = []
    for first in np.flatnonzero(np.bincount(group, minlength=len(texts)) > 1):
        members = np.flatnonzero(group == first)
        differ = (yes & known)[members].any(0) & (~yes & known)[members].any(0)
        if differ.any():
            entries = [_row(labels.rows[n]) for n in members]
            found.append({"entries": entries, "differ": [labels.topics[t].id for t in np.flatnonzero(differ)]})
    return found


def _together(taxonomy: Taxonomy, yes: Bools, known: Bools) -> list[dict[str, Any]]:
    """Pairs of topics of which the first never occurs without the second, and need not by its parent."""
    ids = taxonomy.ids
    n_yes = (yes & known).sum(0)
    without = (yes & known).T.astype(int) @ (~yes | ~known).astype(int)  # yes entries of the row's topic without the column's
    found = []
    for a, b in zip(*np.nonzero(without == 0), strict=True):
        mutual = bool(without[b, a] == 0)
        if a != b and n_yes[a] >= _OFTEN and ids[b] not in taxonomy.ancestors[ids[a]] and not (mutual and a > b):
            found.append({"topic": ids[a], "with": ids[b], "n": int(n_yes[a]), "mutual": mutual})
    return found
