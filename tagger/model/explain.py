"""Why an entry has a topic or has it not: its words with their shares and places, and the labelled entries most like it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from tagger.entry import Entry
from tagger.labels.dataset import Labels
from tagger.labels.table import LabelRow
from tagger.model.decision import blocking_topics
from tagger.model.model import Model
from tagger.taxonomy import ancestors
from tagger.text.hashed_vocabulary import HashedVocabulary
from tagger.text.similarity import nearest_rows, tfidf_rows

__all__ = [
    "Precedents",
    "explain_entries",
    "split_by_share",
]


_NEAREST = 2  # topics told of besides those tagged: those that come nearest to their thresholds


class Precedents:
    """Labelled entries as a model sees them, counted once, among which those most like others are looked for."""

    def __init__(self, model: Model, labels: Labels | None) -> None:
        self._labels = labels
        self._terms, self._idf = HashedVocabulary(model.hashes), model.idf.astype(np.float64)
        self._rows = tfidf_rows(labels.entries if labels is not None else (), self._terms, self._idf)

    def of(self, entries: Sequence[Entry], n: int) -> list[list[dict[str, Any]]]:
        """For each entry the n labelled ones most like it at most, nearest first; see `explain_entries`."""
        if self._labels is None or not self._labels.entries:
            return [[] for _ in entries]
        found, said = self._labels.entries, self._labels.rows
        # One more than wanted, since an entry that is labelled itself is the nearest to itself.
        likeness, which = nearest_rows(tfidf_rows(entries, self._terms, self._idf), self._rows, len(self._idf), n + 1)
        return [
            [
                {"id": said[at].id, "title": found[at].title, "likeness": round(alike, 4)} | _said(said[at])
                for alike, at in zip(likeness[row].tolist(), which[row].tolist(), strict=True)
                if alike > 0 and said[at].id != entry.id
            ][:n]
            for row, entry in enumerate(entries)
        ]


def explain_entries(
    model: Model, entries: Sequence[Entry], labels: Labels | None = None, topics: Sequence[str] = (), n_similar: int = 5
) -> list[dict[str, Any]]:
    """For each entry why it has its topics.

    Args:
        model: the model that tags.
        entries: what to explain.
        labels: for what a person said of the entries, and for the labelled ones most like them; None for neither.
        topics: which topics to explain; none for those tagged and the two that come nearest to their thresholds.
        n_similar: how many labelled entries to name at most.

    Returns:
        A dict for each entry: `id`, `title`, `abstract`, `source`; `by_hand`, its labels as `topics` and `unsure`, or None;
        `topics`, best score first, and `similar`, nearest first.

        A topic has `id`, `name`, `score`, `threshold` (None if it is not learned), whether it is `tagged`, `intercept`,
        `terms`, strongest first, and `log_odds`, the sum of the intercept and of the shares of all terms. The score is
        1 / (1 + exp(-log_odds)), unless `implied_by` names another topic, which implies this one and is likelier. `intercept`
        and `log_odds` are None for a topic that is not learned. `gives_way_to` names the likelier tags because of which a topic
        is not tagged although its score reaches the threshold: they exclude it, or are as many as an entry may have.

        A term has the `term`, its `share`, negative where it speaks against the topic, and its `places`: `part` ("title" or
        "abstract"), `start` and `end` in characters of that part as it is given here; see `find_positions`.

        A similar entry has `id`, `title`, its `likeness` (the cosine of TF-IDF, see `similar`), and its `topics` and `unsure`
        as a person labelled it. An entry is not its own precedent, and one that shares no word is none.

    Raises:
        UsageError: if the model has no such topic.
    """
    wanted = [model.column(topic) for topic in dict.fromkeys(topics)]
    by_hand = {row.id: row for row in labels.rows} if labels is not None else {}
    scores = model.scores(entries)
    decided = model.predict(scores)
    found = []
    for n, (entry, tagged, similar) in enumerate(
        zip(entries, model.tag(entries), Precedents(model, labels).of(entries, n_similar), strict=True)
    ):
        has = {tag.topic.id for tag in tagged.tags}
        columns = wanted or _told(model, scores[n], has)
        there = model.places(entry)
        found.append(
            {
                "id": entry.id,
                "title": entry.title,
                "abstract": entry.abstract,
                "source": entry.source and str(entry.source),
                "by_hand": _said(by_hand[entry.id]) if entry.id in by_hand else None,
                "topics": [
                    _topic(model, entry, column, scores[n], decided[n], there)
                    for column in sorted(columns, key=lambda column: -scores[n, column])
                ],
                "similar": similar,
            }
        )
    return found


def split_by_share(text: str, terms: Iterable[tuple[float, Iterable[tuple[int, int]]]]) -> list[tuple[str, float]]:
    """A text cut where what its words do changes: (part, share), which is 0 where no term stands.

    Where terms overlap their shares add up.

    Args:
        text: a title or an abstract.
        terms: the share of each term, and where it stands as (start, end).

    >>> split_by_share("a large language", [(2.0, [(2, 16)]), (-0.5, [(8, 16)])])
    [('a ', 0.0), ('large ', 2.0), ('language', 1.5)]
    """
    shares = np.zeros(len(text))
    for share, places in terms:
        for start, end in places:
            shares[start:end] += share
    edges = [0, *(np.flatnonzero(np.diff(shares)) + 1).tolist(), len(text)] if text else []
    return [(text[start:end], float(shares[start])) for start, end in pairwise(edges)]


def _told(model: Model, scores: Any, has: set[str]) -> list[int]:
    """The columns of the topics tagged, and of the others that come nearest to their thresholds."""
    learned = [t for t in model.columns if np.isfinite(model.thresholds[t])]
    others = [t for t in learned if model.topics[t].id not in has]
    others.sort(key=lambda t: float(model.thresholds[t] - scores[t]))  # as a note of `Model.tag` has it
    return [t for t in learned if model.topics[t].id in has] + others[:_NEAREST]


def _topic(model: Model, entry: Entry, column: int, scores: Any, decided: Any, there: dict[str, Any]) -> dict[str, Any]:
    topic, learned = model.topics[column], bool(np.isfinite(model.bias[column]))
    reasons = model.why(entry, topic.id)
    log_odds = float(model.bias[column]) + sum(reason.share for reason in reasons)
    score, implied_by = float(scores[column]), None
    if score > 1 / (1 + np.exp(-log_odds)) + 1e-9:
        # Of the topics that imply this one the likeliest lends its score.
        above = ancestors(model.topics)
        children = [t for t, other in enumerate(model.topics) if topic.id in above[other.id]]
        implied_by = model.topics[max(children, key=lambda t: float(scores[t]))].id
    tagged = bool(decided[column])
    likelier = blocking_topics(column, decided, model.topics) if not tagged and score >= model.thresholds[column] else []
    return {
        "id": topic.id,
        "name": topic.name,
        "score": round(score, 4),
        "threshold": round(float(model.thresholds[column]), 4) if np.isfinite(model.thresholds[column]) else None,
        "tagged": tagged,
        "implied_by": implied_by,
        "gives_way_to": [model.topics[t].id for t in likelier],
        "log_odds": round(log_odds, 6) if learned else None,
        "intercept": round(float(model.bias[column]), 6) if learned else None,
        "terms": [
            {
                "term": reason.term,
                "share": round(reason.share, 6),
                "places": [{"part": place.part, "start": place.start, "end": place.end} for place in there[reason.term]],
            }
            for reason in reasons
        ],
    }


def _said(row: LabelRow) -> dict[str, list[str]]:
    return {"topics": list(row.topics), "unsure": list(row.unsure)}
