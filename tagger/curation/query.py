"""What `tagger next` picks by: which entries to label next.

This is a query strategy, as active learning calls it, for several topics at once. An entry is worth more, the nearer its
scores are to the thresholds. A topic counts by the width of the interval that its F1 is known to, and less with each entry
that was picked for it. The picked entries together cover as much of this worth as they can.

No score of an entry that is unlike every labelled one can be trusted. If there are unusually many such entries, some of them
are picked too, first those that stand for most of the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.entry import Entry
from tagger.evaluation.figures import UNDEFINED, read_f1
from tagger.labels.dataset import Labels
from tagger.model.decision import UNCERTAIN_ODDS_RATIO, log_odds_margins
from tagger.model.model import Model
from tagger.source import Source
from tagger.text.hashed_vocabulary import HashedVocabulary
from tagger.text.near_duplicates import are_near_duplicates
from tagger.text.similarity import TfidfRows, cosine_rows, nearest_rows, shared_vocabulary, tfidf_rows

__all__ = [
    "USUAL_SHARE",
    "Pick",
    "Pool",
    "Suggestion",
    "build_pool",
    "describe_picks",
    "select_batch",
    "suggest_entries",
    "uncertain_cells",
]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

USUAL_SHARE = 0.05  # of the labelled entries are below `Pool.similarity_bound`, by its definition
_MAX_CANDIDATES = 2000  # the entries that are worth most, of which a batch is selected: a bound on time and memory


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Entries that are not labelled, beside those that are, as a model sees them."""

    entries: tuple[Entry, ...]
    labelled: tuple[Entry, ...]
    scores: Floats  # (n_entries, n_topics)
    rows: TfidfRows
    similarity: Floats  # (n_entries,): the cosine with the nearest labelled entry, 0 where no term is shared
    nearest: Ints  # (n_entries,): which labelled entry that is
    similarity_bound: float  # an entry below it is unlike every labelled entry

    @property
    def unlike(self) -> Bools:
        """Which entries are unlike every labelled one: (n_entries,)."""
        return self.similarity < self.similarity_bound


@dataclass(frozen=True, slots=True)
class Pick:
    """An entry of a pool to label."""

    entry: int  # its index in the pool
    topic: int | None  # the column of the topic that is uncertain; None for an entry unlike every labelled one
    n_represented: int = 1  # entries of its kind that have more in common with it than with any other pick, and itself


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An entry to label, and why."""

    entry: Entry
    reason: str  # "uncertain" or "unlike"
    topic: str | None  # its id; None for an unlike entry, as are the two below
    score: float | None
    threshold: float | None
    n_represented: int
    nearest: Entry | None  # the labelled entry that is most like it; None where none has a word in common
    similarity: float  # the cosine with that entry

    def to_json(self) -> dict[str, Any]:
        """The suggestion as JSON has it."""
        source: Source | None = self.entry.source
        return {
            "id": self.entry.id,
            "title": self.entry.title,
            "source": None if source is None else str(source),
            "reason": self.reason,
            "topic": self.topic,
            "score": self.score,
            "threshold": self.threshold,
            "stands_for": self.n_represented,
            "nearest": None if self.nearest is None else {"id": self.nearest.id, "title": self.nearest.title},
            "likeness": self.similarity,
        }


def suggest_entries(model: Model, labels: Labels, entries: Sequence[Entry], n_wanted: int = 20) -> list[Suggestion]:
    """The entries of a pool to label next, each with its reason. See `select_batch`.

    Args:
        model: the model of these labels.
        labels: what is labelled already.
        entries: the pool to choose from; labelled and repeated entries are left out.
        n_wanted: how many entries to name at most.
    """
    pool = build_pool(model, labels.entries, entries)
    return describe_picks(model, pool, select_batch(model, pool, n_wanted))


def build_pool(model: Model, labelled: Sequence[Entry], entries: Sequence[Entry]) -> Pool:
    """Entries beside the labelled ones. Entries that are labelled or repeated are left out."""
    labelled_ids = {entry.id for entry in labelled}
    new = tuple({entry.id: entry for entry in reversed(entries) if entry.id not in labelled_ids}.values())[::-1]
    vocabulary, idf = HashedVocabulary(model.hashes), model.idf.astype(np.float64)
    rows, labelled_rows = tfidf_rows(new, vocabulary, idf), tfidf_rows(labelled, vocabulary, idf)
    similarity, nearest = _nearest_labelled(rows, labelled_rows, len(idf))
    among_labelled, _ = _nearest_labelled(labelled_rows, labelled_rows, len(idf), skip_self=True)
    bound = float(np.quantile(among_labelled, USUAL_SHARE)) if len(among_labelled) else 0.0
    return Pool(new, tuple(labelled), model.scores(new), rows, similarity, nearest, bound)


def _nearest_labelled(rows: TfidfRows, labelled: TfidfRows, n_terms: int, skip_self: bool = False) -> tuple[Floats, Ints]:
    """The cosine with the nearest labelled entry, and which that is, (n_entries,) each; 0 and 0 where there is none."""
    cosines, nearest = nearest_rows(rows, labelled, n_terms, skip_self=skip_self)
    return cosines.max(axis=1, initial=0.0), nearest.sum(axis=1)


def select_batch(model: Model, pool: Pool, n_wanted: int) -> list[Pick]:
    """The entries whose labels would teach most: the uncertain ones, best first, then those unlike every labelled one.

    An entry is uncertain for a topic if its odds are within a factor of two of the threshold's. There its worth is
    width x exp(-distance) / (1 + n_picks). The width is that of the interval of the topic's F1, the distance that of the
    score's log-odds from the threshold's, and n_picks counts the entries that were picked for the topic before. The worth of
    an entry is that for its best topic.

    Each pick is the entry that covers most: the sum, over uncertain entries, of their worth times what the pick adds
    to their greatest cosine with a labelled or picked entry. Unlike entries are picked in the same way; all have the same
    worth, and no labelled entry covers them. A near-duplicate of a pick, or of its nearest labelled entry, is passed over.

    The share of unlike entries is that of those beyond the usual 5% of the pool. It is more only where too few entries are
    uncertain.

    Source: D. Lewis and W. Gale, "A sequential algorithm for training text classifiers", SIGIR 1994 (uncertainty, here at
    each topic's threshold); K. Wei, R. Iyer and J. Bilmes, "Submodularity in data subset selection and active learning",
    ICML 2015 (the picks cover the uncertain entries: facility location). The weights, the turns of topics and the place of
    unlike entries are ours; docs/benchmarks.md measures the whole.
    """
    uncertain, distance = uncertain_cells(model, pool.scores)
    uncertain &= ~pool.unlike[:, None]
    n_uncertain = int(uncertain.any(axis=1).sum())
    n_unusual = max(0.0, float(pool.unlike.sum()) - USUAL_SHARE * len(pool.unlike))
    n_unlike = max(round(n_wanted * n_unusual / max(1.0, n_unusual + n_uncertain)), n_wanted - n_uncertain)
    worth = np.where(uncertain, np.exp(-distance) * _interval_widths(model), 0.0)
    unlike = _select_covering(pool, np.where(pool.unlike, 1.0, 0.0)[:, None], n_unlike)
    picks = _select_covering(pool, worth, n_wanted - len(unlike), pool.labelled, [pick.entry for pick in unlike])
    return picks + [replace(pick, topic=None) for pick in unlike]


def uncertain_cells(model: Model, scores: Floats) -> tuple[Bools, Floats]:
    """Which scores are uncertain, and how far their log-odds are from the threshold's: (n_entries, n_topics) each."""
    distance = np.abs(log_odds_margins(scores, model.thresholds))
    return distance <= np.log(UNCERTAIN_ODDS_RATIO), distance


def _interval_widths(model: Model) -> Floats:
    """The width of the interval of each topic's F1, 1 where it is not known: (n_topics,)."""
    widths = ((read_f1(model, topic.id) or UNDEFINED).width for topic in model.topics)
    return np.array([1.0 if width is None else width for width in widths])


def _select_covering(
    pool: Pool, worth: Floats, n_wanted: int, labelled: Sequence[Entry] = (), picked_before: Sequence[int] = ()
) -> list[Pick]:
    """Entries of a pool that together cover those of some worth, best first.

    Args:
        pool: what to pick from.
        worth: of each entry for each topic, (n_entries, n_topics); an entry without any is neither picked nor covered.
        n_wanted: how many to pick at most.
        labelled: what covers the entries already.
        picked_before: entries of the pool; no pick is a near-duplicate of one.
    """
    candidates = _most_worthy(worth)
    if n_wanted <= 0 or not len(candidates):
        return []
    worth = worth[candidates]
    cosines, covered = _measure_coverage([pool.entries[n] for n in candidates], labelled)
    n_picks_of_topic, free = np.zeros(worth.shape[1]), np.ones(len(candidates), dtype=bool)
    picks: list[Pick] = []
    places: list[int] = []  # of the picks, among the candidates
    while len(picks) < n_wanted and free.any():
        worth_now = worth / (1 + n_picks_of_topic)
        gain = np.maximum(cosines - covered, 0.0) @ worth_now.max(axis=1)
        best = int(np.where(free, gain, -1.0).argmax())
        free[best] = False
        entry, topic = int(candidates[best]), int(worth_now[best].argmax())
        if _repeats(pool, entry, [*picked_before, *(pick.entry for pick in picks)]):
            continue
        picks.append(Pick(entry, topic))
        places.append(best)
        n_picks_of_topic[topic] += 1
        covered = np.maximum(covered, cosines[best])
    n_represented = _count_represented(cosines, places)
    return [replace(pick, n_represented=n) for pick, n in zip(picks, n_represented, strict=True)]


def _most_worthy(worth: Floats) -> Ints:
    """The entries that are worth something, in their order; of too many those that are worth most."""
    best = worth.max(axis=1, initial=0.0)
    n_candidates = min(_MAX_CANDIDATES, int((best > 0).sum()))
    return np.sort(np.argsort(-best, kind="stable")[:n_candidates])


def _measure_coverage(entries: Sequence[Entry], labelled: Sequence[Entry]) -> tuple[Floats, Floats]:
    """The cosines of entries among each other, (n_entries, n_entries), and with the nearest labelled one, (n_entries,)."""
    vocabulary, idf = shared_vocabulary([*entries, *labelled])
    rows = tfidf_rows(entries, vocabulary, idf)
    cosines = np.array(list(cosine_rows(rows, rows, len(idf))))
    np.fill_diagonal(cosines, 1.0)
    covered, _ = _nearest_labelled(rows, tfidf_rows(labelled, vocabulary, idf), len(idf))
    return cosines, covered


def _repeats(pool: Pool, entry: int, picked: Sequence[int]) -> bool:
    """Whether an entry is a near-duplicate of a picked one or of its nearest labelled one."""
    nearest = pool.labelled[pool.nearest[entry] : pool.nearest[entry] + 1]  # none where nothing is labelled
    others = (*nearest, *(pool.entries[other] for other in picked))
    return any(are_near_duplicates(pool.entries[entry], other) for other in others)


def _count_represented(cosines: Floats, places: Sequence[int]) -> list[int]:
    """For each pick how many candidates have more in common with it than with any other pick, itself among them."""
    if not places:
        return []
    with_picks = cosines[places]  # (n_picks, n_candidates)
    nearest_pick = with_picks.argmax(axis=0)
    nearest_pick[places] = np.arange(len(places))
    counts: list[int] = np.bincount(nearest_pick[with_picks.max(axis=0) > 0], minlength=len(places)).tolist()
    return counts


def describe_picks(model: Model, pool: Pool, picks: Sequence[Pick]) -> list[Suggestion]:
    """Picks of a pool, each with its reason."""
    return [_describe_pick(model, pool, pick) for pick in picks]


def _describe_pick(model: Model, pool: Pool, pick: Pick) -> Suggestion:
    n, t = pick.entry, pick.topic
    return Suggestion(
        pool.entries[n],
        reason="unlike" if t is None else "uncertain",
        topic=None if t is None else model.topics[t].id,
        score=None if t is None else round(float(pool.scores[n, t]), 4),
        threshold=None if t is None else round(float(model.thresholds[t]), 4),
        n_represented=pick.n_represented,
        nearest=pool.labelled[pool.nearest[n]] if pool.similarity[n] > 0 else None,
        similarity=round(float(pool.similarity[n]), 4),
    )
